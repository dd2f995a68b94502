"""`spikeport bench neurons`: our multi-step neurons beside Norse, SpikingJelly and snnTorch.

Every row compares the same equation on the same input: spikes are compared before anything is timed, and the share that
differs, from another order of roundings in float32, is a column of the result.
"""

from __future__ import annotations

import platform
from dataclasses import asdict
from typing import Any

import torch

from ...toolchain.console import working
from ...toolchain.errors import SimulationError
from .cases import CASES, QUICK, Case, Size, input_of, limit_of, our_runs, their_runs, work_of
from .contests import Contest, Run, contests
from .memory import peaks
from .pairs import fastest, measure, seconds

MOST_DIFFERENT = {"neuron": 1e-4, "network": 2e-2}
"""Share of spikes that may differ in float32. In a network a rounding moves a spike, and that spike moves others."""

Row = dict[str, Any]


def bench(*, quick: bool = False) -> dict[str, Any]:
    """Runs every case against every peer.

    Args:
        quick: small sizes and few pairs: shows that everything runs, not how fast.

    Returns:
        {"name", "rows", "notes"}; a row has case, peer, form, ours_form, ours_s, peer_s, ratio, pairs, limit_s,
        of_limit, ours_mb, peer_mb, rate and different.
    """
    size = QUICK if quick else Size()
    raced = contests()
    rows = [
        _row(case, contest, size) for case in CASES for contest in raced if case.subject == "neuron" or contest.networks
    ]
    with working("peak memory"):
        found = peaks({each.peer: _forms(rows, each.peer) for each in raced}, quick)
    rows = [{**row, **_megabytes(*found[row["peer"]][row["case"]])} for row in rows]
    return {"name": "neurons", "rows": rows, "notes": _notes(rows, size)}


def _forms(rows: list[Row], peer: str) -> dict[str, tuple[str, str]]:
    return {row["case"]: (row["ours_form"], row["form"]) for row in rows if row["peer"] == peer}


def _row(case: Case, contest: Contest, size: Size) -> Row:
    x, forms, theirs = input_of(case, contest, size), our_runs(case, contest), their_runs(case, contest)
    with working(f"{case.name}, {contest.peer}"):
        ours_form, form = (_fastest(case, runs, x, size) for runs in (forms, theirs))
        ours = forms[ours_form]
        rate, different = _compared(case, ours, theirs[form], x)
        pairs = size.neuron_pairs if case.subject == "neuron" else size.network_pairs
        found = measure(work_of(case, ours, x), work_of(case, theirs[form], x), pairs)
        limit_s = min(seconds(limit_of(case, size)) for _ in range(max(2, pairs)))
    shares = {"limit_s": limit_s, "of_limit": limit_s / found.ours_s, "rate": rate, "different": different}
    return {"case": case.name, "peer": contest.peer, "form": form, "ours_form": ours_form, **asdict(found), **shares}


def _fastest(case: Case, runs: dict[str, Run], x: torch.Tensor, size: Size) -> str:
    return fastest({name: work_of(case, run, x) for name, run in runs.items()}, size.rounds)


def _compared(case: Case, ours: Run, theirs: Run, x: torch.Tensor) -> tuple[float, float]:
    """The firing rate, and the share of outputs that differ; too many are an error, because then it is not a race."""
    with torch.no_grad():
        mine, peers = ours(x), theirs(x)
    different = float((mine != peers).float().mean())
    if different > MOST_DIFFERENT[case.subject]:
        raise SimulationError(case.name, f"{different:.2%} of the outputs are not the peer's")
    return float(mine.mean()), different


def _megabytes(ours: int | None, theirs: int | None) -> Row:
    return {"ours_mb": None if ours is None else ours / 1e6, "peer_mb": None if theirs is None else theirs / 1e6}


def _notes(rows: list[Row], size: Size) -> list[str]:
    machine = f"{torch.get_num_threads()} threads, {platform.machine()}, torch {torch.__version__}"
    worst = {case.name: min(row["ratio"] for row in rows if row["case"] == case.name) for case in CASES}
    least = ", ".join(f"{name} {ratio:.2f}×" for name, ratio in worst.items())
    return [
        f"float32, neuron [T, B, N] = {list(size.neuron)}, network {list(size.network)}; {machine}.",
        f"Against the fastest peer: {least}.",
        "limit: for a neuron plain copies of the same bytes, for a network its bare convolutions; of_limit: its"
        " share of our time. The rest: fresh memory, which the system clears page by page; in a network also pooling.",
    ]
