"""How much memory a run needs, and how much there is: what cannot fit is refused before it starts."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import Path

from ..errors import SimulationError
from .plan import Plan, Schedule
from .recording import SENT, stored_as

LIMITS = (("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),)
"""Where Linux says how much a group of processes may have, and has."""
SHARE = 0.9
"""Of what is free, a run may take so much."""


def available() -> int | None:
    """Bytes that a run may still take; None where the system does not say."""
    found = [free for free in (_system(), *(_group(*files) for files in LIMITS)) if free is not None]
    return min(found) if found else None


def _system() -> int | None:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration, ValueError):
        pass
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return None


def _group(limit: str, used: str) -> int | None:
    try:
        return int(Path(limit).read_text()) - int(Path(used).read_text())
    except (OSError, ValueError):  # no such group, or "max": no limit
        return None


def recorded(plan: Plan, keep: Mapping[str, frozenset[str]], batch: int, steps: int) -> dict[str, int]:
    """Bytes that will be kept, by item."""
    items = [(name, what) for name, parts in keep.items() for what in sorted(parts)]
    items += [(name, SENT) for name, node in plan.outputs.items() if node.readout == "steps" and name not in keep]
    return {
        name if what == SENT else f"{name}.{what}": steps
        * batch
        * plan.signals[name].size
        * stored_as(plan.signals[name], what, plan.dtype).itemsize
        for name, what in items
    }


def refuse_what_cannot_fit(
    plan: Plan, schedule: Schedule, window: int, keep: Mapping[str, frozenset[str]], batch: int, steps: int
) -> None:
    """A SimulationError when a run needs more memory than there is."""
    free = available()
    kept = recorded(plan, keep, batch, steps)
    running = schedule.live * min(max(window, *schedule.groups.values(), 1), max(window, steps))
    needed = sum(kept.values()) + running
    if free is None or needed <= SHARE * free:
        return
    found = f"needs about {amount(needed)} ({amount(sum(kept.values()))} of it recorded)"
    largest = max(kept, key=kept.__getitem__, default="")
    if kept and kept[largest] > running:
        fix = (
            f"record fewer nodes (the largest is '{largest}' with {amount(kept[largest])}), or run fewer steps at once"
        )
    else:
        fix = "run a smaller batch" + (", or a shorter window" if window > 1 else "")
    raise SimulationError("memory", found, f"at most {amount(int(SHARE * free))}", fix)


def amount(count: int) -> str:
    """Bytes as a person reads them: 3.1 GB."""
    power = min(4, int(math.log(max(count, 1), 1000)))
    return f"{count / 1000**power:.1f} {('bytes', 'kB', 'MB', 'GB', 'TB')[power]}" if power else f"{count} bytes"
