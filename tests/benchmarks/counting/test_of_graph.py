"""Counts of graphs: while they run, from what was recorded, and neuron by neuron by brute force, the same integers."""

from collections import Counter
from dataclasses import fields, replace

import numpy as np
import pytest
from spikeport.benchmarks.counting import rows, sums, values
from spikeport.benchmarks.counting.of_graph import count_graph, count_trace
from spikeport.benchmarks.operations import OpCount, Ops, Pairs, Uncounted, total
from spikeport.toolchain.errors import SimulationError, UsageError
from spikeport.toolchain.graph import KINDS, Graph, SubGraph, Wire, chain, later
from spikeport.toolchain.graph import nodes as n
from spikeport.toolchain.graph.graph import replace_graph
from spikeport.toolchain.graph.inline import inline
from spikeport.toolchain.simulate.run import simulate
from support.brute_count import brute_count, plain
from support.by_steps import run_by_steps
from support.random_graphs import MAKERS, random_graph, random_inputs

STEPS, BATCH = 4, 2


def pruned(graph: Graph, rng: np.random.Generator) -> Graph:
    """The graph with a third of all weights 0."""
    found = {}
    for name, node in graph.nodes.items():
        for field in ("weight", "constant", "decay", "inward", "outward"):
            if field in node.arrays() and not isinstance(node, n.BatchNorm | SubGraph):
                held = getattr(node, field)
                node = replace(node, **{field: held * (rng.random(held.shape) < 0.67)})
        found[name] = node
    return replace_graph(graph, nodes=found)


def made(seed: int) -> tuple[Graph, dict[str, np.ndarray]]:
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, nodes=8, subgraphs=seed % 3 == 0)
    graph = pruned(graph, rng) if seed % 2 else graph
    return graph, random_inputs(graph, rng, STEPS, BATCH)


def ran(graph: Graph, inputs: dict[str, np.ndarray]) -> tuple[tuple[OpCount, ...], tuple[OpCount, ...], list]:
    """The counts of the run, of the trace, and by brute force."""
    trace = simulate(graph, inputs, record="all")
    sent = {name: node.values for name, node in trace.nodes.items()}
    with np.errstate(all="ignore"):
        return count_graph(graph, inputs), count_trace(graph, trace), brute_count(graph, sent)


def compared(counts: OpCount, brute: dict[str, Counter]) -> None:
    assert list(counts.layers) == list(brute)
    for name, layer in counts.layers.items():
        assert plain(layer.ops) == brute[name], name


@pytest.mark.parametrize("first", range(0, 200, 20))
def test_all_roads_give_the_same_integers(first: int) -> None:
    for seed in range(first, first + 20):
        graph, inputs = made(seed)
        running, recorded, brute = ran(graph, inputs)
        assert running == recorded, seed
        for counts, expected in zip(running, brute, strict=True):
            compared(counts, expected)
            assert (counts.samples, counts.steps, counts.road, counts.uncounted) == (1, STEPS, "graph", ())


def test_the_random_graphs_hold_every_kind_and_zero_weights() -> None:
    flat = [inline(made(seed)[0]) for seed in range(200)]
    kinds = Counter(node.kind for graph in flat for node in graph.nodes.values())
    assert set(kinds) == set(KINDS)
    late = [w for graph in flat for wires in graph.wires.values() for w in wires if w.delayed]
    hidden = [x for g in flat for x in g.nodes.values() if isinstance(x, n.Firing) and x.emit != "spikes"]
    assert len(late) > 50
    assert len(hidden) > 20


@pytest.mark.parametrize("kind", [kind for kind in MAKERS if kind not in ("IF", "LIF")])
def test_every_kind_alone_on_every_promise(kind: str) -> None:
    """Small integers, spikes and real numbers come into each kind, and out of a Delay, so that zeros occur."""
    seen = 0
    for seed, carried in enumerate(("int[-2,3]", "spikes", "graded", "int[1,4]")):
        rng = np.random.default_rng(seed)
        graph = random_graph(rng, nodes=3, kinds=[kind, "Delay"], recurrent=False, carried=carried, subgraphs=False)
        inputs = random_inputs(graph, rng, STEPS, BATCH)
        running, recorded, brute = ran(graph, inputs)
        assert running == recorded
        for counts, expected in zip(running, brute, strict=True):
            compared(counts, expected)
        seen += kind in {node.kind for node in graph.nodes.values()}
    assert seen


CARRIED = ("spikes", "graded", "int[-2,3]")


@pytest.mark.parametrize("a", CARRIED)
@pytest.mark.parametrize("b", CARRIED)
@pytest.mark.parametrize(
    ("node", "shapes"),
    [
        (n.Host("matmul"), ((2, 3, 4), (4, 5))),
        (n.Host("matmul"), ((3, 4), (2, 4, 1))),
        (n.Multiply(), ((3,), (2, 3))),
        (n.Multiply(), ((2, 3), (3,), (2, 1))),
    ],
    ids=lambda each: "" if isinstance(each, tuple) else each.kind,
)
def test_products_of_whatever_meets(a: str, b: str, node: n.Node, shapes: tuple[tuple[int, ...], ...]) -> None:
    ends = {f"in{k}": n.Input(shape, (a, b, b)[k]) for k, shape in enumerate(shapes)}
    wires = tuple(Wire(name, name == "in1") for name in ends)
    graph = Graph({**ends, "meet": node, "out": n.Output()}, {"meet": wires, "out": (Wire("meet"),)})
    rng = np.random.default_rng(1)
    inputs = random_inputs(graph, rng, STEPS, BATCH)
    inputs = {name: x * (rng.random(x.shape) < 0.6) for name, x in inputs.items()}
    running, recorded, brute = ran(graph, inputs)
    assert running == recorded
    for counts, expected in zip(running, brute, strict=True):
        compared(counts, expected)


@pytest.mark.parametrize("steps", [1, 2, 3, 6])
@pytest.mark.parametrize("carried", CARRIED)
def test_taps_of_runs_that_are_shorter_than_the_kernel(steps: int, carried: str) -> None:
    rng = np.random.default_rng(steps)
    weight = rng.normal(size=(4, 3, 2)) * (rng.random((4, 3, 2)) < 0.6)
    graph = chain([n.Input((2, 3), carried), n.TemporalKernel(weight, np.ones(3)), n.Output()])
    running, _, brute = ran(graph, random_inputs(graph, rng, steps, BATCH))
    for counts, expected in zip(running, brute, strict=True):
        compared(counts, expected)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_row_or_computes_nothing(kind: str) -> None:
    assert (KINDS[kind] in rows.ROWS) != (KINDS[kind] in rows.IDLE)


def test_every_host_operation_has_a_row() -> None:
    assert set(values.HOST) == set(n.OPERATIONS)


def test_what_has_no_row_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    left = {kind: row for kind, row in rows.ROWS.items() if kind is not n.Scale}
    monkeypatch.setattr(rows, "ROWS", left)
    monkeypatch.setattr(values, "HOST", {})
    graph = chain([n.Input((3,)), n.Scale(2.0), n.Host("exp"), n.Output()])
    (count,) = count_graph(graph, np.ones((5, 1, 3)))
    assert count.uncounted == (Uncounted("Scale", "1_scale", 5, 15), Uncounted("exp", "2_host", 5, 15))
    assert not count.layers


@pytest.mark.parametrize("seed", range(0, 30, 2))
def test_windows_do_not_change_counts(seed: int) -> None:
    graph, inputs = made(seed)
    whole = count_graph(graph, inputs)
    for window in (1, 3):
        assert count_graph(graph, inputs, window=window) == whole
    pieces = ({name: x[t : t + 1] for name, x in inputs.items()} for t in range(STEPS))
    assert count_graph(graph, pieces) == whole


@pytest.mark.parametrize("seed", range(1, 30, 2))
def test_a_batch_is_its_samples(seed: int) -> None:
    graph, inputs = made(seed)
    trace = simulate(graph, inputs, record="all")
    sent = {name: node.values for name, node in trace.nodes.items()}
    parts = [{name: x[:, [b]] for name, x in sent.items()} for b in range(BATCH)]
    with np.errstate(all="ignore"):
        alone = [brute_count(graph, part)[0] for part in parts]
    for counts, expected in zip(count_graph(graph, inputs), alone, strict=True):
        compared(counts, expected)


def test_the_definition_of_a_run_gives_the_same() -> None:
    graph, inputs = made(2)
    with np.errstate(all="ignore"):
        expected = brute_count(graph, run_by_steps(inline(graph), inputs))
    for counts, brute in zip(count_graph(graph, inputs), expected, strict=True):
        compared(counts, brute)


def test_a_chain_by_hand() -> None:
    """Two spikes at the left border of a convolution, of 4 values, kernel 3, padding 1: each border value reaches 2."""
    weight = np.array([[[1.0, 0.0, 1.0]]])
    graph = chain([
        ("in", n.Input((1, 4), "spikes")), ("conv", n.Conv(weight, [0.5], 1, 1)),
        ("lif", n.LIF(beta=0.0, threshold=1.0)), ("flat", n.Flatten()), ("out", n.Affine(np.ones((2, 4)))),
        ("end", n.Output("sum")),
    ])  # fmt: skip
    x = np.zeros((2, 1, 1, 4))
    x[0, 0, 0, [0, 1]] = 1
    (count,) = count_graph(graph, x)
    conv = count.layers["conv"]
    # step 0: x = 1 1 0 0, y = x[p−1] + x[p+1] + ½ = 1.5 1.5 1.5 0.5, so three neurons spike; step 1: all y = ½, none
    assert conv.ops.acs == Pairs(dense=20, padded=24, effective=5, weighted=3, spikes=5)
    assert (conv.ops.received, conv.ops.events, conv.ops.bias_adds) == (8, 2, 8)
    assert (conv.facts.role, conv.facts.kernel, conv.facts.channels, conv.facts.first) == (
        "synapses",
        (3,),
        (1, 1),
        True,
    )
    lif = count.layers["lif"].ops
    assert (lif.updates, lif.active, lif.comparisons, lif.resets, lif.sent, lif.sent_events) == (
        {"LIF": 8},
        8,
        8,
        3,
        8,
        3,
    )
    assert count.layers["out"].ops.acs == Pairs(16, 16, 6, 6, 6)
    assert (count.layers["lif"].facts.first, count.layers["out"].facts.first) == (True, False)
    assert count.layers["out"].facts.carries == ("spikes",)
    assert (count.steps, list(count.layers)) == (2, ["conv", "lif", "out"])


def test_recurrent_weights_read_what_was_sent_a_step_before() -> None:
    graph = Graph(
        {"in": n.Input((2,), "spikes"), "sum": n.Add(), "lif": n.LIF(beta=0.0, threshold=0.5),
         "back": n.Affine(np.zeros((2, 2))), "out": n.Output()},
        {"sum": (Wire("in"), Wire("back")), "lif": (Wire("sum"),), "back": (later("lif"),), "out": (Wire("lif"),)},
    )  # fmt: skip
    x = np.array([[1, 0], [1, 1], [1, 1.0]]).reshape(3, 1, 2)
    (count,) = count_graph(graph, x)
    assert count.layers["lif"].ops.sent_events == 5
    assert count.layers["back"].ops.acs == Pairs(12, 12, effective=6, weighted=0, spikes=6)  # the last two are not read
    assert (count.layers["back"].ops.received, count.layers["back"].ops.events) == (6, 3)


def test_channels_that_lie_behind_the_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    """In float32 convolutions lay images out pixel by pixel; the maps follow, with zero weights and without."""
    rng = np.random.default_rng(5)
    weight = rng.normal(size=(6, 4, 3, 3)) * (rng.random((6, 4, 3, 3)) < 0.5)
    graph = chain([
        n.Input((2, 9, 7)), n.Conv(rng.normal(size=(4, 2, 3, 3)), None, 1, 1), n.IF(threshold=1.0),
        n.Conv(weight, None, 2, ((1, 0), (0, 2))), n.IF(threshold=1.0), n.SumPool((2, 2)),
        n.Conv(np.ones((3, 6, 1, 1))), n.Output(),
    ])  # fmt: skip
    inputs = {"0_input": rng.normal(size=(5, 2, 2, 9, 7)).astype(np.float32)}
    laid = []
    plainly = sums.rows_of
    monkeypatch.setattr(sums, "rows_of", lambda window: (laid.append(plainly(window)[1]), plainly(window))[1])
    running, recorded, brute = ran(graph, inputs)
    assert running == recorded
    assert laid.count(True) >= 4
    for counts, expected in zip(running, brute, strict=True):
        compared(counts, expected)


def test_what_a_reader_has_to_know_is_noted() -> None:
    space = n.StateSpace(np.full((2, 3), 0.5j), np.ones((2, 3)), np.ones((2, 3)))
    graph = chain([n.Input((2,)), ("space", space), ("fft", n.Host("fft", {"axis": 0})), n.Output()])
    (count,) = count_graph(graph, np.ones((3, 1, 2)))
    assert count.notes == (
        "space: a product of complex numbers is counted as one pair",
        "fft: a Fourier transform is counted as radix 2, of complex numbers",
    )


def test_sums_over_samples() -> None:
    graph, inputs = made(4)
    every = total(count_graph(graph, inputs))
    assert (every.samples, every.steps, every.steps_of_sample) == (BATCH, BATCH * STEPS, STEPS)
    parts = [one.total for one in count_graph(graph, inputs)]
    assert every.total == parts[0] + parts[1]


def test_what_is_no_number_is_refused_by_node_and_step() -> None:
    graph = chain([n.Input((2,)), ("root", n.Host("sqrt")), ("read", n.Affine(np.eye(2))), n.Output()])
    x = np.ones((5, 3, 2))
    x[3, 1] = -1
    with pytest.raises(SimulationError) as error:
        count_graph(graph, x, window=2)
    assert (error.value.where, error.value.found) == ("root", "NaN in step 3, sample 1")
    with np.errstate(invalid="ignore"), pytest.raises(SimulationError, match="NaN in step 3, sample 1"):
        count_trace(graph, simulate(graph, x, record="all"))


def test_a_trace_has_to_hold_everything_from_the_first_step() -> None:
    graph = chain([("in", n.Input((2,))), ("out", n.Affine(np.ones((3, 2)))), n.Output()])
    x = np.ones((2, 1, 2))
    with pytest.raises(UsageError, match=r"nothing of what 'in' sent.*record='all'"):
        count_trace(graph, simulate(graph, x))
    start = simulate(graph, x, record="all")
    with pytest.raises(UsageError, match="began at step 2"):
        count_trace(graph, simulate(graph, x, record="all", state=start.state))
    other = chain([("in", n.Input((4,))), ("out", n.Affine(np.ones((3, 4)))), n.Output()])
    with pytest.raises(UsageError, match="'in' sent"):
        count_trace(other, start)


def test_brute_force_compares_every_field() -> None:
    assert {each.name for each in fields(Ops)} == {
        "acs", "integer_acs", "macs", "received", "events", "sent", "sent_events", "updates", "active", "comparisons",
        "resets", "bias_adds", "adds", "multiplies", "functions",
    }  # fmt: skip
