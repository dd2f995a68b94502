"""Reads mutations of ONNX models, many in one process with limits: `python onnx_fuzz.py FOLDER SEED FIRST END`.

Half of them have bytes changed; the other half is changed as messages: fields dropped, doubled or swapped, numbers and
names replaced by others. Prints the number of a mutation before it is read, and at last how many were read and refused.
Anything but a SpikeportError ends it with a traceback; a graph that was read has to run a step.
"""

import collections
import contextlib
import os
import resource
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError, Message
from spikeport.exporters.onnx.reading import read_foreign
from spikeport.toolchain.errors import SpikeportError
from support.mutations import mutated

MEMORY = 3 << 30
PATIENCE_S = 5.0
PLACE = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""In memory, where a file for every mutation costs nothing."""
NUMBERS = (0, 1, -1, 2, 3, 7, 16, 255, 1 << 20, (1 << 31) - 1, 1 << 40, (1 << 63) - 1, -(1 << 63))


def _messages(message: Message) -> Iterator[Message]:
    """The message and all in it."""
    yield message
    for field, value in message.ListFields():
        if field.type == field.TYPE_MESSAGE:
            for each in value if field.is_repeated else [value]:
                yield from _messages(each)


def _strings(message: Message) -> list[str]:
    found = set()
    for each in _messages(message):
        for field, value in each.ListFields():
            if field.type == field.TYPE_STRING:
                found.update(value if field.is_repeated else [value])
    return sorted(found)


def remade(rng: np.random.Generator, model: onnx.ModelProto) -> bytes:
    """The model with a few of its fields changed."""
    names = _strings(model)
    for _ in range(int(rng.choice([1, 1, 2, 4]))):
        every = [each for each in _messages(model) if each.ListFields()]
        message = every[int(rng.integers(len(every)))]
        fields = message.ListFields()
        field, value = fields[int(rng.integers(len(fields)))]
        with contextlib.suppress(ValueError, TypeError):
            _change(rng, message, field, value, names)
    return model.SerializeToString()


def _change(rng: np.random.Generator, message: Any, field: Any, value: Any, names: list[str]) -> None:
    pick = int(rng.integers(4))
    if field.is_repeated:
        items = list(value)
        k = int(rng.integers(len(items)))
        if pick == 0:
            del items[k]
        elif pick == 1:
            items.insert(int(rng.integers(len(items) + 1)), items[k])
        elif pick == 2:
            items[0], items[k] = items[k], items[0]
        elif field.type != field.TYPE_MESSAGE:
            items[k] = _another(rng, field, items[k], names)
        copies = [
            type(item).FromString(item.SerializeToString()) if isinstance(item, Message) else item for item in items
        ]
        message.ClearField(field.name)
        getattr(message, field.name).extend(copies)
    elif pick == 0 or field.type == field.TYPE_MESSAGE:
        message.ClearField(field.name)
    else:
        setattr(message, field.name, _another(rng, field, value, names))


def _another(rng: np.random.Generator, field: Any, value: Any, names: list[str]) -> Any:
    if field.type == field.TYPE_STRING:
        return names[int(rng.integers(len(names)))]
    if field.type == field.TYPE_BYTES:
        return mutated(rng, value, len(value)) if value else b"\xff" * 8
    if isinstance(value, float):
        return float(rng.choice([0.0, -1.0, 1e-30, 1e38, np.nan, np.inf]))
    return int(rng.choice([*map(float, range(30))])) if rng.integers(2) else NUMBERS[int(rng.integers(len(NUMBERS)))]


def mutation(folder: Path, seed: int, index: int) -> bytes:
    """One of the mutations of a seed."""
    rng = np.random.default_rng((seed, index))
    files = sorted(folder.glob("*.onnx"))
    content = files[int(rng.integers(len(files)))].read_bytes()
    return mutated(rng, content, len(content)) if index % 2 else remade(rng, onnx.ModelProto.FromString(content))


def main(folder: Path, seed: int, first: int, end: int) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    found: collections.Counter[str] = collections.Counter()
    with tempfile.TemporaryDirectory(dir=PLACE) as place:
        target = Path(place) / "x.onnx"
        for index in range(first, end):
            try:
                target.write_bytes(mutation(folder, seed, index))
            except DecodeError:
                continue
            os.write(1, b"%d\n" % index)
            signal.setitimer(signal.ITIMER_REAL, PATIENCE_S)
            try:
                graph = read_foreign(target, batch="none" if index % 3 == 0 else "first").graph
            except SpikeportError as error:
                found["refused"] += 1
                if not str(error).startswith(str(target)):
                    raise
                continue
            found["read"] += 1
            _run(graph)
    os.write(1, f"read {found['read']} refused {found['refused']}\n".encode())


def _run(graph: Any) -> None:
    """One step of every node by its definition, where that is small."""
    if sum(each.size for each in graph.signals.values()) > 1 << 16:
        return
    sent: dict[str, Any] = {}
    with np.errstate(all="ignore"):
        for name in graph.order:
            node = graph.nodes[name]
            given = [sent[wire.source] for wire in graph.wires[name]] or [
                np.ones((2, *graph.signals[name].shape), "f4")
            ]
            sent[name], _ = node.step({}, *given)
            assert sent[name].shape == (2, *graph.signals[name].shape), name


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:5]))
