"""Random chip graphs: every process, odd shapes, delays, loops, residuals, joins along any axis, extremes that wrap."""

from collections.abc import Callable

import numpy as np
from spikeport.toolchain.graph import Wire, later
from spikeport.toolchain.loihi.chip_graph import ChipGraph
from spikeport.toolchain.loihi.processes import (
    RF,
    RF_IZ,
    ChipInput,
    ChipOutput,
    Dense,
    InvSqrt,
    Joined,
    NormVecDelay,
    Port,
    Process,
    RFZero,
    Shaped,
)
from support.random_cells import CELLS, GRADED, LIFS, SPIKING, pair, rf, voltage
from support.random_synapses import Rng, conv, matrix, one_of, weights

PROMISES = ("spikes", "spikes", "spikes", "int[-9,9]", "int[0,200]")
NORM_WIDTH = 12
"""As wide as a vector may be so that its norm's square stays in 24 bits."""


class Maker:
    """A chip graph that grows from its inputs."""

    def __init__(self, rng: Rng, *, wild: bool) -> None:
        self.rng = rng
        self.wild = wild
        self.nodes: dict[str, Process] = {}
        self.wires: dict[str, tuple[Wire, ...]] = {}
        self.signals = {}

    def add(self, node: Process, *wires: Wire, name: str = "") -> str:
        """A node of its own name behind others that are there."""
        name = name or f"{node.kind.lower()}{len(self.nodes)}"
        self.nodes[name] = node
        self.wires[name] = wires
        self.signals[name] = node.signal([self.signals[wire.source] for wire in wires])
        return name

    def shape(self, name: str) -> tuple[int, ...]:
        return self.signals[name].shape

    def bits(self, name: str) -> int:
        """Bits of a payload for a synapse that reads this node: 0 mostly for spikes, and now and then for values."""
        usual = 0 if self.signals[name].carries.binary else 16
        return usual if self.rng.random() < 0.8 else 16 - usual

    def extreme(self) -> bool:
        return self.wild and self.rng.random() < 0.7

    def matrix(self, source: str, out: int, extreme: bool | None = None) -> str:
        """A synapse on a vector."""
        width, far = self.shape(source)[0], self.extreme() if extreme is None else extreme
        return self.add(matrix(self.rng, out, width, self.bits(source), far), later(source))

    def conv(self, source: str, **fixed: object) -> str:
        """A convolution."""
        node = conv(self.rng, self.shape(source), self.bits(source), self.extreme(), **fixed)
        return self.add(node, later(source))

    def cell(self, *sources: str, among: tuple[Callable[..., Process], ...] = CELLS) -> str:
        """A neuron behind what is there; several sources are added up."""
        into = sources[0] if len(sources) == 1 else self.add(Port(), *map(Wire, sources))
        make = one_of(self.rng, *among)
        node = make(self.rng, self.shape(into), self.extreme())
        if isinstance(node, (RF, RF_IZ, RFZero)) and len(sources) == 2 and self.rng.random() < 0.6:
            return self.add(node, *map(Wire, sources))  # a real and an imaginary input
        return self.add(node, Wire(into))

    def output(self, source: str) -> str:
        late = int(self.rng.integers(0, 5))
        readout = one_of(self.rng, "steps", "steps", "last", "sum", "mean", "max")
        return self.add(ChipOutput(readout=readout, after=late), Wire(source))


def layer(maker: Maker, source: str) -> str:
    """A matrix and neurons."""
    return maker.cell(maker.matrix(source, int(maker.rng.integers(1, 6))))


def loop(maker: Maker, source: str) -> str:
    """Neurons that hear themselves: through a matrix or, images, through a convolution that keeps their shape."""
    image = len(maker.shape(source)) == 3
    into = maker.conv(source) if image else maker.matrix(source, int(maker.rng.integers(1, 6)))
    back, shape = f"back{len(maker.nodes)}", maker.shape(into)
    maker.signals[back] = maker.signals[into]
    neuron = maker.cell(into, back, among=(*SPIKING, *SPIKING, *GRADED))
    bits, far = maker.bits(neuron), maker.extreme()
    keep = {"out": shape[0], "groups": 1, "stride": 1, "kernel": (1, 3), "padding": (0, 1), "dilation": 1}
    again = conv(maker.rng, shape, bits, far, **keep) if image else matrix(maker.rng, *shape * 2, bits, far)
    maker.add(again, later(neuron), name=back)
    return neuron


def branches(maker: Maker, source: str) -> str:
    """Two synapses into one neuron."""
    out = int(maker.rng.integers(1, 6))
    return maker.cell(maker.matrix(source, out), maker.matrix(source, out))


def residual(maker: Maker, source: str) -> str:
    """A branch of two layers and one of one layer or none, added up."""
    if len(maker.shape(source)) == 3:
        same = {"stride": 1, "dilation": 1}
        mid = maker.cell(maker.conv(source, **same, kernel=(3, 1), padding=(1, 0)))
        channels = maker.shape(source)[0]
        deep = maker.conv(mid, **same, kernel=(1, 3), padding=(0, 1), groups=1, out=channels)
        if maker.rng.random() < 0.5:
            source = maker.conv(source, **same, kernel=(1, 1), padding=0, groups=1, out=channels)
        return maker.cell(deep, source)
    width = maker.shape(source)[0]
    deep = maker.matrix(layer(maker, source), width)
    return maker.cell(deep, source if maker.rng.random() < 0.5 else maker.matrix(source, width))


def joined(maker: Maker, source: str) -> str:
    """Two or three branches side by side, along any axis; of images, convolutions or neurons."""
    rng, count = maker.rng, int(maker.rng.integers(2, 4))
    if len(maker.shape(source)) == 3:
        same = {"stride": 1, "dilation": 1, "kernel": (1, 1), "padding": int(rng.integers(0, 2))}
        axis = int(rng.integers(-3, 3))
        out = {} if axis % 3 == 0 else {"out": maker.shape(source)[0], "groups": 1}
        parts = [maker.conv(source, **same, **out) for _ in range(count)]
    else:
        axis = int(rng.integers(-1, 1))
        parts = [maker.matrix(source, int(rng.integers(1, 4))) for _ in range(count)]
    if rng.random() < 0.5:
        parts = [maker.cell(part) for part in parts]
    return maker.cell(maker.add(Joined(axis), *map(Wire, parts)))


def product(maker: Maker, source: str) -> str:
    """Two branches, multiplied."""
    out, extreme = int(maker.rng.integers(1, 6)), bool(maker.rng.random() < 0.5)
    both = [maker.matrix(source, out, extreme) for _ in range(2)]
    return maker.add(pair(maker.rng, maker.wild), *map(Wire, both))


def norm(maker: Maker, source: str) -> str:
    """A vector over its norm: squares, their sum, the inverse of its root, and the product with the vector."""
    rng, width = maker.rng, maker.shape(source)[0]
    if width > NORM_WIDTH:
        return layer(maker, source)
    out = int(rng.integers(1, 5))
    vector = maker.add(Dense(weight=weights(rng, (out, width), 80)), later(source))
    square = maker.add(NormVecDelay(sends="square"), Wire(vector), Wire(vector))
    total = maker.add(Dense(weight=np.ones((1, out), int), message_bits=24), later(square))
    root = maker.add(InvSqrt(), Wire(total))
    factor = np.full((out, 1), int(rng.integers(1, 250 if maker.extreme() else 9)))
    spread = maker.add(Dense(weight=factor, message_bits=24), later(root))
    return maker.add(NormVecDelay(sends="product", threshold=3), Wire(vector), Wire(spread))


def bare(maker: Maker, source: str) -> str:
    """A neuron that reads a neuron or an input, with no synapse between."""
    return maker.cell(source, among=GRADED)


def image_layer(maker: Maker, source: str) -> str:
    """A convolution and neurons."""
    return maker.cell(maker.conv(source))


def turned(maker: Maker, source: str) -> str:
    """An image with its axes in another order."""
    axes = maker.rng.permutation(3).tolist()
    return maker.add(Shaped(tuple(maker.shape(source)[axis] for axis in axes), axes), Wire(source))


VECTOR = (layer, layer, layer, loop, loop, branches, residual, joined, product, product, norm, bare)
IMAGE = (image_layer, image_layer, loop, residual, joined, joined, turned, bare)
MOST_NODES = 13


def _extremes(maker: Maker) -> str:
    """Neurons that read multiples of 2¹⁷, which are 2²³ once they are shifted, or of 2²³ up to −2³¹ itself."""
    source = maker.add(ChipInput((3,), "int[-256,256]"))
    small = maker.rng.random() < 0.6
    large = Dense(weight=128 * np.eye(3, dtype=int), exponent=10 if small else 16, message_bits=16)
    return maker.cell(maker.add(large, later(source)), among=LIFS if small else (*GRADED, rf, rf))


def _root(maker: Maker) -> str:
    """The inverse root of a number of 24 bits: an input's upper 8 and another's lower 16."""
    source = maker.add(ChipInput((2,), "int[0,255]"))
    upper = maker.add(Dense(weight=np.array([[128, 0]]), exponent=9, message_bits=8), later(source))
    lower = maker.add(Dense(weight=np.array([[0, 255]]), message_bits=8), later(source))
    return maker.add(InvSqrt(), Wire(maker.add(Port(), Wire(upper), Wire(lower))))


def _images(maker: Maker) -> str:
    rng = maker.rng
    shape = (int(rng.choice([1, 2, 3, 4, 6])), int(rng.integers(3, 7)), int(rng.integers(2, 8)))
    last = maker.add(ChipInput(shape, one_of(rng, *PROMISES)))
    for _ in range(int(rng.integers(1, 4))):
        if len(maker.nodes) < MOST_NODES - 4:
            last = one_of(rng, *IMAGE)(maker, last)
    size = int(np.prod(maker.shape(last)))
    return maker.add(Shaped((size,), one_of(rng, None, rng.permutation(3).tolist())), Wire(last))


def _vectors(maker: Maker) -> str:
    return maker.add(ChipInput((int(maker.rng.integers(1, 9)),), one_of(maker.rng, *PROMISES)))


def random_chip(seed: int) -> ChipGraph:
    """A chip graph from a seed."""
    rng = np.random.default_rng(seed)
    maker = Maker(rng, wild=rng.random() < 0.6)
    last = one_of(rng, _images, _vectors, _vectors)(maker)
    if rng.random() < 0.4:
        other = one_of(rng, _vectors, _extremes, _extremes, _root)(maker)
        out = int(rng.integers(1, 5))
        last = maker.cell(maker.matrix(last, out), maker.matrix(other, out))
    least = int(rng.integers(5, MOST_NODES - 2))
    while len(maker.nodes) < least:
        last = one_of(rng, *VECTOR)(maker, last)
    if rng.random() < 0.2:
        maker.output(maker.add(voltage(rng, (3,), maker.extreme()), Wire(maker.matrix(last, 3))))
    maker.output(last)
    if rng.random() < 0.4:  # whatever there is, a synapse or a sum among them
        maker.output(one_of(rng, *(name for name, node in maker.nodes.items() if not isinstance(node, ChipOutput))))
    return ChipGraph(maker.nodes, maker.wires, name=f"chip{seed}")


def random_spikes(graph: ChipGraph, seed: int, steps: int, batch: int) -> dict[str, np.ndarray]:
    """Inputs that keep the graph's promise, its bounds among them where they are far."""
    rng = np.random.default_rng(seed + 10_000)
    found = {}
    for name in graph.inputs:
        low, high = graph.signals[name].carries.bounds
        size = (steps, batch, *graph.signals[name].shape)
        values = rng.integers(int(low), int(high) + 1, size)
        if high > 200:
            values = np.where(
                rng.random(size) < 0.7, rng.choice([low, low / 256, 1, 2, high], size).astype(int), values
            )
        found[name] = np.where(rng.random(size) < 0.4, values, 0)
    return found


def steps_for(graph: ChipGraph, least: int) -> int:
    """At least so many steps, and a few more than the longest delay."""
    delays = [int(node.delay.max()) for node in graph.nodes.values() if "delay" in node.arrays()]
    return max(least, *(delay + 7 for delay in delays)) if delays else least
