"""Random graphs that are valid, use every kind of node, and whose neurons really spike.

A graph is drafted node by node. Each node runs on a small sample as soon as it is there, so that the next weights and
thresholds are scaled to what really arrives; a draft that is silent, too large or not finite is thrown away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from hypothesis import strategies as st
from spikeport.toolchain.errors import GraphError
from spikeport.toolchain.graph import KINDS, Graph, Signal, SubGraph, Wire, later
from spikeport.toolchain.graph import nodes as n
from spikeport.toolchain.graph.signal import carries

STEPS, BATCH = 6, 2
LARGEST = 1500
"""The most values that one signal of a random graph has."""
WIDEST = 1e4
"""The largest magnitude that a signal of the sample may reach."""
NEURONS = ("IF", "LIF", "CubaLIF", "AdaptiveLIF", "ResonateFire", "Sigma", "Delta", "SigmaDelta")
Group = list[tuple[str, n.Node, tuple[Wire, ...]]]


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
    firing = [pair for pair in makers if pair[0] in NEURONS[:4]]
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
        name: _values(rng, graph.nodes[name].carries, (steps, batch, *graph.nodes[name].shape)).astype(dtype)
        for name in graph.inputs
    }


def graphs(**options: object) -> st.SearchStrategy[Graph]:
    """Random graphs for hypothesis, by seed; `options` are those of `random_graph`."""
    return seeds().map(lambda seed: random_graph(np.random.default_rng(seed), **options))


def seeds() -> st.SearchStrategy[int]:
    return st.integers(0, 2**32 - 1)


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
        firing = [name for name, node, _ in group if node.kind in NEURONS[:4]]
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


def _add_input(draft: Draft, shape: tuple[int, ...] | None, carried: str | None) -> None:
    ranks = [lambda: (draft.whole(1, 9),), lambda: draft.whole(2, 8, 2), lambda: draft.whole(2, 7, 3)]
    ranks.append(lambda: draft.whole(2, 4, 4))
    shape = shape or ranks[draft.rng.choice(4, p=[0.25, 0.25, 0.4, 0.1])]()
    carried = carried or str(draft.rng.choice(["spikes", "spikes", "graded", "int[-2,3]", "int[0,4]"]))
    name = draft.name("in")
    draft.nodes[name], draft.wires[name] = n.Input(shape, carried), ()
    draft.sample[name] = _values(draft.rng, carried, (STEPS, BATCH, *shape))


def _values(rng: np.random.Generator, carried: str, shape: tuple[int, ...]) -> np.ndarray:
    promise = carries(carried)
    if promise.graded:
        return rng.normal(size=shape)
    if promise.binary:
        return (rng.random(shape) < 0.4).astype(np.float64)
    return rng.integers(promise.low, promise.high + 1, shape).astype(np.float64)


# One maker for each kind: a node for some source of the draft, or nothing where none fits.
Made = tuple[n.Node, Sequence[str]] | Group | None


def _affine(d: Draft) -> Made:
    source = d.pick(range(1, 5))
    if source is None:
        return None
    width, out = d.shape(source)[-1], d.whole(1, 9)
    return n.Affine(d.weight(source, (out, width), width), d.maybe(d.normal(out, scale=0.3))), [source]


def _scale(d: Draft) -> Made:
    source = d.pick()
    shape = d.shape(source)
    return n.Scale(d.parameter(shape, -1.5, 1.5), d.maybe(np.asarray(d.parameter(shape, -0.5, 0.5)))), [source]


def _batch_norm(d: Draft) -> Made:
    source = d.pick(range(1, 5))
    if source is None:
        return None
    c, rms = d.shape(source)[0], d.rms(source)
    variance = d.rng.uniform(0.3, 1.5, c).astype(d.dtype) * rms**2
    gamma, beta = d.maybe(d.normal(c) + 1), d.maybe(d.normal(c, scale=0.3))
    return n.BatchNorm(d.normal(c, scale=rms / 2), variance, gamma, beta, float(d.rng.choice([1e-5, 1e-3]))), [source]


def _contract(d: Draft) -> Made:
    source = d.pick(range(1, 5))
    if source is None:
        return None
    shape = d.shape(source)
    letters = "abcd"[: len(shape)]
    axis = d.whole(0, len(shape) - 1)
    size, new = shape[axis], d.whole(1, 6)
    swapped = letters.replace(letters[axis], "w")
    out = "".join(d.rng.permutation(list(swapped))) if d.chance(0.3) else swapped
    return n.Contract(f"{letters},{letters[axis]}w->{out}", d.weight(source, (size, new), size)), [source]


def _groups(d: Draft, channels: int) -> int:
    return int(d.rng.choice([g for g in range(1, channels + 1) if channels % g == 0])) if d.chance(0.4) else 1


def _window(d: Draft, source: str, most: int = 3) -> tuple[int, ...]:
    return tuple(d.whole(1, min(most, size)) for size in d.shape(source)[1:])


def _conv(d: Draft) -> Made:
    source = d.pick(range(2, 5))
    if source is None:
        return None
    shape = d.shape(source)
    kernel, dims, groups = _window(d, source), len(shape) - 1, _groups(d, shape[0])
    out, inner = groups * d.whole(1, 3), shape[0] // groups
    weight = d.weight(source, (out, inner, *kernel), inner * int(np.prod(kernel)))
    padding = "same" if d.chance(0.3) else tuple(d.whole(0, 2, 2) for _ in range(dims))
    stride = 1 if padding == "same" else d.whole(1, 2, dims)
    dilation = d.whole(1, 2, dims) if d.chance(0.3) else 1
    return n.Conv(weight, d.maybe(d.normal(out, scale=0.3)), stride, padding, dilation, groups), [source]


def _conv_transpose(d: Draft) -> Made:
    source = d.pick(range(2, 5))
    if source is None:
        return None
    shape = d.shape(source)
    kernel, dims, groups = _window(d, source), len(shape) - 1, _groups(d, shape[0])
    out = groups * d.whole(1, 2)
    weight = d.weight(source, (shape[0], out // groups, *kernel), shape[0] // groups)
    stride, padding = d.whole(1, 2, dims), tuple(d.whole(0, 1, 2) for _ in range(dims))
    extra = tuple(d.whole(0, s - 1) for s in stride)
    return n.ConvTranspose(weight, d.maybe(d.normal(out, scale=0.3)), stride, padding, extra, 1, groups), [source]


def _pool(kind: type[n.Node]) -> Callable[[Draft], Made]:
    def make(d: Draft) -> Made:
        source = d.pick(range(2, 5))
        if source is None:
            return None
        window = _window(d, source)
        stride = None if d.chance(0.5) else d.whole(1, 3, len(window))
        padding = tuple(d.whole(0, k // 2, 2) for k in window) if d.chance(0.5) else 0
        more = {"count_padding": d.chance(0.5)} if kind is n.AveragePool else {}
        return kind(window, stride, padding, d.chance(0.3), **more), [source]

    return make


def _flatten(d: Draft) -> Made:
    source = d.pick(range(1, 5))
    if source is None:
        return None
    rank = len(d.shape(source))
    first = d.whole(0, rank - 1)
    return n.Flatten(first, d.whole(first, rank - 1) - (rank if d.chance(0.5) else 0)), [source]


def _reshape(d: Draft) -> Made:
    source = d.pick()
    size = int(np.prod(d.shape(source)))
    factor = int(d.rng.choice([k for k in range(1, size + 1) if size % k == 0]))
    return n.Reshape((factor, -1) if d.chance(0.5) else (factor, size // factor)), [source]


def _permute(d: Draft) -> Made:
    source = d.pick()
    return n.Permute(tuple(int(k) for k in d.rng.permutation(len(d.shape(source))))), [source]


def _slice(d: Draft) -> Made:
    source = d.pick(range(1, 5))
    if source is None:
        return None
    axis = d.whole(0, len(d.shape(source)) - 1)
    size = d.shape(source)[axis]
    start = d.whole(0, size - 1)
    return n.Slice(axis, start, d.whole(start + 1, size), d.whole(1, 2)), [source]


def _pad(d: Draft) -> Made:
    source = d.pick()
    return n.Pad(tuple(d.whole(0, 2, 2) for _ in d.shape(source))), [source]


def _merge(kind: type[n.Node]) -> Callable[[Draft], Made]:
    def make(d: Draft) -> Made:
        first = d.pick()
        fit = [name for name in d.sample if _broadcasts(d, first, name)]
        others = [fit[d.rng.integers(len(fit))] for _ in range(d.whole(1, 2))]
        delayed = [d.chance(0.2) for _ in others]
        node = kind()
        wires = (Wire(first), *(Wire(name, late) for name, late in zip(others, delayed, strict=True)))
        return [(d.name(node.kind), node, wires)]

    return make


def _broadcasts(d: Draft, a: str, b: str) -> bool:
    try:
        return bool(np.broadcast_shapes(d.shape(a), d.shape(b)))
    except ValueError:
        return False


def _concat(d: Draft) -> Made:
    first = d.pick(range(1, 5))
    if first is None:
        return None
    shape = d.shape(first)
    axis = d.whole(0, len(shape) - 1)
    rest = (*shape[:axis], *shape[axis + 1 :])
    fit = [m for m in d.sample if len(d.shape(m)) == len(shape)]
    fit = [m for m in fit if (*d.shape(m)[:axis], *d.shape(m)[axis + 1 :]) == rest]
    others = [fit[d.rng.integers(len(fit))] for _ in range(d.whole(1, 2))]
    return n.Concat(axis - (len(shape) if d.chance(0.3) else 0)), [first, *others]


def _reduction(kind: type[n.Node]) -> Callable[[Draft], Made]:
    def make(d: Draft) -> Made:
        source = d.pick(range(1, 5))
        if source is None:
            return None
        rank = len(d.shape(source))
        axes = d.rng.choice(rank, d.whole(1, rank), replace=False)
        return kind(tuple(int(a) - (rank if d.chance(0.3) else 0) for a in axes), d.chance(0.5)), [source]

    return make


PARAMETERS = {"low": -0.5, "high": 1.0, "slope": 0.1, "alpha": 0.7, "threshold": 0.3183}


def _activation(d: Draft) -> Made:
    function = str(d.rng.choice(list(n.FUNCTIONS)))
    names = n.FUNCTIONS[function][0]
    return n.Activation(function, {name: PARAMETERS[name] for name in names} if names else None), [d.pick()]


def _positive(d: Draft) -> tuple[Group, str]:
    """Nodes that bring a signal into (0.5, 1.5), where every host operation is defined."""
    source, squashed, moved = d.pick(), d.name("sigmoid"), d.name("moved")
    group: Group = [(squashed, n.Activation("sigmoid"), (Wire(source),))]
    return [*group, (moved, n.Scale(1.0, 0.5), (Wire(squashed),))], moved


def _host(d: Draft) -> Made:
    operation = str(d.rng.choice(list(n.OPERATIONS)))
    group, safe = _positive(d)
    rank = len(d.shape(group[0][2][0].source))
    if rank == 0:
        return None
    choices = {
        "axis": d.whole(0, rank - 1),
        "axes": d.whole(1, rank),
        "groups": _groups(d, d.shape(group[0][2][0].source)[0]),
        "epsilon": 1e-5,
        "exponent": float(d.rng.choice([2, 0.5, -1])),
        "largest": d.whole(0, 1),
    }
    rule = n.OPERATIONS[operation]
    wires = [Wire(safe)] * rule.inputs
    if operation == "matmul":
        if rank < 2:
            return None
        turned = d.name("turned")
        group.append((turned, n.Permute((*range(rank - 2), rank - 1, rank - 2)), (Wire(safe),)))
        wires[1] = Wire(turned)
    node = n.Host(operation, {name: choices[name] for name in rule.settings})
    return [*group, (d.name(operation), node, tuple(wires))]


def _delay(d: Draft) -> Made:
    source = d.pick(range(1, 5))
    if source is None:
        return None
    return n.Delay(d.whole(0, 3, d.shape(source)[0] if d.chance(0.5) else 1)), [source]


def _temporal_kernel(d: Draft) -> Made:
    source = d.pick(range(1, 5))
    if source is None:
        return None
    width, out, taps = d.shape(source)[0], d.whole(1, 4), d.whole(1, 4)
    weight = d.weight(source, (taps, out, width), taps * width)
    return n.TemporalKernel(weight, d.maybe(d.normal(out, scale=0.3))), [source]


def _state_space(d: Draft) -> Made:
    source = d.pick(range(1, 5))
    if source is None:
        return None
    shape = (d.shape(source)[0], d.whole(1, 3))
    turn = np.exp(1j * d.rng.uniform(0, 2, shape)) if d.chance(0.6) else 1.0
    decay = d.rng.uniform(0.3, 0.9, shape) * turn
    inward, outward = d.rng.normal(size=(2, *shape)) / d.rms(source)
    outward = outward + (1j * d.rng.normal(size=shape) if decay.dtype.kind == "c" else 0)
    wide = np.result_type(d.dtype, np.complex64) if decay.dtype.kind == "c" else d.dtype
    values = (decay.astype(wide), inward.astype(d.dtype), outward.astype(wide))
    return n.StateSpace(*values, d.maybe(d.normal(shape[0]))), [source]


def _integrating(d: Draft, source: str, kind: type[n.Node]) -> dict[str, object]:
    shape, rms = d.shape(source), d.rms(source)
    names = set(kind.__dataclass_fields__)
    fields: dict[str, object] = {"gain": d.parameter(shape, 0.5, 1.5) / rms, "bias": d.parameter(shape, -0.05, 0.25)}
    fields["rule"] = str(d.rng.choice(["given", "euler", "exact"]))
    if d.chance(0.3):
        fields["v_start"] = d.parameter(shape, -0.3, 0.3)
    if "alpha" in names:
        fields["alpha"] = d.parameter(shape, 0.2, 0.9)
    if "beta" in names:
        fields["beta"] = d.parameter(shape, 0.3, 0.97)
    return fields


def _integrator(kind: type[n.Node]) -> Callable[[Draft], Made]:
    def make(d: Draft) -> Made:
        source = d.pick()
        return kind(**_integrating(d, source, kind)), [source]

    return make


def firing(d: Draft, source: str, kind: type[n.Node], emit: str | None = None) -> n.Node:
    """A spiking neuron with random options that reads from `source`."""
    shape = d.shape(source)
    fields = _integrating(d, source, kind)
    fields["threshold"] = d.parameter(shape, 0.35, 1.0)
    fields["at_least"] = d.chance(0.3)
    fields["reset"] = str(d.rng.choice(["value", "subtract", "subtract", "none"]))
    whens = ["now", "now", "next"]
    if fields["reset"] == "subtract" and kind is not n.AdaptiveLIF:
        whens.append("guarded")
    fields["when"] = str(d.rng.choice(whens))
    if fields["reset"] == "value" and d.chance(0.5):
        fields["v_reset"] = d.parameter(shape, -0.3, 0.2)
    fields["emit"] = emit or str(d.rng.choice(["spikes"] * 6 + ["voltage", "charge"]))
    if kind is n.AdaptiveLIF:
        fields["adapt_decay"] = d.parameter(shape, 0.4, 0.95)
        fields["adapt_step"] = d.parameter(shape, 0.05, 0.4)
        if d.chance(0.5):
            fields["refractory_decay"] = d.parameter(shape, 0.2, 0.7)
            fields["refractory_gain"] = d.parameter(shape, 0.1, 0.5)
    return kind(**fields)


def _firing(kind: type[n.Node]) -> Callable[[Draft], Made]:
    def make(d: Draft) -> Made:
        source = d.pick()
        return firing(d, source, kind), [source]

    return make


def _resonate(d: Draft) -> Made:
    source = d.pick()
    shape, rms = d.shape(source), d.rms(source)
    decay, turn = d.rng.uniform(0.6, 0.98), d.rng.uniform(0.5, 2.5, shape if d.chance(0.5) else ())
    spike = str(d.rng.choice(["phase", "izhikevich"]))
    cos, sin = (decay * np.cos(turn)).astype(d.dtype), (decay * np.sin(turn)).astype(d.dtype)
    second = [m for m in d.sample if d.shape(m) == shape]
    sources = [source, second[d.rng.integers(len(second))]] if d.chance(0.5) else [source]
    threshold = d.parameter(shape, 0.3, 0.8) * rms
    return n.ResonateFire(cos=cos, sin=sin, threshold=threshold, spike=spike, epsilon=0.01), sources


def _sigma(d: Draft) -> Made:
    return n.Sigma(), [d.pick()]


def _delta(d: Draft) -> Made:
    source = d.pick()
    return n.Delta(threshold=d.parameter(d.shape(source), 0.1, 0.6), cumulative=d.chance(0.3)), [source]


def _sigma_delta(d: Draft) -> Made:
    source = d.pick()
    shape, activation = d.shape(source), str(d.rng.choice(["relu", "unit"]))
    threshold, bias = d.parameter(shape, 0.1, 0.6), d.parameter(shape, -0.3, 0.3)
    return n.SigmaDelta(threshold=threshold, bias=bias, activation=activation, cumulative=d.chance(0.3)), [source]


MAKERS: dict[str, Callable[[Draft], Made]] = {
    "Affine": _affine,
    "Scale": _scale,
    "BatchNorm": _batch_norm,
    "Contract": _contract,
    "Conv": _conv,
    "ConvTranspose": _conv_transpose,
    "SumPool": _pool(n.SumPool),
    "AveragePool": _pool(n.AveragePool),
    "MaxPool": _pool(n.MaxPool),
    "Flatten": _flatten,
    "Reshape": _reshape,
    "Permute": _permute,
    "Slice": _slice,
    "Pad": _pad,
    "Add": _merge(n.Add),
    "Multiply": _merge(n.Multiply),
    "Concat": _concat,
    "Mean": _reduction(n.Mean),
    "Sum": _reduction(n.Sum),
    "Activation": _activation,
    "Host": _host,
    "Delay": _delay,
    "TemporalKernel": _temporal_kernel,
    "StateSpace": _state_space,
    "IF": _firing(n.IF),
    "LIF": _firing(n.LIF),
    "CubaLIF": _firing(n.CubaLIF),
    "AdaptiveLIF": _firing(n.AdaptiveLIF),
    "Integrator": _integrator(n.Integrator),
    "LeakyIntegrator": _integrator(n.LeakyIntegrator),
    "CubaIntegrator": _integrator(n.CubaIntegrator),
    "ResonateFire": _resonate,
    "Sigma": _sigma,
    "Delta": _delta,
    "SigmaDelta": _sigma_delta,
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
    return source, firing(d, source, kind, "spikes"), d.name("joined"), d.name(kind.__name__)


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


LOOPS: tuple[tuple[set[str], Callable[[Draft], None]], ...] = (
    # the kinds that a loop needs, and its maker
    ({"Add", "Affine", "IF", "LIF", "CubaLIF", "AdaptiveLIF"}, _loop_affine),
    ({"Add", "Conv", "IF", "LIF", "CubaLIF", "AdaptiveLIF"}, _loop_conv),
    ({"Add", "IF", "LIF", "CubaLIF", "AdaptiveLIF"}, _loop_bare),
)
