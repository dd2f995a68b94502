"""Files with something changed in them: bits, bytes, lengths, pieces."""

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np

PIECES = [b"{", b"}", b"[", b'"', b"0", b"-", b"9" * 9, b"\xff" * 8, b",", b"\0"]


def mutated(rng: np.random.Generator, content: bytes, head: int) -> bytes:
    """The content with one change; most changes are in its first `head` bytes."""
    changed = bytearray(content)
    at = int(rng.integers(min(head, len(content)) if rng.random() < 0.7 else len(content)))
    match int(rng.integers(6)):
        case 0:
            changed[at] ^= 1 << int(rng.integers(8))
        case 1:
            changed[at] = int(rng.integers(256))
        case 2:
            del changed[at:]
        case 3:
            del changed[at : at + int(rng.integers(1, 20))]
        case 4:
            changed[at:at] = changed[int(rng.integers(len(content))) :][: int(rng.integers(1, 20))]
        case _:
            changed[at : at + 1] = rng.choice(PIECES)
    return bytes(changed)


def survivors(rng: np.random.Generator, file: Path, count: int, survives: Callable[[], bool]) -> int:
    """How many of so many changed safetensors files are still taken; the file is put back afterwards."""
    content = file.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    found = 0
    for _ in range(count):
        changed = mutated(rng, content, 8 + length)
        # Renamed into place: what was loaded from the older file may still be mapped.
        draft = file.with_suffix(".draft")
        draft.write_bytes(changed)
        draft.replace(file)
        found += changed != content and survives()
    file.write_bytes(content)
    return found
