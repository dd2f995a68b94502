"""A process of another Python that answers questions: for frameworks that cannot live in the environment of the tests.

A question is one line of JSON, {"ask": …, "arrays": FILE.npz}; so is the answer, behind a word that marks it.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from support.nir_peers.judging import PeerError

ANSWER = "answer: "
"""How a line begins that answers; see `serving.py`."""


class OtherPython:
    """The process, which is started with the first question and ends when its input does.

    Args:
        python: its interpreter.
        script: what it runs: a file that ends with `serve(answer)` of `serving.py` beside it.
        packages: a folder of packages that it finds beside its own.
    """

    def __init__(self, python: Path, script: Path, packages: Path | None = None) -> None:
        self.python, self.script, self.packages = python, script, packages
        self.process: subprocess.Popen[str] | None = None

    def ask(self, question: Mapping[str, Any], **arrays: np.ndarray) -> Any:
        """What it answers: numbers, text or an array; a PeerError with its own words where it fails."""
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        with tempfile.TemporaryDirectory() as folder:
            held = Path(folder) / "arrays.npz"
            np.savez(held, **arrays)
            process.stdin.write(json.dumps({"ask": question, "arrays": str(held)}) + "\n")
            process.stdin.flush()
            line = next((each for each in process.stdout if each.startswith(ANSWER)), "")  # imports may print too
            if not line:
                raise PeerError(f"{self.script.name} ended without an answer")
            answer = json.loads(line.removeprefix(ANSWER))
            if "error" in answer:
                raise PeerError(str(answer["error"]))
            return np.load(held.with_suffix(".answer.npy")) if answer["array"] else answer["value"]

    def _running(self) -> subprocess.Popen[str]:
        if self.process is None:
            environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONWARNINGS": "ignore"}
            environment.pop("PYTHONPATH", None)
            if self.packages is not None:
                environment["PYTHONPATH"] = str(self.packages)
            self.process = subprocess.Popen(
                [str(self.python), str(self.script)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                env=environment,
            )
            atexit.register(self.close)
        return self.process

    def close(self) -> None:
        """Ends it."""
        if self.process is not None:
            self.process.communicate()
            self.process = None
