"""Netx files through lava-dl's own loader, from outside: many files, a worker for each core."""

import contextlib
import json
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import spikeport
from spikeport.toolchain.guarded import guarded, has_ended
from spikeport.toolchain.simulate.lava_env import LAVA_DL, look

WORKER = Path(__file__).parent / "loader_worker.py"
LAVA_WORKER = Path(spikeport.__file__).parent / "toolchain" / "simulate" / "lava_worker"
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@dataclass(frozen=True, eq=False)
class Load:
    """A file to load and run.

    Args:
        file: the netx file.
        inputs: [T, B, *shape] in the loader's axes: (width, height, channels).
        arguments: those of lava.lib.dl.netx.hdf5.Network.
    """

    file: Path
    inputs: np.ndarray
    arguments: dict = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Ran:
    """What the neurons of a layer did, [T, B, *shape] in the loader's axes.

    Args:
        sent: what they sent.
        voltages: after each step, where they have voltages.
    """

    sent: np.ndarray
    voltages: np.ndarray | None


def run_loader(loads: list[Load], workers: int = 2, limit: float = 600.0) -> list[list[Ran] | str]:
    """What the neurons of every layer did; or why the loader failed."""
    python = look(LAVA_DL).python
    with tempfile.TemporaryDirectory(prefix="spikeport-netx-") as name, contextlib.ExitStack() as stack:
        folders = [_job(Path(name) / str(index), load) for index, load in enumerate(loads)]
        groups = [group for first in range(workers) if (group := folders[first::workers])]
        running = [
            stack.enter_context(
                guarded([python, "-I", WORKER, LAVA_WORKER, *group], Path(name) / f"log{index}", environment=ONE_THREAD)
            )
            for index, group in enumerate(groups)
        ]
        until = time.monotonic() + limit
        while not all(has_ended(process) for process in running):
            if time.monotonic() > until:
                break
            time.sleep(0.02)
        logs = "\n".join((Path(name) / f"log{index}").read_text() for index in range(len(groups)))
        return [_result(folder, logs) for folder in folders]


def slayer_networks(folder: Path, count: int) -> None:
    """Networks that slayer makes and exports, as files 0.net, 1.net and so on."""
    command = [look(LAVA_DL).python, "-I", Path(__file__).with_name("slayer_networks.py"), folder, str(count)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _job(folder: Path, load: Load) -> Path:
    folder.mkdir()
    steps, samples = load.inputs.shape[:2]
    program = {
        "steps": steps,
        "samples": samples,
        "file": str(load.file),
        "load": load.arguments,
        "processes": [],
        "inputs": {},
    }
    (folder / "program.json").write_text(json.dumps(program))
    np.savez(folder / "arrays.npz", inputs=load.inputs.astype(np.int32))
    (folder / "progress").write_bytes(bytes(8))
    return folder


def _result(folder: Path, logs: str) -> list[Ran] | str:
    status = folder / "status.json"
    if not status.exists():
        return f"did not end; {logs[-2000:]}"
    told = json.loads(status.read_text())
    if told["state"] != "done":
        return told["found"] + "\n" + told.get("trace", "")
    files = sorted((f for f in folder.glob("[0-9]*.npy") if "." not in f.stem), key=lambda file: int(file.stem))
    volts = [file.with_suffix(".v.npy") for file in files]
    pairs = zip(files, volts, strict=True)
    return [Ran(np.load(file), np.load(volt) if volt.exists() else None) for file, volt in pairs]
