"""HTML that cannot be broken: text is escaped when it becomes part of an element, and only elements are not."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from .text import printable

_EMPTY = frozenset({"br", "col", "hr", "input", "link", "meta"})


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()

    def __add__(self, other: str) -> Html:
        """Both in a row; what is no HTML yet is escaped."""
        return Html(f"{self}{escaped(other)}")


def escaped(text: str) -> Html:
    """HTML as it is; any other text with everything that HTML would take for its own escaped."""
    return text if isinstance(text, Html) else Html(escape(printable(text)))


def joined(parts: Iterable[str], between: str = "") -> Html:
    """Parts in a row, each escaped unless it is HTML."""
    return Html(between.join(map(escaped, parts)))


def element(name: str, /, *children: str, **attributes: str | bool | None) -> Html:
    """An element: `element("a", "text", href="#x")`; `class_` is class, `aria_label` aria-label, None is left out."""
    start = "".join(_attribute(key, value) for key, value in attributes.items())
    if name in _EMPTY:
        return Html(f"<{name}{start}>")
    return Html(f"<{name}{start}>{joined(children)}</{name}>")


def _attribute(key: str, value: str | bool | None) -> str:
    key = key.rstrip("_").replace("_", "-")
    match value:
        case None | False:
            return ""
        case True:
            return f" {key}"
        case _:
            return f' {key}="{escape(printable(value))}"'
