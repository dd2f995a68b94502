"""Runs of the command line that take more than a moment: on Lava, and how often they say how far they are."""

import json
from pathlib import Path

import numpy as np
import pytest
from spikeport.__main__ import app
from spikeport.toolchain import running
from spikeport.toolchain.graph.store import save
from support.random_chips import random_chip
from typer.testing import CliRunner


def run(*arguments: str) -> dict:
    done = CliRunner().invoke(app, ["run", *arguments, "--json"])
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


def test_lava_and_the_fixed_simulation_keep_the_same(lava: Path, tmp_path: Path) -> None:
    save(random_chip(2), tmp_path / "net.graph")
    files = {}
    for backend in ("lava", "fixed"):
        files[backend] = tmp_path / f"{backend}.npz"
        call = (str(tmp_path / "net.graph"), "--backend", backend, "--record", "all", "-o", str(files[backend]))
        found = run(*call, "--made", "poisson:0.4", "--steps", "12", "--batch", "2")
        assert found["backend"] == backend
    with np.load(files["lava"]) as ours, np.load(files["fixed"]) as theirs:
        assert set(ours.files) == set(theirs.files)
        for name in set(ours.files) - {"about"}:
            np.testing.assert_array_equal(ours[name], theirs[name], name)


def test_progress_is_said_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    said, now = [], [100.0]
    monkeypatch.setattr(running.time, "monotonic", lambda: now[0])
    report = running._seldom(said.append)
    for step in range(1, 9):
        now[0] += 0.75
        report(step * 1000, 8000)
    assert said == ["step 3,000 of 8,000", "step 6,000 of 8,000"]
