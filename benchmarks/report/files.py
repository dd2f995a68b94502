"""The files of a report: all of them new, or all of them as they were."""

from __future__ import annotations

import json
from contextlib import ExitStack
from pathlib import Path

from ...toolchain.errors import FileError
from ...toolchain.writing import written_whole
from ..findings import Findings
from .csv_rows import csv_text
from .latex import latex
from .plain import plain

NAMES = ("index.html", "energy.json", "energy.csv", "energy.tex")


def write_report(findings: Findings, folder: Path) -> tuple[Path, ...]:
    """Writes index.html, energy.json, energy.csv and energy.tex into `folder`, all or none; other files there stay.

    Raises:
        FileError: when the folder cannot be made or written to.
    """
    from .page import page

    texts = (page(findings), _json(findings), csv_text(findings), latex(findings))
    _make(folder)
    with ExitStack() as drafts:
        # Every draft is on the disk before the first takes its place; only a failing rename could still part them.
        for name, text in zip(NAMES, texts, strict=True):
            drafts.enter_context(written_whole(folder / name)).write_bytes(text.encode())
    return tuple(folder / name for name in NAMES)


def _json(findings: Findings) -> str:
    return json.dumps(plain(findings), allow_nan=False, ensure_ascii=False, indent=1) + "\n"


def _make(folder: Path) -> None:
    """Makes the folder; its parent has to be there."""
    try:
        folder.mkdir(exist_ok=True)
    except FileExistsError:
        raise FileError(str(folder), "is a file", "the name of a folder", "choose another name") from None
    except OSError as error:
        raise FileError(str(folder), f"cannot be made: {error.strerror or error}", fix="choose another") from error
