"""`spikeport bench lava`: our fixed-point simulation beside Lava's own simulator, on the same chip graphs.

Lava runs in its own environment, ours here, in turn; the spikes of the last layers are compared before anything is
timed. Seconds are those of one step of one sample. Lava is asked for as few steps as it takes to measure it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from ...toolchain.console import working
from ...toolchain.errors import SimulationError
from ...toolchain.loihi.to_lava import SENT, to_lava
from ...toolchain.simulate import simulate
from ...toolchain.simulate.fixed_plan import fixed_plan
from ...toolchain.simulate.lava_env import lava_python
from ...toolchain.simulate.lava_runner import LavaRun, run_all
from .lava_costs import Shares, bare, peaks, shares
from .lava_networks import CASES, CURVE, Case
from .lava_start import ROUNDS, from_nothing
from .pairs import seconds

STEPS = 64
BATCH = 16
LEAST_S = 0.05
"""What is measured lasts at least so long."""
SHOWN = 1000
"""Layers of at most so many neurons are compared."""

Row = dict[str, Any]


def bench(*, quick: bool = False) -> dict[str, Any]:
    """Runs every network.

    Args:
        quick: small networks and few steps: shows that everything runs, not how fast.

    Returns:
        {"name", "rows", "notes"}; a row has case, peer, ours_s and, where they were measured, peer_s, ratio, limit_s,
        ours_mb, steps, peer_steps and rates.
    """
    python = lava_python()
    cases = [make(quick) for make in CASES]
    memory = peaks(quick)
    rows: list[Row] = []
    notes = [
        f"ms for one step of one sample, only the output recorded, torch in one thread; ours: medians of "
        f"{_rounds(quick)} runs of {STEPS} steps (3 of a batch); Lava: one run of as many steps as the column says",
        "with start-up: a fresh Python on both sides, from a network on file until the answer is back, divided by the "
        f"steps that it ran; {'once each' if quick else f'medians of {ROUNDS} in turn'}",
        "limit: the bare products and convolutions of torch on the same shapes, in float32 and one thread",
    ]
    for index, case in enumerate(cases):
        with working(f"{case.name}, Lava"):
            made, share = _raced(case, python, quick)
        rows += made
        rows += _curve(case, made, memory[index])
        notes.append(share.text(case.name))
    return {"name": "lava", "rows": rows, "notes": notes}


def _raced(case: Case, python: Path, quick: bool) -> tuple[list[Row], Shares]:
    """A case with one sample and with a batch, beside Lava."""
    programs = [(steps, 1) for steps in case.lava_steps] + [(case.lava_batch, BATCH)]
    runs = _lava_runs(case, programs, python)
    for (steps, batch), run in zip(programs, runs, strict=True):
        _compared(case, run, steps, batch)
    shared: Row = {"peer": "Lava", "rates": _rates(case)}
    rows: list[Row] = []
    for batch, (steps, samples), run in ((1, programs[-2], runs[-2]), (BATCH, programs[-1], runs[-1])):
        ours, theirs = (
            _ours(case, STEPS, batch, _rounds(quick) if batch == 1 else 3),
            run.seconds.run / (steps * samples),
        )
        pair = {"ours_s": ours, "peer_s": theirs, "ratio": theirs / ours, "steps": STEPS, "peer_steps": steps}
        rows.append({"case": f"{case.name}, batch {batch}", **shared, **pair, "limit_s": bare(case.graph, batch)})
    rows.append({"case": f"{case.name}, with start-up", **shared, **_started(case, python, quick)})
    for (steps, _), run in zip(programs[:-1], runs[:-1], strict=True):
        rows[0].setdefault("peer_curve", {})[steps] = run.seconds.run / steps
    return rows, shares(case.graph, case.spikes(STEPS, 1))


def _started(case: Case, python: Path, quick: bool) -> Row:
    """Both sides from nothing to the answer, by step."""
    steps = min(STEPS, case.lava_steps[-1])
    found = from_nothing(case, steps, python, quick=quick)
    ours, theirs = found.ours / steps, found.lavas / steps
    return {"ours_s": ours, "peer_s": theirs, "ratio": theirs / ours, "steps": steps, "peer_steps": steps}


def _rounds(quick: bool) -> int:
    return 2 if quick else 7


def _ours(case: Case, steps: int, batch: int, rounds: int) -> float:
    """Our seconds for one step of one sample: the median over some rounds, each of as many runs as fill LEAST_S."""
    x = case.spikes(steps, batch)
    fixed_plan(case.graph)  # with the kernels from the first run on
    simulate(case.graph, x[:1])
    runs = 1 + int(LEAST_S / seconds(partial(simulate, case.graph, x)))

    def work() -> None:
        for _ in range(runs):
            simulate(case.graph, x)

    return median(seconds(work) for _ in range(rounds)) / (steps * batch * runs)


def _lava_runs(case: Case, programs: Sequence[tuple[int, int]], python: Path) -> list[LavaRun]:
    (name,) = case.graph.inputs
    made = [to_lava(case.graph, {name: case.spikes(*size)}, _items(case))[0] for size in programs]
    return run_all(made, python)


def _items(case: Case) -> list[tuple[str, str]]:
    return [(name, SENT) for name in case.graph.neurons if case.graph.signals[name].size <= SHOWN]


def _compared(case: Case, run: LavaRun, steps: int, batch: int) -> None:
    """A SimulationError unless both send the same."""
    items = _items(case)
    (name,) = case.graph.inputs
    record = to_lava(case.graph, {name: case.spikes(steps, batch)}, items)[1]
    ours = simulate(case.graph, case.spikes(steps, batch), record=[node for node, _ in items])
    for node, what in items:
        if not np.array_equal(ours[node].values, run.values[record[node, what]]):
            raise SimulationError(f"{case.name}, {node}", "other spikes than Lava's", "the same, bit for bit")


def _rates(case: Case) -> dict[str, float]:
    counts = simulate(case.graph, case.spikes(STEPS, 1)).counts
    return {name: round(counts[name].rate, 4) for name in case.graph.neurons}


def _curve(case: Case, made: Sequence[Row], memory: Sequence[int | None]) -> list[Row]:
    """Cost and memory by the length of the run."""
    theirs = made[0].pop("peer_curve")
    rows: list[Row] = []
    for steps, peak in zip(CURVE, memory, strict=True):
        ours = _ours(case, steps, 1, 1 if steps == CURVE[-1] else 3)
        row: Row = {"case": f"{case.name}, {steps} steps", "peer": "Lava", "ours_s": ours, "steps": steps}
        if steps in theirs:
            row |= {"peer_s": theirs[steps], "ratio": theirs[steps] / ours, "peer_steps": steps}
        rows.append(row | ({} if peak is None else {"ours_mb": peak / 1e6}))
    return rows
