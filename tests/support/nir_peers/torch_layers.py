"""Layers of torch that compute what a graph's layers do: what the frameworks built on torch have between neurons."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from spikeport.toolchain.graph import Graph
from spikeport.toolchain.graph import nodes as n
from torch import nn


def tensor(values: Any) -> torch.Tensor:
    """In float32, in memory of its own."""
    return torch.from_numpy(np.array(values, np.float32))


def layer(graph: Graph, name: str) -> nn.Module:
    """Torch's own layer for a node of the graph."""
    node = graph.nodes[name]
    if isinstance(node, n.Affine):
        return _filled(nn.Linear(*reversed(node.weight.shape), bias=node.bias is not None), node.weight, node.bias)
    if isinstance(node, n.Conv):
        padding = tuple(before for before, _ in node.padding)
        wide = (node.weight.shape[1] * node.groups, node.weight.shape[0], node.kernel, node.stride, padding)
        made = nn.Conv2d(*wide, dilation=node.dilation, groups=node.groups, bias=node.bias is not None)
        return _filled(made, node.weight, node.bias)
    if isinstance(node, n.AveragePool):
        return nn.AvgPool2d(node.window, node.stride)
    if isinstance(node, n.SumPool):
        return nn.LPPool2d(1, node.window, node.stride)
    assert isinstance(node, n.Flatten)
    return nn.Flatten()


def _filled(made: Any, weight: n.Array, bias: n.Array | None) -> nn.Module:
    made.weight.data = tensor(weight)
    if bias is not None:
        made.bias.data = tensor(bias)
    module: nn.Module = made
    return module


class Net(nn.Module):
    """Layers one behind the other, the first perhaps two side by side, that hand their states on.

    Args:
        layers: by name; `left` and `right` are added.
        own: the names of those that take and give a state beside the signal.
    """

    def __init__(self, layers: dict[str, nn.Module], own: frozenset[str] = frozenset()) -> None:
        super().__init__()
        self.names, self.own = tuple(name for name in layers if name not in ("left", "right")), own
        for name, each in layers.items():
            self.add_module(name, each)

    def forward(self, x: torch.Tensor, state: dict[str, Any] | None = None) -> Any:
        """One step."""
        held = dict(state or {})
        modules = dict(self.named_children())
        if "left" in modules:
            x = modules["left"](x) + modules["right"](x)
        for name in self.names:
            if name in self.own:
                x, held[name] = modules[name](x, held.get(name))
            else:
                x = modules[name](x)
        return (x, held) if self.own else x
