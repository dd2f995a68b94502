"""One maker for each kind of node that is no neuron: a node for some source of a draft."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from spikeport.toolchain.graph import Wire
from spikeport.toolchain.graph import nodes as n
from support.drafts import Draft, Group, Made


def affine_node(d: Draft) -> Made:
    source = d.pick(range(1, 5))
    if source is None:
        return None
    width, out = d.shape(source)[-1], d.whole(1, 9)
    return n.Affine(d.weight(source, (out, width), width), d.maybe(d.normal(out, scale=0.3))), [source]


def scale_node(d: Draft) -> Made:
    source = d.pick()
    shape = d.shape(source)
    return n.Scale(d.parameter(shape, -1.5, 1.5), d.maybe(np.asarray(d.parameter(shape, -0.5, 0.5)))), [source]


def batch_norm_node(d: Draft) -> Made:
    source = d.pick(range(1, 5))
    if source is None:
        return None
    c, rms = d.shape(source)[0], d.rms(source)
    variance = d.rng.uniform(0.3, 1.5, c).astype(d.dtype) * rms**2
    gamma, beta = d.maybe(d.normal(c) + 1), d.maybe(d.normal(c, scale=0.3))
    return n.BatchNorm(d.normal(c, scale=rms / 2), variance, gamma, beta, float(d.rng.choice([1e-5, 1e-3]))), [source]


def contract_node(d: Draft) -> Made:
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


def conv_node(d: Draft) -> Made:
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


def conv_transpose_node(d: Draft) -> Made:
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


def pool_node(kind: type[n.Node]) -> Callable[[Draft], Made]:
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


def flatten_node(d: Draft) -> Made:
    source = d.pick(range(1, 5))
    if source is None:
        return None
    rank = len(d.shape(source))
    first = d.whole(0, rank - 1)
    return n.Flatten(first, d.whole(first, rank - 1) - (rank if d.chance(0.5) else 0)), [source]


def reshape_node(d: Draft) -> Made:
    source = d.pick()
    size = int(np.prod(d.shape(source)))
    factor = int(d.rng.choice([k for k in range(1, size + 1) if size % k == 0]))
    return n.Reshape((factor, -1) if d.chance(0.5) else (factor, size // factor)), [source]


def permute_node(d: Draft) -> Made:
    source = d.pick()
    return n.Permute(tuple(int(k) for k in d.rng.permutation(len(d.shape(source))))), [source]


def slice_node(d: Draft) -> Made:
    source = d.pick(range(1, 5))
    if source is None:
        return None
    axis = d.whole(0, len(d.shape(source)) - 1)
    size = d.shape(source)[axis]
    start = d.whole(0, size - 1)
    return n.Slice(axis, start, d.whole(start + 1, size), d.whole(1, 2)), [source]


def pad_node(d: Draft) -> Made:
    source = d.pick()
    return n.Pad(tuple(d.whole(0, 2, 2) for _ in d.shape(source))), [source]


def merge_node(kind: type[n.Node]) -> Callable[[Draft], Made]:
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


def concat_node(d: Draft) -> Made:
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


def reduction_node(kind: type[n.Node]) -> Callable[[Draft], Made]:
    def make(d: Draft) -> Made:
        source = d.pick(range(1, 5))
        if source is None:
            return None
        rank = len(d.shape(source))
        axes = d.rng.choice(rank, d.whole(1, rank), replace=False)
        return kind(tuple(int(a) - (rank if d.chance(0.3) else 0) for a in axes), d.chance(0.5)), [source]

    return make


PARAMETERS = {"low": -0.5, "high": 1.0, "slope": 0.1, "alpha": 0.7, "threshold": 0.3183}
QUANTISED = {"scale": 0.3183, "zero": 1, "low": -2, "high": 3}


def activation_node(d: Draft) -> Made:
    function = str(d.rng.choice(list(n.FUNCTIONS)))
    names = n.FUNCTIONS[function][0]
    numbers = QUANTISED if function == "quantise" else PARAMETERS
    return n.Activation(function, {name: numbers[name] for name in names} if names else None), [d.pick()]


def _positive(d: Draft) -> tuple[Group, str]:
    """Nodes that bring a signal into (0.5, 1.5), where every host operation is defined."""
    source, squashed, moved = d.pick(), d.name("sigmoid"), d.name("moved")
    group: Group = [(squashed, n.Activation("sigmoid"), (Wire(source),))]
    return [*group, (moved, n.Scale(1.0, 0.5), (Wire(squashed),))], moved


def host_node(d: Draft) -> Made:
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


def delay_node(d: Draft) -> Made:
    source = d.pick(range(1, 5))
    if source is None:
        return None
    return n.Delay(d.whole(0, 3, d.shape(source)[0] if d.chance(0.5) else 1)), [source]


def temporal_kernel_node(d: Draft) -> Made:
    source = d.pick(range(1, 5))
    if source is None:
        return None
    width, out, taps = d.shape(source)[0], d.whole(1, 4), d.whole(1, 4)
    weight = d.weight(source, (taps, out, width), taps * width)
    return n.TemporalKernel(weight, d.maybe(d.normal(out, scale=0.3))), [source]


def state_space_node(d: Draft) -> Made:
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
