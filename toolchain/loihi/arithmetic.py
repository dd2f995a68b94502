"""The rules of Loihi's integers, one function each. All take and give integers of numpy's int64 unless they say so.

What Lava computes in 32 bits wraps in 32 bits here too (`int32`), so that networks which leave the 24 bits of the chip
behave as they do in Lava.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from .limits import LOIHI2

Ints = npt.NDArray[np.int64]
SignMode = Literal["mixed", "excitatory", "inhibitory"]

HALF = 1 << (LOIHI2.state_bits - 1)
"""2²³: states lie between −HALF and HALF."""


INT32 = (1 << 31) - 1
"""The largest number of 32 bits."""


def int32(x: Any) -> Ints:
    """x modulo 2³², between −2³¹ and 2³¹ − 1: what a 32-bit register keeps."""
    values: Ints = np.asarray(x, np.int64)
    return ((values + (1 << 31)) & 0xFFFFFFFF) - (1 << 31)


def magnitude(x: Any) -> Ints:
    """|x| of 32 bits as the register has it: of −2³¹ it is −2³¹ again."""
    return int32(np.abs(np.asarray(x, np.int64)))


def decay(x: Any, amount: Any) -> Ints:
    """sign(x)·⌊|x|·(4096 − d) / 4096⌋: what is left after a decay of d, rounded to zero."""
    product: Ints = np.asarray(x, np.int64) * (LOIHI2.decay_unity - np.asarray(amount, np.int64))
    rest: Ints = np.abs(product) >> LOIHI2.decay_bits
    return np.sign(product) * rest


def wrap24(x: Any) -> Ints:
    """x − 2²⁴ above 2²³, x + 2²⁴ from −2²³ down: one turn, as the current wraps."""
    values = np.asarray(x, np.int64)
    return np.where(values > HALF, values - 2 * HALF, np.where(values <= -HALF, values + 2 * HALF, values))


def modulo24(x: Any) -> Ints:
    """x modulo 2²⁴, between −2²³ and 2²³ − 1: as the accumulator of a convolution wraps."""
    return ((np.asarray(x, np.int64) + HALF) & (2 * HALF - 1)) - HALF


def saturate24(x: Any) -> Ints:
    """min(max(x, −(2²³ − 1)), 2²³ − 1): as the voltage saturates."""
    return np.clip(np.asarray(x, np.int64), -LOIHI2.most_state, LOIHI2.most_state)


def shift(x: Any, exponent: int) -> Ints:
    """x·2ᵉ, for a negative e rounded down."""
    values = np.asarray(x, np.int64)
    return values << exponent if exponent > 0 else values >> -exponent


def sign_mode(weights: Any) -> SignMode:
    """excitatory without a negative weight, inhibitory without a positive one, else mixed."""
    values = np.asarray(weights)
    if values.size == 0 or values.min() >= 0:
        return "excitatory"
    return "inhibitory" if values.max() <= 0 else "mixed"


def held_weights(weights: Any, mode: SignMode, bits: int = LOIHI2.weight_bits) -> Ints:
    """The weights that a synapse of `bits` bits holds: clipped to the range of its sign mode, low bits cut off.

    mixed −256..255, excitatory 0..255, inhibitory −255..0; then 8 − bits low bits go, one more for mixed.
    """
    least = -(1 << LOIHI2.weight_bits) if mode == "mixed" else 0
    low = LOIHI2.weight_bits - bits + (1 if mode == "mixed" else 0)
    values = np.array(weights, np.int64)
    if mode == "inhibitory":
        np.negative(values, out=values)
    np.clip(values, least, (1 << LOIHI2.weight_bits) - 1, out=values)
    values >>= low
    values <<= low
    return np.negative(values, out=values) if mode == "inhibitory" else values
