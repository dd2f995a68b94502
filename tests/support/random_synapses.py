"""Random synapses: every kind, delays, odd kernels, weights of any sign mode, and some far beyond eight bits."""

import numpy as np
from spikeport.toolchain.loihi.arithmetic import sign_mode
from spikeport.toolchain.loihi.processes import Conv, ConvInTime, DelayDense, DelaySparse, Dense, Process, Sparse

Rng = np.random.Generator
MATRICES = (Dense, Sparse, DelayDense, DelaySparse, ConvInTime)


def one_of(rng: Rng, *values):
    """One of some values."""
    return values[rng.integers(len(values))]


def weights(rng: Rng, shape: tuple[int, ...], most: int | None = None) -> np.ndarray:
    """Weights of any sign mode, a third of them 0, at least one of them not; now and then far beyond eight bits."""
    most = most or int(rng.choice([3, 60, 127, 254, 300]))
    low, high = one_of(rng, (-most, most), (-most, most), (0, most), (-most, 0))
    values = np.where(rng.random(shape) < 0.3, 0, rng.integers(low, high + 1, shape))
    return values if np.any(values) else values + (high or low)


def matrix(rng: Rng, out: int, width: int, message_bits: int, wild: bool = False) -> Process:
    """One of the synapses on vectors; a wild one sends what leaves 24 bits behind its neuron's shift, or 32."""
    kind = one_of(rng, *MATRICES)
    if kind is ConvInTime:
        most = int(rng.choice([1 << 16, 1 << 22, 1 << 30])) if wild else None
        taps = int(rng.integers(1, 5))
        return ConvInTime(weight=weights(rng, (taps, out, width), most), message_bits=message_bits)
    exponent = int(rng.choice([-2, 8, 12, 16, 16])) if wild else int(rng.integers(-3, 4))
    bits = 8 if wild else int(rng.integers(2, 9))
    most = 254 if wild or bits < 5 else None
    fields = {"weight": weights(rng, (out, width), most), "message_bits": message_bits}
    if bits == 8 and sign_mode(fields["weight"]) == "mixed" and np.any(fields["weight"] % 2):
        bits = int(one_of(rng, 8, 9))  # with 9, odd weights stay
    if kind in (DelayDense, DelaySparse):
        longest = int(rng.choice([0, 1, 2, 3, 3, 4, 4, 5, 5, 6, 6, 63]))
        fields["delay"] = rng.integers(0, longest + 1, (out, width))
        if longest == 63:
            fields["delay"][np.unravel_index(np.argmax(np.abs(fields["weight"])), (out, width))] = 63
    return kind(**fields, exponent=exponent, bits=bits)


def conv(rng: Rng, shape: tuple[int, ...], message_bits: int, wild: bool = False, **fixed: object) -> Conv:
    """A convolution of an image of this shape; `fixed` are fields that are not left to chance, `out` among them."""
    channels, *size = shape
    groups = int(rng.choice([g for g in range(1, channels + 1) if channels % g == 0]))
    groups = int(fixed.pop("groups", groups))
    kernel = fixed.pop("kernel", tuple(int(rng.integers(1, min(4, n + 1))) for n in size))
    out = fixed.pop("out", groups * int(rng.integers(1, 3)))
    most = (254 if message_bits else int(rng.choice([1 << 20, 1 << 22, 1 << 23, 1 << 30]))) if wild else None
    fields = {
        "stride": tuple(int(rng.choice([1, 1, 2, 3])) for _ in size),
        "padding": tuple(int(rng.integers(0, 3)) for _ in size),
        "dilation": tuple(
            2 if k > 1 and 2 * (k - 1) < n and rng.random() < 0.5 else 1 for k, n in zip(kernel, size, strict=True)
        ),
    }
    weight = weights(rng, (int(out), channels // groups, *kernel), most)
    return Conv(weight=weight, **{**fields, **fixed}, groups=groups, message_bits=message_bits)
