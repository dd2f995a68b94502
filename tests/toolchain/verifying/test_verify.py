"""Two networks on one input: what is the same, what differs first, and how it is said."""

import itertools
from dataclasses import replace

import numpy as np
import pytest
import torch
from spikeport.models import zoo
from spikeport.toolchain.errors import UsageError
from spikeport.toolchain.graph import Graph, Wire, chain, later, nodes
from spikeport.toolchain.loihi.chip_graph import ChipGraph
from spikeport.toolchain.loihi.places import Place, write_places
from spikeport.toolchain.loihi.processes import LIF, ChipInput, ChipOutput, Dense
from spikeport.toolchain.loihi.quantise import quantise
from spikeport.toolchain.simulate import simulate
from spikeport.toolchain.tracing import trace
from spikeport.toolchain.verifying import verify
from spikeport.toolchain.verifying.sides import in_units_of

STEPS, BATCH = 30, 2


def a_graph(weight: float = 0.5, threshold: float = 0.9) -> Graph:
    """Two inputs, three neurons, two neurons."""
    rng = np.random.default_rng(3)
    first = np.round(rng.normal(0.5, weight, (3, 2)) * 16) / 16
    made = {
        "x": nodes.Input((2,), "spikes"),
        "fc1": nodes.Affine(first),
        "lif1": nodes.LIF(beta=0.5, threshold=threshold),
        "fc2": nodes.Affine(np.array([[0.5, 0.25, 0.5], [1.0, -0.25, 0.25]])),
        "lif2": nodes.LIF(beta=0.5, threshold=0.5),
        "y": nodes.Output(),
    }
    names = list(made)
    wires = {name: (Wire(before),) for before, name in itertools.pairwise(names)}
    return Graph(made, {"x": (), **wires}, name="small")


def a_chip(graph: Graph, scale: int = 64, threshold: int | None = None) -> ChipGraph:
    """The same in integers; `threshold` is another for the first neurons."""
    parts: dict[str, object] = {"x": ChipInput((2,))}
    wires: dict[str, tuple[Wire, ...]] = {"x": ()}
    source, places = "x", {"x": Place("x", 0, 1.0)}
    for step, (layer, neuron) in enumerate((("fc1", "lif1"), ("fc2", "lif2")), 1):
        level = int(np.floor(float(graph.nodes[neuron].threshold) * scale))
        if step == 1 and threshold is not None:
            level = threshold
        parts[layer] = Dense(weight=np.rint(graph.nodes[layer].weight * scale).astype(int))
        parts[neuron] = LIF(current_decay=4096, voltage_decay=2048, threshold=level)
        wires |= {layer: (later(source),), neuron: (Wire(layer),)}
        source, places[neuron] = neuron, Place(neuron, step, 1.0)
    parts["y"], wires["y"] = ChipOutput(after=2), (Wire(source),)
    places["y"] = Place("y", 2, 1.0)
    return ChipGraph(parts, wires, name="small_chip", notes={"places": write_places(places)})


def spikes(seed: int = 0) -> np.ndarray:
    return (np.random.default_rng(seed).random((STEPS, BATCH, 2)) < 0.5).astype(float)


def test_a_graph_is_the_same_as_itself():
    verdict = verify(a_graph(), a_graph(), spikes())
    assert verdict
    assert verdict.exact
    assert verdict.first_difference is None
    assert [node.a for node in verdict.nodes] == ["lif1", "lif2", "y"]
    assert verdict["lif1"].rates[0] > 0.1
    assert verdict.line.startswith("the same: ")


def test_a_graph_is_the_same_as_its_chip_graph_some_steps_later():
    graph = a_graph()
    verdict = verify(graph, a_chip(graph), spikes())
    assert verdict.exact, verdict.text()
    assert [node.late for node in verdict.nodes] == [1, 2, 2]
    assert verdict.steps == STEPS


def test_a_chip_graph_is_the_same_as_its_graph_the_other_way_round():
    graph = a_graph()
    verdict = verify(a_chip(graph), graph, spikes())
    assert verdict.exact, verdict.text()
    assert verdict.nodes[0].values == STEPS * BATCH * 3


def test_the_first_difference_is_named_with_the_steps_that_led_there():
    graph = a_graph()
    chip, other = a_chip(graph), a_chip(graph, threshold=10)
    verdict = verify(chip, other, spikes())
    assert not verdict
    first = verdict.first_difference
    assert first.pair == ("lif1", "lif1")
    runs = [by_hand(each, spikes()) for each in (chip, other)]
    wrong = np.argwhere(runs[0] != runs[1])
    assert (first.step, first.sample, *first.index) == tuple(wrong[0])
    assert first.values == (runs[0][tuple(wrong[0])], runs[1][tuple(wrong[0])])
    assert first.levels == (57 * 64, 10 * 64)
    last = first.moments[-1]
    assert last.step == first.step
    assert last.received[0] == last.received[1]
    assert last.voltage[0] != last.voltage[1]
    assert "NOT THE SAME" in verdict.text()
    assert f"first difference: 'lif1'[{first.index[0]}], sample {first.sample}, step {first.step}" in verdict.text()


def by_hand(chip: ChipGraph, x: np.ndarray) -> np.ndarray:
    """What the first neurons of a chip graph send."""
    weight, node = chip.nodes["fc1"].held, chip.nodes["lif1"]
    state = node.start((3,), BATCH, np.int64)
    rows = []
    for t in range(len(x)):
        a = np.zeros((BATCH, 3), np.int64) if t == 0 else x[t - 1].astype(np.int64) @ weight.T
        sent, state = node.step(state, a)
        rows.append(sent)
    return np.stack(rows)


def test_the_difference_against_a_graph_is_in_its_own_steps():
    graph = a_graph()
    verdict = verify(graph, a_chip(graph, threshold=10), spikes())
    first = verdict.first_difference
    assert first.late == 1
    assert f"step {first.step} ({first.step + 1} in B)" in verdict.text()
    assert first.moments[-1].sent == (0.0, 1.0)
    assert verdict["lif1"].match < 1
    turned = verify(a_chip(graph, threshold=10), graph, spikes()).first_difference
    assert (turned.step, turned.late, turned.sample, turned.index) == (first.step + 1, -1, first.sample, first.index)
    assert f"step {first.step + 1} ({first.step} in B)" in turned.text()
    assert [moment.step for moment in turned.moments] == [moment.step + 1 for moment in first.moments]
    assert [moment.sent for moment in turned.moments] == [moment.sent[::-1] for moment in first.moments]


def test_a_share_of_equal_spikes_can_be_enough():
    graph = a_graph()
    chip = a_chip(graph, threshold=50)
    match = min(node.match for node in verify(graph, chip, spikes()).nodes)
    assert match < 1
    enough = verify(graph, chip, spikes(), at_least=match)
    assert enough
    assert not enough.exact
    assert "near enough" in {node.word for node in enough.nodes}
    assert not verify(graph, chip, spikes(), at_least=match + 1e-6)


def test_values_lie_within_a_tolerance_of_the_largest():
    graph = a_graph()
    plain = replace(graph.nodes["fc2"], weight=graph.nodes["fc2"].weight * 40)
    loud = replace(plain, weight=plain.weight * (1 + 1e-4))
    parts = {name: node for name, node in graph.nodes.items() if name not in ("fc2", "lif2")}
    wires = {**{n: graph.wires[n] for n in ("x", "fc1", "lif1")}, "fc2": (Wire("lif1"),), "y": (Wire("fc2"),)}
    one, other = (Graph({**parts, "fc2": fc}, wires, name="graded") for fc in (plain, loud))
    verdict = verify(one, other, spikes())
    assert not verdict
    assert verdict["lif1"].same
    assert not verdict["y"].same
    assert verdict["y"].worst == pytest.approx(1e-4 * verdict["y"].range, rel=1e-3)
    near = verify(one, other, spikes(), tolerance=2e-4)
    assert near
    assert not near.exact
    assert near["y"].differing == 0
    assert near["y"].word == "near enough"
    assert near["lif1"].word == "same"
    assert near.line.startswith("the same within the tolerance: ")
    assert not verify(one, other, spikes(), tolerance=0.5e-4)
    assert not verify(one, other, spikes(), at_least=0.0), "a share is enough for spikes, and for spikes alone"


def test_a_module_against_its_graph_and_against_another():
    config = zoo.config_of("event_convnet", {"size": 8, "channels": (4,)})
    module, other = (zoo.build("event_convnet", config, seed) for seed in (0, 1))
    x = (np.random.default_rng(1).random((6, 2, 2, 8, 8)) < 0.3).astype(np.float32)
    graph = trace(module, torch.from_numpy(x), time_axis=0, carries="spikes")
    verdict = verify(module, graph, x)
    assert verdict.exact, verdict.text()
    assert verdict.nodes[0].a.endswith("of the module")
    assert not verify(other, graph, x)


class Attending(torch.nn.Module):
    """Two inputs, and a product of signals that no chip has."""

    def __init__(self, sharpness: float = 1.0) -> None:
        super().__init__()
        self.sharpness = sharpness

    def forward(self, left, right):
        return torch.matmul(left * self.sharpness, right.transpose(-1, -2)).softmax(-1)


def test_a_module_that_needs_a_host_is_compared_with_its_graph_both_ways():
    rng = np.random.default_rng(1)
    x = {name: rng.normal(size=(4, 2, size, 5)) for name, size in (("right", 2), ("left", 3))}
    example = {name: torch.from_numpy(x[name]).float() for name in ("left", "right")}
    graph = trace(Attending(), example, time_axis=0, host=True)
    assert "Host" in {node.kind for node in graph.nodes.values()}
    for sides in ((Attending(), graph), (graph, Attending())):
        assert verify(*sides, x)
    assert not verify(Attending(2.0), graph, x)


def test_a_module_against_its_chip_graph_goes_by_its_own_graph():
    config = zoo.config_of("event_convnet", {"size": 8, "channels": (4,)})
    module, other = (zoo.build("event_convnet", config, seed) for seed in (0, 1))
    x = (np.random.default_rng(1).random((6, 2, 2, 8, 8)) < 0.3).astype(np.float32)
    chip, _ = quantise(trace(module, torch.from_numpy(x), time_axis=0, carries="spikes"))
    for verdict in (verify(module, chip, x, at_least=0.9), verify(chip, module, x, at_least=0.9)):
        assert verdict, verdict.text()
        assert verdict.nodes[0].a.endswith("of the module")
        assert verdict.nodes[0].differing == 0
        assert len(verdict.nodes) > 2
    assert not verify(other, chip, x, at_least=0.9)


def renamed(chip: ChipGraph, names: dict[str, str]) -> ChipGraph:
    """The same network under other names."""
    wires = {
        names.get(n, n): tuple(Wire(names.get(w.source, w.source), w.delayed) for w in chip.wires[n])
        for n in chip.nodes
    }
    return ChipGraph({names.get(n, n): node for n, node in chip.nodes.items()}, wires, name="renamed")


def test_networks_with_other_names_are_compared_in_order():
    chip = a_chip(a_graph())
    other = renamed(chip, {"x": "input", "lif1": "layer1", "lif2": "layer2", "y": "output"})
    verdict = verify(chip, other, spikes())
    assert verdict.exact
    assert [(node.a, node.b) for node in verdict.nodes] == [("lif1", "layer1"), ("lif2", "layer2"), ("y", "output")]
    assert not verdict.alone


def test_neurons_without_a_counterpart_are_named():
    graph = a_graph()
    parts = {name: node for name, node in graph.nodes.items() if name not in ("fc2", "lif2")}
    wires = {**{name: graph.wires[name] for name in ("x", "fc1", "lif1")}, "fc": (Wire("lif1"),), "y": (Wire("fc"),)}
    shorter = Graph({**parts, "fc": graph.nodes["fc2"]}, wires, name="shorter")
    verdict = verify(graph, shorter, spikes())
    assert verdict.alone == ("lif2 of small",)
    assert "not compared, for want of a counterpart: lif2 of small" in verdict.text()
    assert verdict["lif1"].same


def test_what_never_spikes_is_said_to_be_little_tried():
    graph = a_graph(threshold=50.0)
    verdict = verify(graph, a_graph(threshold=60.0), spikes())
    assert verdict.exact
    assert verdict.silent == ("lif1", "lif2", "y")
    assert "silent on both sides, so that little was tried of them: lif1, lif2, y" in verdict.text()
    assert all(node["silent"] for node in verdict.data()["nodes"])
    assert verify(a_graph(), a_graph(), spikes()).silent == ()


def overflowing(weight: float) -> Graph:
    layers = [("x", nodes.Input((2,))), ("fc", nodes.Affine(np.full((3, 2), weight))), ("y", nodes.Output())]
    return chain(layers, name="overflowing")


def test_what_is_no_number_is_not_the_same_as_a_number():
    x = np.full((2, 1, 2), 1e308)
    x[..., 1] = -x[..., 0]
    lost, kept = overflowing(10.0), overflowing(0.5)
    with np.errstate(all="ignore"):
        verdict = verify(lost, kept, x)
    assert np.isnan(verdict.first_difference.values[0])
    assert not verdict
    assert verdict.data()["nodes"][0]["worst"] is None
    with np.errstate(all="ignore"):
        assert verify(lost, lost, x).exact


def test_data_says_all_that_text_says():
    graph = a_graph()
    data = verify(graph, a_chip(graph, threshold=10), spikes()).data()
    assert data["same"] is False
    assert data["first_difference"]["nodes"] == ["lif1", "lif1"]
    assert {node["a"] for node in data["nodes"]} == {"lif1", "lif2", "y"}
    shown = [moment["step"] for moment in data["first_difference"]["moments"]]
    last = data["first_difference"]["step"]
    assert shown == list(range(max(0, last - 4), last + 1))


def test_as_many_steps_of_history_are_shown_as_are_asked_for():
    graph = a_graph()
    late = spikes()
    late[:12] = 0
    first = verify(a_chip(graph), a_chip(graph, threshold=10), late, history=3).first_difference
    assert [moment.step for moment in first.moments] == [first.step - 2, first.step - 1, first.step]


def test_the_history_is_that_of_the_sample_that_differs():
    graph = a_graph()
    one = spikes()
    one[:, 0] = 0
    first = verify(a_chip(graph), a_chip(graph, threshold=10), one).first_difference
    assert first.sample == 1
    assert first.moments[-1].sent == first.values
    assert first.values[0] != first.values[1]


def test_what_cannot_be_compared_is_refused():
    graph = a_graph()
    with pytest.raises(UsageError, match=r"inputs: arrays for \['z'\]; expected arrays for x"):
        verify(graph, graph, {"z": spikes()})
    bare = replace(a_chip(graph), notes={})
    with pytest.raises(UsageError, match="does not say which of its nodes"):
        verify(graph, bare, spikes())
    with pytest.raises(UsageError, match="a str; expected a torch module"):
        verify("net", graph, spikes())
    with pytest.raises(UsageError, match="at_least: 2"):
        verify(graph, graph, spikes(), at_least=2)
    for wrong in (-1.0, float("nan")):
        with pytest.raises(UsageError, match=f"tolerance: {wrong}"):
            verify(graph, graph, spikes(), tolerance=wrong)


def voltages() -> Graph:
    """A leaky integrator, whose voltage the host reads."""
    weight = np.random.default_rng(5).normal(0.3, 0.4, (3, 2))
    layers = [
        ("x", nodes.Input((2,), "spikes")),
        ("fc", nodes.Affine(weight)),
        ("li", nodes.LeakyIntegrator(beta=0.75)),
    ]
    return chain([*layers, ("y", nodes.Output())], name="voltages")


def test_values_in_another_unit_are_compared_in_those_of_a():
    graph = voltages()
    chip, _ = quantise(graph)
    there, back = verify(graph, chip, spikes()), verify(chip, graph, spikes())
    assert there, there.text()
    assert back, back.text()
    assert not there["li"].spikes
    assert there["li"].range == pytest.approx(float(np.abs(by_reference(graph)).max()))
    assert back["li"].range > 1000 * there["li"].range
    assert 0 < there["li"].worst < 0.02 * there["li"].range


def by_reference(graph: Graph) -> np.ndarray:
    return simulate(graph, spikes(), dtype="float64").outputs["y"]


def test_inputs_go_into_a_chip_in_its_units():
    weight = np.random.default_rng(6).normal(0.5, 0.5, (3, 2))
    layers = [("x", nodes.Input((2,))), ("fc", nodes.Affine(weight)), ("lif", nodes.LIF(beta=0.5, threshold=0.7))]
    graph = chain([*layers, ("y", nodes.Output())], name="graded")
    x = np.random.default_rng(7).normal(0.5, 0.6, (40, 2, 2))
    chip, _ = quantise(graph, calibration=x)
    verdict = verify(graph, chip, x, at_least=0.97)
    assert verdict, verdict.text()
    assert verdict["lif"].rates[0] > 0.1
    assert in_units_of(chip, {"x": x})["x"].dtype == np.float64
    assert np.array_equal(in_units_of(chip, {"x": x})["x"], np.rint(in_units_of(chip, {"x": x})["x"]))
