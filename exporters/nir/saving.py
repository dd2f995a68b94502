"""A network's file and what stands beside it, both whole or none."""

from __future__ import annotations

from pathlib import Path

from ...toolchain.writing import written_whole
from .facts import beside, digest_of
from .objects import write_file
from .writing import Written


def save(written: Written, path: str | Path) -> None:
    """Writes both.

    Raises:
        FileError: when one of them cannot be written.
    """
    with written_whole(path) as draft, written_whole(beside(path)) as facts:
        write_file(written.tree, draft)
        facts.write_text(written.facts.beside(digest_of(draft)), encoding="utf-8")
