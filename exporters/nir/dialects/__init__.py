"""Every dialect by name, each in a file of its own; imported when it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from ....toolchain.errors import UsageError
from .base import Dialect

DIALECTS: Mapping[str, str] = {
    "ode": ".ode",
    "snntorch": ".snntorch",
    "norse": ".norse",
    "spikingjelly": ".spikingjelly",
    "sinabs": ".sinabs",
    "rockpool": ".rockpool",
    "spyx": ".spyx",
    "lava": ".lava",
    "nengo": ".nengo",
}
"""Name → the module that holds it as DIALECT."""


def dialect(name: str) -> Dialect:
    """The dialect of that name."""
    if name not in DIALECTS:
        raise UsageError("--dialect", f"'{name}'", " or ".join(DIALECTS))
    found: Dialect = import_module(DIALECTS[name], __package__).DIALECT
    return found
