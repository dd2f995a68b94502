"""Random neurons of a chip: every kind, one value or one for each neuron, gentle ones and extreme ones."""

import numpy as np
from spikeport.toolchain.loihi.processes import (
    ATRLIF,
    LIF,
    RF,
    RF_IZ,
    Delta,
    GradedReluVec,
    GradedVec,
    LIFReset,
    NormVecDelay,
    Process,
    ProdNeuron,
    RFZero,
    Sigma,
    SigmaDelta,
    TernaryLIF,
)
from support.random_synapses import Rng, one_of

Shape = tuple[int, ...]


def _spread(rng: Rng, shape: Shape, low: int, high: int) -> np.ndarray | int:
    """One number, or one for each neuron."""
    return int(rng.integers(low, high)) if rng.random() < 0.5 else rng.integers(low, high, shape)


def membrane(rng: Rng, shape: Shape, wild: bool) -> dict[str, object]:
    """Decays and biases; now and then such that the voltage is what comes in, and can be the threshold exactly."""
    if not wild and rng.random() < 0.3:
        return {"current_decay": 4096, "voltage_decay": 4096}
    large = 4095 if wild else 40
    exponents = (0, 8) if wild else (0, 4)
    decays = {
        "current_decay": int(rng.choice([0, 1, 300, 2048, 4095, 4096])),
        "voltage_decay": int(rng.choice([0, 1, 128, 2048, 4096])),
    }
    if rng.random() < 0.3:
        decays = {name: rng.integers(0, 4097, shape) for name in decays}
    return {
        **decays,
        "bias": _spread(rng, shape, -large, large + 1),
        "bias_exponent": _spread(rng, shape, *exponents),
    }


def _threshold(rng: Rng, wild: bool) -> int:
    return int(rng.choice([0, 60, 131071, 131071])) if wild else int(rng.choice([0, 2, 4, 8, 30, 100, 400]))


def lif(rng: Rng, shape: Shape, wild: bool = False) -> Process:
    """A LIF, now and then with a threshold for each neuron."""
    threshold = rng.integers(0, 300, shape) if rng.random() < 0.3 else _threshold(rng, wild)
    return LIF(**membrane(rng, shape, wild), threshold=threshold)


def voltage(rng: Rng, shape: Shape, wild: bool = False) -> Process:
    """A LIF or LIFReset whose voltage is read."""
    threshold = int(one_of(rng, 20, 131071))
    if rng.random() < 0.5:
        return LIF(**membrane(rng, shape, wild), threshold=threshold, emit="voltage")
    return LIFReset(**membrane(rng, shape, wild), threshold=threshold, emit="voltage", **_clock(rng))


def _clock(rng: Rng) -> dict[str, int]:
    return {"interval": int(rng.integers(1, 9)), "offset": int(rng.integers(0, 9))}


def lif_reset(rng: Rng, shape: Shape, wild: bool = False) -> Process:
    """A LIF with a clock."""
    return LIFReset(**membrane(rng, shape, wild), threshold=_threshold(rng, wild), **_clock(rng))


def ternary(rng: Rng, shape: Shape, wild: bool = False) -> Process:
    """A LIF with two thresholds."""
    high = _threshold(rng, wild)
    return TernaryLIF(
        **membrane(rng, shape, wild), high=high, low=min(high, int(one_of(rng, -2, -4, -8, rng.integers(-300, 20))))
    )


def atrlif(rng: Rng, shape: Shape, wild: bool = False) -> Process:
    """A neuron whose threshold rises; its decays are one value for all."""
    names = ("current", "voltage", "threshold", "refractory")
    decays = {f"{name}_decay": int(one_of(rng, 0, 4095, *rng.integers(0, 4096, 3))) for name in names}
    if rng.random() < 0.4:  # the voltage is what comes in, and can be the threshold exactly
        decays = {**decays, "current_decay": 4095, "voltage_decay": 4096}
    bias = _spread(rng, shape, 0, 4096) if wild else one_of(rng, 0, 0, _spread(rng, shape, -50, 50))
    step = int(rng.integers(0, 131072 if wild else 50))
    exponent = _spread(rng, shape, 0, 8 if wild else 4)
    return ATRLIF(
        **decays,
        threshold=int(one_of(rng, 2, 4, 8, rng.integers(1, 60))),
        threshold_step=step,
        bias=bias,
        bias_exponent=exponent,
    )


def _coding(rng: Rng, wild: bool) -> dict[str, object]:
    most = 13 if wild else 7
    exponents = {"spike_exponent": int(rng.integers(0, most)), "state_exponent": int(rng.integers(0, most))}
    return {"threshold": int(rng.integers(0, 40)), "cumulative": bool(rng.integers(2)), **exponents}


def delta(rng: Rng, shape: Shape, wild: bool = False) -> Process:
    """What changes."""
    return Delta(**_coding(rng, wild))


def sigma_delta(rng: Rng, shape: Shape, wild: bool = False) -> Process:
    """What changes of a sum."""
    fields = _coding(rng, wild=False)
    return SigmaDelta(**fields, bias=_spread(rng, shape, -90, 90), activation=one_of(rng, "relu", "unit"))


def sigma(rng: Rng, shape: Shape, wild: bool = False) -> Process:
    """A sum."""
    return Sigma()


def rf(rng: Rng, shape: Shape, wild: bool = False) -> Process:
    """A resonator, or one that is reset."""
    angle, keep, bits = rng.uniform(0.3, 2), rng.uniform(0.9, 1), int(one_of(rng, 12, 12, 7, 15))
    cos, sin = (int(keep * f(angle) * 2**bits) for f in (np.cos, np.sin))
    fields = {
        "state_exponent": int(rng.integers(0, 16) if wild else one_of(rng, 0, rng.integers(0, 7))),
        "decay_bits": bits,
    }
    return one_of(rng, RF, RF_IZ)(cos=cos, sin=sin, threshold=int(one_of(rng, 0, 2, rng.integers(0, 200))), **fields)


def rf_zero(rng: Rng, shape: Shape, wild: bool = False) -> Process:
    """A resonator that sends its amplitude, with an angle for each neuron."""
    angle, keep = rng.uniform(0.3, 2, shape), rng.uniform(0.9, 1, shape)
    cos, sin = ((keep * f(angle) * 2**15).astype(int) for f in (np.cos, np.sin))
    return RFZero(cos=cos, sin=sin, threshold=int(rng.integers(0, 90)))


def graded(rng: Rng, shape: Shape, wild: bool = False) -> Process:
    """A vector, or its positive part."""
    return one_of(rng, GradedVec, GradedReluVec)(threshold=int(rng.integers(0, 100)))


def pair(rng: Rng, wild: bool = False) -> Process:
    """A neuron that reads two inputs."""
    if rng.random() < 0.5:
        return ProdNeuron(threshold=int(rng.integers(0, 9)), exponent=int(rng.integers(0, 9 if wild else 4)))
    return NormVecDelay(threshold=int(rng.integers(0, 9)), sends=one_of(rng, "square", "product"))


LIFS = (lif, lif_reset, ternary, atrlif)
SPIKING = (*LIFS, lif, rf, rf)
GRADED = (delta, sigma_delta, sigma, rf_zero, rf_zero, graded)
CELLS = (*SPIKING, *GRADED)
