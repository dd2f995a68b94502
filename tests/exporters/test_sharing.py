"""What is read again shares the arrays of what was written, where they are equal to the last bit."""

import numpy as np
from spikeport.exporters.nir_file import write
from spikeport.exporters.proving import of_nir, of_onnx, sharing
from spikeport.toolchain.graph import Graph, SubGraph, chain
from spikeport.toolchain.graph.nodes import LIF, Affine, Input, Output


def net(weight: np.ndarray) -> Graph:
    return chain([("in", Input((3,), "spikes")), ("fc", Affine(weight)), ("lif", LIF(beta=0.9)), ("out", Output())])


def test_equal_arrays_are_held_once() -> None:
    weight = np.arange(6.0).reshape(2, 3)
    first, again = net(weight), net(weight.copy())
    found = sharing(again, first)
    assert found.nodes["fc"].weight is first.nodes["fc"].weight
    assert found.nodes["lif"].beta is first.nodes["lif"].beta
    assert (found.name, found.wires, found.order) == (again.name, again.wires, again.order)


def test_what_differs_in_a_bit_a_type_or_a_shape_stays() -> None:
    weight = np.arange(6.0).reshape(2, 3)
    turned = weight.copy()
    turned[0, 0] = -0.0
    for other in (turned, weight.astype(np.float32), weight[:1]):
        again = net(other)
        assert sharing(again, net(weight)).nodes["fc"].weight is again.nodes["fc"].weight


def test_inner_graphs_share_too_and_other_nodes_do_not() -> None:
    inner = [net(np.arange(6.0).reshape(2, 3)) for _ in range(2)]
    first, again = (chain([("in", Input((3,), "spikes")), ("box", SubGraph(g)), ("out", Output())]) for g in inner)
    assert sharing(again, first).nodes["box"].graph.nodes["fc"].weight is inner[0].nodes["fc"].weight
    assert sharing(again, inner[0]).nodes["box"] is again.nodes["box"]


def test_proofs_hand_on_the_arrays_of_the_network(tmp_path) -> None:
    from spikeport.exporters import onnx_file

    graph = net(np.arange(6, dtype=np.float32).reshape(2, 3))
    inputs = {"in": np.ones((4, 1, 3), np.float32)}
    for end, put, proof in ((".nir", write, of_nir), (".onnx", onnx_file.write, of_onnx)):
        path = tmp_path / f"net{end}"
        put(graph, path)
        again, proofs = proof(graph, path, path, inputs)
        assert again.nodes["fc"].weight is graph.nodes["fc"].weight
        assert all(each.exact is not False for each in proofs)
