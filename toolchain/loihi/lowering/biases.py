"""Biases as the chip holds them: a mantissa of 13 bits, shifted up by an exponent."""

from __future__ import annotations

import numpy as np

from ...graph.nodes.base import Array
from ..limits import LOIHI2


def fractional(mantissa: Array, exponent: Array) -> bool:
    """Whether a bias is no multiple of 2⁶."""
    return bool((mantissa * 2**exponent % (1 << LOIHI2.align_bits)).any())


def biased(values: Array, exponent: int | None) -> tuple[Array, Array]:
    """b·k as mantissa · 2ᵉ in units of 2⁻⁶: the least exponent with which the mantissa fits, or the one given."""
    wanted = np.asarray(values, np.float64) * (1 << LOIHI2.align_bits)
    if exponent is None:
        with np.errstate(divide="ignore"):
            least = np.ceil(np.log2(np.abs(wanted) / (LOIHI2.most_bias + 0.5)))
        exponents = np.clip(np.where(wanted == 0, 0, least), 0, LOIHI2.bias_exponent).astype(np.int64)
    else:
        exponents = np.full(wanted.shape, exponent, np.int64)
    return _mantissas(wanted, exponents), exponents


def _mantissas(wanted: Array, exponents: Array) -> Array:
    bound = LOIHI2.most_bias
    return np.clip(np.rint(wanted / 2.0**exponents), -bound - 1, bound).astype(np.int64)
