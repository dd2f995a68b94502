"""A program, built of Lava's processes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.variable import Var
from lava.proc.io.source import PySendModelFixed, RingBuffer
from scipy.sparse import csr_matrix

from .kinds import KINDS, NAMED, Concat, concat_model, made
from .recording import Orders, Recorded, Tape
from .status import ProgramError, in_words


class Network:
    """A program, built of Lava's processes."""

    def __init__(self, program: dict[str, Any], arrays: dict[str, Any], folder: Path) -> None:
        self.program = program
        self.arrays = arrays
        self.folder = folder
        self.processes: dict[str, Any] = {}
        self.models: dict[Any, type] = {}
        self.first: dict[str, bool] = {}
        self.links: list[tuple[str, str]] = []

    def build(self) -> Any:
        """Builds it all; returns the process that reports the progress."""
        for name, value in self.program["inputs"].items():
            self._input(name, self._value(value))
        for spec in self.program["processes"]:
            self._process(**spec)
        for spec in self.program["connections"]:
            self._connect(spec["from"], spec["to"], spec.get("transforms", ()))
        self._refuse_waiting_for_each_other()
        self._join_components()
        self._give_orders()
        return self.processes[self.program["processes"][0]["name"]]

    def _input(self, name: str, values: Any) -> None:
        flat = np.concatenate(np.moveaxis(values, 1, 0))  # sample after sample
        self._check(name, "values", flat, LavaPyType(np.ndarray, np.int32))
        self._add(name, RingBuffer(data=np.ascontiguousarray(np.moveaxis(flat, 0, -1))), PySendModelFixed)

    def _process(self, name: str, type: str, parameters: dict[str, Any], initial: dict[str, Any] | None = None) -> None:
        given = {key: self._named(name, key, value) for key, value in parameters.items()}
        try:
            process, model = made(type, given)
        except Exception as error:  # constructors of Lava raise whatever they like
            raise ProgramError(name, f"is no {type} that Lava can make: {in_words(error)}") from error
        for variable, value in (initial or {}).items():
            _member(f"{name}.{variable}", process.vars).init = self._value(value)
        for variable in process.vars:
            self._check(name, variable.name, variable.init, getattr(model, variable.name, None))
        self._add(name, process, model)
        self.first[name] = type in KINDS and KINDS[type].sends_first

    def _add(self, name: str, process: Any, model: type) -> None:
        if name in self.processes:
            raise ProgramError(name, "is the name of two processes")
        process.name = name
        self.processes[name] = process
        self.models[process] = model

    def _value(self, value: Any) -> Any:
        if isinstance(value, list):
            return tuple(self._value(part) for part in value)
        if isinstance(value, dict) and "sparse" in value:
            rows, columns, values = (self.arrays[f"{value['sparse']}.{part}"] for part in ("rows", "columns", "values"))
            return csr_matrix((values, (rows, columns)), shape=tuple(value["shape"]))
        return self.arrays[value["array"]] if isinstance(value, dict) else value

    def _named(self, where: str, key: str, value: Any) -> Any:
        if key not in NAMED:
            return self._value(value)
        if value not in NAMED[key].__members__:
            raise ProgramError(where, f"has {key} '{value}'; Lava knows {', '.join(NAMED[key].__members__)}")
        return NAMED[key][value]

    def _check(self, name: str, variable: str, value: Any, declared: Any) -> None:
        """Refuses a value that the data type of Lava's variable would change."""
        if not isinstance(declared, LavaPyType) or not issubclass(declared.cls, (np.ndarray, csr_matrix)):
            return
        given = value.data if isinstance(value, csr_matrix) else np.asarray(value)
        with np.errstate(invalid="ignore"):
            stored = given.astype(declared.d_type)
        if not np.array_equal(stored, given):
            which = np.flatnonzero(np.ravel(stored) != np.ravel(given))[0]
            kind = np.dtype(declared.d_type).name
            raise ProgramError(name, f"has {np.ravel(given)[which]} in {variable}, which Lava's {kind} cannot hold")

    def _connect(self, source: str, target: str, transforms: list[list[Any]]) -> None:
        where = f"{source} -> {target}"
        if (source, target) in self.links:
            raise ProgramError(where, "are connected twice, which Lava cannot tell apart")
        self.links.append((source, target))
        start = _member(source, self._process_of(source).out_ports)
        end = _member(target, self._process_of(target).in_ports)
        try:
            for name, *arguments in transforms:
                start = {"reshape": start.reshape, "flatten": start.flatten, "transpose": start.transpose}[name](
                    *map(tuple, arguments)
                )
            start.connect(end)
        except Exception as error:  # and so does its connect
            raise ProgramError(where, f"cannot be connected: {in_words(error)}") from error

    def _process_of(self, path: str) -> Any:
        name = path.rpartition(".")[0]
        if name not in self.processes:
            raise ProgramError(path, f"names no process; there are {', '.join(self.processes)}")
        return self.processes[name]

    def _refuse_waiting_for_each_other(self) -> None:
        """A loop runs only if something in it sends before it receives: what can run is taken out, the rest refused."""
        pairs = {(a.rpartition(".")[0], b.rpartition(".")[0]) for a, b in self.links}
        waits = {(a, b) for a, b in pairs if not self.first.get(b, False)}
        left = set(self.processes)
        while free := {name for name in left if not any(b == name and a in left for a, b in waits)}:
            left -= free
        if left:
            raise ProgramError(
                "", f"{', '.join(sorted(left))} would wait for each other for ever: no synapse in the loop"
            )

    def _join_components(self) -> None:
        """Lava runs only what hangs together with the process that is started; a Concat that nobody hears joins all."""
        group = {name: name for name in self.processes}

        def root(name: str) -> str:
            return name if group[name] == name else root(group[name])

        for source, target in self.links:
            group[root(source.rpartition(".")[0])] = root(target.rpartition(".")[0])
        firsts = [process for name, process in self.processes.items() if group[name] == name]
        if len(firsts) > 1:
            ports = [process.out_ports.members[0].flatten() for process in firsts]
            joint = Concat(shapes=tuple(port.shape for port in ports), axis=0)
            for index, port in enumerate(ports):
                port.connect(getattr(joint, f"in{index}"))
            self.models[joint] = concat_model(len(ports))

    def _give_orders(self) -> None:
        steps, samples = self.program["steps"], self.program["samples"]
        tapes: dict[str, tuple[dict[str, Tape], dict[str, Tape]]] = {name: ({}, {}) for name in self.processes}
        for index, path in enumerate(self.program["record"]):
            process, (name, _, member) = self._process_of(path), path.rpartition(".")
            found = _member(path, process.vars, process.out_ports, process.in_ports)
            tapes[name][0 if isinstance(found, Var) else 1][member] = Tape(self.folder / f"{index}.npy", steps, samples)
        progress: Any = np.memmap(self.folder / "progress", "<i8", "r+")
        for spec in self.program["processes"]:
            name = spec["name"]
            process = self.processes[name]
            process.proc_params["orders"] = Orders(name, self.folder, steps, progress, *tapes[name])
            self.models[process] = type("Recorded", (Recorded, self.models[process]), {})
            progress = None  # the first process reports for all


def _member(path: str, *collections: Any) -> Any:
    """The variable or port that a path names."""
    member = path.rpartition(".")[2]
    for collection in collections:
        if member in collection.member_names:
            return getattr(collection, member)
    names = [known for collection in collections for known in collection.member_names]
    raise ProgramError(path, f"names nothing that is there: {', '.join(names)}")
