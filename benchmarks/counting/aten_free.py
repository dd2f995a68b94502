"""Operations that compute nothing: they make, move, choose or name values."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from ...toolchain.graph.signal import GRADED, SPIKES, Carries
from .aten_calls import Call, Row
from .provenance import START, Origin, joined, made, number


def moved(call: Call) -> Origin:
    """The same values in another place."""
    parts = call.parts()
    return joined(parts) if parts else Origin(GRADED, "constant")


def copied(call: Call) -> Origin:
    """The values of another tensor."""
    return call.origin(call.args[1])


def cast(call: Call) -> Origin:
    """The same values in another type; numbers made true and false are spikes."""
    origin = moved(call)
    kind = call.arg(1, "dtype")
    return made((origin,), SPIKES) if kind is torch.bool else origin


def chosen(call: Call) -> Origin:
    """where(c, a, b): one of a and b."""
    parts = tuple(call.origin(each) for each in call.args[1:])
    return made((*parts, call.origin(call.args[0])), joined(parts).carries)


def filled(call: Call) -> Origin:
    """x, and a number where a mask is true."""
    x, mask, value = (call.origin(each) for each in call.args[:3])
    return made((x, mask), joined((x, value)).carries)


def padded(call: Call) -> Origin:
    """x, and a number around it."""
    x = call.origin(call.args[0])
    return made((x,), joined((x, number(call.arg(2, "value", 0)))).carries)


def around(call: Call) -> Origin:
    """x, and zeros around it."""
    x = call.origin(call.args[0])
    return made((x,), joined((x, number(0))).carries)


def placed(call: Call) -> Origin:
    """x, with some values put in place of its own; where they go is no matter."""
    values = [each for each in (call.args[0], *call.args[2:]) if isinstance(each, Tensor) or type(each) in NUMBERS]
    return joined(tuple(call.origin(each) for each in values))


NUMBERS = (int, float, bool)


def picked(call: Call) -> Origin:
    """Some of the values of the first tensor."""
    x, *rest = call.parts()
    return made((x, *rest), x.carries)


def rows_of_weights(call: Call) -> Origin:
    """Rows of a table of weights, picked by a signal."""
    return made(call.parts(), call.origin(call.args[0]).carries)


def zeros(_: Call) -> Origin:
    """Zeros, which a state starts from."""
    return START


def ones(_: Call) -> Origin:
    """Ones."""
    return Origin(Carries(1, 1), "constant")


def unit(_: Call) -> Origin:
    """Ones and zeros."""
    return Origin(SPIKES, "constant")


def full(call: Call) -> Origin:
    """One number over and over."""
    value = call.args[1]
    found = number(value) if not isinstance(value, Tensor) else call.origin(value)
    return START if found.carries == Carries(0, 0) else found


def constant(_: Call) -> Origin:
    """Numbers made of nothing."""
    return Origin(GRADED, "constant")


def scalar(call: Call) -> Origin:
    """One number."""
    return number(call.args[0])


def nothing(_: Call) -> Origin:
    """Memory that nobody has written to."""
    return Origin(Carries(0, 0), "constant")


def drawn(_: Call) -> Origin:
    """Random numbers: other ones in every run."""
    return Origin(GRADED, "signal")


def tossed(call: Call) -> Origin:
    """Random zeros and ones."""
    return made((Origin(SPIKES), *call.parts()), SPIKES)


def lifted(call: Call) -> Origin:
    """torch.tensor of numbers."""
    found = call.origins.of(call.args[0])
    return Origin(GRADED, "constant") if found.source == "unknown" else found


MOVES = (
    *("clone", "contiguous", "_reshape_copy", "_reshape_alias", "cat", "stack", "hstack", "flip", "roll"),
    *("repeat", "repeat_interleave", "tile", "unfold_copy", "im2col", "pixel_shuffle", "pixel_unshuffle", "rot90"),
    *("tril", "triu", "diag_embed", "channel_shuffle", "block_diag", "native_channel_shuffle", "_to_dense"),
    *(
        "reflection_pad1d",
        "reflection_pad2d",
        "reflection_pad3d",
        "view_as_complex_copy",
        "_conj_physical",
        "resolve_conj",
    ),
    *(
        "replication_pad1d",
        "replication_pad2d",
        "replication_pad3d",
        "_unsafe_view",
        "unsafe_split",
        "_conj",
        "complex",
    ),
    *("upsample_nearest1d", "upsample_nearest2d", "upsample_nearest3d", "_upsample_nearest_exact2d", "unsafe_chunk"),
    *("split_with_sizes_copy", "_foreach_copy", "set", "resize", "conj_physical", "real", "imag"),
    *("_pack_padded_sequence", "_pad_packed_sequence", "unsafe_split_with_sizes"),
)
"""The values stay what they are."""
PICKS = ("index", "index_select", "gather", "masked_select", "take", "take_along_dim", "embedding", "sort", "topk")
PUTS = ("index_put", "_index_put_impl", "scatter", "select_scatter", "slice_scatter", "index_copy", "diagonal_scatter")
ASKS = (
    "_local_scalar_dense",
    "equal",
    "is_nonzero",
    "nonzero",
    "size",
    "stride",
    "item",
    "_has_compatible_shallow_copy_type",
)

ROWS: Mapping[str, Row] = {
    **dict.fromkeys(MOVES, Row(moved)),
    "copy": Row(copied),
    **dict.fromkeys(("_to_copy", "to", "type_as"), Row(cast)),
    **dict.fromkeys(PICKS[:6], Row(picked)),
    "embedding": Row(rows_of_weights),
    **dict.fromkeys(PUTS, Row(placed)),
    "where": Row(chosen),
    "masked_fill": Row(filled),
    "constant_pad_nd": Row(padded),
    **dict.fromkeys(("col2im", "max_unpool2d", "max_unpool3d"), Row(around)),
    **dict.fromkeys(("zeros", "zeros_like", "new_zeros", "zero"), Row(zeros)),
    **dict.fromkeys(("ones", "ones_like", "new_ones"), Row(ones)),
    "eye": Row(unit),
    **dict.fromkeys(("full", "full_like", "new_full", "fill"), Row(full)),
    **dict.fromkeys(
        ("arange", "linspace", "logspace", "hann_window", "randperm", "tril_indices", "triu_indices"), Row(constant)
    ),
    "scalar_tensor": Row(scalar),
    **dict.fromkeys(("empty", "empty_like", "new_empty", "empty_strided", "new_empty_strided"), Row(nothing)),
    **dict.fromkeys(("rand", "randn", "randint", "rand_like", "randn_like", "randint_like"), Row(drawn)),
    **dict.fromkeys(
        ("normal", "uniform", "exponential", "random", "poisson", "multinomial", "normal_functional"), Row(drawn)
    ),
    **dict.fromkeys(("bernoulli",), Row(tossed)),
    **dict.fromkeys(("lift_fresh", "lift", "lift_fresh_copy"), Row(lifted)),
    **dict.fromkeys(ASKS, Row(constant)),
}
"""An operation by its name; views need no row, as they share the memory of what they are a view of."""
