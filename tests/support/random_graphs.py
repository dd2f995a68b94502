"""Random graphs that are valid, use every kind of node, and whose neurons really spike.

A graph is drafted node by node. Each node runs on a small sample as soon as it is there, so that the next weights and
thresholds are scaled to what really arrives; a draft that is silent, too large or not finite is thrown away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from hypothesis import strategies as st
from spikeport.toolchain.graph import KINDS, Graph, SubGraph, Wire, later
from spikeport.toolchain.graph import nodes as n
from support import random_layers as layers
from support import random_neurons as neurons
from support.drafts import BATCH, FIRING, STEPS, Draft, Group, Made, values_of


def random_graph(
    rng: np.random.Generator,
    *,
    nodes: int = 10,
    kinds: Iterable[str] | None = None,
    recurrent: bool = True,
    carried: str | None = None,
    dtype: str | None = None,
    inputs: int | None = None,
    shapes: Sequence[tuple[int, ...]] = (),
    subgraphs: bool = False,
    dt: float | None = None,
) -> Graph:
    """A random valid graph.

    Args:
        rng: where the randomness comes from; the same state gives the same graph.
        nodes: about how many nodes besides inputs and outputs.
        kinds: the kinds to draw from; all by default (Input and Output are always there).
        recurrent: whether loops with a delayed wire occur.
        carried: what the inputs carry; random by default.
        dtype: the type of the parameters, float32 or float64; mostly float64 by default.
        inputs: how many inputs; one or two by default.
        shapes: the shapes of the inputs; random by default.
        subgraphs: whether nodes that are graphs themselves occur.
        dt: the length of a step; random by default.
    """
    dtype = dtype or str(rng.choice(["float64", "float64", "float32"]))
    draft = Draft(rng, np.dtype(dtype), dt or float(rng.choice([1e-3, 1e-4, 0.0025])))
    for shape in shapes or [None] * (inputs or int(rng.integers(1, 3))):
        _add_input(draft, shape, carried)
    allowed = [kind for kind in (kinds or KINDS) if kind not in ("Input", "Output")]
    makers = [(kind, MAKERS[kind]) for kind in allowed]
    firing = [pair for pair in makers if pair[0] in FIRING]
    loops = [loop for needed, loop in LOOPS if recurrent and needed <= set(allowed)]
    tries = 0
    while len(draft.nodes) < nodes + 1 and tries < 40 * nodes + 40:
        tries += 1
        dice = rng.random()
        if loops and dice < 0.12:
            loops[rng.integers(len(loops))](draft)
        elif subgraphs and dice < 0.3:
            draft.attempt("sub", _sub_graph)
        elif makers:
            some = firing if firing and dice < 0.35 else makers
            kind, maker = some[rng.integers(len(some))]
            draft.attempt(kind, maker)
    return draft.finish()


def random_inputs(
    graph: Graph, rng: np.random.Generator, steps: int, batch: int, dtype: str = "float64"
) -> dict[str, np.ndarray]:
    """Values for each input of a graph that keep what it promises, [T, B, *shape]."""
    return {
        name: values_of(rng, graph.nodes[name].carries, (steps, batch, *graph.nodes[name].shape)).astype(dtype)
        for name in graph.inputs
    }


def graphs(**options: object) -> st.SearchStrategy[Graph]:
    """Random graphs for hypothesis, by seed; `options` are those of `random_graph`."""
    return seeds().map(lambda seed: random_graph(np.random.default_rng(seed), **options))


def seeds() -> st.SearchStrategy[int]:
    return st.integers(0, 2**32 - 1)


def _add_input(draft: Draft, shape: tuple[int, ...] | None, carried: str | None) -> None:
    ranks = [lambda: (draft.whole(1, 9),), lambda: draft.whole(2, 8, 2), lambda: draft.whole(2, 7, 3)]
    ranks.append(lambda: draft.whole(2, 4, 4))
    shape = shape or ranks[draft.rng.choice(4, p=[0.25, 0.25, 0.4, 0.1])]()
    carried = carried or str(draft.rng.choice(["spikes", "spikes", "graded", "int[-2,3]", "int[1,4]"]))
    name = draft.name("in")
    draft.nodes[name], draft.wires[name] = n.Input(shape, carried), ()
    draft.sample[name] = values_of(draft.rng, carried, (STEPS, BATCH, *shape))


MAKERS: dict[str, Callable[[Draft], Made]] = {
    "Affine": layers.affine_node,
    "Scale": layers.scale_node,
    "BatchNorm": layers.batch_norm_node,
    "Contract": layers.contract_node,
    "Conv": layers.conv_node,
    "ConvTranspose": layers.conv_transpose_node,
    "SumPool": layers.pool_node(n.SumPool),
    "AveragePool": layers.pool_node(n.AveragePool),
    "MaxPool": layers.pool_node(n.MaxPool),
    "Flatten": layers.flatten_node,
    "Reshape": layers.reshape_node,
    "Permute": layers.permute_node,
    "Slice": layers.slice_node,
    "Pad": layers.pad_node,
    "Add": layers.merge_node(n.Add),
    "Multiply": layers.merge_node(n.Multiply),
    "Concat": layers.concat_node,
    "Mean": layers.reduction_node(n.Mean),
    "Sum": layers.reduction_node(n.Sum),
    "Activation": layers.activation_node,
    "Host": layers.host_node,
    "Delay": layers.delay_node,
    "TemporalKernel": layers.temporal_kernel_node,
    "StateSpace": layers.state_space_node,
    "IF": neurons.firing_node(n.IF),
    "LIF": neurons.firing_node(n.LIF),
    "CubaLIF": neurons.firing_node(n.CubaLIF),
    "AdaptiveLIF": neurons.firing_node(n.AdaptiveLIF),
    "Integrator": neurons.integrator_node(n.Integrator),
    "LeakyIntegrator": neurons.integrator_node(n.LeakyIntegrator),
    "CubaIntegrator": neurons.integrator_node(n.CubaIntegrator),
    "ResonateFire": neurons.resonate_node,
    "Sigma": neurons.sigma_node,
    "Delta": neurons.delta_node,
    "SigmaDelta": neurons.sigma_delta_node,
}


def _sub_graph(d: Draft) -> Made:
    """A random graph of one output as a node; its wires may be delayed."""
    sources = [d.pick(), *([d.pick()] if d.chance(0.3) else [])]
    shapes = [d.shape(source) for source in sources]
    inner = random_graph(d.rng, nodes=4, carried="graded", shapes=shapes, dt=d.dt, subgraphs=d.chance(0.3))
    ends = inner.outputs
    keep = ends[d.rng.integers(len(ends))]
    nodes = {name: node for name, node in inner.nodes.items() if name not in ends or name == keep}
    nodes[keep] = n.Output()
    wires = {name: inner.wires[name] for name in nodes}
    made = SubGraph(Graph(nodes, wires, d.dt, inner.name, inner.notes))
    return [(d.name("sub"), made, tuple(Wire(source, d.chance(0.2)) for source in sources))]


def _loop_from(d: Draft, ranks: range) -> tuple[str, n.Node, str, str] | None:
    """Where a loop starts: a source, a neuron for it, and names for the sum and the neuron."""
    source = d.pick(ranks)
    if source is None:
        return None
    kind = (n.IF, n.LIF, n.CubaLIF, n.AdaptiveLIF)[d.whole(0, 3)]
    return source, neurons.firing(d, source, kind, "spikes"), d.name("joined"), d.name(kind.__name__)


def _loop_through(d: Draft, ranks: range, back: Callable[[tuple[int, ...]], n.Node]) -> None:
    """neuron(x + back(neuron one step later)), with the delay before or behind `back`."""
    start = _loop_from(d, ranks)
    if start is None:
        return
    source, neuron, joined, fired = start
    shape, weights = d.shape(source), d.name("back")
    before = d.chance(0.5)
    returning = (weights, back(shape), (Wire(fired, before),))
    spiking: Group = [
        (joined, n.Add(), (Wire(source), Wire(weights, not before))),
        (fired, neuron, (Wire(joined),)),
    ]
    d.commit([returning, *spiking] if before else [*spiking, returning], shape)


def _loop_affine(d: Draft) -> None:
    _loop_through(d, range(1, 5), lambda shape: n.Affine(d.normal(shape[-1], shape[-1], scale=0.5)))


def _loop_conv(d: Draft) -> None:
    def back(shape: tuple[int, ...]) -> n.Node:
        return n.Conv(d.normal(shape[0], shape[0], *([3] * (len(shape) - 1)), scale=0.2), padding="same")

    _loop_through(d, range(2, 5), back)


def _loop_bare(d: Draft) -> None:
    start = _loop_from(d, range(9))
    if start is not None:
        source, neuron, joined, fired = start
        spiking: Group = [(joined, n.Add(), (Wire(source), later(fired))), (fired, neuron, (Wire(joined),))]
        d.commit(spiking, d.shape(source))


def _loop_concat(d: Draft) -> None:
    """neuron(weights · [x, neuron one step later])."""
    start = _loop_from(d, range(1, 2))
    if start is None:
        return
    source, neuron, joined, fired = start
    (width,) = d.shape(source)
    weights = d.name("mixed")
    spiking: Group = [
        (joined, n.Concat(), (Wire(source), later(fired))),
        (weights, n.Affine(d.weight(source, (width, 2 * width), width)), (Wire(joined),)),
        (fired, neuron, (Wire(weights),)),
    ]
    d.commit(spiking, (width,))


LOOPS: tuple[tuple[set[str], Callable[[Draft], None]], ...] = (
    # the kinds that a loop needs, and its maker
    ({"Add", "Affine", "IF", "LIF", "CubaLIF", "AdaptiveLIF"}, _loop_affine),
    ({"Add", "Conv", "IF", "LIF", "CubaLIF", "AdaptiveLIF"}, _loop_conv),
    ({"Concat", "Affine", "IF", "LIF", "CubaLIF", "AdaptiveLIF"}, _loop_concat),
    ({"Add", "IF", "LIF", "CubaLIF", "AdaptiveLIF"}, _loop_bare),
)
