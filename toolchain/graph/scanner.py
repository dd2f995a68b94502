"""Reads a text from left to right, one small pattern after the other, and knows line and column when it has to stop."""

from __future__ import annotations

import json
import re
from typing import NoReturn

from ..errors import GraphError
from .network import NAME

_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_NUMBER = re.compile(r"-?(?:\d{1,40}\.\d{0,40}|\.?\d{1,40})(?:[eE][+-]?\d{1,4})?")
_INTEGER = re.compile(r"-?\d{1,18}(?![\d.eE])")
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"')
_WORD = re.compile(r"[A-Za-z0-9_.\-]+|\S")
SEEN = 40
"""The most characters of the text that a message shows."""


class Scanner:
    """A place in a text.

    Args:
        text: the text.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.blank()

    def blank(self) -> None:
        """Go past blanks, line ends and comments."""
        found = _BLANK.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def take(self, pattern: re.Pattern[str]) -> str | None:
        """What stands here and matches, or nothing; then go past it."""
        found = pattern.match(self.text, self.at)
        if found is None:
            return None
        self.at = found.end()
        self.blank()
        return found[0]

    def sees(self, mark: str) -> bool:
        """Whether these characters stand here."""
        return self.text.startswith(mark, self.at)

    def skip(self, mark: str, *, blank: bool = True) -> bool:
        """Go past these characters, and blanks behind them, if they stand here."""
        if not self.sees(mark):
            return False
        self.at += len(mark)
        if blank:
            self.blank()
        return True

    def expect(self, mark: str) -> None:
        """Go past these characters; they have to stand here."""
        if not self.skip(mark):
            self.fail(f"'{mark}'")

    def word(self, word: str) -> None:
        """Go past this word; it has to stand here."""
        start = self.at
        if self.take(NAME) != word:
            self.fail(f"'{word}'", start)

    def name(self, what: str) -> str:
        """A name."""
        found = self.take(NAME)
        return found if found is not None else self.fail(what)

    def integer(self, what: str) -> int:
        """An integer of at most 18 digits."""
        found = self.take(_INTEGER)
        return int(found) if found is not None else self.fail(what)

    def number(self, what: str = "a number") -> int | float:
        """An integer, or a finite number with a point or an exponent."""
        start = self.at
        whole = self.take(_INTEGER)
        if whole is not None:
            return int(whole)
        found = self.take(_NUMBER)
        if found is None:
            self.fail(what)
        value = float(found)
        if abs(value) == float("inf"):
            self.at = start
            self.fail("a number that float64 holds")
        return value

    def string(self, what: str) -> str:
        """Text in quotes, with JSON's escapes."""
        found = self.take(_STRING)
        return str(json.loads(found)) if found is not None else self.fail(what)

    def fail(self, expected: str, at: int | None = None) -> NoReturn:
        """Raise a GraphError that says where, what stands there, and what should."""
        place = self.at if at is None else at
        word = _WORD.match(self.text, place)
        found = "the end of the text" if word is None else f"'{word[0][:SEEN]}'"
        raise GraphError(self.where(place), found, expected)

    def where(self, at: int | None = None) -> str:
        """Line and column, counted from 1."""
        place = self.at if at is None else at
        line = self.text.count("\n", 0, place) + 1
        return f"line {line}, column {place - self.text.rfind(chr(10), 0, place)}"
