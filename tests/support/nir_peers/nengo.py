"""Nengo 4.1 in a process of its own: what the NIR repository's script makes of a file; it has no exporter."""

from __future__ import annotations

import sys
from functools import lru_cache
from pathlib import Path

import numpy as np
from spikeport.toolchain.graph import Graph
from spikeport.toolchain.graph import nodes as n
from support.nir_peers.cases import CASES, Manner
from support.nir_peers.judging import Fault, NotThere, Peer, Way
from support.nir_peers.other_python import OtherPython

APART = Path(sys.prefix) / "apart"
"""Packages that may not be found by the tests' Python: Nengo brings a plugin for pytest that does not load."""
SCRIPT = Path(__file__).parent / "elsewhere" / "nengo_here.py"
MANNER = Manner(
    rule="exact", gain="leak", dt=1e-4, within=(-1e-9, np.inf), mean=1.5, offset=0.35, drives=(0.25, 0.5, 0.06, 0.12)
)
"""Its neurons keep their potentials at 0 and above: where they would not fall below, they are ours."""
EXPORTER = "Nengo has no exporter"
ABSENT: dict[tuple[str, Way], str] = {
    **{(case.name, "in"): EXPORTER for case in CASES},
    ("LIF dense, v_reset", "out"): "potentials have to stay above 0 here, and this one resets below",
}


def export(graph: Graph, x: n.Array, path: Path) -> n.Array:
    """There is none."""
    raise NotThere(EXPORTER)


def load(path: Path, x: n.Array, graph: Graph) -> n.Array:
    """What the script's network answers."""
    found: n.Array = process().ask({"what": "run", "path": str(path), "dt": graph.dt}, x=x)
    return found


def potentials_stay_above_zero() -> bool:
    """What inhibits a LIF at rest is forgotten."""
    return bool(process().ask({"what": "fault"}))


@lru_cache(maxsize=1)
def process() -> OtherPython:
    """A Python that finds Nengo."""
    return OtherPython(Path(sys.executable), SCRIPT, APART)


@lru_cache(maxsize=1)
def peer() -> Peer:
    """Nengo, as it is installed apart."""
    return Peer(
        name="Nengo",
        dialect="nengo",
        version=str(process().ask({"what": "version"})) if (APART / "nengo").is_dir() else "",
        native=MANNER,
        runs=MANNER,
        absent=ABSENT,
        export=export,
        load=load,
        faults=(
            Fault(
                "potentials-stay-above-0",
                "Nengo's LIF keeps its potential at 0 or above, whatever inhibits it",
                potentials_stay_above_zero,
                around="a remark says so; the networks of this table stay above 0 by themselves",
            ),
        ),
    )
