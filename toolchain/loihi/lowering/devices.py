"""Neurons other than those that integrate and fire: which process does exactly what a node does.

    ReLU · a product · a value       GradedReluVec · ProdNeuron · GradedVec
    Sigma · Delta · SigmaDelta       the processes of that name, thresholds and biases in the scale of their values
    ResonateFire                     RF or RF_IZ, its rotation in steps of 2⁻¹²
    AdaptiveLIF                      ATRLIF, where it does not reset, compares with ≥ and holds back by 2·(θ + a)

Everything is a function of the scales at the neuron's port and of what it sends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from ...errors import SpikeportError
from ...graph import Node
from ...graph.nodes import Activation, AdaptiveLIF, Delta, Multiply, ResonateFire, Sigma, SigmaDelta
from ...graph.nodes.base import Array
from ...passes.base import one
from .. import processes
from ..limits import LOIHI2
from ..processes import Process
from .registers import Registers

Told = tuple[tuple[str, float, float], ...]
"""What was wanted and what came of it: (what, wanted, got)."""

RESONATING, ADAPTING = 18, 12
"""Bits of the threshold of a resonator's and of an adaptive neuron's state; the rest is room above it."""


@dataclass(frozen=True, eq=False)
class Device:
    """One neuron to be.

    Args:
        make: the process for its registers.
        told: what its own rounding changes, for its registers.
        port: the scale at the port of a neuron that spikes; none for one that sends values in that scale.
        gain: a factor on what comes in.
        bias: what is added to what comes in.
        product: whether it multiplies what comes into its two ports.
        netx: whether a netx file has it.
        approximations: the names of the approximations that it takes.
    """

    make: Callable[[Registers], Process]
    told: Callable[[Registers], Told] = lambda _: ()
    port: float | None = None
    gain: float = 1.0
    bias: Array = field(default_factory=lambda: np.zeros(()))
    product: bool = False
    netx: bool = False
    approximations: tuple[str, ...] = ()


VALUE = Device(lambda _: processes.GradedVec())
RELU = Device(lambda _: processes.GradedReluVec())
PRODUCT = Device(lambda held: processes.ProdNeuron(exponent=held.shift), product=True)


def device(name: str, node: Node) -> Device | SpikeportError:
    """The neuron for a node that does not integrate and fire as the chip's usual neuron does."""
    if isinstance(node, ResonateFire):
        return _resonating(name, node)
    if isinstance(node, AdaptiveLIF):
        return _adapting(name, node)
    if isinstance(node, (Delta, SigmaDelta)):
        return _coding(name, node)
    if isinstance(node, Sigma):
        return Device(lambda _: processes.Sigma(), netx=True)
    if isinstance(node, Multiply) or (isinstance(node, Activation) and node.function == "square"):
        return PRODUCT
    return RELU if isinstance(node, Activation) else VALUE


def _one(name: str, node: Node, *fields: str) -> SpikeportError | None:
    """Refuse parameters that differ from neuron to neuron, where the process has one of each."""
    arrays = node.arrays()
    uneven = [each for each in fields if bool((arrays[each] != arrays[each].flat[0]).any())]
    if not uneven:
        return None
    found = f"its {uneven[0]} differs from neuron to neuron"
    return SpikeportError(name, found, f"one for all, as the chip's {node.kind} has it", "train it with one for all")


def _number(values: Array) -> float:
    return float(values.flat[0])


def _coding(name: str, node: Delta | SigmaDelta) -> Device | SpikeportError:
    uneven = _one(name, node, "threshold")
    if uneven is not None:
        return uneven
    theta = _number(node.threshold)

    def told(held: Registers) -> Told:
        return (("threshold", theta, round(theta * held.unit) / held.unit),)

    def exponents(held: Registers) -> dict[str, int]:
        return {"threshold": round(theta * held.unit), "spike_exponent": held.spike, "state_exponent": held.shift}

    if isinstance(node, Delta):
        delta = node.cumulative
        return Device(lambda held: processes.Delta(**exponents(held), cumulative=delta), told, netx=True)
    coder = node
    return Device(
        lambda held: processes.SigmaDelta(
            **exponents(held),
            bias=np.rint(np.asarray(coder.bias, np.float64) * held.unit).astype(np.int64),
            activation=coder.activation,
            cumulative=coder.cumulative,
        ),
        told,
        netx=True,
        approximations=("bias-start",) if coder.bias.any() else (),
    )


def _resonating(name: str, node: ResonateFire) -> Device | SpikeportError:
    uneven = _one(name, node, "cos", "sin", "threshold")
    if uneven is not None:
        return uneven
    cos, sin, theta = (_number(each) for each in (node.cos, node.sin, node.threshold))
    if max(abs(cos), abs(sin)) > 1 or theta <= 0:
        found = f"cos {cos:g}, sin {sin:g}, threshold {theta:g}"
        return SpikeportError(name, found, "a rotation that does not grow, and a threshold above 0", "clamp it")
    turn = 1 << LOIHI2.decay_bits
    kind = processes.RF if node.spike == "phase" else processes.RF_IZ
    told: list[tuple[str, float, float]] = [(w, v, round(v * turn) / turn) for w, v in (("cos", cos), ("sin", sin))]
    epsilon = (("epsilon", node.epsilon),) if node.spike == "izhikevich" else ()
    return Device(
        lambda held: kind(cos=round(cos * turn), sin=round(sin * turn), threshold=round(theta * held.port)),
        lambda held: (
            *told,
            ("threshold", theta, round(theta * held.port) / held.port),
            *((what, wanted, 1 / held.port) for what, wanted in epsilon),
        ),
        port=2.0 ** np.floor(RESONATING - np.log2(theta)),
        netx=True,
    )


def _adapting(name: str, node: AdaptiveLIF) -> Device | SpikeportError:
    names = ("alpha", "beta", "gain", "bias", "threshold", "adapt_decay", "adapt_step", "refractory_decay")
    uneven = _one(name, node, *names, "refractory_gain")
    if uneven is not None:
        return uneven
    value = {each: _number(array) for each, array in node.arrays().items()}
    held_back = value["refractory_gain"] * value["refractory_decay"] != 0
    wrong = [
        *(["reset='" + node.reset + "'"] if node.reset != "none" else []),
        *(["a compare with >"] if not node.at_least else []),
        *([f"emit='{node.emit}'"] if node.emit != "spikes" else []),
        *([f"refractory_gain={value['refractory_gain']:g}"] if held_back and value["refractory_gain"] != 2 else []),
        *(["a start that is not 0"] if value["v_start"] else []),
        *(["a bias beside a current"] if value["bias"] and value["alpha"] else []),
        *(["a threshold of 0 or less"] if value["threshold"] <= 0 else []),
        *(["a step that is below 0"] if value["adapt_step"] < 0 else []),
    ]
    kept = [value[each] for each in ("alpha", "beta", "adapt_decay", "refractory_decay")]
    wrong += [] if min(kept) >= 0 and max(kept) <= 1 and value["alpha"] < 1 else ["a decay outside of 0 to 1"]
    if wrong:
        expected = "no reset, ≥, refractory_gain 2, as the chip's adaptive neuron has it"
        return SpikeportError(name, f"{one(node)} with {', '.join(wrong)}", expected, "train it so, or exchange it")
    return _adaptive(value, held_back=held_back)


def _adaptive(value: dict[str, float], *, held_back: bool) -> Device:
    """ATRLIF; its current decays by one more than it is told, and its thresholds count in steps of 2⁶."""
    unity = LOIHI2.decay_unity
    lost = {each: round(unity * (1 - value[each])) for each in ("beta", "adapt_decay")}
    back = round(unity * (1 - value["refractory_decay"])) if held_back else unity
    current = min(max(round(unity * (1 - value["alpha"])) - 1, 0), unity - 1)
    told = [("α", value["alpha"], 1 - (current + 1) / unity), ("β", value["beta"], 1 - lost["beta"] / unity)]
    told.append(("adapt_decay", value["adapt_decay"], 1 - lost["adapt_decay"] / unity))
    told += [("refractory_decay", value["refractory_decay"], 1 - back / unity)] if held_back else []
    sizes = [("threshold", value["threshold"]), ("adapt_step", value["adapt_step"])]
    return Device(
        lambda held: processes.ATRLIF(
            current_decay=current,
            voltage_decay=lost["beta"],
            threshold_decay=lost["adapt_decay"],
            refractory_decay=back,
            threshold=_mantissa(value["threshold"], held.port),
            threshold_step=_mantissa(value["adapt_step"], held.port),
        ),
        lambda held: (*told, *((what, wanted, _mantissa(wanted, held.port) / held.port) for what, wanted in sizes)),
        port=2.0 ** np.floor(ADAPTING - np.log2(value["threshold"])),
        gain=value["gain"],
        bias=np.asarray(value["bias"]),
    )


def _mantissa(value: float, scale: float) -> int:
    """The whole number nearest to value · S that a register of thresholds holds; the largest where it is beyond."""
    return min(round(value * scale), LOIHI2.most_threshold)
