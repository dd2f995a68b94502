"""What every node is: frozen fields, a rule for shapes, and one reference function that runs its equation."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import Field, dataclass, field, fields, replace
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from ...errors import GraphError
from ..signal import Signal

Array = npt.NDArray[Any]
State = dict[str, Array]
ArrayLike = Any
"""What an array field takes: a number, nested sequences or a numpy array. The node holds a read-only array."""

DTYPES = ("float32", "float64", "complex64", "complex128")
"""The types an array of a node can have."""
EXACT = 2**53
"""Integers up to here are float64 numbers."""
LARGEST = 2**40
"""The most values one signal may have: beyond it a declared shape is a mistake or an attack."""

BRIEF = 200
"""The most characters that one part of a message has."""
MOST_AXES = 32
"""The most axes of a signal or an array."""


def array(*, complex_too: bool = False, **kwargs: Any) -> Any:
    """A dataclass field that holds a read-only array of real numbers, or of complex ones where they make sense."""
    return field(metadata={"array": True, "complex": complex_too}, **kwargs)


def frozen(values: ArrayLike, where: str = "array", *, complex_too: bool = True) -> Array:
    """`values` as a read-only, C-contiguous array of finite float32, float64 or complex numbers.

    An array that is read-only and contiguous already is taken as it is, without a copy.
    """
    given = _floating(values, where)
    need(given.ndim <= MOST_AXES, where, f"{given.ndim} axes", f"at most {MOST_AXES}")
    if given.dtype.name not in DTYPES[: 4 if complex_too else 2]:
        expected = "float32, float64 or complex numbers" if complex_too else "float32 or float64 numbers"
        raise GraphError(where, f"values of type {given.dtype}", expected)
    if not np.isfinite(given).all():
        raise GraphError(where, "NaN or infinite values", "finite numbers", "look for the training step that made them")
    if not (given.flags.c_contiguous and given.dtype.isnative and _sealed(given)):
        given = np.array(given, given.dtype.newbyteorder("="), order="C", copy=True)
    given.flags.writeable = False
    return given


def frozen_integers(values: ArrayLike, where: str = "array", types: Sequence[type[np.integer[Any]]] = ()) -> Array:
    """`values` as a read-only, C-contiguous array of integers, of the first of these types that holds them or int64."""
    given = np.asarray(values)
    need(given.dtype.kind in "iub", where, f"values of type {given.dtype}", "integers")
    kind = np.dtype(next((each for each in types if _fits(given, np.dtype(each))), np.int64))
    if given.dtype != kind or not (given.flags.c_contiguous and _sealed(given)):
        given = np.array(given, kind, order="C", copy=True)
    given.flags.writeable = False
    return given


def _fits(given: Array, kind: np.dtype[Any]) -> bool:
    """Whether these integers, and their negatives, are integers of a type."""
    if given.size == 0 or given.dtype == bool:
        return True
    return int(given.min()) >= -np.iinfo(kind).max and int(given.max()) <= np.iinfo(kind).max


def _floating(values: ArrayLike, where: str) -> Array:
    """`values` as an array, with integers and halves in the smallest type of ours that holds them exactly."""
    try:
        given = np.asarray(values)
    except (ValueError, TypeError, RuntimeError) as error:
        raise GraphError(where, f"values that make no array ({error})", "numbers of one shape") from None
    if given.dtype.kind in "iub":
        large = given.dtype.itemsize == 8 and given.size > 0 and max(-int(given.min()), int(given.max())) > EXACT
        need(not large, where, "integers beyond 2^53", "integers that float64 holds")
        return given.astype(np.float64)
    return given.astype(np.float32) if given.dtype == np.float16 else given


def _sealed(given: Array) -> bool:
    """Whether neither the array nor one that it is a view of can be written to."""
    view: Any = given
    while isinstance(view, np.ndarray):
        if view.flags.writeable:
            return False
        view = view.base
    return True


def ints(values: Any, where: str, least: int = 0) -> tuple[int, ...]:
    """`values` as a tuple of integers, each at least `least`."""
    numbers = tuple(values) if isinstance(values, Iterable) else (values,)
    if any(isinstance(n, bool) or not isinstance(n, (int, np.integer)) or n < least for n in numbers):
        raise GraphError(where, brief(f"{values!r}"), f"integers of at least {least}")
    return tuple(int(n) for n in numbers)


def int_pairs(values: Any, where: str) -> tuple[tuple[int, int], ...]:
    """`values` as pairs of counts, each at least 0."""
    pairs = tuple(ints(pair, where) for pair in values) if isinstance(values, Iterable) else ()
    fits = isinstance(values, Iterable) and all(len(pair) == 2 for pair in pairs)
    need(fits, where, f"{values!r}", "pairs of integers")
    return tuple((before, after) for before, after in pairs)


PLAIN: Mapping[str, tuple[str, tuple[type, ...], type]] = {
    # a field's type: (in words, what is taken, what is held)
    "bool": ("true or false", (bool, np.bool_), bool),
    "int": ("an integer", (int, np.integer), int),
    "float": ("a number", (int, float, np.integer, np.floating), float),
    "str": ("text", (str,), str),
}


def plain(value: Any, kind: str, where: str) -> Any:
    """`value` as Python's own bool, int, float or str; a GraphError for another type, NaN or an infinite number."""
    words, taken, held = PLAIN[kind]
    fits = isinstance(value, taken) and (kind in ("bool", "str") or not isinstance(value, (bool, np.bool_)))
    need(fits, where, f"{value!r}", words)
    need(kind != "float" or abs(value) < math.inf, where, f"{value!r}", "a finite number")
    return held(value)


def named_numbers(given: Any, names: Sequence[str], where: str, owner: str) -> Mapping[str, float]:
    """Numbers by name, exactly those of `names` and in their order, as a mapping that cannot be changed; true is 1."""
    need(given is None or isinstance(given, Mapping), where, f"{given!r}", "numbers by name")
    flags = {name: int(value) if isinstance(value, bool) else value for name, value in (given or {}).items()}
    numbers = {str(name): plain(value, "float", where) for name, value in flags.items()}
    found, expected = (", ".join(each) or "none" for each in (numbers, names))
    need(set(numbers) == set(names), where, found, f"{expected} for {owner}")
    return MappingProxyType({name: numbers[name] for name in names})


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
            if each.metadata.get("array"):
                self._set(each.name, _array_of(value, each))
            elif each.type in PLAIN:
                self._set(each.name, plain(value, str(each.type), each.name))
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

    @property
    def dt(self) -> float | None:
        """The length of a step that the node was made for, where it has one of its own."""
        return None

    @abstractmethod
    def signal(self, inputs: Sequence[Signal]) -> Signal:
        """What the node sends when it receives `inputs`; a GraphError where they do not fit."""

    @property
    def width(self) -> tuple[int, int] | None:
        """(axis, size): the size that the node's arrays ask of one axis of what it receives."""
        return None

    def guess(self, inputs: Sequence[Signal]) -> Signal:
        """What the node may send, while some inputs are unknown or only guessed: where to start in a loop."""
        least, _ = self.arity
        need(len(inputs) > 0 or least == 0, "inputs", "none", "one that is known")
        if self.width is not None and len(inputs[0].shape) > 0:
            shape = list(inputs[0].shape)
            shape[self.width[0]] = self.width[1]
            return self.signal([replace(inputs[0], shape=tuple(shape)), *inputs[1:]])
        return self.signal(inputs)

    def start(self, shape: tuple[int, ...], batch: int, dtype: npt.DTypeLike) -> State:  # noqa: ARG002
        """The state before the first step, for a node that receives `shape`."""
        return {}

    @abstractmethod
    def step(self, state: State, *inputs: Array) -> tuple[Array, State]:
        """The reference: one step of the equation on inputs of shape [batch, *shape]; the output and the new state."""

    def _set(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)


def _array_of(value: ArrayLike, each: Field[Any]) -> Array | None:
    if value is None:
        need(each.default is None, each.name, "none", "an array")
        return None
    if each.metadata.get("integer") is not None:
        return frozen_integers(value, each.name, each.metadata["integer"])
    return frozen(value, each.name, complex_too=each.metadata.get("complex", False))


def need(condition: bool, where: str, found: str, expected: str, fix: str = "") -> None:
    """Raise a GraphError unless `condition` holds."""
    if not condition:
        raise GraphError(where, brief(found), brief(expected), fix)


def brief(text: str) -> str:
    """The text for a message: its end left out where it is too long, and nothing in it that moves a terminal."""
    cut = text if len(text) <= BRIEF else text[:BRIEF] + "…"
    return cut if cut.isprintable() else "".join(c if c.isprintable() else "�" for c in cut)


def shown(shape: Sequence[int]) -> str:
    """A shape as messages print it."""
    return "[" + ",".join(map(str, shape)) + "]"


def check_size(shape: tuple[int, ...], where: str) -> None:
    """Refuse a shape with no values or with more than any machine holds."""
    need(len(shape) <= MOST_AXES, where, f"{len(shape)} axes", f"at most {MOST_AXES}")
    need(all(n >= 1 for n in shape), where, shown(shape), "sizes of at least 1")
    need(math.prod(shape) <= LARGEST, where, shown(shape), f"at most {LARGEST} values")


def axis_of(axis: int, rank: int, where: str) -> int:
    """`axis` counted from the front, for a signal of `rank` axes."""
    need(-rank <= axis < rank, where, f"{axis}", f"one of the {rank} axes of the signal")
    return axis % rank
