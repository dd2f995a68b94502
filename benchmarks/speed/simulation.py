"""Our reference simulation beside the torch module that the network came from, in one process, in turn.

Peers run as their users run them without gradients: SpikingJelly in multi-step mode, snnTorch and Norse step by step,
our own zoo networks with their fused neurons. Every pair is checked to give the same answer before it is timed.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import nn

from ...toolchain.errors import SimulationError
from ...toolchain.graph import Graph, replace_graph
from ...toolchain.graph.nodes import Delay, Firing
from ...toolchain.simulate import simulate
from ...toolchain.tracing import trace

Row = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """One network beside its graph.

    Args:
        name: what it is, with the size of its input.
        peer: what runs the module.
        module: the network, time first.
        inputs: [T, B, *shape].
        fresh: puts the module back to its start.
    """

    name: str
    peer: str
    module: nn.Module
    inputs: torch.Tensor
    fresh: Callable[[nn.Module], None]


def bench(*, quick: bool = False) -> dict[str, Any]:
    """Every case: {"name", "rows": [{"case", "peer", "ours_s", "peer_s", "ratio", "limit_s", "events"}], "notes"}.

    Args:
        quick: smaller inputs and fewer repeats.
    """
    torch.manual_seed(0)
    pairs = 3 if quick else 11
    with torch.no_grad():
        rows = [_row(make(quick), pairs) for make in CASES]
    notes = [
        f"medians of {pairs} pairs measured in turn, {torch.get_num_threads()} threads, float32, outputs recorded only",
        "limit: our simulation of the same network with its neurons taken out",
    ]
    return {"name": "simulation", "rows": rows, "notes": notes}


def _row(case: Case, pairs: int) -> Row:
    graph = trace(case.module, case.inputs[:3], carries="spikes", check=False)
    given = case.inputs.numpy()

    def ours() -> np.ndarray[Any, np.dtype[Any]]:
        (answer,) = simulate(graph, given).outputs.values()
        return answer

    def theirs() -> torch.Tensor:
        case.fresh(case.module)
        answer: torch.Tensor = case.module(case.inputs)
        return answer

    _same_answer(case.name, ours(), theirs().numpy())
    ours_s, peer_s = medians(ours, theirs, pairs)
    sent = simulate(graph, given).counts
    rates = {name: round(count.rate, 4) for name, count in sent.items() if graph.nodes[name].stateful}
    timed = {"ours_s": ours_s, "peer_s": peer_s, "ratio": peer_s / ours_s, "limit_s": _limit(graph, given, pairs)}
    return {"case": case.name, "peer": case.peer, **timed, "rates": rates}


def _same_answer(case: str, found: Any, wanted: Any) -> None:
    """A spike may go another way where a potential lies on its threshold to the last bit; other networks all differ."""
    if not np.isclose(found, wanted, rtol=1e-3, atol=1e-3).mean() > 0.99:
        raise SimulationError(case, "the simulation and the module give different answers")


def medians(ours: Callable[[], object], theirs: Callable[[], object], pairs: int) -> tuple[float, float]:
    """Median seconds of both, measured in turn; each second pair runs in the other order."""
    times: tuple[list[float], list[float]] = ([], [])
    for pair in range(pairs):
        for which in (0, 1) if pair % 2 else (1, 0):
            start = time.perf_counter()
            (ours, theirs)[which]()
            times[which].append(time.perf_counter() - start)
    return statistics.median(times[0]), statistics.median(times[1])


def _limit(graph: Graph, given: Any, pairs: int) -> float | None:
    """Seconds of the layers alone; None for a network with loops, which would run away without its neurons."""
    if any(wire.delayed for wires in graph.wires.values() for wire in wires):
        return None
    bare = _without_neurons(graph)
    return medians(lambda: simulate(bare, given), lambda: simulate(bare, given), max(2, pairs // 2))[0]


def _without_neurons(graph: Graph) -> Graph:
    """The same network with every neuron handing on what it gets: what is left is layers."""
    idle = Delay((0,))
    found = {name: idle if isinstance(node, Firing) else node for name, node in graph.nodes.items()}
    return replace_graph(graph, nodes=found)


def _spiking_jelly(layers: list[nn.Module]) -> nn.Module:
    """Layers with a neuron behind each, in multi-step mode."""
    from spikingjelly.activation_based import neuron

    neurons = [neuron.LIFNode(tau=2.0, v_threshold=0.4, v_reset=0.0, step_mode="m") for _ in layers]
    return nn.Sequential(*(module for pair in zip(layers, neurons, strict=True) for module in pair)).eval()


def _reset(module: nn.Module) -> None:
    from spikingjelly.activation_based import functional

    functional.reset_net(module)


def _louder(layers: list[nn.Module], factor: float = 3.0) -> list[nn.Module]:
    """Weights large enough for fresh networks to spike down to the last layer."""
    for layer in layers:
        for weight in layer.parameters():
            weight.mul_(factor)
    return layers


def _conv(quick: bool) -> Case:
    from spikingjelly.activation_based import layer

    side, steps = (32, 8) if quick else (128, 16)
    sizes, strides = (2, 32, 64, 64, 128), (1, 2, 2, 2)
    layers = [layer.Conv2d(sizes[i], sizes[i + 1], 3, strides[i], 1, step_mode="m") for i in range(4)]
    x = _events(steps, 4, 2, side, side)
    return Case(f"4 convolutions {list(x.shape)}", "SpikingJelly", _spiking_jelly(_louder(layers)), x, _reset)


def _dense(quick: bool) -> Case:
    from spikingjelly.activation_based import layer

    sizes = (784, 128, 64, 10)
    layers = [layer.Linear(sizes[i], sizes[i + 1], step_mode="m") for i in range(3)]
    x = _events(16 if quick else 64, 32, 784)
    return Case(f"784-128-64-10 {list(x.shape)}", "SpikingJelly", _spiking_jelly(_louder(layers)), x, _reset)


class _OverTime(nn.Module):
    """A recurrent layer of 256 neurons between two linear layers, step by step.

    Args:
        cell: takes what comes in and its state, gives spikes and its state.
        inward: what comes before the cell.
    """

    def __init__(self, cell: Callable[[torch.Tensor, Any], tuple[torch.Tensor, Any]], inward: nn.Module) -> None:
        super().__init__()
        self.cell, self.inward, self.outward = cell, inward, nn.Linear(256, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Every step's readout."""
        state, sent = None, []
        for row in x:
            spikes, state = self.cell(self.inward(row), state)
            sent.append(self.outward(spikes))
        return torch.stack(sent)


class _RLeaky(nn.Module):
    """snnTorch's cell with its two parts of state as one."""

    def __init__(self) -> None:
        super().__init__()
        import snntorch

        self.cell = snntorch.RLeaky(beta=0.8, all_to_all=True, linear_features=256, threshold=0.7)

    def forward(self, x: torch.Tensor, state: Any) -> tuple[torch.Tensor, Any]:
        """One step."""
        spikes, potential = self.cell(x, *(self.cell.init_rleaky() if state is None else state))
        return spikes, (spikes, potential)


def _snntorch(quick: bool) -> Case:
    x = _events(25 if quick else 100, 32, 64)
    return Case(f"recurrent 256 {list(x.shape)}", "snnTorch", _OverTime(_RLeaky(), nn.Linear(64, 256)), x, _nothing)


def _norse(quick: bool) -> Case:
    import norse.torch as norse

    cell = norse.LIFRecurrentCell(64, 256, p=norse.LIFParameters(v_th=torch.tensor(0.3)))
    x = _events(25 if quick else 100, 32, 64)
    return Case(f"recurrent 256 {list(x.shape)}", "Norse", _OverTime(cell, nn.Identity()), x, _nothing)


def _events(*shape: int) -> torch.Tensor:
    return (torch.rand(shape) < 0.1).float()


def _nothing(_: nn.Module) -> None:
    """A module that starts afresh in every run."""


CASES: tuple[Callable[[bool], Case], ...] = (_conv, _dense, _snntorch, _norse)
