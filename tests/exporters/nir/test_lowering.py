"""Every way to say in NIR what it has no node for: the same function, in nodes that plain `nir.read` takes."""

import nir
import numpy as np
import pytest
from spikeport.exporters.nir.objects import graph_object, write_file
from spikeport.exporters.nir.reading import from_nir
from spikeport.exporters.nir.writing import to_tree
from spikeport.toolchain.errors import Refused
from spikeport.toolchain.graph import Graph, GraphBuilder, Node, SubGraph, Wire, chain, later
from spikeport.toolchain.graph.nodes import (
    IF,
    LIF,
    Activation,
    Add,
    Affine,
    AveragePool,
    BatchNorm,
    Concat,
    Contract,
    Conv,
    ConvTranspose,
    CubaIntegrator,
    CubaLIF,
    Delay,
    Flatten,
    Input,
    Integrator,
    MaxPool,
    Mean,
    Output,
    Pad,
    Permute,
    Reshape,
    Scale,
    Slice,
    Sum,
    SumPool,
    TemporalKernel,
)
from spikeport.toolchain.graph.text import diff
from spikeport.toolchain.passes import make
from support.same_function import assert_same_function

RNG = np.random.default_rng(0)


def weights(*shape: int) -> np.ndarray:
    return RNG.standard_normal(shape)


def line(shape: tuple[int, ...], *nodes: Node, carries: str = "graded") -> Graph:
    named = [(f"n{i + 1}", node) for i, node in enumerate(nodes)]
    return chain([("in", Input(shape, carries)), *named, ("out", Output())])


def summed(shape: tuple[int, ...], *terms: Node | None, also: Node | None = None) -> Graph:
    """The sum of several nodes that read the input, behind a node."""
    build = GraphBuilder()
    build.add("in", Input(shape))
    names = [build.add(f"t{i}", term, "in") if term is not None else "in" for i, term in enumerate(terms)]
    build.add("sum", Add(), *names)
    build.add("out", Output(), build.add("last", also, "sum") if also is not None else "sum")
    return build.build()


def joined(shape: tuple[int, ...], axis: int, *behind: Node) -> Graph:
    build = GraphBuilder()
    build.add("in", Input(shape))
    build.add("a", Scale(2.0), "in")
    last = build.add("both", Concat(axis), "in", Wire("a", delayed=True))
    for index, node in enumerate(behind):
        last = build.add(f"n{index}", node, last)
    build.add("out", Output(), last)
    return build.build()


def nested() -> Graph:
    inner = chain([("in", Input((3,))), ("fc", Affine(weights(3, 3))), ("lif", LIF(beta=0.9)), ("out", Output())])
    return line((3,), SubGraph(inner))


def rational(shape: tuple[int, ...]) -> BatchNorm:
    return BatchNorm(weights(shape[0]), 0.5 + weights(shape[0]) ** 2, weights(shape[0]), weights(shape[0]))


BETA, FULL = np.full(3, 0.75), RNG.uniform(0.5, 1.0, (2, 3, 4))
CASES: dict[str, tuple[Graph, str]] = {
    # what it is about: (the network, the kinds of NIR nodes between Input and Output)
    "sub-graph": (nested(), "Linear LIF"),
    "no leak": (line((3,), LIF(beta=1.0)), "IF"),
    "no current": (line((3,), CubaLIF(alpha=0.0, beta=BETA), CubaIntegrator(alpha=0.0, beta=1.0)), "LIF I"),
    "voltage": (line((3,), LIF(beta=BETA, reset="none", emit="voltage")), "LI"),
    "bias of IF": (line((3,), Affine(weights(3, 3)), IF(bias=0.25, gain=BETA)), "Affine IF"),
    "bias of IF, own layer": (line((3,), IF(bias=weights(3))), "Affine IF"),
    "bias of I behind Conv": (
        line((2, 5), Conv(weights(3, 2, 2)), Integrator(bias=weights(3, 1), gain=0.5)),
        "Conv1d I",
    ),
    "bias of IF for each place": (line((2, 3, 4), IF(bias=0.1 * FULL)), "Affine IF"),
    "batch norm": (line((2, 5, 5), Conv(weights(3, 2, 3, 3)), rational((3,))), "Conv2d"),
    "batch norm alone": (line((2, 5, 5), rational((2,))), "Affine"),
    "shift": (line((2, 3), Scale(weights(2, 3), weights(3))), "Affine"),
    "matrix on several axes": (line((2, 3), Affine(weights(4, 3), weights(4))), "Affine"),
    "before ≠ after": (line((2, 6, 6), Conv(weights(3, 2, 3, 3), padding=((0, 1), (2, 1)))), "Conv2d"),
    "before ≠ after, dilated": (line((2, 9), Conv(weights(3, 2, 3), padding=((0, 3),), dilation=2)), "Conv1d"),
    "before ≠ after, as many": (line((2, 9), Conv(weights(3, 2, 3), padding=((1, 0),), stride=2)), "Conv1d"),
    "kernel not square": (line((2, 6, 6), Conv(weights(3, 2, 3, 1))), "Conv2d"),
    "kernel not square, dilated": (line((2, 8, 6), Conv(weights(3, 2, 3, 1), dilation=2)), "Conv2d"),
    "sum pool, 1-D": (line((2, 6), SumPool((2,))), "Conv1d"),
    "sum pool, over the end": (line((2, 5, 5), SumPool((2, 2), ceil=True)), "Conv2d"),
    "sum pool, ceil for nothing": (line((2, 4, 4), SumPool((2, 2), ceil=True)), "SumPool2d"),
    "average pool": (line((2, 4, 4), AveragePool((2, 2), count_padding=False)), "AvgPool2d"),
    "average pool, padded": (line((2, 5, 5), AveragePool((3, 3), 2, 1, count_padding=False)), "SumPool2d Scale"),
    "average pool, 1-D": (line((2, 4), AveragePool((2,))), "Conv1d Scale"),
    "max pool of spikes": (line((2, 4, 4), MaxPool((2, 2)), carries="spikes"), "SumPool2d Threshold"),
    "mean over space": (line((2, 4, 4), Mean((1, 2))), "AvgPool2d Flatten"),
    "sum over channels": (line((3, 4, 4), Sum((0,))), "Conv2d Flatten"),
    "sum over all but one": (line((3, 4, 4), Sum((0, 1))), "Conv2d Flatten"),
    "sum of a vector": (line((5,), Sum((0,), keep=True)), "Linear"),
    "mean over a length, kept": (line((3, 4), Mean((1,), keep=True)), "Conv1d Scale"),
    "pad": (line((2, 4, 4), Pad(((0, 1), (1, 2), (0, 0)))), "Conv2d"),
    "pad before Conv": (line((2, 4, 4), Pad(((0, 0), (1, 0), (0, 1))), Conv(weights(3, 2, 2, 2))), "Conv2d"),
    "pad of a vector": (line((4,), Pad(((1, 2),))), "Linear"),
    "slice": (line((4, 6, 6), Slice(1, 1, 5, 2)), "Conv2d"),
    "slice of channels": (line((4, 6), Slice(0, 1, 4, 2)), "Conv1d"),
    "slice of a vector": (line((6,), Slice(0, 1, 5, 2)), "Linear"),
    "concat": (joined((3,), 0), "Scale Delay Linear Linear"),
    "concat before Affine": (joined((3,), 0, Affine(weights(2, 6), weights(2))), "Scale Delay Affine Linear"),
    "concat before Conv": (joined((2, 4), 0, Conv(weights(3, 4, 2))), "Scale Delay Conv1d Conv1d"),
    "concat in space": (joined((2, 3, 3), 1), "Scale Delay Conv2d Conv2d"),
    "kernel over time": (line((3,), TemporalKernel(weights(3, 2, 3), weights(2))), "Affine Delay Linear Delay Linear"),
    "kernel over time, space": (line((3, 4), TemporalKernel(weights(2, 2, 3))), "Conv1d Delay Conv1d"),
    "transposed": (line((2, 4, 4), ConvTranspose(weights(2, 3, 3, 3), padding=1)), "Conv2d"),
    "transposed, strided": (
        line((2, 3), ConvTranspose(weights(2, 3, 3), stride=2), Scale(weights(3, 1)), Flatten()),
        "Flatten Linear",
    ),
    "permute before a matrix": (
        line((2, 3, 4), Permute((2, 0, 1)), LIF(beta=FULL.transpose(2, 0, 1)), Flatten(), Affine(weights(3, 24))),
        "LIF Flatten Linear",
    ),
    "reshape on the way": (
        line((6,), Reshape((2, 3)), Scale(weights(2, 1)), Conv(weights(4, 2, 2)), Flatten()),
        "Linear",
    ),
    "contraction": (line((2, 3), Contract("cv,vw->cw", weights(3, 4))), "Linear"),
    "contraction, transposed": (line((2, 3), Contract("cv,vw->wc", weights(3, 4)), Flatten()), "Flatten Linear"),
    "two axes each": (line((2, 3, 2, 2), Reshape((6, 4))), "Flatten Flatten"),
    "step": (line((3,), Activation("step_or_equal", {"threshold": 0.5})), "Threshold"),
    "x + x": (summed((3,), None, None), "Scale"),
    "x + y + x": (summed((3,), None, Scale(2.0), None), "Scale Scale"),
    "x + W·y, repeated": (summed((3, 4), None, Mean((1,), keep=True)), "Conv1d Scale Conv1d"),
    "vector, repeated": (summed((3,), None, Sum((0,), keep=True)), "Linear Linear"),
}


UNEVEN = {"sum over all but one", "pad", "slice", "concat in space"}
"""Kernels one longer on one side than on the other: zeros around them never make them square."""


@pytest.mark.filterwarnings("ignore:invalid value encountered")
@pytest.mark.parametrize("about", CASES)
def test_a_network_is_said_in_nodes_of_nir(tmp_path, about):
    graph, kinds = CASES[about]
    written = to_tree(graph)
    between = [leaf.kind for leaf in written.tree.nodes.values() if leaf.kind not in ("Input", "Output")]
    assert sorted(between) == sorted(kinds.split())
    assert_same_function(graph, written.graph, exact=False)
    write_file(written.tree, tmp_path / "net.nir")
    canonicalise, back = make("canonicalise"), from_nir(graph_object(written.tree)).graph
    assert diff(canonicalise(written.graph).graph, canonicalise(back).graph) == ""
    uneven = any("type_check=False" in line for line in written.remarks)
    assert uneven == (about in UNEVEN)
    assert len(nir.read(tmp_path / "net.nir", type_check=not uneven).nodes) == len(between) + 2
    plain = {"matrix on several axes", "average pool", "step", "shift"}
    assert bool(written.facts.passes) == (about not in plain)


@pytest.mark.parametrize("places", [(0, 1), (1, 0), (2, 0, 1), (1, 2, 0), (0, 1, 2)])
def test_sums_in_sums_keep_every_bit(places):
    """x + (y + z), (y + z) + x, (x + w) + (y + z) and so on, where y + z has another reader."""
    build = GraphBuilder()
    build.add("in", Input((4,)))
    names = [build.add(f"t{i}", Affine(weights(4, 4)), "in") for i in range(4)]
    build.add("inner", Add(), *names[:2])
    build.add("outer", Add(), *[("inner", *names[2:])[place] for place in places])
    build.add("out", Output(), "outer")
    build.add("out2", Output(), "inner")
    graph = build.build()
    written = to_tree(graph)
    assert_same_function(graph, written.graph, exact=True)
    assert_same_function(graph, from_nir(graph_object(written.tree)).graph, exact=True)


def test_what_was_changed_stands_in_the_facts_and_the_remarks():
    graph, _ = CASES["batch norm"]
    written = to_tree(graph)
    assert written.facts.passes == ("folded n2 into n1",)
    assert written.remarks == written.facts.passes


def test_columns_behind_a_permutation_keep_every_bit():
    matrix = weights(3, 24).astype(np.float32)
    written = to_tree(line((2, 3, 4), Permute((2, 0, 1)), Flatten(), Affine(matrix))).tree
    (found,) = (leaf.values["weight"] for leaf in written.nodes.values() if leaf.kind == "Linear")
    order = np.arange(24).reshape(2, 3, 4).transpose(2, 0, 1).reshape(-1)
    assert found.dtype == np.float32
    assert (found[:, order] == matrix).all()


def test_groups_stay_and_the_call_that_reads_them_is_said(tmp_path):
    graph = line((200, 3, 3), Conv(weights(200, 1, 3, 3), groups=200))
    written = to_tree(graph)
    assert written.remarks == ("n1: nir's own check is wrong about it; read it by nir.read(path, type_check=False)",)
    write_file(written.tree, tmp_path / "net.nir")
    with pytest.raises(ValueError, match="type mismatch"):
        nir.read(tmp_path / "net.nir")
    assert int(nir.read(tmp_path / "net.nir", type_check=False).nodes["n1"].groups) == 200


LOOP = {"fc": Affine(weights(3, 3)), "lif": LIF(beta=0.9), "back": Affine(weights(3, 3))}


def looped(*terms: Wire | str, reader: str = "lif", also: Wire | None = None) -> Graph:
    build = GraphBuilder()
    build.add("in", Input((3,)))
    build.add("fc", LOOP["fc"], "in")
    build.add("sum", Add(), *terms)
    build.add("lif", LOOP["lif"], "sum")
    build.add("back", LOOP["back"], "lif")
    build.add("out", Output(), reader)
    if also is not None:
        build.add("out2", Output(), also)
    return build.build()


@pytest.mark.parametrize("terms", [("fc", later("back")), (later("back"), "fc"), ("in", "fc", later("back"))])
def test_a_loop_with_one_way_in_and_one_way_out_is_a_graph_of_its_own(terms):
    graph = looped(*terms)
    written = to_tree(graph)
    loop = written.tree.nodes["lif_loop"]
    assert [(name, leaf.kind) for name, leaf in loop.nodes.items()] == [
        ("input", "Input"),
        ("lif", "LIF"),
        ("back", "Linear"),
        ("output", "Output"),
    ]
    assert loop.edges == (("input", "lif"), ("back", "lif"), ("lif", "back"), ("lif", "output"))
    assert written.facts.delayed == (("lif_loop.back", "lif_loop.lif"),)
    assert written.facts.sums == {"lif_loop.lif": "sum"}
    assert written.facts.names == {"lif_loop.lif": "lif", "lif_loop.back": "back"}
    assert_same_function(graph, written.graph, exact=True)


def test_a_loop_with_two_ways_out_is_a_cycle():
    written = to_tree(looped("fc", later("back"), also=Wire("back")))
    assert "lif_loop" not in written.tree.nodes
    assert ("back", "lif") in written.tree.edges
    assert written.facts.delayed == (("back", "lif"),)
    text = "back, lif: a loop with several ways in or out is written as a cycle, not as a sub-graph"
    assert text in written.remarks


def test_a_delayed_wire_outside_of_loops_is_a_delay():
    written = to_tree(looped("fc", later("back"), reader="lif", also=later("fc")))
    leaf = written.tree.nodes["fc_later"]
    assert (leaf.kind, leaf.values["delay"].tolist()) == ("Delay", [1e-3] * 3)
    assert written.facts.delayed == (("lif_loop.back", "lif_loop.lif"),)


REFUSED = {
    "n1 (MaxPool), kind: MaxPool; expected a kind that NIR has": line((2, 4, 4), MaxPool((2, 2))),
    "n1 (Permute), kind: Permute; expected a kind that NIR has": line((2, 3), Permute((1, 0))),
    "n1 (Activation), function: 'relu'; expected step: NIR has no other function": line((2,), Activation("relu")),
    "n1 (LIF), emit: 'voltage'; expected spikes, which is all that NIR's neurons send": line(
        (2,), LIF(beta=0.5, emit="voltage")
    ),
    "n1 (Conv), weight: 3 dimensions of space; expected one or two": line((2, 4, 4, 4), Conv(weights(2, 2, 3, 3, 3))),
    "n1 (CubaLIF), beta: a decay of 1 or more": line((2,), CubaLIF(alpha=0.5, beta=1.0)),
    "sum (Add): terms of several shapes; expected terms of one shape": summed((2, 3), None, Sum((0,))),
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_nir_cannot_say_is_refused_by_name(text):
    with pytest.raises(Refused) as error:
        to_tree(REFUSED[text])
    assert f"  - {text}" in str(error.value)


def test_all_reasons_are_said_at_once():
    nodes = [Activation("relu"), LIF(beta=0.5, emit="charge"), Delay((2,)), MaxPool((2,))]
    with pytest.raises(Refused, match="network as NIR: refused for 3 reasons"):
        to_tree(line((2, 4), *nodes))
