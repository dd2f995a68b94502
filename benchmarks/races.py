"""Every race by name, and how its result is shown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Group
from rich.text import Text

from ..toolchain.console import Result
from ..toolchain.errors import UsageError
from ..toolchain.references import referred
from ..toolchain.tables import markdown, number, table
from ..toolchain.writing import check_place

RACES: Mapping[str, str] = {
    "accuracy": ".accuracy:bench",
    "actions": ".actions.bench:bench",
    "ann": ".speed.ann:bench",
    "convert": ".speed.convert:bench",
    "dvs": ".speed.dvs:bench",
    "energy": ".speed.energy:bench",
    "lava": ".speed.lava:bench",
    "neurons": ".speed.neurons:bench",
    "peers": ".peers:bench",
    "scan": ".speed.scan:bench",
    "simulation": ".speed.simulation:bench",
    "store": ".speed.store:bench_store",
}
"""Race → "module:function" of this package, imported when it is run."""

WITH_CHECKPOINTS = ("accuracy",)
WITH_PLOT = ("energy",)
WITH_FOLDER = ("actions",)

Row = Mapping[str, Any]


def raced(
    name: str,
    *,
    quick: bool,
    checkpoints: Sequence[Path] = (),
    plot: Path | None = None,
    folder: Path | None = None,
    marked: bool = False,
) -> Result:
    """Runs a race; it hands back {"name", "rows": [{"case", "peer", "ours_s", "peer_s", "ratio", …}], "notes"}.

    Args:
        name: which.
        quick: fewer repeats, on smaller networks.
        checkpoints: trained networks, for the race that takes some.
        plot: a picture, for the race that draws one.
        folder: where the race that can be stopped keeps what it has done.
        marked: shows the table in Markdown.
    """
    if name not in RACES:
        raise UsageError("bench", f"'{name}'", ", ".join(RACES))
    if checkpoints and name not in WITH_CHECKPOINTS:
        raise UsageError(
            "--checkpoint", f"a file for '{name}'", f"one for {', '.join(WITH_CHECKPOINTS)}", "leave it out"
        )
    if plot is not None:
        check_plot(name, plot)
    if folder is not None and name not in WITH_FOLDER:
        raise UsageError("--folder", f"a folder for '{name}'", f"one for {', '.join(WITH_FOLDER)}", "leave it out")
    given: dict[str, Any] = {"checkpoints": checkpoints} if checkpoints else {}
    given |= {"plot": plot} if plot is not None else {}
    given |= {"folder": folder} if folder is not None else {}
    data: dict[str, Any] = referred(RACES[name], __package__)(quick=quick, **given)
    titles, cells = _cells(data["rows"])
    if marked:
        lines = ["", *(f"- {note}" for note in data.get("notes", ()))]
        said = Text("\n".join([markdown(titles, cells), *lines]), no_wrap=True, overflow="ignore")
        return Result(data, Group(said))  # a bare Text would be wrapped
    notes = [Text(f"\n{note}") for note in data.get("notes", ())]
    return Result(data, Group(table(titles, cells), *notes))


def check_plot(name: str, plot: Path) -> None:
    """Refuses a picture that the race does not draw, or that could not be written."""
    if name not in WITH_PLOT:
        raise UsageError("--plot", f"a picture of '{name}'", f"one of {', '.join(WITH_PLOT)}", "leave it out")
    from ..toolchain.plot import check_suffix

    check_suffix(plot)
    check_place(plot)


@dataclass(frozen=True)
class Column:
    """One column of a race's table.

    Args:
        title: what stands above it; '>' sets it to the right.
        key: the row's entry.
        shown: how its value is written.
        spread: the entry that stands behind it as ± …, where a row has it.
        spread_shown: how that is written.
    """

    title: str
    key: str
    shown: Callable[[Any], str]
    spread: str = ""
    spread_shown: Callable[[Any], str] = str

    def cell(self, row: Row) -> str:
        """What stands in a row; nothing where it has no such entry."""
        if row.get(self.key) is None:
            return ""
        beside = row.get(self.spread)
        return self.shown(row[self.key]) + ("" if beside is None else f" ± {self.spread_shown(beside)}")


def _ms(seconds: float) -> str:
    return number(1000 * seconds, 3)


COLUMNS = (
    Column("network", "network", str),
    Column("trained", "variant", str),
    Column("computed in", "computed_in", str),
    Column(">accuracy", "accuracy", lambda share: f"{share:.2%}"),
    Column(
        ">accuracy",
        "mean_accuracy",
        lambda share: f"{share:.1%}",
        "accuracy_spread",
        lambda share: f"{100 * share:.1f}",
    ),
    Column(">points", "points", lambda points: f"{points:+.2f}"),
    Column(">points", "mean_points", lambda points: f"{points:+.1f}", "points_error", lambda points: f"{points:.1f}"),
    Column(">spikes", "spikes", lambda rate: f"{rate:.4f}"),
    Column(">paper\nµJ", "paper_nj", lambda energy: f"{energy / 1000:,.1f}"),
    Column(">strict\nµJ", "strict_nj", lambda energy: f"{energy / 1000:,.1f}"),
    Column(">error", "error", lambda share: f"{share:.2%}"),
    Column(">steps", "taken", str),
    Column(">messages", "messages", lambda count: f"{count:,.0f}"),
    Column("on Lava", "lava", str),
    Column(">largest |w|", "largest", lambda size: number(size, 3)),
    Column("case", "case", str),
    Column("peer", "peer", str),
    Column("counter", "counter", str),
    Column(">our ACs", "our_acs", str),
    Column(">our MACs", "our_macs", str),
    Column(">peer's ACs", "peer_acs", str),
    Column(">peer's MACs", "peer_macs", str),
    Column("why", "why", str),
    Column(">weights", "parameters", lambda count: f"{count / 1e6:.1f} M"),
    Column(">weights", "weights", lambda count: f"{count:,}"),
    Column(">held MB", "held_mb", lambda size: number(size, 3)),
    Column(">file MB", "file_mb", lambda size: number(size, 3)),
    Column(">plain ms", "plain_s", _ms),
    Column(">counted", "counted_s", _ms),
    Column(">overhead", "overhead", lambda ratio: f"{ratio:.2f}×"),
    Column(">of one", "per_s", _ms),
    Column(">memory", "memory", lambda ratio: f"{ratio:.2f}×"),
    Column(">ours ms", "ours_s", _ms),
    Column(">peer ms", "peer_s", _ms),
    Column(">ratio", "ratio", lambda ratio: f"{ratio:.2f}×"),
    Column(">limit ms", "limit_s", _ms),
    Column(">peer steps", "peer_steps", str),
    Column(">ours MB", "ours_mb", lambda size: number(size, 3)),
    Column(">peer MB", "peer_mb", lambda size: number(size, 3)),
)
"""A ratio above 1 says that we are faster. Columns that a race has no values for are left out."""


def _cells(rows: Sequence[Row]) -> tuple[list[str], list[list[str]]]:
    """Titles and cells; where there is one peer alone, its name stands in the titles in place of a column."""
    peers = {row["peer"] for row in rows if row.get("peer") is not None}
    held = [column for column in COLUMNS if any(row.get(column.key) is not None for row in rows)]
    titles = {column.key: column.title for column in held}
    if len(peers) == 1:
        (peer,) = peers
        held = [column for column in held if column.key != "peer"]
        titles = {key: title.replace("peer", peer) for key, title in titles.items()}
    return [titles[column.key] for column in held], [[column.cell(row) for column in held] for row in rows]
