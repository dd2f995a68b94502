"""What one traced run leaves behind: for each operation a node and where its inputs came from, and every refusal.

A loop over time meets each operation once in every step. The recorder tells the operation by its site, so the steps
fall onto one node, and an input that was computed in the step before becomes a delayed wire. The first step, where
states are still constants, is overwritten by the second; from the third on the loop's body has to stay as it is.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import GraphError, SpikeportError
from ..graph.nodes import Input, Node
from ..graph.nodes.base import Array, frozen
from ..graph.signal import GRADED, Carries, Signal
from .constants import SMALL, Constants, numbers
from .memory import Memory
from .sites import Site, line, site
from .values import PARTIAL, POSITIONS, Tracked, Value, track

Wires = tuple[tuple[int, bool], ...]
Place = tuple[Site, str]
"""An operation in the user's code: its site, and the name of its node."""
Dispatch = Callable[["Recorder", Callable[..., Any], tuple[Any, ...], dict[str, Any]], Any]


class Offence(SpikeportError):
    """One operation that cannot be traced."""


@dataclass
class Entry:
    """A node in the making.

    Args:
        name: what it will be called.
        node: the node, as of the last step that met it.
        wires: (key, delayed) for each input, as of the last step.
        step: the last step that met it.
        twin: the key of the neuron whose inputs it shares, for a node that sends a neuron's state.
        signal: what it sends, where that is known already.
    """

    name: str
    node: Node
    wires: Wires
    step: int | None
    twin: int | None = None
    signal: Signal | None = None


@dataclass
class Recorder:
    """Collects entries while a module runs.

    Args:
        dispatch: what runs torch functions.
        constants: the arrays of the module's weights and of every other constant.
        host: make host nodes of what a chip cannot do.
        seeking: whether the axis of time is still to be found out.
        turning: the operations of a loop over a static input, which an earlier run has found.
        steps: how many steps the example has, 0 where it has no time axis.
        batch: how many samples the example has.
        memory: the tracked tensors by the memory they lie in.
        held: how many steps a loop made of an example without a time axis, 0 for none.
        entries: the nodes so far by key.
        offences: what cannot be traced, in the order it was met.
        path: the modules that are running, outermost first, and whether each does one thing.
        calls: how often each stateful module has been called.
        dropped: what the module answers with and the graph does not.
        dts: the lengths of a step that neurons have stated, by name.
        twins: for a neuron's key and state, the node that sends that state.
        written: for tensors that steps are written into one by one, the values by step.
    """

    dispatch: Dispatch
    constants: Constants
    host: bool = False
    seeking: bool = False
    turning: frozenset[Place] = frozenset()
    steps: int = 0
    batch: int = 1
    memory: Memory = field(default_factory=Memory)
    held: int = 0
    entries: dict[int, Entry] = field(default_factory=dict)
    offences: list[Offence] = field(default_factory=list)
    path: list[tuple[str, bool]] = field(default_factory=list)
    calls: dict[str, int] = field(default_factory=dict)
    dropped: list[str] = field(default_factory=list)
    dts: dict[str, float] = field(default_factory=dict)
    twins: dict[tuple[int, str], Callable[[Node], Node]] = field(default_factory=dict)
    written: dict[int, dict[int, Value]] = field(default_factory=dict)
    _keys: dict[tuple[object, ...], int] = field(default_factory=dict)
    _turns: dict[tuple[Site, int], int] = field(default_factory=dict)
    _met: dict[Place, list[int]] = field(default_factory=dict)
    _said: set[tuple[str, ...]] = field(default_factory=set)

    @property
    def where(self) -> str:
        """The path of the module that is running."""
        return self.path[-1][0] if self.path else ""

    @property
    def alone(self) -> bool:
        """Whether the running module does one thing, so that its node is called as the module is."""
        return bool(self.path) and self.path[-1][1]

    @property
    def length(self) -> int:
        """How many steps there are, as far as it is known; else 0."""
        return self.steps or self.held

    def function(self, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A torch function that met a tracked tensor."""
        with torch._C.DisableTorchFunction():
            return self.dispatch(self, func, args, kwargs)

    # What is sent --------------------------------------------------------------------------------

    def emit(
        self, name: str, node: Node, inputs: Sequence[Value], *, step: int | None = None, stateful: bool = False
    ) -> int:
        """Record that `node` reads `inputs`, and hand back its key; `step` for what counts its own steps."""
        inputs = [self.sent(value) for value in inputs]
        steps = [value.step for value in inputs if value.step is not None]
        step = max(steps) if step is None and steps else step
        here: Place = (() if stateful else site(self.where), name)
        if here in self.turning:
            step = len(self._met.get(here, ()))
        if steps and any(value.whole for value in inputs):
            found = "an operation on all steps at once and on one step"
            self.offend(name, found, "one or the other", "loop over time, or do not")
        wires = tuple(self._wire(name, value, step) for value in inputs)
        begun = all(value.step is None or value.step >= 0 for value in inputs)
        signal = self._signal(node, wires) if begun else None
        key = self.reserve(name) if stateful else self._key(here, node, wires, step)
        if stateful and key in self.entries and self.entries[key].step == step:
            self.offend(name, "a stateful module called twice in one step", "one call a step", "make a second module")
        self._put(key, Entry(name, node, wires, step, signal=signal))
        return key

    def reserve(self, name: str) -> int:
        """The key of a stateful node, which may be read before it is recorded."""
        return self._keys.setdefault(("state", name), len(self._keys))

    def loops(self) -> frozenset[Place]:
        """Operations that came again and again, each time reading something else: a loop over a static input."""
        again = {place: len(keys) for place, keys in self._met.items() if len(set(keys)) > 1 and len(keys) > 2}
        most = Counter(again.values()).most_common(1)
        return frozenset(place for place, count in again.items() if count == most[0][0])

    def _key(self, here: Place, node: Node, wires: Wires, step: int | None) -> int:
        where, name = here
        if step is None:
            identity: tuple[object, ...] = ("whole", where, name, wires, _fields(node))
        else:
            turn = self._turns.get((where, step), 0)
            self._turns[where, step] = turn + 1
            identity = ("step", where, name, turn)
        key = self._keys.setdefault(identity, len(self._keys))
        self._met.setdefault(here, []).append(key)
        return key

    def _wire(self, name: str, value: Value, step: int | None) -> tuple[int, bool]:
        late = 0 if step is None or value.step is None else step - value.step
        if late > 1:
            fix = "hand values on from one step to the next only, or use a Delay"
            self.offend(name, f"a value from {late} steps ago", "one from this step or the one before", fix)
        return value.key, late == 1 or value.late

    def _signal(self, node: Node, wires: Wires) -> Signal | None:
        """What the node sends; a GraphError where its inputs do not fit it."""
        sources = [self.entries[key].signal for key, _ in wires if key in self.entries]
        known = [signal for signal in sources if signal is not None]
        return node.signal(known) if len(known) == len(wires) else None

    def _put(self, key: int, new: Entry) -> None:
        old = self.entries.get(key)
        settled = old is not None and new.step is not None and new.step >= 2
        if settled and old is not None and not (old.wires == new.wires and alike(old.node, new.node)):
            fix = "give every step the same body, or unroll it into a network without a loop"
            found = f"a loop whose body changes at step {new.step}"
            self.offend(new.name, found, "the same operations in every step", fix)
        self.entries[key] = new

    def sent(self, value: Value) -> Value:
        """The value as a node sends it: a neuron's state gets a node of its own, a twin that sends it."""
        if value.state in ("", "z"):
            return replace(value, state="")
        key = self._keys.setdefault(("twin", value.key, value.state), len(self._keys))
        neuron = self.entries[value.key]
        make = self.twins.get((value.key, value.state))
        if make is None:
            self.offend(neuron.name, *unsent(value.state))
            return replace(value, state="")
        node = make(neuron.node)
        signal = self._signal(node, neuron.wires)
        self.entries[key] = Entry(f"{neuron.name}_{value.state}", node, (), neuron.step, twin=value.key, signal=signal)
        return replace(value, key=key, state="")

    def carries(self, value: Value) -> Carries:
        """What values a signal can have, as far as it is known."""
        signal = None if value.state not in ("", "z") else self.entries[value.key].signal
        return GRADED if signal is None else signal.carries

    def unknown(self, name: str, result: Tensor, axes: str, step: int | None) -> Value:
        """A stand-in for what was refused, so that the run goes on and meets every other offence."""
        shape = tuple(n for n, axis in zip(result.shape, axes, strict=True) if axis == "f")
        key = self._keys.setdefault(("unknown", site(self.where), name, shape), len(self._keys))
        self.entries[key] = Entry(name, Input(tuple(max(n, 1) for n in shape)), (), step)
        return Value(key, axes, step)

    def wrap(self, result: Tensor, value: Value) -> Tracked:
        """A result that remembers its value."""
        tracked = track(result, value, self)
        self.memory.hold(tracked)
        return tracked

    # What is refused -----------------------------------------------------------------------------

    def offend(self, what: str, found: str, expected: str = "", fix: str = "") -> None:
        """Note something that cannot be traced; said once for each place."""
        place = line()
        where = f"{self.where or what} ({place})" if place else self.where or what
        said = (where, re.sub(r"\d+", "", found), expected, fix)
        if said not in self._said:
            self._said.add(said)
            self.offences.append(Offence(where, found, expected, fix))

    # Constants -----------------------------------------------------------------------------------

    def constant(self, tensor: Tensor, what: str = "constant") -> Array:
        """A constant tensor as a node's array; the same tensor always gives the same array."""
        try:
            return self.constants.array(tensor, what)
        except GraphError as error:
            self.offend(what, f"{what}: {error.found}", error.expected, error.fix)
            return frozen(np.nan_to_num(np.real(numbers(tensor))), what)

    def state_step(self, name: str) -> int:
        """The step that this call of a stateful module is, counted by its calls."""
        step = self.calls.get(name, 0)
        self.calls[name] = step + 1
        return step


def unsent(state: str) -> tuple[str, str, str]:
    """Why a state cannot be sent: found, expected, fix."""
    if state == PARTIAL:
        return "a tensor that not every step was written into", "all steps", "write every step before reading it"
    if state == POSITIONS:
        return "positions of the largest or smallest values", "the values", "leave the choice to the caller"
    expected = "a state that a node can send, the voltage of a neuron"
    return f"its state '{state}' is used outside the neuron", expected, "use its spikes instead"


def _fields(node: Node) -> tuple[object, ...]:
    """A node's fields as something to look up: arrays by what they hold."""
    values = (getattr(node, each.name) for each in fields(node))
    return (node.kind, *((_held(v) if isinstance(v, np.ndarray) else str(v)) for v in values))


def _held(array: Array) -> object:
    return (array.shape, array.tobytes()) if array.size <= SMALL else id(array)


def alike(a: Node, b: Node) -> bool:
    """Whether two nodes have the same kind and the same fields."""
    if type(a) is not type(b):
        return False
    pairs = ((getattr(a, each.name), getattr(b, each.name)) for each in fields(a))
    return all(x is y or (np.array_equal(x, y) if isinstance(x, np.ndarray) else x == y) for x, y in pairs)
