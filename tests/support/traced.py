"""Trace a module and compare what the graph computes with what the module computes, both in float64."""

import copy
from collections.abc import Mapping

import numpy as np
import torch
from spikeport.toolchain.graph import Graph
from spikeport.toolchain.simulate import simulate
from spikeport.toolchain.tracing import trace
from torch import nn


class Does(nn.Module):
    """A module that does what a function does."""

    def __init__(self, function, **parts):
        super().__init__()
        self.function = function
        for name, part in parts.items():
            setattr(self, name, part)

    def forward(self, *inputs):
        return self.function(self, *inputs) if self._modules or self._parameters else self.function(*inputs)


def tensors(value):
    """The tensors in an answer, in order."""
    if isinstance(value, torch.Tensor):
        return [value]
    parts = value.values() if isinstance(value, Mapping) else value if isinstance(value, (tuple, list)) else ()
    return [each for part in parts for each in tensors(part)]


def traced_as(module, example, *, seed=1, time_axis="auto", inputs=None, exact=False, **options) -> Graph:
    """The graph, once it has answered another input as the module does."""
    graph = trace(module, example, time_axis=time_axis, check=False, **options)
    dice = torch.Generator().manual_seed(seed)
    given = example if isinstance(example, tuple) else (example,)
    drawn = inputs or [torch.rand(each.shape, generator=dice).double() * 4 - 2 for each in given]
    rows = {name: in_time(graph, name, x, time_axis) for name, x in zip(graph.inputs, drawn, strict=True)}
    found = simulate(graph, rows, dtype="float64")
    wanted = answers(module, drawn)
    assert len(wanted) == len(graph.outputs)
    for name, answer in zip(graph.outputs, wanted, strict=True):
        values, over_time = found.outputs[name], graph.nodes[name].readout == "steps"
        if time_axis == 1 and over_time:
            answer = answer.swapaxes(0, 1)
        if values.ndim == answer.ndim + 1:
            values = values[0]
        if graph.signals[name].carries.graded and not exact:
            np.testing.assert_allclose(values, answer, rtol=1e-9, atol=1e-9)
        else:
            np.testing.assert_array_equal(values, answer)
    return graph


def answers(module, inputs):
    """What a copy of the module answers in float64."""
    wide = copy.deepcopy(module).double().eval()
    torch.set_default_dtype(torch.float64)
    try:
        with torch.no_grad():
            return [each.double().numpy() for each in tensors(wide(*(x.clone() for x in inputs)))]
    finally:
        torch.set_default_dtype(torch.float32)


def in_time(graph, name, x, axis):
    """[T, B, ...] of an input with time at an axis, or of one that is the same in every step."""
    if x.ndim == len(graph.nodes[name].shape) + 1:
        steps = int(graph.notes.get("input", "the module makes 1 steps").split()[-2])
        return np.ascontiguousarray(np.broadcast_to(x.numpy(), (steps, *x.shape)))
    return np.ascontiguousarray(np.moveaxis(x.numpy(), 0 if axis in ("auto", None) else axis, 0))
