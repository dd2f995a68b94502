"""Every neuron of snnTorch that has a row, with every value of its options."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import snntorch
import torch
from snntorch import surrogate
from support.dialects import Case
from torch import Tensor, nn


class Loop(nn.Module):
    """A neuron in the user's own loop, its states handed on where it does not keep them."""

    def __init__(self, neuron: nn.Module, *, zeros: int = 0) -> None:
        super().__init__()
        self.neuron, self.zeros = neuron, zeros

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        states: Any = tuple(torch.zeros_like(x[0]) for _ in range(self.zeros))
        recurrent = hasattr(self.neuron, "recurrent")
        spikes, voltages = [], []
        for step in x:
            answer = self.neuron(step, *states)
            if not self.neuron.init_hidden:
                states = answer if recurrent else answer[1:]
            spikes.append(answer[0] if isinstance(answer, tuple) else answer)
            voltages.append(answer[-1] if isinstance(answer, tuple) else self.neuron.mem)
        return {"spikes": torch.stack(spikes), "voltage": torch.stack(voltages)}


def t(*values: float) -> Tensor:
    return torch.tensor(values)


FORMS = {
    "states handed on": {},
    "init_hidden": {"init_hidden": True},
    "init_hidden, output": {"init_hidden": True, "output": True},
}
RESETS = ("subtract", "zero", "none")
DECAYS: dict[Any, dict[str, Any]] = {
    snntorch.Leaky: {"beta": 0.85},
    snntorch.Synaptic: {"alpha": 0.6, "beta": 0.8},
    snntorch.Lapicque: {"beta": 0.8},
    snntorch.RLeaky: {"beta": 0.8, "linear_features": 5},
    snntorch.RSynaptic: {"alpha": 0.5, "beta": 0.7, "linear_features": 5},
}
SURROGATES: dict[str, Any] = {
    "atan": surrogate.atan(),
    "fast_sigmoid": surrogate.fast_sigmoid(slope=10),
    "sigmoid": surrogate.sigmoid(),
    "straight_through_estimator": surrogate.straight_through_estimator(),
    "triangular": surrogate.triangular(),
    "heaviside": surrogate.heaviside(),
    "spike_rate_escape": surrogate.spike_rate_escape(),
    "SSO": surrogate.SSO(),
    "SFS": surrogate.SFS(),
}
EACH: dict[str, dict[str, Any]] = {
    "threshold=0.4": {"threshold": 0.4},
    "threshold for each neuron": {"threshold": t(0.5, 0.8, 1.0, 1.3, 1.6)},
    "beta for each neuron": {"beta": t(0.1, 0.5, 0.9, 0.99, 0.0)},
    "learn_beta, learn_threshold": {"learn_beta": True, "learn_threshold": True},
    "beta=1.4, clamped": {"beta": 1.4},
    "beta=-0.2, clamped": {"beta": -0.2},
    "surrogate_disable": {"surrogate_disable": True},
}
ALPHA: dict[str, dict[str, Any]] = {
    "alpha for each neuron": {"alpha": t(0.1, 0.5, 0.9, 0.95, 0.0)},
    "learn_alpha": {"learn_alpha": True},
    "alpha=1.2, clamped": {"alpha": 1.2},
}
RECURRENT: dict[str, dict[str, Any]] = {
    "linear_features, learn_recurrent=False": {"learn_recurrent": False},
    "V=0.4": {"linear_features": None, "all_to_all": False, "V": 0.4},
    "V=-0.6, learn_recurrent=False": {
        "linear_features": None,
        "all_to_all": False,
        "V": -0.6,
        "learn_recurrent": False,
    },
    "V for each neuron": {"linear_features": None, "all_to_all": False, "V": t(0.3, -0.5, 0.8, 0.0, -1.0)},
    "conv2d_channels, kernel_size=3": {"linear_features": None, "conv2d_channels": 2, "kernel_size": 3},
    "conv2d_channels, kernel_size=(1, 5)": {"linear_features": None, "conv2d_channels": 2, "kernel_size": (1, 5)},
}
LAPICQUE: dict[str, dict[str, Any]] = {
    "R=2, C=3": {"beta": False, "R": 2.0, "C": 3.0},
    "beta, R=2": {"R": 2.0},
    "beta, C=4": {"C": 4.0},
    "R=1, C=2, time_step=0.5": {"beta": False, "R": 1.0, "C": 2.0, "time_step": 0.5},
}
CHANNELS: dict[str, dict[str, Any]] = {
    "beta for each channel": {"beta": torch.tensor([0.5, 0.9]).view(2, 1, 1)},
    "beta of shape [1, C, 1, 1]": {"beta": torch.tensor([0.5, 0.9]).view(1, 2, 1, 1)},
}


def cases() -> Iterator[Case]:
    """All of them."""
    for kind, mechanism, delay, form in product(DECAYS, RESETS, (True, False), FORMS):
        if (kind is snntorch.Lapicque or kind is snntorch.RSynaptic) and not delay:
            continue
        options = f"reset_mechanism='{mechanism}'" + ("" if delay else ", reset_delay=False")
        given = {"reset_mechanism": mechanism, **({} if delay else {"reset_delay": False}), **FORMS[form]}
        yield _case(kind, options, given, form=form, resets=mechanism != "none")
    for mechanism in RESETS:
        given = {"reset_mechanism": mechanism, "reset_delay": False}
        options = f"reset_mechanism='{mechanism}', reset_delay=False"
        yield _case(snntorch.RSynaptic, options, given, zeros=3, resets=mechanism != "none")
    for kind in DECAYS:
        yield from _each(kind)


def _each(kind: Any) -> Iterator[Case]:
    lapicque = kind is snntorch.Lapicque
    options = {name: given for name, given in EACH.items() if not (lapicque and "beta" in name)}
    if lapicque:
        options |= LAPICQUE
    if "alpha" in DECAYS[kind]:
        options |= ALPHA
    if "linear_features" in DECAYS[kind]:
        options |= RECURRENT
    if kind in (snntorch.Leaky, snntorch.Synaptic):
        options |= CHANNELS
    if kind is snntorch.Leaky:
        options |= {f"spike_grad={name}()": {"spike_grad": each} for name, each in SURROGATES.items()}
        options |= {"threshold=0, reset_mechanism='zero'": {"threshold": 0.0, "reset_mechanism": "zero"}, **_graded()}
    for name, given in options.items():
        yield _case(kind, name, given)


def _graded() -> dict[str, dict[str, Any]]:
    graded: dict[str, dict[str, Any]] = {
        "graded_spikes_factor=0.3": {"graded_spikes_factor": 0.3},
        "graded_spikes_factor for each neuron": {"graded_spikes_factor": t(0.3, 1.0, 2.5, -1.0, 0.7)},
        "learn_graded_spikes_factor": {"graded_spikes_factor": 1.7, "learn_graded_spikes_factor": True},
    }
    now = {f"{name}, reset_delay=False": {**given, "reset_delay": False} for name, given in graded.items()}
    return graded | now


def _case(kind: Any, options: str, given: dict[str, Any], form: str = "states handed on", **fields: Any) -> Case:
    shape = (2, 3, 5) if "channel" in options or "[" in options else (5,)
    zeros = fields.pop("zeros", 0)
    return Case(
        kind.__name__, options, _maker(kind, given), lambda neuron: Loop(neuron, zeros=zeros), form, shape, **fields
    )


def _maker(kind: Any, given: dict[str, Any]) -> Callable[[], nn.Module]:
    return lambda: kind(**{**DECAYS[kind], **given})
