"""How much memory a run needs, and how much there is: what cannot fit is refused before it starts."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import Path

from ..errors import SimulationError
from .recording import SENT, stored_as
from .schedule import Planned, Schedule

LIMITS = (("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),)
"""Where Linux says how much a group of processes may have, and has."""
SHARE = 0.9
"""Of what is free, a run may take so much."""
SMALL = 64 << 20
"""What needs no more bytes than this is not worth asking the system."""


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


def recorded(plan: Planned, keep: Mapping[str, frozenset[str]], batch: int, steps: int) -> dict[str, int]:
    """Bytes that will be kept, by item of `record`, and for each output that hands out every step."""
    found = {}
    for name, parts in keep.items():
        for what in sorted(parts):
            size = stored_as(plan.signals[name], what, plan.dtype).itemsize
            found[name if what == SENT else f"{name}.{what}"] = size * plan.signals[name].size
    for name, node in plan.outputs.items():
        if node.readout == "steps":
            found[f"every step of {name}"] = plan.dtype.itemsize * plan.signals[name].size
    return {item: count * steps * batch for item, count in found.items()}


def refuse_what_cannot_fit(
    plan: Planned, schedule: Schedule, window: int, keep: Mapping[str, frozenset[str]], batch: int, steps: int
) -> None:
    """A SimulationError when a run needs more memory than there is."""
    kept = recorded(plan, keep, batch, steps)
    running = schedule.live * min(window, max(steps, *schedule.groups.values(), 1))
    needed = sum(kept.values()) + running
    free = available() if needed > SMALL else None
    if free is None or needed <= SHARE * free:
        return
    found = f"needs about {amount(needed)} ({amount(sum(kept.values()))} of it recorded)"
    fix = "run a smaller batch" + (", or a shorter window" if window > 1 else "")
    if max(kept.values(), default=0) > running:
        fix = _record_less(kept)
    raise SimulationError("memory", found, f"at most {amount(int(SHARE * free))}", fix)


def refuse_what_has_grown(kept: Mapping[str, int], steps: int) -> int:
    """A SimulationError when a stream, whose length nobody knows, goes on until memory ends; when to look again.

    Args:
        kept: bytes recorded so far, by item; the largest is needed once more when its windows are joined.
        steps: how many steps have run.
    """
    free = available()
    if free is not None and max(kept.values()) + SMALL > SHARE * free:
        found = f"{amount(sum(kept.values()))} recorded after {steps} steps of a stream, {amount(free)} left"
        raise SimulationError("memory", found, "", _record_less(kept))
    return sum(kept.values()) + SMALL


def _record_less(kept: Mapping[str, int]) -> str:
    largest = max(kept, key=kept.__getitem__)
    return f"record less (the most is {largest} with {amount(kept[largest])}), or run fewer steps at once"


def amount(count: int) -> str:
    """Bytes as a person reads them: 3.1 GB."""
    power = min(4, int(math.log(max(count, 1), 1000)))
    return f"{count / 1000**power:.1f} {('bytes', 'kB', 'MB', 'GB', 'TB')[power]}" if power else f"{count} bytes"
