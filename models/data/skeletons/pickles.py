"""Reads values out of pickles without unpickling.

An interpreter of the format's operations, that can make numbers, texts, lists, tuples, dicts and arrays, and no more.
Python's own reader imports what a file names, and calls it. Here a name is looked up in a table of a few constructors
(`pickled_arrays.KNOWN`); there is no operation that imports, and every length is compared with the file's before it is
believed. Arrays are views of the file: they take no memory until they are used.
"""

from __future__ import annotations

import codecs
import mmap
import struct
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ....toolchain.errors import FileError
from .pickled_arrays import KNOWN, Broken, Kind, Pickled, Purse

MOST_STEPS = 20_000_000
"""Operations of a file: they bound what it makes beside arrays to about two gigabytes. Published files need half."""
_EXPECTED = "a pickle of numbers, texts, lists, tuples, dicts and numpy arrays"
_FIX = "a file that asks for more may run programs: do not open it; save the arrays as .npz"


def read_pickle(path: str | Path) -> object:
    """The value in a pickle; arrays are `Pickled`, bytes are memoryviews.

    Raises:
        FileError: when it names or does anything beyond plain values, or is broken.
    """
    where = str(path)
    try:
        if not Path(path).is_file() or not Path(path).stat().st_size:
            raise FileError(where, "is no file, or empty", _EXPECTED)
        with Path(path).open("rb") as file:
            return values_in(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), where)
    except OSError as error:
        raise FileError(where, f"cannot be read ({error.strerror})") from error


def values_in(raw: bytes | mmap.mmap, where: str) -> object:
    """The value in the bytes of a pickle; see `read_pickle`."""
    machine = _Machine(raw)
    with _explained(machine, where):
        return machine.run()


@contextmanager
def _explained(machine: _Machine, where: str) -> Iterator[None]:
    try:
        yield
    except Broken as error:
        raise FileError(f"{where}, byte {machine.at}", str(error), _EXPECTED, _FIX) from None
    except (IndexError, KeyError, struct.error, ValueError, TypeError) as error:
        raise FileError(f"{where}, byte {machine.at}", "a broken pickle", _EXPECTED) from error


class _Machine:
    """A stack, marks on it, and a memory of values by number."""

    def __init__(self, raw: bytes | mmap.mmap) -> None:
        self.raw, self.view, self.at = raw, memoryview(raw), 0
        self.stack: list[Any] = []
        self.marks: list[int] = []
        self.memory: dict[int, Any] = {}
        self.purse = Purse(4 * len(raw) + (1 << 20))

    def run(self) -> object:
        for _ in range(MOST_STEPS):
            code = self.view[self.at]
            self.at += 1
            if code == _STOP:
                return self.stack[-1]
            operation = _OPERATIONS.get(code)
            if operation is None:
                raise Broken(_REFUSED.get(code, f"the operation {code}"))
            operation(self)
        raise Broken(f"more than {MOST_STEPS:,} operations")

    def take(self, length: int) -> memoryview:
        """The next bytes, as a view."""
        if not 0 <= length <= len(self.view) - self.at:
            raise Broken(f"{length} bytes announced, {len(self.view) - self.at} left")
        self.at += length
        return self.view[self.at - length : self.at]

    def number(self, form: str) -> Any:
        """The next number, in struct's words."""
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def line(self) -> bytes:
        """The bytes up to the next end of a line."""
        end = self.raw.find(b"\n", self.at)
        if end < 0:
            raise Broken("the file ends within a line")
        found = bytes(self.take(end - self.at))
        self.at += 1
        return found

    def push(self, value: object) -> None:
        self.stack.append(value)

    def pop(self, count: int = 1) -> Any:
        """The topmost value, or so many as a tuple."""
        floor = self.marks[-1] if self.marks else 0
        if len(self.stack) - count < floor:
            raise Broken("fewer values than it uses")
        taken = tuple(self.stack[len(self.stack) - count :])
        del self.stack[len(self.stack) - count :]
        return taken[0] if count == 1 else taken

    def marked(self) -> list[Any]:
        """All values since the last mark."""
        start = self.marks.pop()
        taken = self.stack[start:]
        del self.stack[start:]
        return taken

    def top(self, kind: type) -> Any:
        if not self.stack or not isinstance(self.stack[-1], kind):
            raise Broken(f"no {kind.__name__} where one should be")
        return self.stack[-1]


def _put(machine: _Machine, number: int) -> None:
    machine.memory[number] = machine.stack[-1]


def _set_items(machine: _Machine, values: list[Any]) -> None:
    target = machine.top(dict)
    keys = values[::2]
    if len(values) % 2 or not all(isinstance(key, str) or _is_key(key) for key in keys):
        raise Broken("a dict whose keys are no texts or whole numbers")
    target.update(zip(keys, values[1::2], strict=True))


def _is_key(key: object) -> bool:
    """Whether it is a whole number that is its own hash: of larger ones, millions can be found with the same."""
    return type(key) is int and abs(key) < 2**60


def _dict(machine: _Machine) -> None:
    values = machine.marked()
    machine.push({})
    _set_items(machine, values)


def _name(machine: _Machine, module: object, name: object) -> None:
    if not (isinstance(module, str) and isinstance(name, str)):
        raise Broken("a name that is no text")
    if (module, name) not in KNOWN:
        raise Broken(f"asks for {_short(module)}.{_short(name)}")
    machine.push(KNOWN[module, name])


def _short(text: str) -> str:
    return "".join(letter if letter.isprintable() else "?" for letter in text[:60])


def _reduce(machine: _Machine) -> None:
    function, arguments = machine.pop(2)
    if not callable(function) or isinstance(function, type):
        raise Broken("a call of something that is no function")
    machine.push(function(arguments, machine.purse))


def _build(machine: _Machine) -> None:
    state = machine.pop()
    if not machine.stack or not isinstance(machine.stack[-1], Kind | Pickled):
        raise Broken("a state for something that is no array")
    machine.stack[-1].build(state, machine.purse)


def _long(machine: _Machine, length: int) -> None:
    if length > 16:
        raise Broken(f"a whole number of {length} bytes")
    machine.push(int.from_bytes(machine.take(length), "little", signed=True))


def _text(machine: _Machine, length: int) -> None:
    machine.push(str(machine.take(length), "utf-8"))


def _old(machine: _Machine, length: int) -> None:
    machine.push(str(machine.take(length), "latin1"))


def _whole(line: bytes) -> int | bool:
    if line in (b"00", b"01"):
        return line == b"01"
    if len(line) > 40:
        raise Broken(f"a whole number of {len(line)} digits")
    return int(line.rstrip(b"L"))


def _quoted(machine: _Machine) -> None:
    line = machine.line()
    if len(line) < 2 or line[:1] not in b"'\"" or line[-1:] != line[:1]:
        raise Broken("a text without quotes")
    machine.push(codecs.escape_decode(line[1:-1])[0].decode("latin1"))


def _pushes(value: Callable[[_Machine], object]) -> Callable[[_Machine], None]:
    return lambda machine: machine.push(value(machine))


_STOP = ord(".")
_OPERATIONS: Mapping[int, Callable[[_Machine], Any]] = {
    0x80: lambda m: m.take(1),  # the protocol's version
    0x95: lambda m: m.take(8),  # the length of a frame, which is for readers from pipes
    ord("("): lambda m: m.marks.append(len(m.stack)),
    ord("0"): lambda m: m.pop(),
    ord("1"): lambda m: m.marked(),
    ord("2"): lambda m: m.push(m.stack[-1]),
    # numbers
    ord("N"): lambda m: m.push(None),
    0x88: lambda m: m.push(True),
    0x89: lambda m: m.push(False),
    ord("K"): _pushes(lambda m: m.number("<B")),
    ord("M"): _pushes(lambda m: m.number("<H")),
    ord("J"): _pushes(lambda m: m.number("<i")),
    ord("G"): _pushes(lambda m: m.number(">d")),
    ord("I"): _pushes(lambda m: _whole(m.line())),
    ord("L"): _pushes(lambda m: _whole(m.line())),
    ord("F"): _pushes(lambda m: float(m.line())),
    0x8A: lambda m: _long(m, m.number("<B")),
    0x8B: lambda m: _long(m, m.number("<I")),
    # texts and bytes
    ord("X"): lambda m: _text(m, m.number("<I")),
    0x8C: lambda m: _text(m, m.number("<B")),
    0x8D: lambda m: _text(m, m.number("<Q")),
    ord("V"): _pushes(lambda m: m.line().decode("raw-unicode-escape")),
    ord("S"): _quoted,
    ord("T"): lambda m: _old(m, m.number("<I")),
    ord("U"): lambda m: _old(m, m.number("<B")),
    ord("B"): _pushes(lambda m: m.take(m.number("<I"))),
    ord("C"): _pushes(lambda m: m.take(m.number("<B"))),
    0x8E: _pushes(lambda m: m.take(m.number("<Q"))),
    0x96: _pushes(lambda m: m.take(m.number("<Q"))),
    # containers
    ord("]"): _pushes(lambda _: []),
    ord("l"): _pushes(lambda m: m.marked()),
    ord("a"): lambda m: _extend(m, [m.pop()]),
    ord("e"): lambda m: _extend(m, m.marked()),
    ord(")"): lambda m: m.push(()),
    ord("t"): _pushes(lambda m: tuple(m.marked())),
    0x85: _pushes(lambda m: (m.pop(),)),
    0x86: _pushes(lambda m: m.pop(2)),
    0x87: _pushes(lambda m: m.pop(3)),
    ord("}"): _pushes(lambda _: {}),
    ord("d"): _dict,
    ord("s"): lambda m: _set_items(m, list(m.pop(2))),
    ord("u"): lambda m: _set_items(m, m.marked()),
    # memory
    ord("p"): lambda m: _put(m, int(m.line()[:20])),
    ord("q"): lambda m: _put(m, m.number("<B")),
    ord("r"): lambda m: _put(m, m.number("<I")),
    0x94: lambda m: _put(m, len(m.memory)),
    ord("g"): _pushes(lambda m: m.memory[int(m.line()[:20])]),
    ord("h"): _pushes(lambda m: m.memory[m.number("<B")]),
    ord("j"): _pushes(lambda m: m.memory[m.number("<I")]),
    # names and arrays
    ord("c"): lambda m: _name(m, m.line().decode("latin1"), m.line().decode("latin1")),
    0x93: lambda m: _name(m, *m.pop(2)),
    ord("R"): _reduce,
    ord("b"): _build,
}
"""What each operation does."""

_REFUSED: Mapping[int, str] = {
    **dict.fromkeys((ord("i"), ord("o"), 0x81, 0x92), "objects of a class"),
    **dict.fromkeys((0x82, 0x83, 0x84), "a registered extension"),
    **dict.fromkeys((ord("P"), ord("Q"), 0x97, 0x98), "values from outside of the file"),
    **dict.fromkeys((0x8F, 0x90, 0x91), "a set"),
}
"""What other operations ask for."""


def _extend(machine: _Machine, values: list[Any]) -> None:
    machine.top(list).extend(values)
