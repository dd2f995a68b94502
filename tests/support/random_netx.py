"""Random chip graphs that a netx file can hold: all its layers and neurons, odd shapes, and weights at the edges."""

import numpy as np
from spikeport.toolchain.graph import Wire, later
from spikeport.toolchain.loihi.chip_graph import ChipGraph
from spikeport.toolchain.loihi.processes import (
    LIF,
    RF,
    RF_IZ,
    ChipInput,
    ChipOutput,
    Conv,
    DelayDense,
    Delta,
    Dense,
    LIFReset,
    Port,
    Process,
    Shaped,
    Sigma,
    SigmaDelta,
    Sparse,
)

Rng = np.random.Generator
KINDS = ("lif", "lif", "reset", "sdnn", "rf", "mixed")


def matrix(rng: Rng, shape: tuple[int, int], exact: bool = False) -> dict[str, object]:
    """Weights that the loader can be made to hold: of both signs, or none negative; some at the edges of 8 bits."""
    pick = int(rng.integers(6))
    if pick == 0:
        values = rng.integers(0, 256, shape)
    elif pick == 1:
        values = 2 * rng.integers(-128, 128, shape)
        values.flat[0], values.flat[-1] = -256, 254
    elif pick == 2:
        values = rng.integers(-127, 128, shape)
    elif pick == 3:
        values = rng.integers(-3, 4, shape) * int(rng.choice([1, 2, 4, 16]))
    else:
        values = rng.integers(-60, 100, shape)
    values = np.where(rng.random(shape) < 0.3, 0, values)
    values.flat[int(rng.integers(values.size))] = int(rng.integers(1, 120)) * 2
    if np.all(values >= 0):
        return {"weight": values}
    if np.abs(values).max() <= 127 and rng.random() < 0.8 and not exact:
        return {"weight": 2 * values, "exponent": -1}
    return {"weight": 2 * (values // 2) if exact or np.any(values % 2) else values}


def even(rng: Rng, shape: tuple[int, int]) -> np.ndarray:
    """Weights of both signs that fill eight bits."""
    values = 2 * rng.integers(-60, 70, shape)
    values.flat[0] = 254
    if values.size > 1:
        values.flat[-1] = -100
    return values


def delays(rng: Rng, shape: tuple[int, int]) -> np.ndarray:
    """No delays, one, one for each output or input, or one for each weight."""
    most = int(rng.choice([1, 4, 63]))
    pick = [(1, 1), (shape[0], 1), (1, shape[1]), shape][rng.integers(4)]
    return np.broadcast_to(rng.integers(0, most, pick), shape).copy()


class Maker:
    """A chain that grows from its input."""

    def __init__(self, rng: Rng, kind: str) -> None:
        self.rng, self.kind = rng, kind
        self.nodes: dict[str, Process] = {}
        self.wires: dict[str, tuple[Wire, ...]] = {}
        self.interval, self.offset = int(rng.integers(2, 9)), int(rng.integers(0, 9))
        self.spike_exponent = int(rng.choice([6, 6, 0, 3]))
        self.blocks = 0

    def add(self, node: Process, *wires: Wire) -> str:
        name = f"{node.kind.lower()}{len(self.nodes)}"
        self.nodes[name], self.wires[name] = node, wires
        return name

    def neuron(self, shape: tuple[int, ...], last: bool = False) -> Process:
        """Neurons of the network's kind."""
        rng = self.rng
        if self.kind == "sdnn":
            if last and rng.random() < 0.5:
                return Sigma()
            own = self.spike_exponent
            bias = self.bias(shape, 60) if rng.random() < 0.7 else 0
            return SigmaDelta(threshold=int(rng.integers(0, 30)), bias=bias, spike_exponent=own, state_exponent=6)
        extreme = rng.random() < 0.2
        fields = {
            "current_decay": int(rng.choice([0, 1, 300, 2048, 4095, 4096])),
            "voltage_decay": int(rng.choice([0, 1, 128, 2048, 4096])),
            "threshold": int(rng.choice([0, 5, 60, 400])) if not extreme else 131071,
            "bias": self.bias(shape, 4095 if extreme else 30) if rng.random() < 0.6 else 0,
            "bias_exponent": 6,
        }
        if self.kind == "reset":
            return LIFReset(**fields, interval=self.interval, offset=self.offset + self.blocks)
        return LIF(**fields, emit="voltage" if last and rng.random() < 0.3 else "spikes")

    def bias(self, shape: tuple[int, ...], most: int) -> np.ndarray:
        rng = self.rng
        if len(shape) == 3 and rng.random() < 0.6:
            return rng.integers(-most, most + 1, (shape[0], 1, 1))
        return rng.integers(-most, most + 1, shape)

    def bits(self, source: str) -> int:
        """Payloads are seen where they are sent; of plain spikes it is all the same."""
        while isinstance(self.nodes[source], Shaped):
            source = self.wires[source][0].source
        graded = isinstance(self.nodes[source], (Delta, SigmaDelta, Sigma))
        if isinstance(self.nodes[source], ChipInput):
            graded = self.nodes[source].carries != "spikes"
        return 16 if graded else int(self.rng.choice([0, 8]))

    def conv(self, source: str, shape: tuple[int, int, int]) -> tuple[str, tuple[int, int, int]]:
        rng = self.rng
        groups = int(rng.choice([g for g in (1, 2, 3, 6) if shape[0] % g == 0]))
        kernel = tuple(int(rng.integers(1, min(4, n + 1))) for n in shape[1:])
        padding = (int(rng.integers(0, 2)), int(rng.integers(0, 3)))
        dilation = tuple(
            2 if k == 2 and n > 3 and rng.random() < 0.5 else 1 for k, n in zip(kernel, shape[1:], strict=True)
        )
        size = (groups * int(rng.integers(1, 3)), shape[0] // groups, *kernel)
        weight = 2 * rng.integers(-128, 128, size) if rng.random() < 0.5 else rng.integers(-60, 100, size)
        stride = (int(rng.integers(1, 3)), int(rng.integers(1, 3)))
        fields = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
        name = self.add(Conv(weight=weight, **fields, message_bits=self.bits(source)), later(source))
        around = zip(shape[1:], kernel, stride, padding, dilation, strict=True)
        places = tuple((n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in around)
        return name, (weight.shape[0], *places)

    def dense(self, source: str, width: int, last: bool) -> tuple[str, int]:
        rng, bits = self.rng, self.bits(source)
        out = int(rng.integers(1, 7))
        if self.kind == "rf" or (self.kind == "mixed" and rng.random() < 0.4 and not last):
            pair = [self.add(Dense(**matrix(rng, (out, width)), message_bits=bits), later(source)) for _ in range(2)]
            angle, keep = rng.uniform(0.1, 2.8), rng.uniform(0.9, 1)
            sin, cos = (int(keep * f(angle) * 4096) for f in (np.sin, np.cos))
            fields = {"sin": sin, "cos": cos, "threshold": int(rng.integers(0, 9000)), "state_exponent": 6}
            return self.add([RF, RF_IZ][rng.integers(2)](**fields), *map(Wire, pair)), out
        pick = rng.random()
        if pick < 0.25:
            return self.recurrent(source, width, out, self.neuron((out,)), bits), out
        neuron = self.neuron((out,), last)
        if pick < 0.55:
            into = DelayDense(**matrix(rng, (out, width)), delay=delays(rng, (out, width)), message_bits=bits)
        else:
            into = [Dense, Dense, Sparse][rng.integers(3)](**matrix(rng, (out, width)), message_bits=bits)
        return self.add(neuron, Wire(self.add(into, later(source)))), out

    def recurrent(self, source: str, width: int, out: int, neuron: Process, bits: int) -> str:
        rng = self.rng
        forward: Process = Dense(weight=even(rng, (out, width)), message_bits=bits)
        back: Process = Dense(weight=even(rng, (out, out)), message_bits=bits)
        if out == width and rng.random() < 0.7:
            delay = delays(rng, (out, out))
            forward = DelayDense(weight=forward.weight, delay=delay, message_bits=bits)
            back = DelayDense(weight=back.weight, delay=delay, message_bits=bits)
        first = self.add(forward, later(source))
        second = f"{back.kind.lower()}{len(self.nodes)}"
        self.nodes[second] = back
        port = self.add(Port(), Wire(first), Wire(second))
        name = self.add(neuron, Wire(port))
        self.wires[second] = (later(name),)
        return name


def random_netx(seed: int) -> ChipGraph:
    """A chip graph from a seed."""
    rng = np.random.default_rng(seed)
    maker = Maker(rng, KINDS[seed % len(KINDS)])
    image = rng.random() < 0.5
    shape: tuple[int, ...] = (int(rng.choice([1, 2, 3, 6])), int(rng.integers(3, 7)), int(rng.integers(3, 8)))
    shape = shape if image else (int(rng.integers(1, 7)),)
    coded = maker.kind == "sdnn"
    entry = coded or rng.random() < 0.25
    last = maker.add(ChipInput(shape, "int[-300,300]" if entry or rng.random() < 0.3 else "spikes"))
    if entry:
        delta = Delta(threshold=int(rng.integers(0, 9)), spike_exponent=maker.spike_exponent, state_exponent=6)
        neuron = delta if coded else maker.neuron(shape)
        if not coded:
            fields = {"current_decay": 4096, "voltage_decay": 900, "threshold": 200}
            clock = {"interval": maker.interval, "offset": maker.offset}
            neuron = LIFReset(**fields, **clock) if maker.kind == "reset" else LIF(**fields)
        last = maker.add(neuron, Wire(last))
        maker.blocks += 1
    if image:
        for _ in range(int(rng.integers(0, 3)) if maker.kind != "rf" else 0):
            conv, shape = maker.conv(last, shape)
            last = maker.add(maker.neuron(shape), Wire(conv))
            maker.blocks += 1
        last = maker.add(Shaped((int(np.prod(shape)),)), Wire(last))
    width, layers = int(np.prod(shape)), int(rng.integers(1, 4))
    for index in range(layers):
        last, width = maker.dense(last, width, index == layers - 1)
        maker.blocks += 1
    maker.add(ChipOutput(["steps", "last", "sum"][rng.integers(3)], int(rng.integers(3))), Wire(last))
    return ChipGraph(
        maker.nodes, maker.wires, name=f"net{seed}", dt=1e-3 * (1 + seed % 3), notes={"made": f"by {seed}"}
    )


def random_inputs(chip: ChipGraph, seed: int, steps: int, batch: int) -> dict[str, np.ndarray]:
    """Inputs that keep the network's promise."""
    rng = np.random.default_rng(seed + 10_000)
    name = chip.inputs[0]
    low, high = chip.signals[name].carries.bounds
    size = (steps, batch, *chip.signals[name].shape)
    return {name: np.where(rng.random(size) < 0.4, rng.integers(int(low), int(high) + 1, size), 0)}
