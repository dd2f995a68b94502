"""A graph on its way: every node runs on a small sample as soon as it is there."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from spikeport.toolchain.errors import GraphError
from spikeport.toolchain.graph import Graph, Signal, Wire
from spikeport.toolchain.graph import nodes as n
from spikeport.toolchain.graph.signal import carries

STEPS, BATCH = 6, 2
LARGEST = 1500
"""The most values that one signal of a random graph has."""
WIDEST = 1e4
"""The largest magnitude that a signal of the sample may reach."""
FIRING = ("IF", "LIF", "CubaLIF", "AdaptiveLIF")
Group = list[tuple[str, n.Node, tuple[Wire, ...]]]
Made = tuple[n.Node, Sequence[str]] | Group | None
"""What a maker makes: a node and its sources, several nodes, or nothing where none fits."""


class Draft:
    """A graph on its way, with what each node sends on the sample."""

    def __init__(self, rng: np.random.Generator, dtype: np.dtype, dt: float) -> None:
        self.rng = rng
        self.dtype = dtype
        self.dt = dt
        self.nodes: dict[str, n.Node] = {}
        self.wires: dict[str, tuple[Wire, ...]] = {}
        self.sample: dict[str, np.ndarray] = {}
        self.count = 0

    def name(self, kind: str) -> str:
        self.count += 1
        return f"{kind.lower()}{self.count}"

    def pick(self, rank: range = range(9)) -> str | None:
        """A node to read from: mostly a recent one."""
        fit = [name for name, y in self.sample.items() if y.ndim - 2 in rank]
        if not fit:
            return None
        return fit[-1] if self.rng.random() < 0.6 else fit[self.rng.integers(len(fit))]

    def shape(self, name: str) -> tuple[int, ...]:
        return self.sample[name].shape[2:]

    def rms(self, name: str) -> float:
        size = float(np.sqrt((self.sample[name] ** 2).mean()))
        return size if size > 1e-3 else 1.0

    def chance(self, p: float) -> bool:
        return bool(self.rng.random() < p)

    def whole(self, low: int, high: int, count: int | None = None) -> int | tuple[int, ...]:
        """One integer, or `count` of them, in low..high."""
        if count is None:
            return int(self.rng.integers(low, high + 1))
        return tuple(int(k) for k in self.rng.integers(low, high + 1, count))

    def real(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))

    def normal(self, *shape: int, scale: float = 1.0) -> np.ndarray:
        return (self.rng.normal(size=shape) * scale).astype(self.dtype)

    def weight(self, source: str, shape: tuple[int, ...], fan_in: float) -> np.ndarray:
        """Weights whose output has about unit size on the sample."""
        return self.normal(*shape, scale=1.3 / (np.sqrt(max(fan_in, 1)) * self.rms(source)))

    def parameter(self, shape: tuple[int, ...], low: float, high: float) -> np.ndarray | float:
        """A parameter: one number, one for each channel, or one for each neuron."""
        ways: list[tuple[int, ...]] = [(), (), shape]
        if len(shape) > 1:
            ways.append((shape[0], *([1] * (len(shape) - 1))))
        return self.rng.uniform(low, high, ways[self.rng.integers(len(ways))]).astype(self.dtype)

    def maybe(self, value: np.ndarray) -> np.ndarray | None:
        return value if self.chance(0.6) else None

    def attempt(self, kind: str, maker: Callable[[Draft], tuple[n.Node, Sequence[str]] | Group | None]) -> None:
        """Make a node; keep it if it fits."""
        try:
            made = maker(self)
        except GraphError:
            return
        if made is None:
            return
        if isinstance(made, list):
            self.commit(made)
        else:
            node, sources = made
            self.commit([(self.name(kind), node, tuple(Wire(source) for source in sources))])

    def commit(self, group: Group | None, delayed: tuple[int, ...] = ()) -> None:
        """Run new nodes on the sample, and keep them if all they send is finite, small and alive."""
        if group is None:
            return
        try:
            sent = self._run(group, delayed)
        except GraphError:
            return
        firing = [name for name, node, _ in group if node.kind in FIRING]
        quiet = any(not sent[name].any() for name in firing) and self.chance(0.9)
        if quiet or not all(np.isfinite(y).all() and abs(y).max() < WIDEST for y in sent.values()):
            return
        for name, node, wires in group:
            self.nodes[name], self.wires[name] = node, wires
            self.sample[name] = sent[name]

    def _run(self, group: Group, delayed: tuple[int, ...]) -> dict[str, np.ndarray]:
        """What the new nodes send on the sample; `delayed` is the shape on the group's own delayed wires."""
        rows: dict[str, list[np.ndarray]] = {name: [] for name, _, _ in group}
        states: dict[str, n.State] = {}
        for t in range(STEPS):
            for name, node, wires in group:
                handed = [self._handed(wire, rows, t, delayed) for wire in wires]
                if t == 0:
                    _check(node, handed)
                    states[name] = node.start(handed[0].shape[1:], BATCH, np.float64)
                with np.errstate(all="ignore"):
                    y, states[name] = node.step(states[name], *handed)
                rows[name].append(y)
        return {name: np.stack(ys) for name, ys in rows.items()}

    def _handed(self, wire: Wire, rows: dict[str, list[np.ndarray]], t: int, delayed: tuple[int, ...]) -> np.ndarray:
        past = self.sample[wire.source] if wire.source in self.sample else rows[wire.source]
        if not wire.delayed:
            return past[t]
        if t > 0:
            return past[t - 1]
        return np.zeros_like(past[0]) if wire.source in self.sample else np.zeros((BATCH, *delayed))

    def finish(self) -> Graph:
        """Outputs for what nobody reads, and the graph."""
        read = {wire.source for wires in self.wires.values() for wire in wires}
        unread = [name for name in self.nodes if name not in read]
        for name in unread or [list(self.nodes)[-1]]:
            readout = str(self.rng.choice(["steps", "steps", "last", "sum", "mean", "max"]))
            end = self.name("out")
            self.nodes[end], self.wires[end] = n.Output(readout), (Wire(name),)
        return Graph(self.nodes, self.wires, self.dt, "random", {"source": 'a "random" draft\n\tκ'})


def _check(node: n.Node, handed: list[np.ndarray]) -> None:
    signal = node.signal([Signal(x.shape[1:]) for x in handed])
    if not 0 < signal.size <= LARGEST:
        raise GraphError("draft", "too large for a test")


def values_of(rng: np.random.Generator, carried: str, shape: tuple[int, ...]) -> np.ndarray:
    promise = carries(carried)
    if promise.graded:
        return rng.normal(size=shape)
    if promise.binary:
        return (rng.random(shape) < 0.4).astype(np.float64)
    return rng.integers(promise.low, promise.high + 1, shape).astype(np.float64)
