"""Loihi's other neurons in integers, T steps of a range of neurons in one call; the equations are in `loihi/processes`.

All kernels have one signature: `x` and `y` [T, N] are the two inputs (y is x where there is one alone), `sent` [T, N]
what is sent, floats that hold integers; `params` [P, F] int64, neuron n has the column n mod F; `held` [S, N] int64 the
states, which move on in place; `record` [S, T, N] int32 is filled if it has a size.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .jit import inlined, kernel

HALF, TURN, MOST = 1 << 23, 1 << 24, (1 << 23) - 1


@inlined
def cut(x: Any) -> Any:
    """x in 32 bits that wrap."""
    return np.int64(np.int32(x))


@inlined
def keep(x: Any, k: Any) -> Any:
    """sign(x)·⌊|x|·k / 2¹²⌋."""
    return down(x * k, 12)


@inlined
def down(x: Any, bits: Any) -> Any:
    """sign(x)·⌊|x| / 2ᵏ⌋."""
    return x >> bits if x >= 0 else -(-x >> bits)


@inlined
def bounded(x: Any) -> Any:
    """x between −(2²³ − 1) and 2²³ − 1."""
    return min(max(x, -MOST), MOST)


@inlined
def size(x: Any) -> Any:
    """|x| in 32 bits."""
    return cut(abs(x))


@inlined
def note(record: Any, held: Any, t: int, n: int) -> None:
    """All states of a neuron, if they are recorded."""
    if record.size > 0:
        for s in range(held.shape[0]):
            record[s, t, n] = held[s, n]


@kernel
def atrlif(
    x: Any, y: Any, sent: Any, params: Any, held: Any, record: Any, start: int, stop: int  # noqa: ARG001
) -> None:  # fmt: skip
    """Parameters: k_i, k_v, k_θ, k_r, θ₀, Δ, b; states: i, v, r, θ."""
    for n in range(start, stop):
        p = params[:, n % params.shape[1]]
        for t in range(x.shape[0]):
            i = cut(keep(held[0, n], p[0]) + cut(np.int64(x[t, n]) << 6))
            i = i - TURN if i > HALF else (i + TURN if i <= -HALF else i)
            v = bounded(cut(keep(held[1, n], p[1]) + i + p[6]))
            theta = cut(keep(held[3, n] - p[4], p[2]) + p[4])
            r = cut(keep(held[2, n], p[3]))
            spikes = cut(v - r) >= theta
            held[0, n], held[1, n] = i, v
            held[2, n] = cut(r + 2 * theta) if spikes else r
            held[3, n] = cut(theta + p[5]) if spikes else theta
            sent[t, n] = 1 if spikes else 0
            note(record, held, t, n)


@inlined
def code(value: Any, p: Any, held: Any, n: int) -> Any:
    """δ = value − last + owed, sent where it, or the sum of changes, reaches θ'."""
    delta = cut(value - held[0, n] + held[1, n])
    error = cut(held[2, n] + delta)
    fires = size(error if p[2] else delta) >= p[0]
    sent = delta if fires else 0
    held[0, n], held[1, n] = value, cut(delta - sent)
    if p[2]:
        held[2, n] = 0 if sent != 0 else error
    return sent >> p[1]


@kernel
def delta(
    x: Any, y: Any, sent: Any, params: Any, held: Any, record: Any, start: int, stop: int  # noqa: ARG001
) -> None:  # fmt: skip
    """Parameters: θ', state exponent, cumulative, shift; states: last, owed, error."""
    for n in range(start, stop):
        p = params[:, n % params.shape[1]]
        for t in range(x.shape[0]):
            sent[t, n] = code(cut(np.int64(x[t, n]) << p[3]), p, held, n)
            note(record, held, t, n)


@kernel
def sigma_delta(
    x: Any, y: Any, sent: Any, params: Any, held: Any, record: Any, start: int, stop: int  # noqa: ARG001
) -> None:  # fmt: skip
    """Parameters: θ', state exponent, cumulative, b', relu; states: last, owed, error, σ."""
    for n in range(start, stop):
        p = params[:, n % params.shape[1]]
        for t in range(x.shape[0]):
            held[3, n] = cut(held[3, n] + np.int64(x[t, n]))
            value = cut(held[3, n] + p[3])
            sent[t, n] = code(max(value, 0) if p[4] else value, p, held, n)
            note(record, held, t, n)


@kernel
def sigma(
    x: Any, y: Any, sent: Any, params: Any, held: Any, record: Any, start: int, stop: int  # noqa: ARG001
) -> None:  # fmt: skip
    """No parameters; state: σ."""
    for n in range(start, stop):
        for t in range(x.shape[0]):
            held[0, n] = cut(held[0, n] + np.int64(x[t, n]))
            sent[t, n] = held[0, n]
            note(record, held, t, n)


@kernel
def resonate(
    x: Any, y: Any, sent: Any, params: Any, held: Any, record: Any, start: int, stop: int
) -> None:  # fmt: skip
    """Parameters: c, d, θ, state exponent, decay bits, whether a′ is there, whether it resets; states: p, q."""
    for n in range(start, stop):
        k = params[:, n % params.shape[1]]
        for t in range(x.shape[0]):
            p, q = held[0, n], held[1, n]
            imaginary = cut(np.int64(y[t, n]) << k[3]) if k[5] else 0
            real = cut(np.int64(x[t, n]) << k[3])
            held[0, n] = bounded(down(k[0] * p, k[4]) - down(k[1] * q, k[4]) + real)
            held[1, n] = bounded(down(k[1] * p, k[4]) + down(k[0] * q, k[4]) + imaginary)
            if k[6]:
                spikes = held[1, n] >= k[2]
                if spikes:
                    held[0, n], held[1, n] = 0, k[2] - 1
            else:
                spikes = held[0, n] >= k[2] and held[1, n] >= 0 and q < 0
            sent[t, n] = 1 if spikes else 0
            note(record, held, t, n)


@kernel
def resonate_at_zero(
    x: Any, y: Any, sent: Any, params: Any, held: Any, record: Any, start: int, stop: int
) -> None:  # fmt: skip
    """Parameters: c, d, θ, whether a′ is there; states: u, v."""
    for n in range(start, stop):
        k = params[:, n % params.shape[1]]
        for t in range(x.shape[0]):
            u, v = held[0, n], held[1, n]
            imaginary = np.int64(y[t, n]) if k[3] else 0
            real = cut((cut(k[0] * u) >> 15) - (cut(k[1] * v) >> 15) + np.int64(x[t, n]))
            other = cut((cut(k[0] * v) >> 15) + (cut(k[1] * u) >> 15) + imaginary)
            held[0, n], held[1, n] = real, other
            sent[t, n] = real if real > k[2] and other >= 0 and v < 0 else 0
            note(record, held, t, n)


@kernel
def graded(
    x: Any, y: Any, sent: Any, params: Any, held: Any, record: Any, start: int, stop: int  # noqa: ARG001
) -> None:  # fmt: skip
    """Parameters: θ, relu; no state."""
    for n in range(start, stop):
        threshold, relu = params[0, n % params.shape[1]], params[1, n % params.shape[1]]
        for t in range(x.shape[0]):
            a = np.int64(x[t, n])
            sent[t, n] = a if (a if relu else size(a)) > threshold else 0


@kernel
def multiply(
    x: Any, y: Any, sent: Any, params: Any, held: Any, record: Any, start: int, stop: int  # noqa: ARG001
) -> None:  # fmt: skip
    """Parameters: θ, exponent; no state."""
    for n in range(start, stop):
        threshold, bits = params[0, n % params.shape[1]], params[1, n % params.shape[1]]
        for t in range(x.shape[0]):
            product = cut(np.int64(x[t, n]) * np.int64(y[t, n])) >> bits
            sent[t, n] = product if size(product) > threshold else 0


@kernel
def normalise(
    x: Any, y: Any, sent: Any, params: Any, held: Any, record: Any, start: int, stop: int
) -> None:  # fmt: skip
    """Parameters: θ, whether it sends the square; state: v."""
    for n in range(start, stop):
        threshold, square = params[0, n % params.shape[1]], params[1, n % params.shape[1]]
        for t in range(x.shape[0]):
            a = np.int64(x[t, n])
            product = cut(a * a) if square else cut(held[0, n] * np.int64(y[t, n]))
            sent[t, n] = product if square or size(product) > threshold else 0
            held[0, n] = a
            note(record, held, t, n)
