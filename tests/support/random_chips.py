"""Random chip graphs: every process, odd shapes, delays, loops, sums and joins, and weights that wrap and saturate."""

from collections.abc import Callable

import numpy as np
from spikeport.toolchain.graph import Wire, later
from spikeport.toolchain.loihi.chip_graph import ChipGraph
from spikeport.toolchain.loihi.processes import (
    ATRLIF,
    LIF,
    RF,
    RF_IZ,
    ChipInput,
    ChipOutput,
    Conv,
    ConvInTime,
    DelayDense,
    DelaySparse,
    Delta,
    Dense,
    GradedReluVec,
    GradedVec,
    Joined,
    LIFReset,
    NormVecDelay,
    Port,
    Process,
    ProdNeuron,
    RFZero,
    Shaped,
    Sigma,
    SigmaDelta,
    Sparse,
    TernaryLIF,
)

Rng = np.random.Generator
ROTATE = 4096


def weights(rng: Rng, shape: tuple[int, ...]) -> np.ndarray:
    """Weights of any sign mode; now and then far beyond eight bits."""
    most = int(rng.choice([3, 60, 127, 254, 300]))
    low, high = [(-most, most), (0, most), (-most, 0)][rng.integers(3)]
    values = rng.integers(low, high + 1, shape)
    return np.where(rng.random(shape) < 0.3, 0, values)


def _bits(rng: Rng) -> dict[str, int]:
    return {"exponent": int(rng.integers(-3, 4)), "bits": int(rng.integers(2, 9))}


def dense(rng: Rng, out: int, width: int, message_bits: int) -> Process:
    """One of the four synapses with a matrix, or a kernel over time."""
    weight = weights(rng, (out, width))
    kind = [Dense, Sparse, DelayDense, DelaySparse, ConvInTime][rng.integers(5)]
    if kind is ConvInTime:
        return ConvInTime(weight=weights(rng, (int(rng.integers(1, 4)), out, width)), message_bits=message_bits)
    fields = {"weight": weight, "message_bits": message_bits, **_bits(rng)}
    if kind in (DelayDense, DelaySparse):
        fields["delay"] = rng.integers(0, int(rng.choice([2, 5, 63])), weight.shape)
    if not np.any(weight):
        fields["weight"] = weight + 2
    return kind(**fields)


def _membrane(rng: Rng, shape: tuple[int, ...], extreme: bool) -> dict[str, object]:
    large = 4095 if extreme else 40
    return {
        "current_decay": int(rng.choice([0, 1, 300, 2048, 4095, 4096])),
        "voltage_decay": int(rng.choice([0, 1, 128, 2048, 4096])),
        "bias": rng.integers(-large, large + 1, shape) if rng.random() < 0.5 else int(rng.integers(-large, large)),
        "bias_exponent": int(rng.integers(0, 8)) if extreme else int(rng.integers(0, 4)),
    }


def lif(rng: Rng, shape: tuple[int, ...]) -> Process:
    """One of the four neurons with current and voltage."""
    extreme = rng.random() < 0.3
    threshold = int(rng.choice([0, 5, 60, 400])) if not extreme else 131071
    pick = rng.integers(5)
    if pick == 0:
        decays = {f"{n}_decay": int(rng.integers(0, 4096)) for n in ("current", "voltage", "threshold", "refractory")}
        bias = {"bias": int(rng.integers(-50, 50)), "bias_exponent": int(rng.integers(0, 4))}
        return ATRLIF(**decays, threshold=max(threshold // 4, 1), threshold_step=int(rng.integers(0, 50)), **bias)
    membrane = _membrane(rng, shape, extreme)
    if pick == 1:
        return TernaryLIF(**membrane, high=threshold, low=-int(rng.integers(0, 300)))
    if pick == 2:
        clock = {"interval": int(rng.integers(1, 9)), "offset": int(rng.integers(0, 9))}
        return LIFReset(**membrane, threshold=threshold, **clock)
    if pick == 3:
        membrane["current_decay"] = rng.integers(0, 4097, shape)
        return LIF(**membrane, threshold=rng.integers(0, 500, shape))
    return LIF(**membrane, threshold=threshold)


def coder(rng: Rng, shape: tuple[int, ...]) -> Process:
    """One of the neurons that send values."""
    pick = rng.integers(6)
    exponents = {"spike_exponent": int(rng.integers(0, 7)), "state_exponent": int(rng.integers(0, 7))}
    if pick == 0:
        return Delta(threshold=int(rng.integers(0, 40)), cumulative=bool(rng.integers(2)), **exponents)
    if pick == 1:
        bias = rng.integers(-90, 90, shape)
        fields = {"bias": bias, "activation": ["relu", "unit"][rng.integers(2)], "cumulative": bool(rng.integers(2))}
        return SigmaDelta(threshold=int(rng.integers(0, 40)), **fields, **exponents)
    if pick == 2:
        return Sigma()
    kind = [GradedVec, GradedReluVec][rng.integers(2)]
    return kind(threshold=int(rng.integers(0, 200)))


def resonator(rng: Rng, shape: tuple[int, ...]) -> Process:
    """One of the three neurons that turn."""
    angle, keep = rng.uniform(0.3, 2), rng.uniform(0.9, 1)
    pick = rng.integers(3)
    if pick == 2:
        turn = [np.full(shape, int(keep * f(angle) * 2**15)) for f in (np.cos, np.sin)]
        return RFZero(cos=turn[0], sin=turn[1], threshold=int(rng.integers(0, 90)))
    cos, sin = (int(keep * f(angle) * ROTATE) for f in (np.cos, np.sin))
    exponent = int(rng.integers(0, 7))
    return [RF, RF_IZ][pick](cos=cos, sin=sin, threshold=int(rng.integers(0, 200)), state_exponent=exponent)


class _Maker:
    """A chip graph that grows from its input."""

    def __init__(self, rng: Rng) -> None:
        self.rng = rng
        self.nodes: dict[str, Process] = {}
        self.wires: dict[str, tuple[Wire, ...]] = {}

    def add(self, node: Process, *wires: Wire) -> str:
        name = f"{node.kind.lower()}{len(self.nodes)}"
        self.nodes[name] = node
        self.wires[name] = wires
        return name

    def graded(self, name: str) -> int:
        """Bits of a payload for a synapse that reads this node: 0 now and then, also for values."""
        spikes = isinstance(self.nodes[name], (LIF, LIFReset, ATRLIF, RF, RF_IZ, ChipInput))
        return 0 if spikes or self.rng.random() < 0.2 else 16

    def conv(self, source: str, shape: tuple[int, int, int]) -> tuple[str, tuple[int, ...]]:
        rng = self.rng
        groups = int(rng.choice([g for g in (1, 2, 3) if shape[0] % g == 0]))
        kernel = (int(rng.integers(1, min(4, shape[1] + 1))), int(rng.integers(1, min(4, shape[2] + 1))))
        padding = (int(rng.integers(0, 2)), int(rng.integers(0, 3)))
        dilation = tuple(
            2 if k == 2 and n > 3 and rng.random() < 0.5 else 1 for k, n in zip(kernel, shape[1:], strict=True)
        )
        weight = weights(rng, (groups * int(rng.integers(1, 3)), shape[0] // groups, *kernel))
        stride = (int(rng.integers(1, 3)), int(rng.integers(1, 3)))
        fields = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
        node = Conv(weight=weight, **fields, message_bits=self.graded(source))
        name = self.add(node, later(source))
        around = zip(shape[1:], kernel, stride, padding, dilation, strict=True)
        places = tuple((n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in around)
        return name, (weight.shape[0], *places)

    def layer(self, source: str, width: int, make: Callable[..., Process]) -> tuple[str, int]:
        """A matrix, with a loop back or a second branch now and then, and neurons."""
        rng = self.rng
        out = int(rng.integers(1, 6))
        into = self.add(dense(rng, out, width, self.graded(source)), later(source))
        extra = rng.integers(4)
        if extra == 0:
            other = self.add(dense(rng, out, width, self.graded(source)), later(source))
            into = self.add(Port(), Wire(into), Wire(other))
        if extra == 1:
            back = f"dense{len(self.nodes)}"
            self.nodes[back] = Dense(weight=weights(rng, (out, out)) + 2)
            joined = self.add(Port(), Wire(into), Wire(back))
            neuron = self.add(make(rng, (out,)), Wire(joined))
            self.wires[back] = (later(neuron),)
            return neuron, out
        return self.add(make(rng, (out,)), Wire(into)), out


def random_chip(seed: int) -> ChipGraph:
    """A chip graph from a seed."""
    rng = np.random.default_rng(seed)
    maker = _Maker(rng)
    if rng.random() < 0.5:
        shape = (int(rng.choice([1, 2, 3, 6])), int(rng.integers(3, 7)), int(rng.integers(3, 8)))
        last = maker.add(ChipInput(shape, "spikes" if rng.random() < 0.7 else "int[-9,9]"))
        conv, shape = maker.conv(last, shape)
        last = maker.add(lif(rng, shape), Wire(conv))
        last = maker.add(Shaped((int(np.prod(shape)),), rng.permutation(3).tolist()), Wire(last))
        width = int(np.prod(shape))
    else:
        width = int(rng.integers(1, 9))
        last = maker.add(ChipInput((width,), "spikes" if rng.random() < 0.7 else "int[-9,9]"))
    for _ in range(int(rng.integers(1, 4))):
        make = [lif, lif, coder, resonator][rng.integers(4)]
        last, width = maker.layer(last, width, make)
    if rng.random() < 0.4:
        branches = [maker.layer(last, width, [lif, coder][rng.integers(2)]) for _ in range(2)]
        if rng.random() < 0.5:
            last = maker.add(Joined(0), *(Wire(name) for name, _ in branches))
        else:
            into = [maker.add(Dense(weight=weights(rng, (3, w)) + 2, message_bits=16), later(n)) for n, w in branches]
            pair = ProdNeuron(threshold=int(rng.integers(0, 9)), exponent=int(rng.integers(0, 4)))
            both = [pair, NormVecDelay(threshold=5, sends=["square", "product"][rng.integers(2)])][rng.integers(2)]
            last = maker.add(both, *(Wire(name) for name in into))
    maker.add(ChipOutput(), Wire(last))
    return ChipGraph(maker.nodes, maker.wires, name=f"chip{seed}")


def random_spikes(graph: ChipGraph, seed: int, steps: int, batch: int) -> dict[str, np.ndarray]:
    """Inputs that keep the graph's promise."""
    rng = np.random.default_rng(seed + 10_000)
    found = {}
    for name in graph.inputs:
        low, high = graph.signals[name].carries.bounds
        size = (steps, batch, *graph.signals[name].shape)
        found[name] = np.where(rng.random(size) < 0.4, rng.integers(int(low), int(high) + 1, size), 0)
    return found
