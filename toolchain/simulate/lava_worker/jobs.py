"""Jobs: a program read from a folder, run by Lava's runtime, and its status written there."""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import mmap
import os
import signal
import sys
import threading
import time
from multiprocessing import connection
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from lava.magma.core.process.message_interface_enum import ActorType
from lava.magma.core.run_conditions import RunSteps
from lava.magma.core.run_configs import RunConfig
from lava.magma.runtime.message_infrastructure import multiprocessing as messages
from lava.magma.runtime.runtime import Runtime

from .kinds import KINDS, classes
from .network import Network
from .status import failure, write

DIE_WITH_PARENT = 1
"""PR_SET_PDEATHSIG of Linux's prctl."""
LIBC = ctypes.CDLL(None)


class Inherited:
    """In place of Lava's shared memory manager: memory that forked children share, gone with the last of them."""

    def start(self) -> None:
        """Nothing has to run for it."""

    def shutdown(self) -> None:
        """Nothing has to be taken away."""

    def create_shared_memory(self, size: int) -> Inherited:
        """A block of `size` bytes, as `buf`."""
        block = Inherited()
        block.buf = memoryview(mmap.mmap(-1, max(size, 1)))
        return block

    buf: memoryview


class Chosen(RunConfig):  # type: ignore[misc]
    """The models that the network has chosen, by process."""

    def __init__(self, models: dict[Any, type]) -> None:
        super().__init__()
        self.exception_proc_model_map = models


def simulate(folder: Path, imported: float) -> dict[str, Any]:
    """Runs the program of a job; its status."""
    begun = time.monotonic()
    program = json.loads((folder / "program.json").read_text())
    with np.load(folder / "arrays.npz", allow_pickle=False) as file:
        arrays = {key: _wide(file[key]) for key in file.files}
    network = Network(program, arrays, folder)
    executable = network.build().compile(Chosen(network.models))
    runtime = Runtime(executable, ActorType.MultiProcessing)
    runtime.initialize()
    built = time.monotonic()
    _watch(runtime._messaging_infrastructure.actors, folder)
    runtime.start(RunSteps(program["steps"] * program["samples"]))
    moments = {"imported": imported, "begun": begun, "built": built, "done": time.monotonic()}
    return {"state": "done", "moments": moments}


def _wide(array: Any) -> Any:
    """Lava's constructors take integers of 64 bits, and its models cut them down."""
    return array.astype(np.int64) if array.dtype.kind in "iub" else array


def _watch(actors: list[Any], folder: Path) -> None:
    """Ends the run as failed when one of Lava's processes ends before it."""

    def wait() -> None:
        connection.wait([actor.sentinel for actor in actors])
        time.sleep(0.05)  # so that the one that failed first has ended
        told = sorted(folder.glob("error.json"))
        codes = {actor.exitcode for actor in actors} - {None}
        found = f"one of Lava's processes ended by itself ({', '.join(map(_ending, codes)) or 'unknown'})"
        _end(folder, json.loads(told[0].read_text()) if told else {"state": "failed", "where": "", "found": found})

    threading.Thread(target=wait, daemon=True).start()


def _ending(code: int) -> str:
    return f"signal {-code}, {signal.Signals(-code).name}" if code < 0 else f"exit {code}"


def _end(folder: Path, status: dict[str, Any]) -> NoReturn:
    """Writes how a job went and ends its process; the kernel then ends Lava's."""
    write(folder / "status.json", status)
    os._exit(0)


def _die_with_parent() -> None:
    LIBC.prctl(DIE_WITH_PARENT, signal.SIGKILL)


def _end_with_input() -> None:
    while os.read(0, 4096):  # not through sys.stdin, whose lock would stay held in every child
        pass
    os._exit(1)


def _load(folders: list[str]) -> None:
    """Imports what the jobs will need, once: the process of a job starts with all that this one has."""
    programs = [json.loads((Path(folder) / "program.json").read_text()) for folder in folders]
    for kind in {spec["type"] for program in programs for spec in program["processes"]} & set(KINDS):
        classes(kind)
    importlib.import_module("lava.magma.compiler.compiler")
    gc.freeze()  # so that collecting garbage does not copy it all into every child


def main(folders: list[str]) -> None:
    """Runs one job after the other, each in a process of its own."""
    _load(folders)
    imported = time.monotonic()
    messages.SharedMemoryManager = Inherited
    threading.Thread(target=_end_with_input, daemon=True).start()
    os.register_at_fork(after_in_child=_die_with_parent)
    for folder in map(Path, folders):
        sys.stdout.flush()
        child = os.fork()
        if child == 0:
            try:
                _end(folder, simulate(folder, imported))
            except Exception as error:  # whatever it is, it goes home as a status
                _end(folder, failure(error, ""))
        _, code = os.waitpid(child, 0)
        if not (folder / "status.json").exists():
            ending = _ending(os.waitstatus_to_exitcode(code))
            write(folder / "status.json", {"state": "failed", "where": "", "found": f"its process ended by {ending}"})
