"""What a process does beside its own work: it records, starts every sample afresh, and tells why it failed."""

from __future__ import annotations

import copy
import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from lava.magma.core.model.py.ports import PyOutPort
from scipy.sparse import csr_matrix

from .status import failure, write


class Tape:
    """Values of one thing over a run, [T, B, *shape], written straight into a file; its type is that of the first."""

    def __init__(self, path: Path, steps: int, samples: int) -> None:
        self.path = path
        self.leading = (steps, samples)
        self.values: Any = None

    def put(self, place: tuple[int, int], value: Any) -> None:
        """Keeps the value of one step of one sample."""
        value = np.asarray(value)
        if self.values is None:
            shape = (*self.leading, *value.shape)
            self.values = np.lib.format.open_memmap(self.path, "w+", value.dtype, shape)
            with self.path.open("r+b") as file:  # a full disk is then an error here, and no bus error later
                os.posix_fallocate(file.fileno(), 0, file.seek(0, os.SEEK_END))
        if not np.can_cast(value.dtype, self.values.dtype, "safe"):
            raise TypeError(f"{self.path.stem} changed from {self.values.dtype} to {value.dtype} during the run")
        self.values[place] = value


class Orders(NamedTuple):
    """What a process has to do beside its own work."""

    name: str
    folder: Path
    steps: int
    progress: Any
    variables: dict[str, Tape]
    ports: dict[str, Tape]


class Recorded:
    """Mixed into a model of Lava's, whose equations it leaves alone."""

    def __init__(self, proc_params: Any) -> None:
        super().__init__(proc_params)  # type: ignore[call-arg]
        self._orders: Orders = proc_params["orders"]
        self._ticks = 0
        self._place = (0, 0)
        self._first: dict[str, Any] = {}

    def run_spk(self) -> None:
        """One step."""
        try:
            self._tick()
        except Exception as error:
            write(self._orders.folder / "error.json", failure(error, self._orders.name))
            os._exit(1)

    def _tick(self) -> None:
        if self._ticks == 0:
            self._begin()
        sample, step = divmod(self._ticks, self._orders.steps)
        self._place = (step, sample)
        if step == 0 and sample > 0:
            self._begin_again()
        super().run_spk()  # type: ignore[misc]
        for name, tape in self._orders.variables.items():
            tape.put(self._place, getattr(self, name))
        self._ticks += 1
        if self._orders.progress is not None:
            self._orders.progress[0] = self._ticks

    def _begin(self) -> None:
        """Remembers the whole state, and listens at the ports."""
        kept = (np.ndarray, np.generic, int, float, csr_matrix)
        runtime = {"time_step", "model_id", "phase"}
        own = {k: v for k, v in vars(self).items() if isinstance(v, kept) and k[0] != "_" and k not in runtime}
        self._first = copy.deepcopy(own)
        for name, tape in self._orders.ports.items():
            port = getattr(self, name)
            (self._hear_sent if isinstance(port, PyOutPort) else self._hear_received)(port, tape)

    def _begin_again(self) -> None:
        for name, value in self._first.items():
            setattr(self, name, copy.deepcopy(value))
        self.time_step = 1

    def _hear_sent(self, port: Any, tape: Tape) -> None:
        send = port.send

        def heard(data: Any) -> None:
            tape.put(self._place, np.asarray(data).astype(port._d_type))  # what the channel makes of it
            send(data)

        port.send = heard

    def _hear_received(self, port: Any, tape: Tape) -> None:
        receive = port.recv

        def heard() -> Any:
            data = receive()
            tape.put(self._place, data)
            return data

        port.recv = heard
