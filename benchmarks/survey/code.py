"""Which code counts: a hash over it, so that numbers of another version are never taken for those of this one."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ... import __version__

COUNTS = ("toolchain", "benchmarks/counting", "benchmarks/survey", "benchmarks/operations.py")
"""What decides about counts; with `DATA` about those of data that is made."""
DATA = ("models/data",)
COMPUTES = ("numpy", "torch", "numba")
"""What a network is computed with: another version may round otherwise, and a spike may be lost or won."""
_ROOT = Path(__file__).parents[2]


@cache
def code_digest(*places: str) -> str:
    """SHA-256 of all Python files at some places of the package, by name and content."""
    found = hashlib.sha256()
    for place in places:
        whole = _ROOT / place
        for path in sorted(whole.rglob("*.py")) if whole.is_dir() else [whole]:
            found.update(f"{path.relative_to(_ROOT).as_posix()} {path.stat().st_size}\n".encode())
            found.update(path.read_bytes())
    return found.hexdigest()


@cache
def counted_by() -> str:
    """The code that counts and what it computes with, in a line that can be compared."""
    return ", ".join([f"spikeport {__version__} ({code_digest(*COUNTS)[:16]})", *map(_installed, COMPUTES)])


def _installed(name: str) -> str:
    try:
        return f"{name} {version(name)}"
    except PackageNotFoundError:
        return f"no {name}"
