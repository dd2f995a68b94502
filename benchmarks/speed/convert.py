"""`spikeport bench convert`: what writing a network costs, in time and in memory, over the size of the network.

Every conversion runs in a process of its own, which loads the libraries first and is measured from there on: the
network itself, whatever a writer holds at once, and the most that a process it starts holds. `write` makes the file
alone; `convert` is the whole work of the command: quantise, write, read again, and run both on the trial input.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...exporters.formats import FORMATS
from ...toolchain.console import working
from ...toolchain.graph import Graph, chain
from ...toolchain.graph.nodes import LIF, Affine, Input, Output
from .memory import RESET, STATUS, settle

Row = dict[str, Any]

LAYERS = 10
WIDTHS, SMALL = (500, 790, 1118, 1581), (40, 80)
"""Ten layers of so many neurons: 2.5, 6.2, 12.5 and 25 million weights."""
WAYS = ("write", "convert")
EXCHANGED, CHIP = ("nir", "onnx"), "netx"
CHILDREN = Path(f"/proc/self/task/{os.getpid()}/children")
COMMAND = Path("/proc/self/cmdline")
STEPS = 8
"""Steps of the trial input, of one sample."""


def network(width: int) -> Graph:
    """Layers of LIF neurons, all to all."""
    source = np.random.default_rng(0)
    layers = (
        (f"{kind}{i}", Affine(_weights(source, width)) if kind == "fc" else LIF(beta=0.9, threshold=1.0))
        for i in range(LAYERS)
        for kind in ("fc", "lif")
    )
    return chain([("in", Input((width,), "spikes")), *layers, ("out", Output())], name=f"wide{width}")


def _weights(source: np.random.Generator, width: int) -> Any:
    values = source.standard_normal((width, width), np.float32)
    values *= np.float32(4 / width**0.5)
    return values


def bench(*, quick: bool = False) -> dict[str, Any]:
    """Converts networks of four sizes to every exchange format.

    Args:
        quick: small networks: shows that everything runs, not what it costs.

    Returns:
        {"name", "rows", "notes"}; a row has case, parameters, ours_s, file_mb, held_mb, and memory: what was held at
        most, by the bytes of the weights.
    """
    rows = []
    for name in (*EXCHANGED, CHIP):
        for way in WAYS:
            for width in SMALL if quick else WIDTHS:
                with working(f"{name}, {way}, {LAYERS} × {width}²"):
                    rows.append(_measured(name, way, width))
    notes = [
        f"{LAYERS} dense layers of LIF neurons, float32; every row in a process of its own, above its imports; "
        "'held' is the most that it and its children, imports and all, held, 'memory' that by the bytes of the weights",
        f"convert: quantise where it has to be, write, read again, run {STEPS} steps of both",
        *_lines(rows),
    ]
    return {"name": "convert", "rows": rows, "notes": notes}


def _lines(rows: Sequence[Row]) -> list[str]:
    """How straight the time is over the weights: R² of its line."""
    said = []
    for case in dict.fromkeys(row["case"] for row in rows):
        sizes, spent = (np.array([row[key] for row in rows if row["case"] == case]) for key in ("parameters", "ours_s"))
        each, offset = np.polyfit(sizes, spent, 1)
        left = float(((spent - offset - each * sizes) ** 2).sum() / ((spent - spent.mean()) ** 2).sum())
        said.append(f"{case}: {1e9 * each:.3g} ms for each million weights, R² = {1 - left:.3f}")
    return said


def _measured(name: str, way: str, width: int) -> Row:
    command = [sys.executable, "-W", "ignore", "-m", __name__, json.dumps([name, way, width])]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, **QUIET})
    found: Row = json.loads(done.stdout.splitlines()[-1])
    return {"case": f"{name}, {way}", **found}


QUIET = {"NO_COLOR": "1", "MALLOC_MMAP_THRESHOLD_": str(1 << 16)}
"""Memory that is freed goes back to the system: what is resident is what is held."""


def _alone(name: str, way: str, width: int) -> Mapping[str, Any]:
    """One conversion in this process."""
    _import(name)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"net{FORMATS[name].suffix}"
        settle()
        before = _resident("VmRSS")
        RESET.write_text("5")
        graph = network(width)
        start = time.perf_counter()
        with _beside() as most:
            _convert(graph, name, way, path)
        spent = time.perf_counter() - start
        size = path.stat().st_size
    held = max(_resident("VmHWM"), max(most)) - before
    weights = LAYERS * width * width
    return {
        "parameters": weights,
        "ours_s": spent,
        "held_mb": held / 1e6,
        "memory": held / (4 * weights),
        "file_mb": size / 1e6,
    }


def _import(name: str) -> None:
    """What the format needs is loaded by converting a small network first."""
    with tempfile.TemporaryDirectory() as folder:
        _convert(network(8), name, "convert", Path(folder) / f"net{FORMATS[name].suffix}")


def _convert(graph: Graph, name: str, way: str, path: Path) -> None:
    from ...exporters.converting import Account, Chip, Exchange, exchanged, on_chip
    from ...toolchain.loihi.quantise import quantise
    from ...toolchain.trial import Trial

    how, trial = FORMATS[name], Trial(steps=STEPS)
    if way == "convert" and how.target:
        on_chip(graph, name, how, path, Chip(8, (), None, None, trial, lava=False), Account())
    elif way == "convert":
        exchanged(graph, name, how, path, trial, Exchange(), Account())
    else:
        how.write(quantise(graph, target=how.target)[0] if how.target else graph, path)


@contextlib.contextmanager
def _beside() -> Iterator[list[int]]:
    """What this process and those that it starts hold together, looked at all the time; the most is in the list."""
    most, ended = [0], threading.Event()

    def look() -> None:
        while not ended.wait(0.02):
            found = [_resident("VmRSS")]
            for child in CHILDREN.read_text().split():
                with contextlib.suppress(OSError, StopIteration):
                    found.append(_of_child(Path(f"/proc/{child}")))
            most[0] = max(most[0], sum(found))

    watch = threading.Thread(target=look)
    watch.start()
    try:
        yield most
    finally:
        ended.set()
        watch.join()


def _of_child(place: Path) -> int:
    """The most that a process held; nothing before its program runs, while it still has this one's memory."""
    if (place / "cmdline").read_bytes() == COMMAND.read_bytes():
        return 0
    return _resident("VmHWM", place / "status")


def _resident(name: str, status: Path = STATUS) -> int:
    line = next(line for line in status.read_text().splitlines() if line.startswith(f"{name}:"))
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_alone(*json.loads(sys.argv[1]))) + "\n")
