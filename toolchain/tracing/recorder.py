"""What one traced run leaves behind: for each operation a node and where its inputs came from, and every refusal.

A loop over time meets each operation once in every step. The recorder tells the operation by its site, so the steps fall
onto one node, and an input that was computed in the step before becomes a delayed wire. The first step, where states are
still constants, is overwritten by the second; from the third on the loop's body has to stay as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..errors import GraphError, SpikeportError
from ..graph.graph import Wire
from ..graph.nodes import Input, Node
from ..graph.nodes.base import Array, frozen
from .sites import Site, line, site
from .values import Tracked, Value, track


SMALL = 16
"""Constants of up to so many values are told apart by value, larger ones by identity."""


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
    """

    name: str
    node: Node
    wires: tuple[tuple[int, bool], ...]
    step: int | None
    twin: int | None = None


@dataclass
class Recorder:
    """Collects entries while a module runs.

    Args:
        host: make host nodes of what a chip cannot do.
        steps: how many steps the example has, 0 where it has no time axis.
        batch: how many samples the example has.
        held: how many steps a loop made of an example without a time axis, 0 for none.
        entries: the nodes so far by key.
        offences: what cannot be traced, in the order it was met.
        path: the modules that are running, outermost first, and whether each does one thing.
        calls: how often each stateful module has been called.
        dropped: states that the module answers with and the graph does not.
        dts: the lengths of a step that neurons have stated, by name.
        twins: for a neuron's key and state, the node that sends that state.
        dispatch: what runs torch functions.
    """

    host: bool = False
    steps: int = 0
    batch: int = 1
    held: int = 0
    entries: dict[int, Entry] = field(default_factory=dict)
    offences: list[Offence] = field(default_factory=list)
    path: list[tuple[str, bool]] = field(default_factory=list)
    calls: dict[str, int] = field(default_factory=dict)
    dropped: list[str] = field(default_factory=list)
    dts: dict[str, float] = field(default_factory=dict)
    twins: dict[tuple[int, str], Callable[[Node], Node]] = field(default_factory=dict)
    dispatch: Callable[[Recorder, Callable[..., Any], tuple[Any, ...], dict[str, Any]], Any] | None = None
    _keys: dict[tuple[object, ...], int] = field(default_factory=dict)
    _seen: dict[tuple[Site, int], int] = field(default_factory=dict)
    _turned: dict[int, tuple[Array, Array]] = field(default_factory=dict)
    _arrays: dict[int, tuple[Tensor, int, Array]] = field(default_factory=dict)

    @property
    def where(self) -> str:
        """The path of the module that is running."""
        return self.path[-1][0] if self.path else ""

    @property
    def alone(self) -> bool:
        """Whether the running module does one thing, so that its node is called as the module is."""
        return bool(self.path) and self.path[-1][1]

    def function(self, func: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """A torch function that met a tracked tensor."""
        if self.dispatch is None:
            raise SpikeportError(
                "tracing", "a tracked tensor outside its trace", fix="do not keep tensors of a traced run"
            )
        return self.dispatch(self, func, args, kwargs)

    # What is sent --------------------------------------------------------------------------------

    def emit(
        self, name: str, node: Node, inputs: Sequence[Value], *, step: int | None = None, stateful: bool = False
    ) -> int:
        """Record that `node` reads `inputs`, and hand back its key; `step` for what counts its own steps."""
        inputs = [self.sent(value) for value in inputs]
        steps = [value.step for value in inputs if value.step is not None]
        step = max(steps) if step is None and steps else step
        whole = any(value.whole for value in inputs)
        if whole and steps:
            self.offend(
                name,
                "an operation on all steps at once and on one step",
                "one or the other",
                "loop over time, or do not",
            )
        wires = tuple(self._wire(name, value, step) for value in inputs)
        key = self._key(name, node, wires, step, stateful=stateful)
        again = stateful and key in self.entries and self.entries[key].step == step
        if again:
            self.offend(name, "a stateful module called twice in one step", "one call a step", "make a second module")
        self._put(key, name, node, wires, step)
        return key

    def reserve(self, name: str) -> int:
        """The key of a stateful node, which may be read before it is recorded."""
        return self._keys.setdefault(("state", name), len(self._keys))

    def _key(
        self, name: str, node: Node, wires: tuple[tuple[int, bool], ...], step: int | None, *, stateful: bool
    ) -> int:
        if stateful:
            return self.reserve(name)
        if step is None:
            identity: tuple[object, ...] = ("whole", site(self.where), name, wires, _fields(node))
        else:
            here = (site(self.where), step)
            turn = self._seen.get(here, 0)
            self._seen[here] = turn + 1
            identity = ("step", here[0], name, turn)
        return self._keys.setdefault(identity, len(self._keys))

    def _wire(self, name: str, value: Value, step: int | None) -> tuple[int, bool]:
        late = 0 if step is None or value.step is None else step - value.step
        if late > 1:
            fix = "hand values on from one step to the next only, or use a Delay"
            self.offend(name, f"a value from {late} steps ago", "one from this step or the one before", fix)
        return value.key, late == 1 or value.late

    def _put(self, key: int, name: str, node: Node, wires: tuple[tuple[int, bool], ...], step: int | None) -> None:
        old = self.entries.get(key)
        if old is not None and step is not None and step >= 2 and not (old.wires == wires and alike(old.node, node)):
            fix = "give every step the same body, or unroll it into a network without a loop"
            self.offend(name, f"a loop whose body changes at step {step}", "the same operations in every step", fix)
        self.entries[key] = Entry(name, node, wires, step)

    def sent(self, value: Value) -> Value:
        """The value as a node sends it: a neuron's state gets a node of its own, a twin that sends it."""
        if value.state in ("", "z"):
            return replace(value, state="")
        identity = ("twin", value.key, value.state)
        key = self._keys.setdefault(identity, len(self._keys))
        neuron = self.entries[value.key]
        make = self.twins.get((value.key, value.state))
        if make is None:
            expected = "a state that a node can send, the voltage of a neuron"
            self.offend(
                neuron.name, f"its state '{value.state}' is used outside the neuron", expected, "use its spikes instead"
            )
            return replace(value, state="")
        self.entries[key] = Entry(f"{neuron.name}_{value.state}", make(neuron.node), (), neuron.step, twin=value.key)
        return replace(value, key=key, state="")

    def unknown(self, name: str, result: Tensor, axes: str, step: int | None) -> Value:
        """A stand-in for what was refused, so that the run goes on and meets every other offence."""
        shape = tuple(n for n, axis in zip(result.shape, axes, strict=True) if axis == "f")
        key = len(self._keys)
        self._keys["unknown", key] = key
        self.entries[key] = Entry(name, Input(shape), (), step)
        return Value(key, axes, step)

    def wrap(self, result: Tensor, value: Value) -> Tracked:
        """A result that remembers its value."""
        return track(result, value, self)

    # What is refused -----------------------------------------------------------------------------

    def offend(self, what: str, found: str, expected: str = "", fix: str = "") -> None:
        """Note something that cannot be traced; said once for each place."""
        place = line()
        where = f"{self.where or what}" if not place else f"{self.where or what} ({place})"
        offence = Offence(where, found, expected, fix)
        if str(offence) not in {str(each) for each in self.offences}:
            self.offences.append(offence)

    # Constants -----------------------------------------------------------------------------------

    def constant(self, tensor: Tensor, what: str = "constant") -> Array:
        """A constant tensor as a node's array; the same tensor always gives the same array."""
        held = self._arrays.get(id(tensor))
        if held is not None and held[0] is tensor and held[1] == tensor._version:
            return held[2]
        try:
            array = frozen(_numbers(tensor), what)
        except GraphError as error:
            self.offend(what, error.found, error.expected, error.fix)
            array = frozen(np.nan_to_num(_numbers(tensor)), what)
        self._arrays[id(tensor)] = (tensor, tensor._version, array)
        return array

    def turned(self, matrix: Array) -> Array:
        """A constant matrix transposed; the same matrix always gives the same array."""
        key = id(matrix)
        if key not in self._turned:
            self._turned[key] = (matrix, frozen(matrix.T, "matrix"))
        return self._turned[key][1]

    def state_step(self, name: str) -> int:
        """The step that this call of a stateful module is, counted by its calls."""
        step = self.calls.get(name, 0)
        self.calls[name] = step + 1
        return step


def _numbers(tensor: Tensor) -> Array:
    data = tensor.detach()
    if data.dtype in (torch.bfloat16, torch.float16):
        data = data.float()
    array: Array = data.cpu().numpy()
    return array


def _fields(node: Node) -> tuple[object, ...]:
    """A node's fields as something to look up: arrays by what they hold."""
    values = (getattr(node, each.name) for each in fields(node))
    return (node.kind, *((_held(v) if isinstance(v, np.ndarray) else str(v)) for v in values))


def _held(array: Array) -> object:
    return array.tobytes() if array.size <= SMALL else id(array)


def alike(a: Node, b: Node) -> bool:
    """Whether two nodes have the same kind and the same fields."""
    if type(a) is not type(b):
        return False
    pairs = ((getattr(a, each.name), getattr(b, each.name)) for each in fields(a))
    return all(x is y or (np.array_equal(x, y) if isinstance(x, np.ndarray) else x == y) for x, y in pairs)
