"""How a job went, as a file; and the error of a program that cannot run."""

from __future__ import annotations

import json
import os
import traceback
from pathlib import Path
from typing import Any


class ProgramError(Exception):
    """A program that cannot run.

    Args:
        where: the process or connection at fault; empty when it is the whole.
        found: what is wrong with it.
    """

    def __init__(self, where: str, found: str) -> None:
        super().__init__(where, found)
        self.where = where
        self.found = found


def failure(error: Exception, where: str) -> dict[str, Any]:
    """The status of a job that ended with this error, in the process of this name."""
    if isinstance(error, ProgramError):
        return {"state": "failed", "where": error.where, "found": error.found, "trace": ""}
    return {
        "state": "failed",
        "where": where,
        "found": f"{type(error).__name__}: {in_words(error)}",
        "trace": traceback.format_exc(),
    }


def in_words(error: Exception) -> str:
    """What an error says, on one line."""
    return " ".join(str(error).split()) or type(error).__name__


def write(path: Path, status: dict[str, Any]) -> None:
    """Writes a status; the file appears whole."""
    draft = path.with_suffix(f".{os.getpid()}")
    draft.write_text(json.dumps(status))
    draft.replace(path)
