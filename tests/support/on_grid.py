"""Random networks whose numbers are on the chip's grid already, so that the chip has to do exactly what they do.

Weights are small multiples of a power of two, voltages keep all or nothing from step to step (β and α are 1 or 0),
thresholds and biases are whole or half multiples: no step of the chip's arithmetic rounds.
"""

from __future__ import annotations

import numpy as np
from spikeport.toolchain.graph import Graph, GraphBuilder, Signal, chain, later
from spikeport.toolchain.graph.nodes import (
    IF,
    LIF,
    Activation,
    Add,
    Affine,
    AveragePool,
    BatchNorm,
    Concat,
    Conv,
    CubaLIF,
    Delay,
    Flatten,
    Input,
    Integrator,
    LeakyIntegrator,
    MaxPool,
    Node,
    Output,
    Pad,
    Permute,
    Reshape,
    Scale,
    Slice,
    SumPool,
    TemporalKernel,
)

Rng = np.random.Generator


class Grid:
    """A network under way.

    Args:
        seed: what it is drawn from.
    """

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.builder = GraphBuilder(f"grid_{seed}")
        self.unit = 2.0 ** -int(self.rng.integers(0, 8))
        self.biases = bool(self.rng.random() < 0.4)
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.sources: list[str] = []

    def chance(self, p: float) -> bool:
        return bool(self.rng.random() < p)

    def add(self, name: str, node: Node, *sources) -> str:
        name = self.builder.add(name, node, *sources)
        wires = [getattr(source, "source", source) for source in sources]
        shape = node.signal([Signal(self.shapes[each]) for each in wires]).shape
        self.shapes[name] = shape
        return name

    def weights(self, *shape: int) -> np.ndarray:
        values = self.rng.integers(-9, 10, shape) * (self.rng.random(shape) < 0.8)
        if self.chance(0.2):
            values = np.abs(values)
        return values * self.unit

    def numbers(self, shape: tuple[int, ...], low: int, high: int) -> np.ndarray:
        """One number, or one for each channel, or one for each neuron."""
        kind = self.rng.random()
        size = () if kind < 0.5 else (shape[0], *([1] * (len(shape) - 1))) if kind < 0.8 else shape
        return self.rng.integers(low, high + 1, size) * self.unit

    def neuron(self, source) -> str:
        shape = self.shapes[getattr(source, "source", source)]
        fields = {
            "threshold": self.numbers(shape, 3, 14) + self.unit / 2 * self.chance(0.3),
            "at_least": self.chance(0.4),
        }
        if self.biases and self.chance(0.5):
            fields["bias"] = self.numbers(shape, -1, 2)
        if self.chance(0.2):
            fields["gain"] = np.asarray(
                2.0 ** self.rng.integers(-1, 2, () if self.chance(0.5) else (shape[0], *([1] * (len(shape) - 1))))
            )
        if self.chance(0.15):
            fields["v_reset"] = fields["v_start"] = self.numbers(shape, -2, 1)
        kind = self.rng.random()
        if kind < 0.6:
            node: Node = IF(**fields)
        elif kind < 0.75:
            node = LIF(beta=self.rng.integers(0, 2, shape if self.chance(0.5) else ()).astype(float), **fields)
        elif kind < 0.9:
            node = CubaLIF(
                alpha=np.float64(self.biases == 0 and self.chance(0.5)), beta=np.float64(self.chance(0.7)), **fields
            )
        else:
            threshold = float(self.rng.integers(1, 6)) * self.unit
            node = Activation(str(self.rng.choice(["step", "step_or_equal"])), {"threshold": threshold})
        name = self.add("n", node, source)
        self.sources.append(name)
        return name

    def pick(self) -> str:
        return str(self.rng.choice(self.sources))

    def linear(self, source) -> str:
        """Some layers behind a source."""
        start = source
        for _ in range(int(self.rng.integers(1, 4))):
            source = self.layer(source)
        return source if source is not start else self.add("scale", Scale(np.float64(2.0)), source)

    def layer(self, source) -> str:
        shape = self.shapes[getattr(source, "source", source)]
        return {1: self.vector, 2: self.row, 3: self.image}[len(shape)](source, shape)

    def row(self, source, shape: tuple[int, ...]) -> str:
        c, n = shape
        kind = self.rng.random()
        if kind < 0.5:
            k = int(self.rng.integers(1, min(n, 3) + 1))
            weight = self.weights(int(self.rng.integers(1, 4)), c, k)
            return self.add("conv", Conv(weight, None, 1, ((1, 2),) if self.chance(0.5) else 1), source)
        if kind < 0.6:
            return self.add("mix", Affine(self.weights(4, n)), source)
        if kind < 0.7 and n >= 2:
            return self.add("pool", SumPool((2,)), source)
        return self.add("flat", Flatten(), source) if kind < 0.85 else self.add("turned", Permute((1, 0)), source)

    def vector(self, source, shape: tuple[int, ...]) -> str:
        n = shape[0]
        kind = self.rng.integers(0, 7)
        if kind == 0:
            return self.add("delay", Delay(tuple(self.rng.integers(0, 3, n if self.chance(0.4) else 1))), source)
        if kind == 1 and not self.biases:
            return self.add("kernel", TemporalKernel(self.weights(int(self.rng.integers(1, 4)), 3, n)), source)
        if kind == 2 and n > 2:
            return self.add("slice", Slice(0, 1, n), source)
        out = int(self.rng.integers(2, 7))
        bias = self.weights(out) if self.biases and self.chance(0.5) else None
        return self.add("fc", Affine(self.weights(out, n), bias), source)

    def image(self, source, shape: tuple[int, ...]) -> str:
        c, h, w = shape
        kind = self.rng.random()
        if kind < 0.4:
            groups = c if self.chance(0.2) else 1
            out = c * int(self.rng.integers(1, 3)) if groups > 1 else int(self.rng.integers(1, 5))
            k = 3 if min(h, w) >= 3 and self.chance(0.6) else 1
            bias = self.weights(out) if self.biases and self.chance(0.4) else None
            pad = ((1, 0), (0, 1)) if self.chance(0.2) else int(self.rng.integers(0, 3))
            stride = int(self.rng.integers(1, 3))
            return self.add("conv", Conv(self.weights(out, c // groups, k, k), bias, stride, pad, 1, groups), source)
        if kind < 0.55 and min(h, w) >= 2:
            pool = [SumPool((2, 2)), AveragePool((2, 2)), MaxPool((2, 2), 1), SumPool((2, 2), 1, 1)][
                int(self.rng.integers(0, 4))
            ]
            binary = getattr(source, "source", source) in self.sources
            return self.add("pool", pool if binary or not isinstance(pool, MaxPool) else SumPool((2, 2)), source)
        if kind < 0.65:
            scale = 2.0 ** self.rng.integers(-1, 2, (c, 1, 1))
            return self.add("scale", Scale(scale), source)
        if kind < 0.72:
            return self.add("pad", Pad(((0, 0), (1, 0), (0, 2))), source)
        if kind < 0.78:
            return self.add("turned", Permute((0, 2, 1)), source)
        if kind < 0.82:
            norm = BatchNorm(np.zeros(c), np.ones(c), 2.0 ** self.rng.integers(-1, 2, c), None, 0.0)
            return self.add("norm", norm, source)
        if kind < 0.88:
            return self.add("reshaped", Reshape((c, w, h)), source)
        return self.add("flat", Flatten(), source)

    def merged(self, a: str) -> str:
        """What a path gives, with another beside it or on top."""
        shape = self.shapes[a]
        if self.chance(0.35):
            fits = [each for each in self.sources if self.shapes[each] == shape]
            if fits:
                wire = later(str(self.rng.choice(fits))) if self.chance(0.3) else str(self.rng.choice(fits))
                return self.add("sum", Add(), a, wire)
        fits = [
            each for each in self.sources if self.shapes[each][1:] == shape[1:] and len(self.shapes[each]) == len(shape)
        ]
        if fits and self.chance(0.3):
            return self.add("joined", Concat(0), a, str(self.rng.choice(fits)))
        return a


def on_grid(seed: int) -> Graph:
    """A network on the grid, with branches, sums, delays, loops and readouts as they come."""
    g = Grid(seed)
    carries = "spikes" if g.chance(0.7) else "int[-3,5]"
    for index in range(1 + g.chance(0.2)):
        shape = [(2, 6, 5), (5,), (2, 7)][g.rng.choice(3, p=[0.5, 0.35, 0.15])]
        name = g.builder.add(f"in{index}", Input(shape, carries))
        g.shapes[name] = shape
        if carries == "spikes":
            g.sources.append(name)
        else:
            g.neuron(g.linear(name))
    for _ in range(int(g.rng.integers(1, 5))):
        source = g.pick()
        path = g.merged(g.linear(source))
        if g.chance(0.3):
            _looped(g, path)
        else:
            g.neuron(path)
    _read(g)
    return g.builder.build()


def _looped(g: Grid, path: str) -> None:
    """A neuron that also reads itself, a step later."""
    shape = g.shapes[path]
    total = g.builder.add("loop", Add(), path, path)
    g.shapes[total] = shape
    name = g.neuron(total)
    back = later(name)
    if len(shape) == 1:
        back_layer = g.add("back", Affine(g.weights(shape[0], shape[0])), name)
        back = later(back_layer)
    g.builder.connect(total, path, back)


def _read(g: Grid) -> None:
    last = g.sources[-1]
    g.builder.add("out", Output("sum" if g.chance(0.3) else "steps"), last)
    kind = g.rng.random()
    if kind < 0.4:
        source = g.linear(g.pick())
        g.builder.add("read", Output(), source)
    elif kind < 0.7:
        source = g.linear(g.pick())
        leak = g.chance(0.5)
        bias = g.numbers(g.shapes[source], -1, 2) if g.biases else np.zeros(())
        node = Integrator(bias=bias) if leak else LeakyIntegrator(beta=np.zeros(()), bias=bias)
        g.builder.add("read", Output("last"), g.add("voltage", node, source))


def random_inputs(graph: Graph, seed: int, steps: int = 14, batch: int = 2) -> dict[str, np.ndarray]:
    """Inputs of each kind that the inputs promise."""
    rng = np.random.default_rng(seed)
    found = {}
    for name in graph.inputs:
        low, high = graph.signals[name].carries.bounds
        size = (steps, batch, *graph.signals[name].shape)
        values = rng.integers(int(low), int(high) + 1, size)
        found[name] = values * (rng.random(size) < 0.6)
    return found


def one_layer(weight: np.ndarray, neuron, **fields) -> Graph:
    """One layer of neurons behind a matrix; the fields are those of the matrix."""
    nodes = [("in", Input((weight.shape[1],), "spikes")), ("fc", Affine(weight, **fields)), ("n", neuron)]
    return chain([*nodes, ("out", Output())], name="net")
