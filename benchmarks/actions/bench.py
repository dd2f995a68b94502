"""`spikeport bench actions`: made actions, every variant with every seed, one table.

The clips are made once; trainings run side by side, one thread each; each is a command that could have been typed. With
`--folder` all of it is kept, and a run that was stopped goes on.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from ...toolchain.console import working
from ...toolchain.errors import SpikeportError
from ...toolchain.guarded import folder_for
from .judging import energies_of, meanings, rows_of, verdicts, weights_of
from .processes import Commands
from .trainings import QUICK, Plan, prepare, settings_of, trainings
from .variants import VARIANTS, WHOLE

COUNTED, QUICK_COUNTED = 40, 2
"""Test clips whose operations are counted for the energy."""
CHANGED = "the code changed while this ran"


def bench(*, quick: bool = False, folder: Path | None = None) -> dict[str, Any]:
    """Makes the clips, trains every variant, and judges all of it.

    Args:
        quick: few clips, one epoch, the whole system and one stream: shows that everything runs, not how well.
        folder: where data and trainings are kept; none: nowhere.

    Returns:
        {"name", "rows", "notes", "seconds", "folder"}; rows as `judging.py` has them, files in them by their place in
        the folder.
    """
    if folder is None:
        with folder_for("actions") as place:
            return {**_watched(Commands(place), quick=quick), "folder": None}
    return {**_watched(Commands(folder), quick=quick), "folder": str(folder)}


def _watched(commands: Commands, *, quick: bool) -> dict[str, Any]:
    """The same, of one version of the code: each command reads it anew."""
    plan = QUICK if quick else Plan()
    settings = settings_of(plan)
    try:
        found = _benched(commands, plan, quick=quick)
    except SpikeportError as error:
        raise (error if settings_of(plan) == settings else error.inside(CHANGED)) from None
    if settings_of(plan) != settings:
        found["notes"].append(f"{CHANGED}: run it again in another folder")
    return found


def _benched(commands: Commands, plan: Plan, *, quick: bool) -> dict[str, Any]:
    start, counted = time.perf_counter(), QUICK_COUNTED if quick else COUNTED
    names = [WHOLE, "events alone"] if quick else list(VARIANTS)
    with working("making clips"):
        prepare(commands, plan)
    with working(f"{len(names) * len(plan.seeds)} trainings") as tell:
        runs = trainings(commands, plan, names, tell)
    with working("energy"):
        rows = rows_of(runs, energies_of(commands, runs, counted), weights_of(commands, runs))
    seconds = time.perf_counter() - start
    notes = [*verdicts(rows), *meanings(counted), _about(plan, rows, seconds)]
    return {"name": "actions", "rows": rows, "notes": notes, "seconds": seconds}


def _about(plan: Plan, rows: list[dict[str, Any]], seconds: float) -> str:
    clips = f"{plan.train} clips to learn from, {plan.validation} to choose by, {plan.test} to test on"
    trained = sum(row["seconds"] for row in rows) / 60
    return (
        f"{clips}; seeds {', '.join(map(str, plan.seeds))}; {seconds / 60:.1f} minutes, trainings {trained:.1f} in all"
    )
