"""One module of a framework, run by the framework itself and traced: both have to send the same spikes."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import torch
from spikeport.toolchain.graph import Graph
from spikeport.toolchain.graph.graph import Wire
from spikeport.toolchain.graph.nodes import Firing, Node, Output
from spikeport.toolchain.simulate import simulate
from spikeport.toolchain.tracing import trace
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

STEPS, BATCH = 32, 2
DISTANCE = 1e-5
"""In float32 a spike may differ once |v̂ − θ| was less than this (times the largest |v̂|, where that is above 1)."""


@dataclass(frozen=True)
class Case:
    """One module with one set of options.

    Args:
        row: the name of its type.
        options: what is special about it, for its name and for the documentation.
        make: makes it; called under a fixed seed.
        wrap: puts it into a module that takes [T, B, ...] and answers with a dictionary: spikes, and perhaps voltages.
        form: how it is called.
        shape: the shape of a sample.
        silent: it never spikes.
        resets: a reset happens in it.
    """

    row: str
    options: str
    make: Callable[[], nn.Module]
    wrap: Callable[[nn.Module], nn.Module]
    form: str = "loop"
    shape: tuple[int, ...] = (5,)
    silent: bool = False
    resets: bool = True

    @property
    def name(self) -> str:
        """What the test is called."""
        return f"{self.row}-{self.options or 'default'}-{self.form}".replace(" ", "")

    def module(self) -> nn.Module:
        """The wrapped module, always the same."""
        torch.manual_seed(7)
        return self.wrap(self.make()).eval()


class Wide(TorchFunctionMode):
    """Where a framework says float() it means floating point: here that is float64."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if func is Tensor.float:
            return args[0].double()
        args = tuple(torch.float64 if each is torch.float32 else each for each in args)
        kwargs = {k: torch.float64 if each is torch.float32 else each for k, each in (kwargs or {}).items()}
        try:
            return func(*args, **kwargs)
        except RuntimeError as error:
            if "dtype" not in str(error):
                raise
            return func(*map(_widened, args), **{k: _widened(each) for k, each in kwargs.items()})


def _widened(value: Any) -> Any:
    """A plain tensor that a module keeps stays in float32 when the module is put into float64."""
    return value.double() if isinstance(value, Tensor) and value.dtype is torch.float32 else value


def in_float64(module: nn.Module, x: Tensor) -> dict[str, np.ndarray]:
    """What the framework answers in float64."""
    with torch.no_grad(), Wide():
        return arrays(copy.deepcopy(module).double()(x.double().clone()))


def in_float32(module: nn.Module, x: Tensor) -> dict[str, np.ndarray]:
    """What the framework answers as it is."""
    with torch.no_grad():
        return arrays(copy.deepcopy(module)(x.float().clone()))


def arrays(answers: Any) -> dict[str, np.ndarray]:
    named = answers if isinstance(answers, dict) else {"output": answers}
    return {name: each.detach().double().numpy() for name, each in named.items()}


def lively(module: nn.Module, shape: tuple[int, ...], *, silent: bool = False, steps: int = STEPS) -> Tensor:
    """Inputs that make a module spike often, but not all the time."""
    rng = np.random.default_rng(3)
    base = torch.from_numpy(rng.normal(0.35, 1.0, (steps, BATCH, *shape)).astype(np.float32)).double()
    if silent:
        return base
    rates = {}
    for shift, scale in product((0.0, -0.4, -0.9), (1, 2, 0.5, 4, 8, 16, 32, 64, 0.2, 128)):
        x = (base + shift) * scale
        rates[scale, shift] = float(in_float64(module, x)["spikes"].astype(bool).mean())
        if 0.15 < rates[scale, shift] < 0.55:
            return x
    raise AssertionError(f"no input makes it spike well: {rates}")


def check(case: Case) -> Graph:
    """The traced graph sends what the framework sends, in float64 exactly and in float32 away from the threshold."""
    module = case.module()
    x = lively(module, case.shape, silent=case.silent)
    graph = trace(module, x[:5].float(), time_axis=0)
    wanted = in_float64(module, x)
    same(graph, x, wanted)
    if case.form not in ("all steps", "step mode m", "loop only") and not getattr(module, "zeros", 0):
        one_step(module, x, wanted["spikes"])
    if case.silent:
        return graph
    spikes = wanted["spikes"]
    assert spikes.any(axis=(0, 1)).mean() > 0.5, "most neurons spike"
    if case.resets:
        assert not np.array_equal(simulate(without_resets(graph), x.numpy()).outputs["spikes"], spikes)
    compare_in_float32(graph, module, x)
    return graph


def one_step(module: nn.Module, x: Tensor, wanted: np.ndarray) -> None:
    """The neuron alone, traced from one call: what the user's own loop over it sends."""
    (neuron,) = module.children()
    graph = trace(neuron, x[0].float(), time_axis=None)
    same(graph, x, {next(iter(graph.outputs)): wanted})


def same(graph: Graph, x: Tensor, wanted: dict[str, np.ndarray]) -> None:
    """Spikes equal, values to 1e-9."""
    found = simulate(graph, x.double().numpy(), dtype="float64").outputs
    assert set(found) >= set(wanted)
    for name, values in wanted.items():
        assert found[name].shape == values.shape, name
        if graph.signals[name].carries.graded:
            assert np.abs(found[name] - values).max() <= 1e-9 * max(1.0, np.abs(values).max()), name
        else:
            differ = np.argwhere(found[name] != values)
            assert not len(differ), f"{name} differs in {len(differ)} places, first at {differ[0]}"


def neurons_of(graph: Graph) -> list[str]:
    """The spiking neurons."""
    return [name for name, node in graph.nodes.items() if isinstance(node, Firing) and node.emit == "spikes"]


def without_resets(graph: Graph) -> Graph:
    """The same graph whose neurons never reset."""
    nodes: dict[str, Node] = dict(graph.nodes)
    for name in neurons_of(graph):
        nodes[name] = dataclasses.replace(nodes[name], reset="none", when="now", v_reset=0.0)
    return Graph(nodes, graph.wires, graph.dt, graph.name, graph.notes)


def with_charges(graph: Graph) -> Graph:
    """The same graph with an output "charge-NAME" for v̂ of every neuron."""
    nodes, wires = dict(graph.nodes), dict(graph.wires)
    for name in neurons_of(graph):
        nodes[f"twin-{name}"] = dataclasses.replace(nodes[name], emit="charge")
        wires[f"twin-{name}"] = wires[name]
        nodes[f"charge-{name}"], wires[f"charge-{name}"] = Output(), (Wire(f"twin-{name}"),)
    return Graph(nodes, wires, graph.dt, graph.name, graph.notes)


def compare_in_float32(graph: Graph, module: nn.Module, x: Tensor) -> None:
    """The framework's own float32 run sends the same, up to the first time that v̂ comes close to θ.

    A spike that differs changes what follows in its neuron; through a recurrent connection, in all of its sample.
    """
    x = x.float()
    wanted = in_float32(module, x)["spikes"]
    found = simulate(with_charges(graph), x.double().numpy(), dtype="float64").outputs
    (name,) = neurons_of(graph)
    node: Any = graph.nodes[name]
    charge = found[f"charge-{name}"]
    level = node.threshold + (0 if node.kind != "AdaptiveLIF" else adapted(node, found["spikes"]))
    near = np.abs(charge - level) < DISTANCE * max(1.0, np.abs(charge).max())
    recurrent = any(edge.delayed for edge in graph.edges)
    if recurrent:
        near = np.broadcast_to(near.any(axis=tuple(range(2, near.ndim)), keepdims=True), near.shape)
    sure = ~np.logical_or.accumulate(near)
    assert sure.mean() > (0.4 if recurrent else 0.8), "most of the run is away from the threshold"
    assert np.array_equal(found["spikes"][sure], wanted[sure])


def adapted(node: Any, spikes: np.ndarray) -> np.ndarray:
    """What an adaptive threshold has grown by, at each compare."""
    grown, rows = np.zeros(spikes.shape[1:]), []
    for s in spikes:
        rows.append(node.adapt_decay * grown)
        grown = rows[-1] + node.adapt_step * s
    return np.stack(rows)
