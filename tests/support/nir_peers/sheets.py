"""Everything about one framework as plain data: every cell, and every fault with whether it is still there.

python -m support.nir_peers.sheets NAME      prints it as JSON; for frameworks that live in another environment
"""

from __future__ import annotations

import re
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from support.nir_peers.cases import CASES
from support.nir_peers.judging import Outcome, Peer, outcome

WAYS = ("in", "out")


@dataclass(frozen=True)
class Found:
    """A fault, and whether its smallest example still shows it."""

    name: str
    about: str
    around: str
    example: str
    there: bool


@dataclass(frozen=True)
class Sheet:
    """What ran of one framework.

    Args:
        name: as its authors write it.
        dialect: what --dialect calls it.
        version: that ran.
        cells: (word, what was said, a line for each reason) by case and way; word "wrong" where neither we nor a fault
            explains it.
        faults: every one that is known.
    """

    name: str
    dialect: str
    version: str
    cells: Mapping[str, Mapping[str, tuple[str, str]]]
    faults: tuple[Found, ...]


def sheet(peer: Peer) -> Sheet:
    """Everything is run, one cell after the other, on one core: the networks are small."""
    torch = sys.modules.get("torch")
    threads = torch.get_num_threads() if torch is not None else 1
    if torch is not None:
        torch.set_num_threads(1)
    try:
        return _sheet(peer)
    finally:
        if torch is not None:
            torch.set_num_threads(threads)


def _sheet(peer: Peer) -> Sheet:
    with tempfile.TemporaryDirectory() as folder:
        cells = {case.name: {way: _cell(peer, case, way, Path(folder)) for way in WAYS} for case in CASES}
    return Sheet(peer.name, peer.dialect, peer.version, cells, tuple(_found(fault) for fault in peer.faults))


def _cell(peer: Peer, case: Any, way: Any, folder: Path) -> tuple[str, str]:
    try:
        found = outcome(peer, case, way, folder)
    except AssertionError as error:
        return "wrong", str(error)
    return found.word, _said(found, folder)


def _said(found: Outcome, folder: Path) -> str:
    """What was said, once for all layers, without the names of files that are made for this run."""
    lines = [line.removeprefix("  - ") for line in found.said.splitlines()]
    reasons = [line for line in lines if not re.search(r"refused for \d+ reasons?:$", line)]
    plain = [re.sub(rf"{re.escape(str(folder))}/\S*?\.nir[,:] ", "", line) for line in reasons]
    return "\n".join(dict.fromkeys(re.sub(r"^(\w+?)_2\b", r"\1", line) for line in plain))


def _found(fault: Any) -> Found:
    return Found(fault.name, fault.about, fault.around, " ".join(fault.shows.__doc__.split()), bool(fault.shows()))


def peer_of(name: str) -> Peer:
    """The framework of that name, as its module has it."""
    module = import_module(f"support.nir_peers.{name}")
    found: Peer = module.peer() if "peer" in vars(module) else module.PEER
    return found
