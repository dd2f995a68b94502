"""Who is compared with what: for every peer our neuron with the very same dynamics, alone and in a network.

    Norse           `Lift(LIFBoxCell)`: v += dt/τ·(x − v), reset to 0, superspike      `LIF.from_tau(τ)`
    Norse           `LIF`: the same with a synaptic current                           `CubaLIF.from_tau(τ_syn, τ)`
    SpikingJelly    `LIFNode`, multi-step: v += (x − v)/2, ≥, reset to 0, sigmoid     `LIF(½, ½, inclusive)`
    snnTorch        `Leaky`: β·v + x − θ·s[t−1], reset detached, arc tangent          `LIF(β, subtract, next, detach)`

Every peer runs in the form its own documentation shows, and where there are several in the fastest of them.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor, nn

from ...models.folding import PerStep
from ...models.neurons import LIF, CubaLIF
from ...models.windows import run_in_windows
from ...toolchain.kernels.gradients import Surrogate

Run = Callable[[Tensor], Tensor]
Forms = Mapping[str, Callable[[], Run]]

CHANNELS = (2, 32, 64, 64, 128)
TAU, TAU_SYN = 0.010, 0.005


@dataclass(frozen=True)
class Contest:
    """One peer's neuron and ours.

    Args:
        peer: its name.
        ours: our layer.
        theirs: the peer's layer over [T, B, …], by form.
        networks: the peer's network of four convolutions over [T, B, 2, H, W], by form; none when not raced.
        spread: standard deviation and mean of the input of the neuron alone that make about every fifth neuron fire.
        gain: what the convolutions' weights are scaled by for the same.
    """

    peer: str
    ours: Callable[[], nn.Module]
    theirs: Forms
    networks: Forms
    spread: tuple[float, float]
    gain: float


def contests() -> tuple[Contest, ...]:
    """Every contest; imports the peers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what peers warn about while they are imported is not about this run
        return *_norse(), _spikingjelly(), _snntorch()


def convolutions(gain: float) -> list[nn.Conv2d]:
    """Four 3×3 convolutions with the same weights every time."""
    source = torch.Generator().manual_seed(1)
    made = [nn.Conv2d(before, after, 3, padding=1, bias=False) for before, after in pairwise(CHANNELS)]
    for layer in made:
        with torch.no_grad():
            layer.weight.normal_(0.0, gain * layer.weight[0].numel() ** -0.5, generator=source)
    return made


def our_networks(contest: Contest, backward: bool) -> dict[str, Run]:
    """Four times convolution, neurons, pooling, channels last, in windows of a few steps.

    Without gradients a window is all that is held at once, so it is kept as short as peers that go step by step.
    """
    network = _our_network(contest)
    windows = (2, 4) if backward else (1, 2)
    return {f"windows of {steps}": partial(run_in_windows, network, window=steps) for steps in windows}


def _our_network(contest: Contest) -> nn.Module:
    layers: list[nn.Module] = []
    for convolution in convolutions(contest.gain):
        layers += [PerStep(convolution), contest.ours(), PerStep(nn.AvgPool2d(2))]
    return _laid(nn.Sequential(*layers), channels_last=True)


def _norse() -> tuple[Contest, Contest]:
    import norse.torch as norse
    from norse.torch import LIFBoxCell, LIFBoxParameters, LIFCell, LIFParameters, Lift, SequentialState

    box = LIFBoxParameters(tau_mem_inv=torch.tensor(1 / TAU, dtype=torch.float64))
    cuba = LIFParameters(*(torch.tensor(1 / tau, dtype=torch.float64) for tau in (TAU_SYN, TAU)))
    gain = 30.0

    def first(layer: nn.Module) -> Run:
        return lambda x: layer(x)[0]

    def per_step(channels_last: bool) -> Run:
        layers: list[nn.Module] = []
        for convolution in convolutions(gain):
            layers += [convolution, LIFBoxCell(box), nn.AvgPool2d(2)]
        return first(Lift(_laid(SequentialState(*layers), channels_last)))

    def folded(channels_last: bool) -> Run:
        layers: list[nn.Module] = []
        for convolution in convolutions(gain):
            layers += [PerStep(convolution), _First(Lift(LIFBoxCell(box))), PerStep(nn.AvgPool2d(2))]
        return _laid(nn.Sequential(*layers), channels_last)

    return (
        Contest(
            "Norse Lift(LIFBoxCell)",
            lambda: LIF.from_tau(TAU),
            {"Lift": lambda: first(Lift(LIFBoxCell(box)))},
            _forms(per_step, folded),
            (4.0, 2.0),
            gain,
        ),
        Contest(
            "Norse LIF",
            lambda: CubaLIF.from_tau(TAU_SYN, TAU),
            {"LIF": lambda: first(norse.LIF(cuba)), "Lift(LIFCell)": lambda: first(Lift(LIFCell(cuba)))},
            {},
            (2.0, 0.5),
            gain,
        ),
    )


def _spikingjelly() -> Contest:
    from spikingjelly.activation_based import functional, layer, neuron

    gain = 7.5

    def neurons() -> nn.Module:
        return neuron.LIFNode(tau=2.0, step_mode="m", detach_reset=False)  # type: ignore[no-any-return]

    def fresh(network: nn.Module) -> Run:
        def run(x: Tensor) -> Tensor:
            functional.reset_net(network)
            return network(x)  # type: ignore[no-any-return]

        return run

    def folded(channels_last: bool) -> Run:
        layers: list[nn.Module] = []
        for plain in convolutions(gain):
            convolution = layer.Conv2d(plain.in_channels, plain.out_channels, 3, padding=1, bias=False, step_mode="m")
            convolution.load_state_dict(plain.state_dict())
            layers += [convolution, neurons(), layer.AvgPool2d(2, step_mode="m")]
        return fresh(_laid(nn.Sequential(*layers), channels_last))

    def per_step(channels_last: bool) -> Run:
        layers: list[nn.Module] = []
        for convolution in convolutions(gain):
            layers += [convolution, neuron.LIFNode(tau=2.0), nn.AvgPool2d(2)]
        network = _laid(nn.Sequential(*layers), channels_last)
        return fresh(_Stepped(network))

    return Contest(
        "SpikingJelly LIFNode",
        lambda: LIF(0.5, 0.5, inclusive=True, surrogate=Surrogate("sigmoid", 4.0)),
        {"multi-step": lambda: fresh(neurons())},
        _forms(per_step, folded),
        (2.0, 0.5),
        gain,
    )


def _snntorch() -> Contest:
    import snntorch

    gain = 2.5

    def alone() -> Run:
        leaky = snntorch.Leaky(beta=0.9)

        def run(x: Tensor) -> Tensor:
            memory, rows = torch.zeros_like(x[0]), []
            for step in x:
                spikes, memory = leaky(step, memory)
                rows.append(spikes)
            return torch.stack(rows)

        return run

    def per_step(channels_last: bool) -> Run:
        layers = [_laid(convolution, channels_last) for convolution in convolutions(gain)]
        leaky, pool = [snntorch.Leaky(beta=0.9) for _ in layers], nn.AvgPool2d(2)

        def run(x: Tensor) -> Tensor:
            memories = [each.reset_mem() for each in leaky]
            rows = []
            for step in x:
                for place, (convolution, neurons) in enumerate(zip(layers, leaky, strict=True)):
                    spikes, memories[place] = neurons(convolution(step), memories[place])
                    step = pool(spikes)
                rows.append(step)
            return torch.stack(rows)

        return run

    def folded(channels_last: bool) -> Run:
        layers: list[nn.Module] = []
        for convolution in convolutions(gain):
            layers += [PerStep(convolution), _Called(alone()), PerStep(nn.AvgPool2d(2))]
        return _laid(nn.Sequential(*layers), channels_last)

    detached = Surrogate("atan", 2.0, detach=True)
    return Contest(
        "snnTorch Leaky",
        lambda: LIF(0.9, reset="subtract", when="next", surrogate=detached),
        {"loop": alone},
        _forms(per_step, folded),
        (0.7, 0.1),
        gain,
    )


def _forms(per_step: Callable[[bool], Run], folded: Callable[[bool], Run]) -> Forms:
    return {
        "per step": lambda: per_step(False),
        "per step, channels last": lambda: per_step(True),
        "folded": lambda: folded(False),
        "folded, channels last": lambda: folded(True),
    }


def _laid(network: nn.Module, channels_last: bool) -> nn.Module:
    """The network with its convolutions' weights in one of the two layouts; outputs follow them."""
    for weight in network.parameters() if channels_last else ():
        if weight.ndim == 4:
            weight.data = weight.data.contiguous(memory_format=torch.channels_last)
    return network


class _First(nn.Module):
    """The spikes of a layer that gives (spikes, state)."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x)[0]  # type: ignore[no-any-return]


class _Called(nn.Module):
    """A function as a layer."""

    def __init__(self, run: Run) -> None:
        super().__init__()
        self.run = run

    def forward(self, x: Tensor) -> Tensor:
        return self.run(x)


class _Stepped(nn.Module):
    """A single-step network over all steps."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, x: Tensor) -> Tensor:
        return torch.stack([self.network(step) for step in x])
