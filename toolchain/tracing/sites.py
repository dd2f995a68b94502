"""Where in the user's code an operation stands: the line for messages, the call path for telling operations apart."""

from __future__ import annotations

import sys
from pathlib import Path
from types import FrameType

import torch

Site = tuple[object, ...]
_HERE = f"{Path(__file__).resolve().parent}/"
_LIBRARIES = ("torch", "norse", "snntorch", "spikingjelly", "sinabs")
_ROOTS = tuple(f"{Path(torch.__file__).resolve().parent.parent}/{name}/" for name in _LIBRARIES)


def site(path: str) -> Site:
    """What tells this operation from every other: the module it runs in, and each call on the way to it.

    The same line in a later turn of a loop is the same site.
    """
    calls: list[object] = [path]
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(_HERE):
            if frame.f_code.co_name == "run_traced":
                break
        else:
            calls.append((id(frame.f_code), frame.f_lasti))
        frame = frame.f_back
    return tuple(calls)


def line() -> str:
    """The line of the user's own code that is running, as file:line; empty when it is a library's."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        name = frame.f_code.co_filename
        if frame.f_code.co_name == "run_traced" and name.startswith(_HERE):
            break
        if not name.startswith((_HERE, *_ROOTS)) and not name.startswith("<"):
            return f"{Path(name).name}:{frame.f_lineno}"
        frame = frame.f_back
    return ""
