"""Reads arrays in a text: type, sizes, and either the values or the hash of an array that is there."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

import numpy as np

from ..errors import GraphError
from .content import INLINE, NAMED, SHORT, TYPES, hash_of
from .nodes.base import MOST_AXES, Array, frozen_integers, shown
from .scanner import Scanner

NARROW = (np.int16, np.int32)
"""What integers are held in, the first that fits."""
_DTYPES = {short: name for name, short in TYPES.items()}
_HASH = re.compile(rf"[0-9a-f]{{{SHORT}}}(?![0-9A-Za-z])")
_REAL = re.compile(r"-?(?:\d{1,40}(?:\.\d{0,40})?|\.\d{1,40})(?:[eE][+-]?\d{1,4})?")
_IMAGINARY = re.compile(rf"[+-](?:{_REAL.pattern[2:]})j")


class ArrayReader:
    """Reads arrays where the scanner stands.

    Args:
        scan: the place in the text.
        arrays: the arrays that the text may name, by hash.
    """

    def __init__(self, scan: Scanner, arrays: Mapping[str, Array]) -> None:
        self.scan = scan
        self.arrays = arrays
        self.known: dict[str, tuple[Array, str]] = {}

    def sizes(self) -> tuple[int, ...]:
        """Sizes in brackets; what may be a # of an array behind them is not taken for a comment."""
        scan = self.scan
        scan.expect("[")
        sizes: list[int] = []
        while not scan.skip("]", blank=False):
            start = scan.at
            sizes.append(scan.integer("a size, or ']'"))
            if sizes[-1] < 0 or len(sizes) > MOST_AXES:
                scan.fail(f"at most {MOST_AXES} sizes, none below 0", start)
            if not scan.sees("]"):
                scan.expect(",")
        return tuple(sizes)

    def array(self, kind: str) -> tuple[Array, str]:
        """What stands behind a type: the array, and its whole hash where it stands by its hash."""
        start = self.scan.at
        sizes = self.sizes()
        if self.scan.skip("#", blank=False):
            return self._named(kind, sizes)
        self.scan.blank()
        self.scan.expect("{")
        return self._written_out(kind, sizes, start), ""

    def _written_out(self, kind: str, sizes: tuple[int, ...], at: int) -> Array:
        values: list[complex] = []
        while not self.scan.skip("}"):
            values.append(self._number(kind))
            if len(values) > INLINE:
                self.scan.fail(f"at most {INLINE} values", at)
            if not self.scan.sees("}"):
                self.scan.expect(",")
        if math.prod(sizes) != len(values):
            self.scan.fail(f"a shape of {len(values)} values", at)
        with np.errstate(over="ignore"):
            # A real number that is too large becomes infinite here, and the node refuses it.
            return np.array(values, _DTYPES[kind]).reshape(sizes)

    def _number(self, kind: str) -> complex:
        if kind == TYPES["int64"]:
            return self.scan.integer("an integer, or '}'")
        real = self.scan.take(_REAL)
        if real is None:
            self.scan.fail("a number, or '}'")
        if not kind.startswith("c"):
            return float(real)
        imaginary = self.scan.take(_IMAGINARY)
        return complex(float(real), float(imaginary[:-1]) if imaginary else 0.0)

    def _named(self, kind: str, sizes: tuple[int, ...]) -> tuple[Array, str]:
        start = self.scan.at
        short = self.scan.take(_HASH)
        if short is None:
            self.scan.fail(f"{SHORT} digits 0-9, a-f")
        if short not in self.arrays:
            self.scan.fail("the hash of an array that is there", start)
        array, whole = self._found(short)
        if (NAMED.get(array.dtype.name), array.shape) != (_DTYPES[kind], sizes):
            found = f"{kind}{shown(sizes)}"
            named = NAMED.get(array.dtype.name, array.dtype.name)
            expected = f"{TYPES.get(named, named)}{shown(array.shape)}, as the array is"
            raise GraphError(self.scan.where(start), found, expected)
        if not whole.startswith(short):
            found = f"array {short} with values of another hash, {whole[:SHORT]}"
            raise GraphError(self.scan.where(start), found, "the values that were saved")
        return array, whole

    def _found(self, short: str) -> tuple[Array, str]:
        """The array of a hash, integers as weights are held, and its whole hash; once."""
        if short not in self.known:
            given = self.arrays[short]
            array = frozen_integers(given, types=NARROW) if given.dtype.kind in "iu" else given
            self.known[short] = array, hash_of(array)
        return self.known[short]
