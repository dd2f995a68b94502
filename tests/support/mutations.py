"""Files and texts with something changed in them: bits, bytes, lengths, pieces."""

import struct
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from spikeport.toolchain.errors import FileError
from spikeport.toolchain.graph import digest
from spikeport.toolchain.graph.network import Network

PIECES = [b"{", b"}", b"[", b'"', b"0", b"-", b"9" * 9, b"\xff" * 8, b",", b"\0"]
WORDS = ["", "0", "-1", "9" * 18, "1e300", "none", *'"[]{}(~,;=#:', "\0", "[[1,2]]"]
"""What may stand in a text in place of something else."""


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


def survives(file: Path, load: Callable[[Path], Network], network: Network) -> bool:
    """Whether a changed file loads; then it is the same network. If not, the message begins with its name."""
    try:
        again = load(file)
    except FileError as error:
        if not str(error).startswith(str(file)):
            raise
        return False
    assert digest(again) == digest(network)
    assert again.notes == network.notes
    return True


def changed_texts(rng: np.random.Generator, text: str, words: Sequence[str]) -> Iterator[str]:
    """25 times the text with a word of these, or of WORDS, put in or in place of up to three letters."""
    every = [*WORDS, *words]
    for _ in range(25):
        start = int(rng.integers(len(text)))
        yield text[:start] + every[rng.integers(len(every))] + text[start + int(rng.integers(4)) :]
