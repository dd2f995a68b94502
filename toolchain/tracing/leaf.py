"""A module that a dialect knows: what its row may do while the module is called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ..graph.nodes import Firing, Node
from ..graph.nodes.base import Array
from .operation import Cannot
from .recorder import Recorder
from .values import Tracked, Value, plain, untracked

LIFT = "fold time into the batch or lift the module over time"
UNTOUCHED = "its own state, untouched"
KEEP = "hand its state on as it is, or let the module keep it"
PROBES = (-4.0, -2.5, -1.0, -0.3, -1e-3, 0.0, 1e-3, 0.3, 1.0, 2.5, 4.0)
"""Where a spike function is asked what it answers: below the threshold, at it and above."""


@dataclass(frozen=True)
class Row:
    """What a dialect knows of one type of module.

    Args:
        call: records nodes for one call and hands back what the module would.
        many: whether a call takes all steps at once; none where it keeps nothing and takes either.
        fresh: puts a module back to before its first step.
    """

    call: Callable[[Leaf], Any]
    many: Callable[[nn.Module], bool | None] = lambda _: False
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
        many: whether this call takes all steps at once; none where it does not matter.
        step: the step that this call is, counted by its calls; none where it takes all of them.
    """

    module: Any
    path: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    recorder: Recorder
    many: bool | None
    step: int | None = None

    def __post_init__(self) -> None:
        value = self.value
        if self.many is None:
            return
        if not value.plain:
            raise Cannot(f"{self.kind} on axes {value.axes}", "time first, then the batch", "permute time to the front")
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

    def array(self, value: Any, what: str = "weight") -> Any:
        """A number or a tensor, whatever its axes, as a node's array."""
        if isinstance(value, Tracked):
            raise Cannot(f"{self.kind} with a {what} that is a signal", f"a constant {what}")
        if isinstance(value, Tensor):
            return self.recorder.constant(value, what)
        return np.asarray(value, np.float64)

    def parameter(self, value: Any, what: str = "parameter") -> Any:
        """A parameter that broadcasts over [batch, *features], as an array that broadcasts over the features."""
        array: Array = self.array(value, what)
        while array.ndim > self.value.axes.count("f"):
            if len(array) != 1:
                raise Cannot(f"{self.kind} with a {what} of shape {list(array.shape)}", "one value for all samples")
            array = array[0]
        return array

    def at_least(self, function: Callable[[Tensor], Tensor]) -> bool:
        """Whether a spike function of v − θ fires at 0 already; one that is no step cannot be traced."""
        answers = [_asked(function) for _ in range(3)]
        probes = torch.tensor(PROBES)
        for inclusive, step in ((False, probes > 0), (True, probes >= 0)):
            if all(isinstance(each, Tensor) and torch.equal(each.float(), step.float()) for each in answers):
                return inclusive
        name = getattr(function, "__name__", type(function).__name__)
        raise Cannot(
            f"{self.kind} with the spike function {name}, which is no step from 0 to 1",
            "a surrogate that spikes in its forward pass",
            "set another one for inference; it changes nothing but gradients",
        )

    def send(self, suffix: str, node: Node, *values: Value) -> Value:
        """A node in front of the neuron, called path.suffix."""
        return self._emit(f"{self.path}.{suffix}", node, values)

    def neuron(self, node: Node, *values: Value) -> Value:
        """The neuron itself, called as the module is."""
        value = self._emit(self.path, node, values or (self.value,))
        if isinstance(node, Firing):
            charge = "charge" if node.when == "now" and node.reset != "none" else "voltage"
            for state, emit in (("v", "voltage"), ("charge", charge)):
                self.recorder.twins[value.key, state] = partial(replace, emit=emit)
        else:
            for state in ("v", "charge"):
                self.recorder.twins[value.key, state] = partial(replace)
        return value

    def _emit(self, name: str, node: Node, values: tuple[Value, ...]) -> Value:
        key = self.recorder.emit(name or self.kind.lower(), node, values, step=self.step, stateful=True)
        return Value(key, self.value.axes, self.step)

    def after(self, value: Value) -> Value:
        """The neuron's value once this call is over: of this step, or of the last one."""
        return replace(value, axes=value.axes.replace("T", ""), readout="last") if value.whole else value

    def feedback(self) -> Value:
        """What the neuron sent in the step before."""
        return Value(self.recorder.reserve(self.path or self.kind.lower()), self.value.axes, late=True)

    def tracked(self, tensor: Tensor, value: Value, state: str = "") -> Tracked:
        """A result, or a state of the neuron, that remembers where it comes from."""
        return self.recorder.wrap(tensor, replace(value, state=state) if state else value)

    def states(self, given: Mapping[str, tuple[Any, Any]]) -> None:
        """Check the states that this call starts from: (tensor, what it starts from) by name.

        In the first step they have to be the start; in a later one, what this module handed out in the step before.
        """
        for name, (state, start) in given.items():
            if isinstance(state, Tracked):
                self._check_own(name, state.value)
            elif self.step:
                raise Cannot(f"state '{name}' of {self.kind} put back in step {self.step}", UNTOUCHED, KEEP)
            elif state is not None and np.size(_numbers(state)):
                self._check_start(name, _numbers(state), np.asarray(start))

    def _check_own(self, name: str, value: Value) -> None:
        """The state is what this module handed out in the step before."""
        states = {"z", ""} if name == "z" else {name}
        if self.many:
            raise Cannot(f"{self.kind} called again with the state it ended with", "one call", "make a second module")
        mine = value.key == self.recorder.reserve(self.path) and value.state in states
        if not mine or value.step != (self.step or 0) - 1:
            raise Cannot(f"state '{name}' of {self.kind} changed between steps", UNTOUCHED, KEEP)

    def _check_start(self, name: str, state: Array, start: Array) -> None:
        same = np.broadcast_arrays(state, start)
        if not np.array_equal(same[0], same[1]):
            found = f"state '{name}' of {self.kind} given from outside"
            raise Cannot(found, "the state it starts from", "start from the default")


def _asked(function: Callable[[Tensor], Tensor]) -> Any:
    """What a spike function answers; nothing where it fails, as one that draws by its input's value may."""
    try:
        return untracked(lambda: function(torch.tensor(PROBES)))
    except (RuntimeError, ValueError):
        return None


def refused(
    why: str,
    instead: str,
    many: Callable[[nn.Module], bool | None] = lambda _: False,
    fresh: Callable[[nn.Module], None] | None = None,
) -> Row:
    """A row that refuses a type of module by its name, says why, and what to use instead."""

    def call(leaf: Leaf) -> Any:
        raise Cannot(f"{leaf.kind}: {why}", instead, "use one of them, or give a row for it")

    return Row(call, many, fresh)


def _numbers(value: Any) -> Array:
    return value.detach().cpu().numpy() if isinstance(value, Tensor) else np.asarray(value)
