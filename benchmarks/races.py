"""Every race by name, and how its result is shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any, cast

from rich.console import Group, RenderableType
from rich.text import Text

from ..toolchain.console import Result
from ..toolchain.errors import UsageError
from ..toolchain.tables import number, table

RACES: Mapping[str, str] = {
    "neurons": ".speed.neurons:bench",
}
"""Race → "module:function" of this package, imported when it is run."""

Row = Mapping[str, Any]


def raced(name: str, *, quick: bool) -> Result:
    """Runs a race; it hands back {"name", "rows": [{"case", "peer", "ours_s", "peer_s", "ratio", …}], "notes"}."""
    if name not in RACES:
        raise UsageError("bench", f"'{name}'", ", ".join(RACES))
    module, _, function = RACES[name].partition(":")
    run = cast("Callable[..., dict[str, Any]]", getattr(import_module(module, __package__), function))
    data = run(quick=quick)
    notes = [Text(f"\n{note}") for note in data.get("notes", ())]
    return Result(data, Group(_rows(data["rows"]), *notes))


def _rows(rows: Sequence[Row]) -> RenderableType:
    """Seconds as milliseconds; a ratio above 1 says that we are faster."""
    columns = ("case", "peer", ">ours ms", ">peer ms", ">peer/ours")
    return table(
        columns, [(row["case"], row["peer"], _ms(row["ours_s"]), _ms(row["peer_s"]), _times(row)) for row in rows]
    )


def _ms(seconds: float | None) -> str:
    return "" if seconds is None else number(1000 * seconds, 3)


def _times(row: Row) -> str:
    return f"{row['ratio']:.2f}×"
