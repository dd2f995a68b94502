"""A user's folder with networks in it, and the command `spikeport` called there."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
import spikeport
from spikeport.__main__ import app
from spikeport.toolchain.graph import Graph, Wire, chain, later
from spikeport.toolchain.graph import nodes as n
from spikeport.toolchain.loihi.chip_graph import ChipGraph
from spikeport.toolchain.loihi.processes import LIF, ChipInput, ChipOutput, Conv, Dense, Shaped
from typer.testing import CliRunner

NETWORKS = """
import torch
from torch import nn
from norse.torch import LIFBoxCell
from snntorch import Leaky
from spikeport.models.neurons import LIF

print("this module is chatty")

def steps():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 5), LIF.from_tau(5e-3, threshold=0.1), nn.Linear(5, 2))

def one_step():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(6, 5), Leaky(0.9, init_hidden=True), nn.Linear(5, 2))

def with_example():
    return steps(), torch.rand(4, 2, 6)

def host():
    return nn.Sequential(nn.Linear(6, 5), nn.Softmax(-1))

def number():
    return 5

def broken():
    raise ValueError("no luck today")

def leaves():
    raise SystemExit(3)
"""


def user_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a user, with a module of networks and a graph file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "networks", raising=False)
    (tmp_path / "networks.py").write_text(NETWORKS)
    spikeport.save(small(), "small.graph")
    spikeport.save(small_chip(), "chip.graph")
    np.save(tmp_path / "events.npy", [[1, 2, 0, 0], [1, 2, 500, 0], [5, 5, 2500, 1]])
    return tmp_path


def small() -> Graph:
    rng = np.random.default_rng(0)
    layers = [
        ("in", n.Input((2, 6, 6), "spikes")),
        ("conv", n.Conv(rng.normal(size=(4, 2, 3, 3)), padding=1)),
        ("norm", n.BatchNorm(np.zeros(4), np.ones(4))),
        ("lif", n.LIF(beta=0.9, threshold=1.0)),
        ("pool", n.SumPool((2, 2))),
        ("flat", n.Flatten()),
        ("fc", n.Affine(rng.normal(size=(3, 36)))),
        ("out", n.Output("sum")),
    ]
    return chain(layers, name="small")


def small_chip() -> ChipGraph:
    rng = np.random.default_rng(0)
    nodes = {
        "in": ChipInput((2, 6, 6)),
        "conv": Conv(weight=rng.integers(-30, 60, (4, 2, 3, 3)) * 2, padding=1),
        "lif": LIF(current_decay=4096, voltage_decay=200, threshold=200),
        "flat": Shaped((144,)),
        "fc": Dense(weight=rng.integers(-30, 60, (3, 144)) * 2, exponent=-1),
        "li": LIF(current_decay=4096, voltage_decay=200, threshold=131071, emit="voltage"),
        "out": ChipOutput("last", after=2),
    }
    wires = {"conv": (later("in"),), "lif": (Wire("conv"),), "flat": (Wire("lif"),), "fc": (later("flat"),)}
    return ChipGraph(nodes, {**wires, "li": (Wire("fc"),), "out": (Wire("li"),)}, name="chip")


def run(*arguments: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, list(arguments), prog_name="spikeport")
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    assert "Traceback" not in done.stderr
    # On a slow machine anything may take over a second, and then says so.
    said = [
        line for line in done.stderr.splitlines(keepends=True) if line.startswith("error") or not line.endswith(" …\n")
    ]
    return done.exit_code, done.stdout, "".join(said).removeprefix("this module is chatty\n")


def data(*arguments: str) -> dict:
    code, out, err = run(*arguments, "--json")
    assert code == 0, err
    assert out.count("\n") == 1
    return json.loads(out)
