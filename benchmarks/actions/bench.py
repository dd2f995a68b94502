"""`spikeport bench actions`: made actions, every variant with every seed, one table.

The clips are made once; trainings run side by side, one thread each; each is a command that could have been typed. With
`--folder` all of it is kept, and a run that was stopped goes on.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from ...toolchain.console import working
from .judging import rows_of, verdicts
from .trainings import QUICK, Plan, prepared, trainings
from .variants import VARIANTS, WHOLE

COUNTED, QUICK_COUNTED = 40, 2
"""Test clips whose operations are counted for the energy."""


def bench(*, quick: bool = False, folder: Path | None = None) -> dict[str, Any]:
    """Makes the clips, trains every variant, and judges all of it.

    Args:
        quick: few clips, one epoch, the whole system and one stream: shows that everything runs, not how well.
        folder: where data and trainings are kept; none: nowhere.

    Returns:
        {"name", "rows", "notes", "seconds"}; rows as `judging.py` has them.
    """
    if folder is None:
        with tempfile.TemporaryDirectory() as place:
            return _benched(Path(place), quick=quick)
    return _benched(folder, quick=quick)


def _benched(folder: Path, *, quick: bool) -> dict[str, Any]:
    start, plan = time.perf_counter(), QUICK if quick else Plan()
    names = [WHOLE, "events alone"] if quick else list(VARIANTS)
    with working("making clips"):
        data = prepared(folder, plan)
    with working(f"{len(names) * len(plan.seeds)} trainings") as tell:
        runs = trainings(folder, data, plan, names, tell)
    rows = rows_of(runs, data, QUICK_COUNTED if quick else COUNTED)
    seconds = time.perf_counter() - start
    about = f"{plan.train} clips to learn from, {plan.test} to test on, seeds {', '.join(map(str, plan.seeds))}"
    notes = [*verdicts(rows), f"{about}; {seconds / 60:.1f} minutes"]
    return {"name": "actions", "rows": rows, "notes": notes, "seconds": seconds}
