"""Peak memory of one run, measured in a process of its own.

In a fresh process each side of a case is built and run once to warm up. Then freed memory is given back to the system,
the high-water mark of resident memory is set back, the case runs, and the peak is the mark less what was resident
before. So inputs, weights and libraries do not count, and whatever a run holds at once does, whoever allocates it.
Linux only; elsewhere the peak is not given.
"""

from __future__ import annotations

import ctypes
import gc
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from .pairs import Work

if TYPE_CHECKING:
    from .cases import Case, Size
    from .contests import Contest

STATUS, RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def peak(work: Work) -> int | None:
    """Bytes that a run holds at most, above what was there before; None where the system does not say."""
    result = work()
    del result
    try:
        settle()
        RESET.write_text("5")
    except (OSError, AttributeError):
        return None
    before = _resident("VmRSS")
    result = work()
    most = _resident("VmHWM")
    del result
    return most - before


def settle() -> None:
    """Gives freed memory back to the system, so that nothing new fits into what is resident already."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)


def _resident(name: str) -> int:
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1]) * 1024


Plan = Mapping[str, Mapping[str, tuple[str, str]]]
"""By peer and case, the forms of ours and of the peer to measure."""

Peaks = dict[str, dict[str, tuple[int | None, int | None]]]
"""By peer and case, bytes of ours and of the peer."""


def peaks(plan: Plan, quick: bool) -> Peaks:
    """Peaks of ours and the peers', measured in a process of their own.

    Args:
        plan: what to measure.
        quick: the small sizes.
    """
    command = [sys.executable, "-W", "ignore", "-m", __name__, json.dumps([plan, quick])]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: Peaks = json.loads(done.stdout.splitlines()[-1])
    return found


def _measured(plan: Plan, quick: bool) -> Peaks:
    from .cases import CASES, QUICK, Size
    from .contests import contests

    size = QUICK if quick else Size()
    raced = [contest for contest in contests() if contest.peer in plan]
    return {
        contest.peer: {
            case.name: _both(case, contest, plan[contest.peer][case.name], size)
            for case in CASES
            if case.name in plan[contest.peer]
        }
        for contest in raced
    }


def _both(case: Case, contest: Contest, forms: tuple[str, str], size: Size) -> tuple[int | None, int | None]:
    from .cases import input_of, our_runs, their_runs, work_of

    x = input_of(case, contest, size)
    ours = peak(work_of(case, our_runs(case, contest)[forms[0]], x))
    return ours, peak(work_of(case, their_runs(case, contest)[forms[1]], x))


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_measured(*json.loads(sys.argv[1]))) + "\n")
