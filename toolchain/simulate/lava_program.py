"""Lava programs: which processes of Lava's, with which parameters, connected how, fed with what, and what to record.

A program says nothing about equations: a process is a class of Lava's with the parameters of its constructor. What the
folder of a job looks like is written in `lava_worker/__init__.py`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from ..errors import SimulationError

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"
Value: TypeAlias = "int | float | str | bool | Array | SparseWeights | tuple[Value, ...]"
Transform: TypeAlias = "tuple[str] | tuple[str, tuple[int, ...]]"


@dataclass(frozen=True, eq=False)
class SparseWeights:
    """A matrix by its entries.

    Args:
        rows: the row of each entry.
        columns: the column of each entry.
        values: the entries.
        shape: (rows, columns) of the matrix.
    """

    rows: Array
    columns: Array
    values: Array
    shape: tuple[int, int]


@dataclass(frozen=True, eq=False)
class LavaProcess:
    """A process of Lava's.

    Args:
        name: its name in the program.
        kind: the name of Lava's class, or Concat.
        parameters: what its constructor is given.
        initial: values of its variables that replace those of the constructor.
    """

    name: str
    kind: str
    parameters: Mapping[str, Value]
    initial: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True)
class LavaConnection:
    """From an output port to an input port.

    Args:
        source: NAME.PORT.
        target: NAME.PORT.
        transforms: ("flatten",), ("reshape", shape) and ("transpose", axes), from source to target.
    """

    source: str
    target: str
    transforms: tuple[Transform, ...] = ()


@dataclass(frozen=True, eq=False)
class LavaProgram:
    """What Lava shall run.

    Args:
        steps: T.
        samples: B, which run one after the other, each from the initial state.
        inputs: integers [T, B, *shape] by name; the port NAME.s_out sends them.
        processes: Lava's processes; the first one reports the progress.
        connections: which port sends to which.
        record: NAME.MEMBER of variables and ports.
        name: what messages call it.
    """

    steps: int
    samples: int
    inputs: Mapping[str, Array]
    processes: tuple[LavaProcess, ...]
    connections: tuple[LavaConnection, ...]
    record: tuple[str, ...]
    name: str = "Lava"

    def __post_init__(self) -> None:
        if self.steps < 1 or self.samples < 1 or not self.processes:
            found = f"has {self.steps} steps, {self.samples} samples and {len(self.processes)} processes"
            raise SimulationError(self.name, found, "at least one of each")
        for name, values in self.inputs.items():
            if values.dtype.kind not in "iub" or values.shape[:2] != (self.steps, self.samples) or values.ndim < 3:
                found = f"holds {values.dtype} of shape {values.shape}"
                raise SimulationError(f"input {name}", found, f"integers ({self.steps}, {self.samples}, *shape)")

    def part(self, first: int, end: int) -> LavaProgram:
        """The same program for the samples from `first` up to `end`."""
        return replace(self, samples=end - first, inputs={n: v[:, first:end] for n, v in self.inputs.items()})

    def write(self, folder: Path) -> None:
        """Writes it as the folder of a job."""
        arrays: dict[str, Array] = {}
        program = {
            "steps": self.steps,
            "samples": self.samples,
            "inputs": {name: _written(value, f"input/{name}", arrays) for name, value in self.inputs.items()},
            "processes": [_process(process, arrays) for process in self.processes],
            "connections": [{"from": c.source, "to": c.target, "transforms": c.transforms} for c in self.connections],
            "record": self.record,
        }
        np.savez(folder / "arrays.npz", **arrays)  # type: ignore[arg-type]
        (folder / "program.json").write_text(json.dumps(program))
        (folder / "progress").write_bytes(bytes(8))


def _process(process: LavaProcess, arrays: dict[str, Array]) -> dict[str, Any]:
    key = f"process/{process.name}"
    return {
        "name": process.name,
        "type": process.kind,
        "parameters": {name: _written(value, f"{key}/{name}", arrays) for name, value in process.parameters.items()},
        "initial": {name: _written(value, f"{key}/initial/{name}", arrays) for name, value in process.initial.items()},
    }


def _written(value: Value, key: str, arrays: dict[str, Array]) -> Any:
    """The value as JSON says it; arrays are put among `arrays` under their key."""
    match value:
        case SparseWeights():
            parts = {"rows": value.rows, "columns": value.columns, "values": value.values}
            arrays.update({f"{key}.{part}": array for part, array in parts.items()})
            return {"sparse": key, "shape": value.shape}
        case np.ndarray():
            arrays[key] = value
            return {"array": key}
        case np.generic():
            return value.item()
        case tuple():
            return [_written(part, f"{key}.{index}", arrays) for index, part in enumerate(value)]
        case _:
            return value
