"""The networks that every framework is tried with, in each framework's own manner, and the spikes they have to send.

A case is a network of one kind of neuron in one arrangement of layers. A framework's manner says what all its neurons
have in common (how they reset, what scales what comes in); with it a case is a graph, whose weights are drawn until
every layer spikes and no potential comes near to its threshold: then rounding cannot move a spike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any, Literal

import numpy as np
from spikeport.toolchain.graph import Graph, GraphBuilder, Wire, replace_graph
from spikeport.toolchain.graph import nodes as n
from spikeport.toolchain.graph.nodes.integrators import Integrating
from spikeport.toolchain.simulate import simulate
from support.by_steps import run_by_steps

STEPS, BATCH = 32, 2
CLEAR = 1e-4
"""How far every potential stays away from its threshold."""
RATES = (0.04, 0.7)
"""The least and the most that a layer may spike."""
CLOSE = 1e-5
"""How far apart voltages may be, of the larger of 1 and the largest voltage."""


@dataclass(frozen=True)
class Manner:
    """What all neurons of a framework have in common.

    Args:
        reset: to a value, by subtraction or none.
        when: now, next or guarded.
        at_least: whether v = θ is enough.
        rule: how the framework makes decays from time constants; given where it holds the decays themselves.
        dt: the length of a step in seconds.
        gain: what scales what comes in. one: nothing; leak: 1 − β, and 1 − α too behind a current; membrane: 1 − β.
            A neuron without leak has 1.
        fit: a last change to each neuron (its first voltage, say).
        late: whether its neurons send each spike a step late.
        within: between which multiples of θ every potential has to stay, for neurons that do something else beyond.
        apart: how far every potential stays away from its threshold, for neurons that round theirs.
        mean: the mean of the weights, in standard deviations.
        offset: the mean of the biases, in the units of the weights.
        drives: how large weights may be, one after the other.
        grid: steps of a weight in one unit; 0 for weights as they are drawn.
    """

    reset: Literal["value", "subtract", "none"] = "value"
    when: Literal["now", "next", "guarded"] = "now"
    at_least: bool = False
    rule: Literal["given", "euler", "exact"] = "euler"
    dt: float = 1e-3
    gain: Literal["one", "leak", "membrane"] = "leak"
    fit: Callable[[Integrating], Integrating] = field(default=lambda node: node)
    late: bool = False
    within: tuple[float, float] = (-np.inf, np.inf)
    apart: float = CLEAR
    mean: float = 0.25
    offset: float = 0.05
    drives: tuple[float, ...] = (0.5, 1.0, 2.0, 4.0)
    grid: int = 0

    def scale(self, alpha: Any, beta: Any) -> Any:
        """What scales what comes in; None for a decay that is not there."""
        leak = 1.0 if beta is None or self.gain == "one" else 1 - beta
        return leak * (1 - alpha) if alpha is not None and self.gain == "leak" else leak


@dataclass(frozen=True)
class Case:
    """One kind of neuron in one arrangement of layers.

    Args:
        name: what the tables call it.
        kind: the graph's neuron.
        layers: the arrangement.
        shape: the input's.
        each: whether every neuron has parameters of its own.
        leak_to: v_leak, in the NIR paper's sense.
        v_reset: the value it resets to; a case of that alone is not there for a reset by subtraction.
    """

    name: str
    kind: type[Integrating]
    layers: Callable[[Sketch], None]
    shape: tuple[int, ...] = (6,)
    each: bool = False
    leak_to: float = 0.0
    v_reset: float = 0.0

    def has(self, manner: Manner) -> bool:
        """Whether the manner has such a neuron at all."""
        return self.v_reset == 0 or manner.reset == "value"

    def graph(self, manner: Manner) -> Graph:
        """The network, drawn anew until its spikes are clear."""
        return _drawn(self, manner)

    def inputs(self) -> n.Array:
        """Spikes [T, B, *shape], float32, the same at each call."""
        rng = np.random.default_rng(5)
        return (rng.random((STEPS, BATCH, *self.shape)) < 0.4).astype(np.float32)


class Sketch:
    """A graph that grows from its input, with weights and neurons drawn as the case has them."""

    def __init__(self, case: Case, manner: Manner, seed: int) -> None:
        self.case, self.manner, self.rng = case, manner, np.random.default_rng(seed)
        self.builder = GraphBuilder("case", manner.dt)
        self.last = self.builder.add("input", n.Input(case.shape, "spikes"))
        self.drive = manner.drives[seed % len(manner.drives)]
        self.scale = float(np.mean(manner.scale(*(x.mean() if x is not None else None for x in self._decays(())))))

    def _decays(self, shape: tuple[int, ...]) -> tuple[Any, Any]:
        around = self.rng.uniform(-0.08, 0.08, (2, *shape)) if self.case.each and shape else np.zeros((2, *shape))
        held = {n.IF: (None, None), n.Integrator: (None, None), n.LIF: (None, 0.8), n.LeakyIntegrator: (None, 0.8)}
        alpha, beta = held.get(self.case.kind, (0.6, 0.85))
        return (None if alpha is None else alpha + around[0]), (None if beta is None else beta + around[1])

    def add(self, name: str, node: n.Node) -> str:
        """A node behind the last one."""
        self.last = self.builder.add(name, node, self.last)
        if self.manner.late and isinstance(node, n.Firing):
            self.last = self.builder.add(f"{name}_late", n.Delay((1,)), self.last)
        return self.last

    def weights(self, *shape: int) -> n.Array:
        """Weights, (out, in, …), that drive neurons of this scale."""
        width = float(np.prod(shape[1:]))
        drawn = self.rng.normal(self.manner.mean, 1.0, shape) * self.drive / (np.sqrt(width) * self.scale)
        return self._on_grid(drawn)

    def bias(self, size: int) -> n.Array:
        """A bias that changes spikes."""
        return self._on_grid(self.rng.normal(self.manner.offset, 0.1, size) * self.drive / self.scale)

    def _on_grid(self, drawn: n.Array) -> n.Array:
        steps = self.manner.grid
        return (np.rint(drawn * steps) / steps if steps else drawn).astype(np.float32)

    def affine(self, out: int, into: int, *, bias: bool = True) -> n.Affine:
        """A dense layer."""
        return n.Affine(self.weights(out, into), self.bias(out) if bias else None)

    def neuron(self, *shape: int) -> Integrating:
        """The case's neuron in the framework's manner."""
        alpha, beta = self._decays(shape)
        decays = {"alpha": alpha, "beta": beta}
        fields: dict[str, Any] = {name: value for name, value in decays.items() if value is not None}
        fields["gain"] = self.manner.scale(alpha, beta)
        if beta is not None:
            fields |= {"bias": self.case.leak_to * (1 - beta), "rule": self.manner.rule}
        if issubclass(self.case.kind, n.Firing):
            fields |= self._firing(shape)
        return self.manner.fit(self.case.kind(**fields))

    def _firing(self, shape: tuple[int, ...]) -> dict[str, Any]:
        level = 1 + self.rng.uniform(-0.2, 0.2, shape) if self.case.each else 1.0
        held = {"reset": self.manner.reset, "when": self.manner.when, "at_least": self.manner.at_least}
        return {**held, "threshold": level, "v_reset": self.case.v_reset if self.manner.reset == "value" else 0.0}


def _dense(it: Sketch) -> None:
    it.add("dense", it.affine(5, 6))
    it.add("neurons", it.neuron(5))
    if issubclass(it.case.kind, n.Firing):
        it.add("dense_2", it.affine(4, 5))
        it.add("neurons_2", it.neuron(4))


def _dense_without_bias(it: Sketch) -> None:
    it.add("dense", it.affine(5, 6, bias=False))
    it.add("neurons", it.neuron(5))


def _two_dense_without_bias(it: Sketch) -> None:
    _dense_without_bias(it)
    it.add("dense_2", it.affine(4, 5, bias=False))
    it.add("neurons_2", it.neuron(4))


def _conv(*, bias: bool = True, groups: int = 1, kernel: tuple[int, int] = (3, 3), **window: Any) -> Any:
    def layers(it: Sketch) -> None:
        channels = it.case.shape[0]
        weight = it.weights(4, channels // groups, *kernel)
        it.add("conv", n.Conv(weight, it.bias(4) if bias else None, groups=groups, **window))
        it.add("neurons", it.neuron(*_sends(it)))

    return layers


def _then_dense(front: Callable[[Sketch], None]) -> Callable[[Sketch], None]:
    def layers(it: Sketch) -> None:
        front(it)
        size = int(np.prod(_sends(it)))
        it.add("flatten", n.Flatten())
        it.add("dense", it.affine(4, size))
        it.add("neurons_2", it.neuron(4))

    return layers


def _pooled(pool: n.Node) -> Callable[[Sketch], None]:
    def layers(it: Sketch) -> None:
        _conv(padding=1)(it)
        it.add("pool", pool)
        it.add("conv_2", n.Conv(it.weights(3, 4, 2, 2), it.bias(3)))
        it.add("neurons_2", it.neuron(*_sends(it)))

    return layers


def _branches(it: Sketch) -> None:
    left = it.builder.add("left", it.affine(5, 6), "input")
    right = it.builder.add("right", it.affine(5, 6, bias=False), "input")
    it.last = it.builder.add("sum", n.Add(), left, right)
    it.add("neurons", it.neuron(5))


def _recurrent(it: Sketch) -> None:
    dense = it.add("dense", it.affine(5, 6))
    back = it.builder.add("back", n.Affine(it.weights(5, 5) / 2), Wire("neurons", delayed=True))
    total = it.builder.add("sum", n.Add(), dense, back)
    it.last = total
    it.add("neurons", it.neuron(5))


def _sends(it: Sketch) -> tuple[int, ...]:
    builder = it.builder
    so_far = {**builder.nodes, "end": n.Output()}
    return Graph(so_far, {**builder.wires, "end": (Wire(it.last),)}, builder.dt).signals[it.last].shape


IMAGE = (2, 6, 5)
CASES: tuple[Case, ...] = (
    Case("IF dense", n.IF, _dense),
    Case("LIF dense", n.LIF, _dense),
    Case("LIF dense without bias", n.LIF, _dense_without_bias),
    Case("LIF dense, v_leak", n.LIF, _dense, leak_to=0.2),
    Case("LIF dense, v_reset", n.LIF, _dense, v_reset=-0.3),
    Case("LIF dense, each its own", n.LIF, _dense, each=True),
    Case("CubaLIF dense", n.CubaLIF, _dense),
    Case("CubaLIF dense without bias", n.CubaLIF, _two_dense_without_bias),
    Case("CubaLIF dense, each its own", n.CubaLIF, _dense, each=True),
    Case("LI dense", n.LeakyIntegrator, _dense),
    Case("CubaLI dense", n.CubaIntegrator, _dense),
    Case("IF conv", n.IF, _conv(padding=1), IMAGE),
    Case("IF conv without bias", n.IF, _conv(bias=False), IMAGE),
    Case("LIF conv", n.LIF, _conv(padding=1), IMAGE),
    Case("LIF conv without bias", n.LIF, _conv(bias=False), IMAGE),
    Case("LIF conv, strided", n.LIF, _conv(kernel=(3, 2), stride=(2, 1), padding=(1, 0)), IMAGE),
    Case("LIF conv, grouped", n.LIF, _conv(groups=2, padding=1), IMAGE),
    Case("CubaLIF conv", n.CubaLIF, _conv(padding=1), IMAGE),
    Case("LIF conv, flatten, dense", n.LIF, _then_dense(_conv(padding=1)), IMAGE),
    Case("LIF conv, sum pool", n.LIF, _pooled(n.SumPool((2, 2))), IMAGE),
    Case("LIF conv, average pool", n.LIF, _pooled(n.AveragePool((2, 2))), IMAGE),
    Case("LIF behind two branches", n.LIF, _branches),
    Case("IF recurrent", n.IF, _recurrent),
    Case("LIF recurrent", n.LIF, _recurrent),
    Case("CubaLIF recurrent", n.CubaLIF, _recurrent),
)
"""Every case, in the order of the tables."""


@cache
def _drawn(case: Case, manner: Manner) -> Graph:
    for seed in range(400):
        sketch = Sketch(case, manner, seed)
        case.layers(sketch)
        sketch.builder.add("output", n.Output(), sketch.last)
        graph = sketch.builder.build()
        if clear(graph, case.inputs(), manner.within, manner.apart):
            return graph
    raise AssertionError(f"{case.name}: no weights with clear spikes")


def clear(graph: Graph, x: n.Array, within: tuple[float, float] = (-np.inf, np.inf), apart: float = CLEAR) -> bool:
    """Whether every layer spikes, not always, no potential v̂ comes nearer to θ than that, and none leaves θ·within."""
    sent = run_by_steps(graph, {"input": x.astype(np.float64)})
    firing = [name for name, node in graph.nodes.items() if isinstance(node, n.Firing)]
    lively = all(RATES[0] < sent[name].mean() < RATES[1] for name in firing)
    return lively and all(
        np.abs(charge - level).min() >= apart and ((charge > within[0] * level) & (charge < within[1] * level)).all()
        for charge, level in _charges(graph, x, firing)
    )


def _charges(graph: Graph, x: n.Array, firing: list[str]) -> Iterator[tuple[n.Array, n.Array]]:
    """v̂ and θ of each neuron, with every neuron's charge handed out beside its spikes."""
    twins = {f"{name}_charge": replace(graph.nodes[name], emit="charge") for name in firing}
    wires = {f"{name}_charge": graph.wires[name] for name in firing}
    ends = {f"{name}_end": n.Output() for name in firing}
    ended = {f"{name}_end": (Wire(f"{name}_charge"),) for name in firing}
    both = replace_graph(graph, nodes={**graph.nodes, **twins, **ends}, wires={**graph.wires, **wires, **ended})
    sent = run_by_steps(both, {"input": x.astype(np.float64)})
    for name in firing:
        node = graph.nodes[name]
        assert isinstance(node, n.Firing)
        yield sent[f"{name}_charge"], np.asarray(node.threshold)


def reference(graph: Graph, x: n.Array) -> n.Array:
    """What the network answers in the reference simulation, in double precision: [T, B, *shape]."""
    trace = simulate(graph, x.astype(np.float64))
    return trace.outputs[graph.outputs[0]]


def same(got: n.Array, wanted: n.Array) -> bool:
    """Whether spikes are the same, every one; or voltages as near as CLOSE."""
    if got.shape != wanted.shape:
        return False
    spikes = bool(np.isin(wanted, (0, 1)).all())
    room = 0.0 if spikes else CLOSE * max(1.0, float(np.abs(wanted).max()))
    return bool((np.abs(got - wanted) <= room).all())
