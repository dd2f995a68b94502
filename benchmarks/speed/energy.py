"""`spikeport bench energy`: what counting costs, beside the same forward pass without it, and the peers' counters.

    overhead = seconds with counting / seconds without        medians of pairs, measured in turn in one process

Every counter sees the same module and input. The curve shows the cost over samples, steps and layers.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from ...toolchain.console import working
from ...toolchain.simulate import simulate
from ...toolchain.tracing import trace
from ..counting.of_graph import count_graph
from ..counting.of_module import count_module
from .energy_curve import curve
from .energy_peers import PEERS
from .energy_plot import draw, straight
from .memory import peak
from .networks import Network, convolutions, nothing
from .pairs import Work, measure
from .transformer import block

Row = dict[str, Any]


def transformer(quick: bool, width: int) -> Network:
    """A spiking transformer block."""
    module, x = block(width=width, quick=quick)
    return Network(f"block of {width} {list(x.shape)}", "torch", module, x, nothing)


WIDTHS = (512, 256)
"""Of the blocks: that of the models 8-512 of Spikformer and Spike-driven Transformer, and a small one."""
CASES: tuple[Callable[[bool], Network], ...] = (convolutions, *(partial(transformer, width=each) for each in WIDTHS))
PAIRS, FEW = 11, 3
"""Pairs of ours, and of a peer, which is slower and further away."""
RETURNED = {"MALLOC_MMAP_THRESHOLD_": str(1 << 16)}
"""Memory that is freed goes back to the system: what is resident is what is held, and no holes of the allocator's."""


@dataclass(frozen=True)
class Way:
    """One way to count.

    Args:
        counter: what counts.
        plain: the run without counting.
        counted: the same with it.
        pairs: how many pairs are measured.
    """

    counter: str
    plain: Work
    counted: Work
    pairs: int


def bench(*, quick: bool = False, plot: Path | None = None) -> dict[str, Any]:
    """Runs every network.

    Args:
        quick: small inputs and few pairs: shows that everything runs, not how much it costs.
        plot: a picture of the curve.

    Returns:
        {"name", "rows", "notes"}; a row has case, counter, plain_s, counted_s, overhead and, for ours, plain_mb,
        counted_mb and memory, their ratio; the rows of the curve have case, counted_s and per_s, seconds for one
        sample, step or layer.
    """
    torch.manual_seed(0)
    memory = peaks(quick)
    with torch.no_grad():
        rows = [row for make in CASES for row in _rows(make(quick), memory, quick)]
        grown = curve(quick)
    if plot is not None:
        draw(grown, plot)
    notes = [
        f"float32, {torch.get_num_threads()} threads, medians of {2 if quick else PAIRS} pairs in both orders, "
        f"{2 if quick else FEW} for the peers; peak memory of ours in a process of its own, beside weights and input",
        *(f"{row['case']}: input {row['input']}" for row in rows if row.get("counter") == "ours, module"),
        "each counter as its users call it; what each of them counts is in docs/energy.md",
    ]
    return {"name": "energy", "rows": [*rows, *grown], "notes": [*notes, *straight(grown)]}


def _rows(network: Network, memory: Mapping[str, tuple[int | None, int | None]], quick: bool) -> list[Row]:
    rows = []
    for way in ways(network, quick):
        with working(f"{network.name}, {way.counter}"):
            found = measure(way.counted, way.plain, way.pairs)
        plain, counted = memory.get(f"{network.name} {way.counter}", (None, None))
        megabytes = {"plain_mb": _mb(plain), "counted_mb": _mb(counted)}
        megabytes["memory"] = counted / plain if plain and counted else None
        row = {
            "case": network.name.partition(" [")[0],
            "input": list(network.inputs.shape),
            "counter": way.counter,
            "plain_s": found.peer_s,
            "counted_s": found.ours_s,
        }
        rows.append({**row, "overhead": 1 / found.ratio, "pairs": way.pairs, **megabytes})
    return rows


def _mb(size: int | None) -> float | None:
    return None if size is None else size / 1e6


def ways(network: Network, quick: bool) -> list[Way]:
    """Ours on both roads, and the peers'."""
    pairs, few = (2, 2) if quick else (PAIRS, FEW)
    plain = partial(_forward, network)
    peers = [Way(name, plain, partial(count, network), few) for name, count in PEERS.items()]
    return [*ours(network, pairs), *peers]


def ours(network: Network, pairs: int) -> list[Way]:
    """Ours in the module that runs, and in the graph."""
    graph = trace(network.module, network.inputs[:3], carries="spikes", check=False, host=True)
    given = network.inputs.numpy()
    return [
        Way("ours, module", partial(_forward, network), partial(_counted, network), pairs),
        Way("ours, graph", partial(simulate, graph, given), partial(count_graph, graph, given), pairs),
    ]


def _forward(network: Network) -> object:
    network.fresh(network.module)
    return network.module(network.inputs)


def _counted(network: Network) -> object:
    network.fresh(network.module)
    return count_module(network.module, network.inputs, carries="spikes")


def peaks(quick: bool) -> Mapping[str, tuple[int | None, int | None]]:
    """Bytes that ours hold at most, without and with counting, by case and counter; in a process of its own."""
    command = [sys.executable, "-W", "ignore", "-m", __name__, json.dumps(quick)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, **RETURNED})
    found: dict[str, tuple[int | None, int | None]] = json.loads(done.stdout.splitlines()[-1])
    return found


def _measured(quick: bool) -> Mapping[str, tuple[int | None, int | None]]:
    torch.manual_seed(0)
    with torch.no_grad():
        networks = [make(quick) for make in CASES]
        return {f"{n.name} {way.counter}": (peak(way.plain), peak(way.counted)) for n in networks for way in ours(n, 1)}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(_measured(json.loads(sys.argv[1]))) + "\n")
