"""The cases of `spikeport bench neurons`: what is run, on which input, and what no implementation can beat."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from .contests import CHANNELS, Contest, Run, convolutions, our_networks
from .pairs import Work


@dataclass(frozen=True)
class Size:
    """How large the cases are.

    Args:
        neuron: [T, B, N] of the neuron alone.
        network: [T, B, 2, H, W] of the network.
        neuron_pairs: pairs measured for the neuron.
        network_pairs: pairs measured for the network.
        rounds: rounds to find the fastest form of a peer.
    """

    neuron: tuple[int, int, int] = (16, 32, 16384)
    network: tuple[int, int, int, int, int] = (16, 4, 2, 128, 128)
    neuron_pairs: int = 15
    network_pairs: int = 5
    rounds: int = 3


QUICK = Size((8, 4, 1024), (4, 1, 2, 16, 16), 2, 1, 1)


@dataclass(frozen=True)
class Case:
    """One case.

    Args:
        name: what the row says.
        subject: neuron or network.
        backward: whether the gradient is a part of it.
    """

    name: str
    subject: str
    backward: bool


CASES = (
    Case("neuron, forward", "neuron", False),
    Case("neuron, forward and backward", "neuron", True),
    Case("network, forward", "network", False),
    Case("network, forward and backward", "network", True),
)


def our_runs(case: Case, contest: Contest) -> dict[str, Run]:
    """Ours for a case, by form."""
    return {"layer": contest.ours()} if case.subject == "neuron" else our_networks(contest, case.backward)


def their_runs(case: Case, contest: Contest) -> dict[str, Run]:
    """The peer's for a case, by form."""
    forms = contest.theirs if case.subject == "neuron" else contest.networks
    return {name: make() for name, make in forms.items()}


def input_of(case: Case, contest: Contest, size: Size) -> Tensor:
    """Currents for a neuron, events for a network; the same for everybody."""
    source = torch.Generator().manual_seed(0)
    if case.subject == "neuron":
        deviation, mean = contest.spread
        return torch.randn(size.neuron, generator=source) * deviation + mean
    return (torch.rand(size.network, generator=source) < 0.1).float()


def work_of(case: Case, run: Run, x: Tensor) -> Work:
    """One run of a case: without gradients, or forward and back to the input or, in a network, to the weights."""
    if not case.backward:
        return lambda: _without_gradients(run, x)
    given = x.clone().requires_grad_(case.subject == "neuron")
    received: list[Tensor] = []

    def both() -> object:
        out = run(given)
        if not received:
            received.append(torch.randn(out.shape, generator=torch.Generator().manual_seed(2)))
        torch.autograd.backward(out, received[0])
        grad, given.grad = given.grad, None
        return grad

    return both


def _without_gradients(run: Run, x: Tensor) -> Tensor:
    with torch.no_grad():
        return run(x)


def limit_of(case: Case, size: Size) -> Work:
    """What is left when the neurons' arithmetic costs nothing.

    The neuron: its input read and its output written once, as plain numpy into memory that is already there; backward,
    the input and the gradient read and a gradient written. The network: its bare convolutions, the layout and order as
    in ours.
    """
    return _plain_copies(case, size) if case.subject == "neuron" else _bare_convolutions(case, size)


def _plain_copies(case: Case, size: Size) -> Work:
    x = np.ones((size.neuron[0], size.neuron[1] * size.neuron[2]), np.float32)
    out, grad = np.zeros_like(x), np.ones_like(x)

    def copies() -> None:
        np.copyto(out, x)
        if case.backward:
            np.add(x, grad, out=out)

    return copies


def _bare_convolutions(case: Case, size: Size) -> Work:
    steps, batch, _, height, width = size.network
    layers = [layer.to(memory_format=torch.channels_last) for layer in convolutions(1.0)]  # type: ignore[call-overload]
    source, inputs = torch.Generator().manual_seed(0), []
    for depth, count in enumerate(CHANNELS[:-1]):
        shape = steps * batch, count, height >> depth, width >> depth
        spikes = (torch.rand(shape, generator=source) < 0.1).float()
        inputs.append(spikes.to(memory_format=torch.channels_last).requires_grad_(case.backward and depth > 0))

    def bare() -> None:
        for layer, x in zip(layers, inputs, strict=True):
            with torch.set_grad_enabled(case.backward):
                out = layer(x)
            if case.backward:
                out.backward(out.detach())
            x.grad = None

    return bare
