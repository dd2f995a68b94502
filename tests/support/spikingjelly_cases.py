"""Every neuron of SpikingJelly that has a row, with every value of its options, in both step modes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import torch
from spikingjelly.activation_based import layer, neuron, surrogate
from support.dialects import Case
from torch import Tensor, nn


class Loop(nn.Module):
    """A neuron in step mode 's' in the user's own loop, its voltage read after each step."""

    def __init__(self, each: nn.Module) -> None:
        super().__init__()
        self.neuron = each

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        spikes, voltages = [], []
        for step in x:
            spikes.append(self.neuron(step))
            voltages.append(self.neuron.v)
        return {"spikes": torch.stack(spikes), "voltage": torch.stack(voltages)}


class Layer(nn.Module):
    """A neuron in step mode 'm', its last voltage read as an answer."""

    def __init__(self, each: nn.Module) -> None:
        super().__init__()
        self.neuron = each

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        answers = {"spikes": self.neuron(x), "last": self.neuron.v}
        if getattr(self.neuron, "store_v_seq", False):
            answers["voltage"] = self.neuron.v_seq
        return answers


class Named(nn.Module):
    """A layer without a voltage."""

    def __init__(self, each: nn.Module) -> None:
        super().__init__()
        self.each = each

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        return {"spikes": self.each(x)}


class Decoded(nn.Module):
    """A neuron that never spikes: its voltage in every step, or what its decode makes of it."""

    def __init__(self, each: nn.Module) -> None:
        super().__init__()
        self.each = each

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        answer = self.each(x)
        return {"spikes": torch.stack(answer) if isinstance(answer, list) else answer}


RESETS = {"": 0.0, "v_reset=-0.3": -0.3, "v_reset=0.25": 0.25, "v_reset=None": None}
MODES = ("s", "m")
LEAKY: dict[Any, str] = {
    neuron.LIFNode: "tau",
    neuron.ParametricLIFNode: "init_tau",
    neuron.OTTTLIFNode: "tau",
    neuron.SLTTLIFNode: "tau",
}
SPIKING = (
    *("ATan", "Erf", "LeakyKReLU", "NonzeroSignLogAbs", "PiecewiseExp", "PiecewiseLeakyReLU", "PiecewiseQuadratic"),
    *("QPseudoSpike", "Rect", "S2NN", "Sigmoid", "SoftSign", "SquarewaveFourierSeries", "SuperSpike", "LogTailedReLU"),
    "FakeNumericalGradient",
)


def cases() -> Iterator[Case]:
    """All of them."""
    for mode, (name, v_reset) in product(MODES, RESETS.items()):
        yield _case(neuron.IFNode, name, mode, v_reset=v_reset)
        yield _case(neuron.SimpleIFNode, name, mode, v_reset=v_reset)
        yield _case(neuron.CUBALIFNode, name, mode, v_reset=v_reset)
        for decay, (kind, _) in product((True, False), LEAKY.items()):
            if kind in (neuron.OTTTLIFNode, neuron.SLTTLIFNode) and mode == "m":
                continue
            options = ", ".join(filter(None, [name, "" if decay else "decay_input=False"]))
            yield _case(kind, options, mode, v_reset=v_reset, decay_input=decay)
            if v_reset is not None and kind is neuron.LIFNode:
                yield _case(neuron.SimpleLIFNode, options, mode, tau=2.0, v_reset=v_reset, decay_input=decay)
    for mode in MODES:
        yield from _more(mode)
    yield from _silent()
    yield from _layers()


def _more(mode: str) -> Iterator[Case]:
    for threshold in (0.5, 1.7):
        yield _case(neuron.IFNode, f"v_threshold={threshold}", mode, v_threshold=threshold)
        yield _case(neuron.HalfThresholdIFNode, f"v_threshold={threshold}", mode, v_threshold=threshold)
    for kind, tau in product((neuron.LIFNode, neuron.ParametricLIFNode), (1.1, 3.0, 20.0)):
        yield _case(kind, f"{LEAKY[kind]}={tau}", mode, **{LEAKY[kind]: tau})
    yield _case(neuron.CUBALIFNode, "c_decay=0.8, v_decay=0.6", mode, c_decay=0.8, v_decay=0.6)
    for w in (-1.5, 0.7, 3.0):
        yield Case("ParametricLIFNode", f"w={w}", _with(neuron.ParametricLIFNode(step_mode=mode), w), *_called(mode))
    yield _case(neuron.IFNode, "detach_reset", mode, detach_reset=True)
    if mode == "m":
        for kind in (neuron.IFNode, neuron.LIFNode, neuron.ParametricLIFNode):
            yield _case(kind, "store_v_seq", mode, store_v_seq=True)
    for name in SPIKING:
        yield _case(neuron.LIFNode, f"surrogate {name}", mode, surrogate_function=getattr(surrogate, name)())
    started = neuron.IFNode(step_mode=mode)
    started.set_reset_value("v", 0.4)
    started.reset()
    yield Case("IFNode", "set_reset_value('v', 0.4)", lambda: started, *_called(mode))


def _silent() -> Iterator[Case]:
    for decode in (None, "max-mem", "mean-mem", "last_mem"):
        options = "" if decode is None else f"decode='{decode}'"
        for kind, given in ((neuron.NonSpikingIFNode, {}), (neuron.NonSpikingLIFNode, {"tau": 3.0})):
            make = lambda kind=kind, given=given, decode=decode: kind(decode=decode, **given)  # noqa: E731
            yield Case(kind.__name__, options, make, Decoded, "all steps", silent=True)


def _layers() -> Iterator[Case]:
    for kind in (layer.Dropout, layer.Dropout2d):
        for mode in MODES:
            yield Case(
                kind.__name__,
                "p=0.5",
                lambda kind=kind, mode=mode: kind(0.5, mode),
                Named,
                _form(mode),
                (2, 3, 3),
                True,
            )
    for steps in (0, 1, 3):
        yield Case(
            "Delay",
            f"delay_steps={steps}",
            lambda steps=steps: layer.Delay(steps, "m"),
            Named,
            "all steps",
            silent=True,
        )
    contained = lambda: neuron.LIFNode(v_reset=None)  # noqa: E731
    yield Case(
        "ElementWiseRecurrentContainer",
        "x + y",
        lambda: layer.ElementWiseRecurrentContainer(contained(), lambda y, x: x - 0.5 * y, "m"),
        Named,
        "all steps",
    )
    for bias in (True, False):
        yield Case(
            "LinearRecurrentContainer",
            "" if bias else "bias=False",
            lambda bias=bias: layer.LinearRecurrentContainer(
                nn.Sequential(nn.Linear(5, 4), contained()), 5, 4, bias, "m"
            ),
            Named,
            "all steps",
        )


def _case(kind: Any, options: str, mode: str, **given: Any) -> Case:
    def make() -> nn.Module:
        made: nn.Module = kind(**given)
        made.step_mode = mode
        return made

    return Case(kind.__name__, options, make, *_called(mode))


def _called(mode: str) -> tuple[Callable[[nn.Module], nn.Module], str]:
    return (Loop if mode == "s" else Layer), _form(mode)


def _form(mode: str) -> str:
    return "step mode s" if mode == "s" else "step mode m"


def _with(made: nn.Module, w: float) -> Callable[[], nn.Module]:
    made.w.data.fill_(w)
    return lambda: made
