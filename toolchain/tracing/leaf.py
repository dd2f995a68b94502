"""A module that a dialect knows: what its row may do while the module is called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..graph.nodes import Firing, Node
from .operation import Cannot
from .recorder import Recorder
from .values import Tracked, Value, mapped, plain, untracked

LIFT = "fold time into the batch or lift the module over time"


@dataclass(frozen=True)
class Row:
    """What a dialect knows of one type of module.

    Args:
        call: records nodes for one call and hands back what the module would.
        many: whether a call takes all steps at once.
        fresh: puts a module back to before its first step.
    """

    call: Callable[[Leaf], Any]
    many: Callable[[nn.Module], bool] = lambda _: False
    fresh: Callable[[nn.Module], None] | None = None


@dataclass
class Leaf:
    """One call of a module that a dialect knows.

    Args:
        module: the module.
        path: its path in the network.
        args: its arguments.
        kwargs: its named arguments.
        recorder: where nodes are recorded.
        many: whether this call takes all steps at once.
    """

    module: Any
    path: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    recorder: Recorder
    many: bool
    step: int | None = None

    def __post_init__(self) -> None:
        value = self.value
        if self.many and not value.axes.startswith("T"):
            raise Cannot(f"{self.kind}, which takes all steps at once, on axes {value.axes}", "time as the first axis")
        if not self.many and value.whole:
            raise Cannot(f"{self.kind}, which takes one step, on all steps at once", "one step at a time", LIFT)
        if not self.many:
            self.step = self.recorder.state_step(self.path)
            if value.step is not None and value.step != self.step:
                raise Cannot(
                    f"call {self.step} of {self.kind} on a value of step {value.step}", "one call in every step"
                )

    @property
    def kind(self) -> str:
        """The module's type."""
        return type(self.module).__name__

    @property
    def value(self) -> Value:
        """The value of the first argument."""
        first = self.args[0] if self.args else next(iter(self.kwargs.values()), None)
        if not isinstance(first, Tracked):
            raise Cannot(f"{self.kind} called with a constant", "a signal")
        if first.value.readout:
            raise Cannot(f"{self.kind} after the {first.value.readout} over time", "a signal of every step")
        return first.value

    def run(self) -> Any:
        """What the module itself answers, on plain tensors."""
        return untracked(lambda: self.module(*plain(self.args), **plain(dict(self.kwargs))))

    def argument(self, index: int, name: str) -> Any:
        """An argument by place or by name; none where it was not given."""
        return self.args[index] if len(self.args) > index else self.kwargs.get(name)

    def array(self, value: Any, what: str = "parameter") -> Any:
        """A parameter as a node's array."""
        if isinstance(value, Tensor):
            return self.recorder.constant(value, what)
        return np.asarray(float(value))

    def send(self, suffix: str, node: Node, *values: Value) -> Value:
        """A node in front of the neuron, called path.suffix."""
        return self._emit(f"{self.path}.{suffix}", node, values)

    def neuron(self, node: Node, *values: Value) -> Value:
        """The neuron itself, called as the module is."""
        value = self._emit(self.path, node, values or (self.value,))
        if isinstance(node, Firing):
            charge = "charge" if node.when == "now" and node.reset != "none" else "voltage"
            for state, emit in (("v", "voltage"), ("charge", charge)):
                self.recorder.twins[value.key, state] = lambda made, emit=emit: replace(made, emit=emit)
        else:
            for state in ("v", "charge"):
                self.recorder.twins[value.key, state] = lambda made: made
        return value

    def _emit(self, name: str, node: Node, values: tuple[Value, ...]) -> Value:
        key = self.recorder.emit(name or self.kind.lower(), node, values, step=self.step, stateful=True)
        return Value(key, self.value.axes, self.step)

    def feedback(self) -> Value:
        """What the neuron sent in the step before."""
        return Value(self.recorder.reserve(self.path or self.kind.lower()), self.value.axes, late=True)

    def tracked(self, tensor: Tensor, value: Value, state: str = "") -> Tracked:
        """A result, or a state of the neuron, that remembers where it comes from."""
        return self.recorder.wrap(tensor, replace(value, state=state) if state else value)

    def states(self, given: Mapping[str, tuple[Any, Any]]) -> None:
        """Check the states that the caller handed in: (tensor, what it starts from) by name.

        In the first step they have to be the start; in a later one, what this module handed out in the step before.
        """
        for name, (tensor, start) in given.items():
            if isinstance(tensor, Tracked):
                mine = tensor.value.key == self.recorder.reserve(self.path) and tensor.value.state in (
                    {"z", ""} if name == "z" else {name}
                )
                if self.many or not mine or tensor.value.step != (self.step or 0) - 1:
                    raise Cannot(
                        f"state '{name}' of {self.kind} changed between steps",
                        "its own state, untouched",
                        "let the module keep it",
                    )
            elif isinstance(tensor, Tensor) and tensor.numel():
                if self.step or not np.array_equal(
                    *np.broadcast_arrays(tensor.detach().cpu().numpy(), np.asarray(start))
                ):
                    raise Cannot(
                        f"state '{name}' of {self.kind} given from outside",
                        "the state it starts from",
                        "start from the default",
                    )


def number(value: Any) -> float:
    """A scalar parameter as a float, in the arithmetic it was computed in."""
    return float(value.detach()) if isinstance(value, Tensor) else float(value)
