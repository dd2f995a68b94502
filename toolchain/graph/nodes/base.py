"""What every node is: frozen fields, a rule for shapes, and one reference function that runs its equation."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from ...errors import GraphError
from ..signal import Signal

Array = npt.NDArray[Any]
State = dict[str, Array]
ArrayLike = Any
"""What an array field takes: a number, nested sequences or a numpy array. The node holds a read-only array."""

KINDS = "fc"
LARGEST = 2**40
"""The most values one signal may have: beyond it a declared shape is a mistake or an attack."""


def array(**kwargs: Any) -> Any:
    """A dataclass field that holds a read-only array."""
    return field(metadata={"array": True}, **kwargs)


def frozen(values: ArrayLike, where: str = "array") -> Array:
    """`values` as a read-only, C-contiguous array of finite float32, float64 or complex numbers.

    An array that is read-only and contiguous already is taken as it is, without a copy.
    """
    given = np.asarray(values)
    if given.dtype.kind in "iub":
        given = given.astype(np.float64)
    elif given.dtype == np.float16:
        given = given.astype(np.float32)
    if given.dtype.kind not in KINDS or given.dtype.itemsize > 16 or not given.dtype.isnative:
        raise GraphError(where, f"values of type {given.dtype}", "float32, float64 or complex numbers")
    if not np.isfinite(given).all():
        raise GraphError(where, "NaN or infinite values", "finite numbers", "look for the training step that made them")
    if given.flags.writeable or not given.flags.c_contiguous:
        given = np.array(given, order="C", copy=True)
    given.flags.writeable = False
    return given


def ints(values: Any, where: str, least: int = 0) -> tuple[int, ...]:
    """`values` as a tuple of integers, each at least `least`."""
    if isinstance(values, int):
        values = (values,)
    numbers = tuple(values)
    if any(isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < least for n in numbers):
        raise GraphError(where, f"{values}", f"integers of at least {least}")
    return tuple(int(n) for n in numbers)


@dataclass(frozen=True, eq=False)
class Node(ABC):
    """One operation of a graph in discrete time.

    Subclasses are final. Each states its per-step equation in its docstring, checks its own fields in `check`,
    tells in `signal` what it sends for what it receives, and runs the equation in `step`.
    """

    arity: ClassVar[tuple[int, int | None]] = (1, 1)
    """The fewest and the most inputs; None: no upper limit."""

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if each.metadata.get("array") and value is not None:
                object.__setattr__(self, each.name, frozen(value, each.name))
        self.check()

    @property
    def kind(self) -> str:
        """The name of the node's type, as the text form prints it."""
        return type(self).__name__

    @property
    def stateful(self) -> bool:
        """Whether the node remembers anything from one step to the next."""
        return False

    def arrays(self) -> Mapping[str, Array]:
        """The node's arrays by field name."""
        held = {each.name: getattr(self, each.name) for each in fields(self) if each.metadata.get("array")}
        return {name: value for name, value in held.items() if value is not None}

    def check(self) -> None:  # noqa: B027 - most nodes have nothing to add
        """Raise a GraphError for fields that do not go together; may replace a field by its canonical form."""

    @abstractmethod
    def signal(self, inputs: Sequence[Signal]) -> Signal:
        """What the node sends when it receives `inputs`; a GraphError where they do not fit."""

    def start(self, shape: tuple[int, ...], batch: int, dtype: npt.DTypeLike) -> State:  # noqa: ARG002
        """The state before the first step, for a node that receives `shape`."""
        return {}

    @abstractmethod
    def step(self, state: State, *inputs: Array) -> tuple[Array, State]:
        """The reference: one step of the equation on inputs of shape [batch, *shape]; the output and the new state."""

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)


def need(condition: bool, where: str, found: str, expected: str, fix: str = "") -> None:
    """Raise a GraphError unless `condition` holds."""
    if not condition:
        raise GraphError(where, found, expected, fix)


def shown(shape: Sequence[int]) -> str:
    """A shape as messages print it."""
    return "[" + ",".join(map(str, shape)) + "]"


def check_size(shape: tuple[int, ...], where: str) -> None:
    """Refuse a shape with no values or with more than any machine holds."""
    need(all(n >= 1 for n in shape), where, f"shape {shown(shape)}", "sizes of at least 1")
    need(math.prod(shape) <= LARGEST, where, f"shape {shown(shape)}", f"at most {LARGEST} values")


def axis_of(axis: int, rank: int, where: str) -> int:
    """`axis` counted from the front, for a signal of `rank` axes."""
    need(-rank <= axis < rank, where, f"axis {axis}", f"an axis of a signal with {rank} axes")
    return axis % rank
