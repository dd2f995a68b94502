"""The dialect of Spyx: what its files mean, what its importer makes of ours, and what it cannot be told."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spikeport.exporters import nir_file
from spikeport.exporters.nir.dialects.base import SURE, Told
from spikeport.exporters.nir.dialects.spyx import DIALECT
from spikeport.exporters.nir.dialects.spyx_tree import begin
from spikeport.exporters.nir.tree import Leaf, Tree
from spikeport.exporters.nir.writing import to_tree
from spikeport.toolchain.errors import GraphError, Refused
from spikeport.toolchain.graph import Graph, GraphBuilder
from spikeport.toolchain.graph import nodes as n
from spikeport.toolchain.simulate import simulate
from support.nir_peers.one_neuron import SIZE, close_nodes, each

DT = 1e-3


def told(node: n.Node) -> Told:
    return Told(DT, "euler", node.reset, node.when, node.at_least)


def drawn(kind: type, seed: int, when: str, at_least: bool) -> n.Node:
    rng = np.random.default_rng(seed)
    fields = {"rule": "euler", "gain": 1.0, "threshold": each(rng, 0.2, 3)}
    for name in {"alpha", "beta"} & set(kind.__dataclass_fields__):
        fields[name] = each(rng, 0.05, 0.97)
    return kind(**fields, reset="subtract", when=when, at_least=at_least)


@settings(deadline=None, max_examples=40)
@given(
    st.sampled_from([n.IF, n.LIF, n.CubaLIF]), st.integers(0, 2**31), st.sampled_from(["now", "next"]), st.booleans()
)
def test_its_importer_makes_the_neuron_that_was_written(kind, seed, when, at_least):
    node = drawn(kind, seed, "now" if kind is n.CubaLIF else when, at_least)
    leaf = DIALECT.encode(node, (SIZE,), told(node))
    close_nodes(DIALECT.imported(leaf, told(node)), node)
    if kind is not n.IF:
        np.testing.assert_array_equal(leaf.values["r"], np.float32(node.beta))


def test_the_number_before_stands_for_the_compare_that_it_has_not():
    node = drawn(n.LIF, 1, "next", True)
    below = DIALECT.encode(node, (SIZE,), told(node)).values["v_threshold"]
    np.testing.assert_array_equal(below, np.nextafter(node.threshold, np.float32(0)))


def test_a_lif_that_resets_at_once_is_a_cubalif_whose_current_lasts_for_a_step():
    node = drawn(n.LIF, 1, "now", False)
    leaf = DIALECT.encode(node, (SIZE,), told(node))
    assert leaf.kind == "CubaLIF"
    np.testing.assert_allclose(leaf.values["tau_syn"], DT)


REFUSED = {
    "kind: LeakyIntegrator; expected IF, LIF or CubaLIF": n.LeakyIntegrator(beta=0.5),
    "gain: 2; expected 1": n.IF(gain=2.0, reset="subtract"),
    "bias: 0.5; expected 0": n.IF(bias=0.5, reset="subtract"),
    "reset: 'none'; expected by subtraction": n.LIF(beta=0.5, reset="none"),
    "when: 'next'; expected now or next": n.CubaLIF(alpha=0.5, beta=0.5, reset="subtract", when="next"),
    "when: 'guarded'; expected now or next": n.LIF(beta=0.5, reset="subtract", when="guarded"),
    "threshold: less than 0; expected 0 or more": n.IF(threshold=-1.0, reset="subtract"),
    "beta: less than 0 or 1 and more": n.LIF(beta=1.0, reset="subtract", when="next"),
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_its_importer_cannot_make_is_refused(message):
    with pytest.raises(GraphError, match=message):
        DIALECT.encode(REFUSED[message], (2,), Told(DT))


def chain(*layers: n.Node, shape: tuple[int, ...] = (2,)) -> Graph:
    builder = GraphBuilder("chain", DT)
    last = builder.add("pixels", n.Input(shape, "spikes"))
    for index, node in enumerate(layers):
        last = builder.add(f"n{index}", node, last)
    builder.add("classes", n.Output(), last)
    return builder.build()


def lif(**fields) -> n.LIF:
    return n.LIF(**{"beta": 0.5, "reset": "subtract", "when": "next", **fields})


def affine(out: int, into: int, bias: float = 0.0) -> n.Affine:
    weight = np.random.default_rng(out + into).normal(0.5, 1, (out, into)).astype(np.float32)
    return n.Affine(weight, np.full(out, bias, np.float32))


def answers(graph: Graph, steps: int = 24) -> np.ndarray:
    shape = graph.signals[graph.inputs[0]].shape
    x = (np.random.default_rng(0).random((steps, 2, *shape)) < 0.5).astype(np.float64)
    found: np.ndarray = simulate(graph, x).outputs[graph.outputs[0]]
    return found


def test_the_delay_behind_a_neuron_is_left_out_and_comes_back():
    graph = chain(affine(2, 2, 0.3), lif(), n.Delay((1,)), affine(2, 2, 0.3), lif(), n.Delay((1,)))
    tree = to_tree(graph, "spyx").tree
    assert list(tree.nodes) == ["input", "n0", "n1", "n3", "n4", "output"]
    back = nir_file.from_nir(nir_file.to_nir(graph, "spyx")).graph
    assert [name for name, node in back.nodes.items() if node.kind == "Delay"] == ["n2", "n5"]
    np.testing.assert_array_equal(answers(back), answers(graph))
    assert answers(graph).any()


def test_without_delays_its_answers_come_later_where_no_bias_is_behind_a_neuron():
    graph = chain(affine(2, 2, 0.3), lif(), affine(2, 2), lif())
    said = to_tree(graph, "spyx").remarks
    assert "Spyx's neurons send a step late: its answers are those of this network 2 steps later" in said
    back = nir_file.from_nir(nir_file.to_nir(graph, "spyx")).graph
    np.testing.assert_array_equal(answers(back), answers(graph))
    with pytest.raises(Refused, match="bias of 'n2': another than 0, in a network whose neurons send without delay"):
        to_tree(chain(affine(2, 2), lif(), affine(2, 2, 0.3), lif()), "spyx")
    with pytest.raises(Refused, match="Delay: behind some of its neurons alone; expected one step behind each"):
        to_tree(chain(affine(2, 2), lif(), n.Delay((1,)), affine(2, 2), lif()), "spyx")


def test_its_answers_really_are_those_of_the_network_some_steps_later():
    """What the remark says: the same graph with the Delays that Spyx's neurons bring."""
    graph = chain(affine(2, 2, 0.3), lif(), affine(2, 2), lif())
    late = chain(affine(2, 2, 0.3), lif(), n.Delay((1,)), affine(2, 2), lif(), n.Delay((1,)))
    np.testing.assert_array_equal(answers(late)[2:], answers(graph)[:-2])
    assert not answers(late)[:2].any()


def test_a_longer_delay_is_refused():
    with pytest.raises(Refused, match="'n2': a Delay; expected none but a step behind a neuron"):
        to_tree(chain(affine(2, 2), lif(), n.Delay((2,))), "spyx")


def test_the_ends_have_the_names_that_it_looks_for():
    said = to_tree(chain(affine(2, 2), lif()), "spyx").remarks
    assert said[:2] == (
        "pixels: called input, the only name that Spyx looks for",
        "classes: called output, the only name that Spyx looks for",
    )


def flat(*behind: n.Node) -> Graph:
    return chain(n.Flatten(), *behind, shape=(2, 3, 2))


def test_the_layer_behind_a_flatten_has_its_columns_in_its_order():
    layer = affine(2, 12)
    graph = flat(layer, lif(), n.Delay((1,)))
    weight = to_tree(graph, "spyx").tree.nodes["n1"].values["weight"]
    image = np.arange(12.0).reshape(2, 3, 2)
    np.testing.assert_allclose(weight @ np.moveaxis(image, 0, -1).ravel(), layer.weight @ image.ravel(), rtol=1e-5)
    back = nir_file.from_nir(nir_file.to_nir(graph, "spyx")).graph
    np.testing.assert_array_equal(back.nodes["n1"].weight, layer.weight)
    with pytest.raises(Refused, match="'n1': behind a Flatten; expected a dense layer"):
        to_tree(flat(lif(), n.Delay((1,))), "spyx")


def test_what_its_importer_drops_is_refused():
    conv = n.Conv(np.ones((1, 1, 2, 2), np.float32), dilation=2)
    with pytest.raises(Refused, match="dilation of 'n0': another; expected 1: Spyx drops it"):
        to_tree(chain(conv, lif(), n.Delay((1,)), shape=(1, 4, 4)), "spyx")
    pool = n.SumPool((2, 2), padding=((1, 1), (1, 1)))
    with pytest.raises(Refused, match="padding of 'n0': another than 0; expected 0: Spyx has no such pool"):
        to_tree(chain(pool, lif(), n.Delay((1,)), shape=(1, 4, 4)), "spyx")
    builder = GraphBuilder("branch", DT)
    source = builder.add("input", n.Input((2,), "spikes"))
    total = builder.add("sum", n.Add(), builder.add("a", affine(2, 2), source), builder.add("b", affine(2, 2), source))
    builder.add("output", n.Output(), builder.add("neurons", lif(), total))
    with pytest.raises(Refused, match="'input': a branch; expected a chain"):
        to_tree(builder.build(), "spyx")


def foreign(**fields) -> Tree:
    """As its exporter writes a LIF with a β of 0.75 in steps of 1 ms."""
    one = np.ones(2, np.float32)
    held = {"tau": 4e-3 * one, "r": 0.75 * one, "v_leak": 0 * one, "v_threshold": one, "v_reset": 0 * one, **fields}
    ends = {kind.lower(): Leaf(kind, {"shape": np.array([2])}) for kind in ("Input", "Output")}
    nodes = {"input": ends["input"], "layer_0": Leaf("LIF", held), "output": ends["output"]}
    return Tree(nodes, (("input", "layer_0"), ("layer_0", "output")))


def test_its_files_say_their_step():
    assert DIALECT.step_of(foreign()) == pytest.approx(DT)
    sure, why = DIALECT.known(foreign())
    assert sure == 0.95
    assert why == "r = 1 − dt/τ, which is β, with dt = 0.001 s in every neuron, called layer_0 and so on"
    assert DIALECT.known(foreign(v_reset=np.ones(2))) is None
    assert DIALECT.known(foreign(r=np.full(2, 2.0))) is None
    assert DIALECT.known(foreign(r=np.array([0.5, 0.9]))) is None


def test_one_r_and_one_time_constant_say_nothing():
    """They always give a step; several that agree on one do not come about by chance."""
    tree = foreign()
    nodes = {"weights": Leaf("Linear", {"weight": np.eye(2, dtype=np.float32)}), "mine": tree.nodes["layer_0"]}
    several = {"tau": np.array([4e-3, 2e-3], np.float32), "r": np.array([0.75, 0.5], np.float32)}
    other = Leaf("LIF", {**nodes["mine"].values, **several})
    assert DIALECT.known(Tree(nodes, ()))[0] < SURE
    assert DIALECT.known(Tree({**nodes, "mine": other}, ()))[0] > SURE
    assert DIALECT.known(Tree({"mine": other}, ()))[0] < SURE


def test_a_delay_stands_behind_each_neuron_of_its_files():
    tree = begin(foreign(), DT)
    assert set(tree.edges) == {("input", "layer_0"), ("layer_0", "layer_0_late"), ("layer_0_late", "output")}
    assert tree.nodes["layer_0_late"].values["delay"].tolist() == [DT, DT]
    taken = replace(foreign(), nodes={**foreign().nodes, "layer_0_late": Leaf("Input", {"shape": np.array([2])})})
    assert "layer_0_late_" in begin(taken, DT).nodes
