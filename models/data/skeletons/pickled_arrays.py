"""What a pickle says of arrays, as plain descriptions; numpy sees them only once they have been checked."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

MOST_DIMENSIONS = 16
_FORM = re.compile(r"([biufUS])(\d{1,4})")


class Broken(Exception):
    """What is wrong with a pickle."""


@dataclass
class Purse:
    """How many bytes may still be copied: a few letters of a file could ask for the same copy again and again."""

    left: int

    def pay(self, size: int) -> None:
        """Takes so many bytes out of it."""
        self.left -= size
        if self.left < 0:
            raise Broken("more copies than it has bytes")


class Kind:
    """A dtype in the making: `dtype("f4")`, then its state says the order of bytes."""

    def __init__(self, form: object) -> None:
        found = _FORM.fullmatch(form) if isinstance(form, str) else None
        if found is None:
            what = "of Python objects" if isinstance(form, str) and form[:1] == "O" else "of an unknown type"
            raise Broken(f"an array {what}")
        self.form, self.order = found[0], "<"

    def build(self, state: object, _: Purse) -> None:
        """Takes (version, order, sub-array, names, fields, …)."""
        if not (isinstance(state, tuple) and len(state) >= 5 and state[1] in ("<", ">", "|", "=")):
            raise Broken("a broken type of an array")
        if any(part is not None for part in state[2:5]):
            raise Broken("an array of records")
        self.order = "<" if state[1] in ("|", "=") else state[1]

    def dtype(self) -> np.dtype[Any]:
        """As numpy has it."""
        try:
            return np.dtype(self.order + self.form)
        except TypeError as error:
            raise Broken(f"an array of the type {self.form}") from error


class Pickled:
    """An array in the making: empty, then its state says shape, type and values."""

    def __init__(self) -> None:
        self.values: npt.NDArray[Any] = np.zeros(0)

    def build(self, state: object, purse: Purse) -> None:
        """Takes (version, shape, type, whether columns come first, values)."""
        if not (isinstance(state, tuple) and len(state) in (4, 5)):
            raise Broken("a broken array")
        shape, kind, columns, data = state[-4:]
        self.fill(purse, data, kind, shape, "F" if columns else "C")

    def fill(self, purse: Purse, data: object, kind: object, shape: object, order: object) -> None:
        """Takes values, a view of the file's bytes, once shape and type say the same length as they have."""
        if isinstance(data, str):
            data = memoryview(_latin(data, purse))  # a string of Python 2 is bytes
        if not (isinstance(data, memoryview) and isinstance(kind, Kind) and order in ("C", "F")):
            raise Broken("an array of Python objects" if isinstance(data, list) else "a broken array")
        dtype, sizes = kind.dtype(), _sizes(shape)
        if math.prod(sizes) * dtype.itemsize != len(data):
            raise Broken(f"an array of shape {list(sizes)} with {len(data)} bytes of values")
        flat: npt.NDArray[Any] = np.frombuffer(data, dtype) if len(data) else np.zeros(0, dtype)
        self.values = flat.reshape(sizes, order=order)


def _sizes(shape: object) -> tuple[int, ...]:
    if not (isinstance(shape, tuple) and len(shape) <= MOST_DIMENSIONS):
        raise Broken("an array of a broken shape")
    if not all(type(size) is int and 0 <= size < 2**40 for size in shape):
        raise Broken("an array of a broken shape")
    return shape


def _latin(text: str, purse: Purse) -> bytes:
    purse.pay(len(text))
    try:
        return text.encode("latin1")
    except UnicodeEncodeError as error:
        raise Broken("text where bytes should be") from error


def _taken(arguments: object, *kinds: type) -> tuple[Any, ...]:
    if not (isinstance(arguments, tuple) and len(arguments) == len(kinds)):
        raise Broken("a call with other arguments than it has")
    if not all(isinstance(argument, kind) for argument, kind in zip(arguments, kinds, strict=True)):
        raise Broken("a call with other arguments than it has")
    return arguments


def _filled(arguments: object, purse: Purse) -> Pickled:
    made = Pickled()
    made.fill(purse, *_taken(arguments, memoryview, Kind, tuple, str))
    return made


def _scalar(arguments: object, purse: Purse) -> bool | int | float | str:
    kind, data = _taken(arguments, Kind, object)
    made = Pickled()
    made.fill(purse, data, kind, (), "C")
    if kind.form[0] in "US":
        purse.pay(made.values.nbytes)
        return text_of(made.values)[0]
    number: bool | int | float = made.values.item()
    return number


def text_of(values: npt.NDArray[Any]) -> list[str]:
    """An array of texts as such."""
    try:
        if values.dtype.kind == "S":
            return [word.decode("latin1") for word in values.reshape(-1).tolist()]
        return [str(word) for word in values.reshape(-1).tolist()]
    except (ValueError, SystemError) as error:  # no such letter
        raise Broken("a broken text") from error


def _encoded(arguments: object, purse: Purse) -> memoryview:
    text, encoding = _taken(arguments, str, str)
    if encoding not in ("latin1", "latin-1"):
        raise Broken("text in another encoding than latin1")
    return memoryview(_latin(text, purse))


def _dict(arguments: object, _: Purse) -> dict[object, object]:
    _taken(arguments)
    return {}


def _bytes(arguments: object, _: Purse) -> memoryview:
    _taken(arguments)
    return memoryview(b"")


def _dtype(arguments: object, _: Purse) -> Kind:
    if not (isinstance(arguments, tuple) and 1 <= len(arguments) <= 3):
        raise Broken("a broken type of an array")
    return Kind(arguments[0])


def _array(_: object, __: Purse) -> Pickled:
    return Pickled()


def _ndarray(_: object, __: Purse) -> object:
    raise Broken("a call of numpy.ndarray")


CORES = ("numpy.core", "numpy._core")
"""Before and since numpy 2."""

KNOWN: Mapping[tuple[str, str], Callable[[object, Purse], object]] = {
    ("numpy", "ndarray"): _ndarray,
    ("numpy", "dtype"): _dtype,
    ("_codecs", "encode"): _encoded,
    ("collections", "OrderedDict"): _dict,
    ("builtins", "bytes"): _bytes,
    ("__builtin__", "bytes"): _bytes,
    **{(f"{core}.multiarray", "_reconstruct"): _array for core in CORES},
    **{(f"{core}.multiarray", "scalar"): _scalar for core in CORES},
    **{(f"{core}.numeric", "_frombuffer"): _filled for core in CORES},
}
"""All that a pickle may name, and what is done in its place: arguments → value. Nothing of it is imported or called."""
