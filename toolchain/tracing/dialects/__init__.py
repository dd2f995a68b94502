"""What tracing knows of each framework: tables from a type of module, by its full name, to a row."""

from __future__ import annotations

from collections.abc import Mapping

from ..leaf import Row
from . import norse, ours, snntorch, spikingjelly

TABLES: Mapping[str, Row] = {**ours.ROWS, **norse.ROWS, **snntorch.ROWS, **spikingjelly.ROWS}
"""Every row by the full name of its type. No framework is imported for it."""

REFUSED: Mapping[str, Row] = {**ours.REFUSED, **norse.REFUSED, **snntorch.REFUSED, **spikingjelly.REFUSED}
"""Types, most of them bases of neurons: what descends from one and has no row of its own is refused by its name."""

__all__ = ["REFUSED", "TABLES"]
