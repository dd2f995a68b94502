"""Every one of our own neurons, with every value of its options."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import torch
from spikeport.models import neurons
from spikeport.models.recurrent import RecurrentCubaLIF
from spikeport.models.stateful import Change, MovingAverage
from support.dialects import Case
from torch import Tensor, nn


class Named(nn.Module):
    """A layer that takes all steps at once."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        return {"spikes": self.layer(x)}


class Averaged(nn.Module):
    """A moving average whose λ the network computes."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer, self.keep = layer, nn.Parameter(torch.tensor([-3.0, -1.0, 0.0, 2.0, 4.0]))

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        return {"spikes": self.layer(x, self.keep.sigmoid())}


def t(*values: float) -> Tensor:
    return torch.tensor(values)


RESETS = [("value", "now"), ("value", "next"), ("subtract", "now"), ("subtract", "next"), ("subtract", "guarded")]
EACH: dict[str, dict[str, Any]] = {
    "threshold=0.6": {"threshold": 0.6},
    "threshold for each neuron": {"threshold": t(0.5, 0.8, 1.0, 1.3, 1.6)},
    "v_reset=0.3": {"v_reset": 0.3},
    "v_reset=-0.3, next": {"v_reset": -0.3, "when": "next"},
    "v_reset for each neuron": {"v_reset": t(0.1, -0.1, 0.2, 0.0, 0.3)},
    "v_init=0.4": {"v_init": 0.4},
    "v_init for each neuron": {"v_init": t(0.1, -0.1, 0.2, 0.0, 0.3)},
    "learn threshold": {"learn": ("threshold",)},
    "dt=2e-4": {"dt": 2e-4},
}
LEAKY: dict[str, dict[str, Any]] = {
    "beta for each neuron": {"beta": t(0.1, 0.5, 0.9, 0.99, 0.0)},
    "gain=0.3, bias=0.1": {"gain": 0.3, "bias": 0.1},
    "gain and bias for each neuron": {"gain": t(0.1, 0.5, 1.0, 2.0, -0.5), "bias": t(0.0, 0.1, -0.1, 0.2, 0.3)},
    "learn beta": {"learn": ("beta", "gain")},
}
CURRENT: dict[str, dict[str, Any]] = {
    "alpha=0.5": {"alpha": 0.5},
    "alpha for each neuron": {"alpha": t(0.1, 0.5, 0.9, 0.99, 0.0)},
}
RULES = ("euler", "exact")


def cases() -> Iterator[Case]:
    """All of them."""
    for kind, (reset, when), inclusive in product((neurons.IF, neurons.LIF, neurons.CubaLIF), RESETS, (False, True)):
        options = f"reset='{reset}', when='{when}'" + (", inclusive" if inclusive else "")
        yield _case(kind, options, reset=reset, when=when, inclusive=inclusive)
    for kind, more in ((neurons.IF, {}), (neurons.LIF, LEAKY), (neurons.CubaLIF, {**LEAKY, **CURRENT})):
        yield _case(kind, "reset='none'", resets=False, reset="none")
        for name, given in {**EACH, **more}.items():
            yield _case(kind, name, **given)
    yield _case(neurons.LI, "", silent=True)
    for name, given in {**LEAKY, **CURRENT, "v_init=0.4": EACH["v_init=0.4"]}.items():
        yield _case(neurons.LI, name, silent=True, **given)
    yield from _from_tau()
    yield from _recurrent()
    yield Case("Change", "", Change, Named, "all steps", silent=True)
    yield Case("MovingAverage", "", MovingAverage, Averaged, "all steps", silent=True)
    learnt = neurons.IF(learn=("beta", "gain", "bias"))
    learnt.beta.data.fill_(0.8)  # type: ignore[union-attr]
    yield Case("IF", "learn beta, beta=0.8", lambda: learnt, Named, "all steps")


def _from_tau() -> Iterator[Case]:
    for rule, v_leak in product(RULES, (0.0, 0.3)):
        more: dict[str, Any] = {"v_leak": v_leak, "rule": rule}
        options = f"from_tau, {rule}" + (f", v_leak={v_leak}" if v_leak else "")
        yield _made("LIF", options, lambda more=more: neurons.LIF.from_tau(0.01, **more))
        yield _made("CubaLIF", options, lambda more=more: neurons.CubaLIF.from_tau(0.005, 0.01, **more))
        yield _made("LI", options, lambda more=more: neurons.LI.from_tau(0.01, **more), silent=True)
        yield _made(
            "LI", f"{options}, tau_syn", lambda more=more: neurons.LI.from_tau(0.01, 0.004, **more), silent=True
        )


def _recurrent() -> Iterator[Case]:
    given: dict[str, dict[str, Any]] = {"": {}, **EACH, **LEAKY, **CURRENT}
    given |= {f"reset='{reset}', when='{when}'": {"reset": reset, "when": when} for reset, when in RESETS}
    for options, more in given.items():
        make = lambda more=more: RecurrentCubaLIF(4, 5, **more)  # noqa: E731
        yield Case("RecurrentCubaLIF", options, make, Named, "all steps", (4,))
    for rule in RULES:
        make = lambda rule=rule: RecurrentCubaLIF.from_tau(4, 5, 0.005, 0.01, rule=rule)  # noqa: E731
        yield Case("RecurrentCubaLIF", f"from_tau, {rule}", make, Named, "all steps", (4,))


def _case(kind: Any, options: str, *, silent: bool = False, resets: bool = True, **given: Any) -> Case:
    return Case(kind.__name__, options, lambda: kind(**given), Named, "all steps", silent=silent, resets=resets)


def _made(row: str, options: str, make: Callable[[], nn.Module], *, silent: bool = False) -> Case:
    return Case(row, options, make, Named, "all steps", silent=silent)
