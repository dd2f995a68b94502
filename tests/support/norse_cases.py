"""Every neuron of Norse that has a row, with every value of its options."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import norse.torch as norse
import torch
from norse.torch.functional.reset import reset_subtract
from support.dialects import Case
from torch import Tensor, nn


class Loop(nn.Module):
    """A cell in the user's own loop, its state handed on."""

    def __init__(self, cell: nn.Module) -> None:
        super().__init__()
        self.cell = cell

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        state, spikes, voltages = None, [], []
        for step in x:
            z, state = self.cell(step, state)
            spikes.append(z)
            voltages.append(state.v)
        return {"spikes": torch.stack(spikes), "voltage": torch.stack(voltages)}


class Layer(nn.Module):
    """A layer that takes all steps at once."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        spikes, state = self.layer(x)
        return {"spikes": spikes, "last": state.v}


class Recurrent(nn.Module):
    """A container that adds its last answer to its input, in the user's own loop."""

    def __init__(self, each: nn.Module) -> None:
        super().__init__()
        self.each = each

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        state, answers = None, []
        for step in x:
            answer, state = self.each(step, state)
            answers.append(answer)
        return {"spikes": torch.stack(answers)}


class Lifted(nn.Module):
    """The same, lifted over time by Norse."""

    def __init__(self, each: nn.Module) -> None:
        super().__init__()
        self.each = norse.Lift(each)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        return {"spikes": self.each(x)[0]}


def _recurrent_box() -> nn.Module:
    made: nn.Module = norse.RecurrentSequential(nn.Linear(5, 5), norse.LIFBoxCell())
    return made


def _recurrent_cell() -> nn.Module:
    made: nn.Module = norse.RecurrentSequential(norse.LIFCell(), output_modules=0)
    return made


def t(*values: float) -> Tensor:
    return torch.tensor(values)


EACH = {"v_th": t(0.5, 0.7, 0.9, 1.1, 1.3), "v_reset": t(0.1, -0.1, 0.0, 0.2, -0.3)}
LEAK = {"v_leak": t(0.1, -0.1, 0.2, 0.0, 0.3)}
RATES = {"tau_mem_inv": t(80.0, 100.0, 150.0, 200.0, 300.0)}
SYNAPTIC = {"tau_syn_inv": t(100.0, 150.0, 200.0, 300.0, 900.0)}

FIRING: dict[str, dict[str, Any]] = {
    "": {},
    "v_th=0.6": {"v_th": torch.as_tensor(0.6)},
    "v_reset=-0.25": {"v_reset": torch.as_tensor(-0.25)},
    "v_reset=0.4": {"v_reset": torch.as_tensor(0.4)},
    "v_th and v_reset for each neuron": EACH,
    **{
        f"method='{name}'": {"method": name}
        for name in ("heaviside", "super", "triangle", "tanh", "circ", "heavi_erfc")
    },
}
MEMBRANE: dict[str, dict[str, Any]] = {
    "tau_mem_inv=1/0.004": {"tau_mem_inv": torch.as_tensor(1 / 0.004)},
    "v_leak=0.3": {"v_leak": torch.as_tensor(0.3)},
    "v_leak=-0.2": {"v_leak": torch.as_tensor(-0.2)},
    "tau_mem_inv in float64": {"tau_mem_inv": torch.tensor(130.0, dtype=torch.float64)},
    "tau_mem_inv learnt": {"tau_mem_inv": nn.Parameter(torch.tensor(120.0))},
    "tau_mem_inv for each neuron": RATES,
}
CURRENT: dict[str, dict[str, Any]] = {
    "tau_syn_inv=1/0.002": {"tau_syn_inv": torch.as_tensor(1 / 0.002)},
    "tau_syn_inv=1000": {"tau_syn_inv": torch.as_tensor(1000.0)},
    "tau_syn_inv for each neuron": SYNAPTIC,
}
ADAPT: dict[str, dict[str, Any]] = {
    "tau_adapt_inv=1/0.02": {"tau_adapt_inv": torch.as_tensor(50.0)},
    "beta=0.3": {"beta": torch.as_tensor(0.3)},
    "beta for each neuron": {"beta": t(0.1, 0.2, 0.5, 1.0, 0.0)},
}
EACH_LEAK: dict[str, dict[str, Any]] = {
    "v_leak for each neuron": LEAK,
    "all for each neuron": {**EACH, **LEAK, **RATES},
}
DTS = {"dt=5e-4": 5e-4, "dt=0.003": 0.003}


def cases() -> Iterator[Case]:
    """All of them."""
    yield from _of(norse.LIFBoxCell, norse.LIFBoxParameters, {**FIRING, **MEMBRANE, **EACH_LEAK, **_boxes()})
    yield from _of(norse.LIFCell, norse.LIFParameters, {**FIRING, **MEMBRANE, **CURRENT, **EACH_LEAK})
    yield from _of(norse.LIF, norse.LIFParameters, {**FIRING, **MEMBRANE, **CURRENT})
    yield from _of(norse.IAFCell, norse.IAFParameters, FIRING, dts={})
    yield from _of(norse.IAF, norse.IAFParameters, FIRING, dts={})
    yield from _of(norse.LIBoxCell, norse.LIBoxParameters, {"": {}, **MEMBRANE, **EACH_LEAK}, silent=True)
    yield from _of(norse.LICell, norse.LIParameters, {"": {}, **MEMBRANE, **CURRENT, **EACH_LEAK}, silent=True)
    yield from _of(norse.LI, norse.LIParameters, {"": {}, **MEMBRANE, **CURRENT}, silent=True)
    yield from _of(
        norse.LILinearCell, norse.LIParameters, {"": {}, **MEMBRANE, **CURRENT, **LEAKS}, sizes=(4, 5), silent=True
    )
    recurrent = {
        "": {},
        "v_leak=0.3": MEMBRANE["v_leak=0.3"],
        "v_reset=0.4": FIRING["v_reset=0.4"],
        "v_th and v_reset for each neuron": EACH,
    }
    for kind in (norse.LIFRecurrentCell, norse.LIFRecurrent):
        yield from _of(kind, norse.LIFParameters, recurrent, sizes=(4, 5))
        yield from _weights(kind, norse.LIFParameters())
    for kind in (norse.LSNNCell, norse.LSNN):
        yield from _of(
            kind,
            norse.LSNNParameters,
            {**FIRING, **MEMBRANE, **CURRENT, **ADAPT} if kind is norse.LSNNCell else {"": {}, **ADAPT},
        )
        yield Case(kind.__name__, "adjoint", lambda kind=kind: kind(adjoint=True), _wrapper(kind), _form(kind))
    yield Case("RecurrentSequential", "LIFBoxCell, Linear", _recurrent_box, Recurrent, "loop only")
    yield Case("RecurrentSequential", "lifted, LIFCell", _recurrent_cell, Lifted, "all steps")
    for kind in (norse.LSNNRecurrentCell, norse.LSNNRecurrent):
        yield from _of(kind, norse.LSNNParameters, {"": {}, "beta=0.3": ADAPT["beta=0.3"]}, sizes=(4, 5))
        yield from _weights(kind, norse.LSNNParameters())


LEAKS = {"v_leak for each neuron": LEAK}


def _boxes() -> dict[str, dict[str, Any]]:
    subtract = {"reset_method": reset_subtract}
    image = {"v_th": torch.tensor([0.5, 1.2]).view(2, 1, 1), "v_leak": torch.tensor([0.1, -0.1]).view(2, 1, 1)}
    return {
        "reset_method=reset_subtract": subtract,
        "reset_method=reset_subtract, v_leak=0.3": {**subtract, "v_leak": torch.as_tensor(0.3)},
        "reset_method=reset_subtract, v_th for each neuron": {**subtract, "v_th": EACH["v_th"]},
        "parameters for each channel": image,
    }


def _of(
    kind: Any,
    parameters: Callable[..., Any],
    options: dict[str, dict[str, Any]],
    *,
    sizes: tuple[int, ...] = (),
    silent: bool = False,
    dts: dict[str, float] = DTS,
) -> Iterator[Case]:
    for name, given in options.items():
        shape = (2, 3, 2) if "channel" in name else sizes[:1] or (5,)
        made = parameters(**{key: value for key, value in given.items() if key in parameters._fields})
        make = lambda kind=kind, made=made: kind(*sizes, p=made)  # noqa: E731
        yield Case(kind.__name__, name, make, _wrapper(kind), _form(kind), shape, silent)
    for name, dt in dts.items():
        make = lambda kind=kind, dt=dt: kind(*sizes, p=parameters(), dt=dt)  # noqa: E731
        yield Case(kind.__name__, name, make, _wrapper(kind), _form(kind), sizes[:1] or (5,), silent)


def _weights(kind: Any, p: Any) -> Iterator[Case]:
    weights = {"input_weights": torch.randn(5, 4), "recurrent_weights": torch.randn(5, 5)}
    options: dict[str, dict[str, Any]] = {"autapses": {"autapses": True}, "weights given": weights}
    for name, given in options.items():
        copied = lambda given=given: {k: v.clone() if isinstance(v, Tensor) else v for k, v in given.items()}  # noqa: E731
        make = lambda kind=kind, copied=copied: kind(4, 5, p=p, **copied())  # noqa: E731
        yield Case(kind.__name__, name, make, _wrapper(kind), _form(kind), (4,))


def _wrapper(kind: Any) -> Callable[[nn.Module], nn.Module]:
    return Loop if "Cell" in kind.__name__ else Layer


def _form(kind: Any) -> str:
    return "loop" if "Cell" in kind.__name__ else "all steps"
