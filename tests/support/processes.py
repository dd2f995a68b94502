"""Looking at what runs on this machine."""

import os
import time
from collections.abc import Callable
from pathlib import Path


def living(text: str) -> list[int]:
    """The numbers of the processes whose command line holds a text; those that are dead and unburied do not count."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            command = (entry / "cmdline").read_bytes()  # empty for a dead one
        except OSError:
            continue
        if text.encode() in command and int(entry.name) != os.getpid():
            found.append(int(entry.name))
    return sorted(found)


def wait_for(what: Callable[[], object], seconds: float = 60.0) -> None:
    """Until `what` gives something true."""
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, f"waited {seconds:g} s in vain"
        time.sleep(0.01)
