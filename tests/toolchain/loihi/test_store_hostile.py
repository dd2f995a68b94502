"""Files and texts of chip graphs that were changed, or that lie: the same network, or one message that says where."""

import json
import re
import resource
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spikeport.toolchain.errors import SpikeportError
from spikeport.toolchain.graph import arrays_of, to_text
from spikeport.toolchain.graph.store import save
from spikeport.toolchain.loihi.chip_graph import ChipGraph
from spikeport.toolchain.loihi.store import load
from spikeport.toolchain.loihi.store import parse as parse_chip
from support.mutations import changed_texts, survives, survivors
from support.random_chips import random_chip
from support.same_network import same
from support.small_chip import dense

SEEDS = st.integers(0, 10**6)


@pytest.mark.parametrize("seed", range(4))
def test_a_changed_file_is_the_same_chip_graph_or_an_error(tmp_path: Path, seed: int) -> None:
    """600 changes each; the hashes find out every one that matters."""
    chip, file = random_chip(seed * 7 + 1), tmp_path / "a.graph"
    save(chip, file)
    assert survivors(np.random.default_rng(seed), file, 600, lambda: survives(file, load, chip)) < 60


@given(SEEDS)
@settings(deadline=None, max_examples=60)
def test_a_changed_text_is_a_chip_graph_or_an_error_with_a_place(seed: int) -> None:
    chip, rng = random_chip(seed), np.random.default_rng(seed)
    text, arrays = to_text(chip), arrays_of(chip)
    words = ["i64[2]{1,2}", "f32[]{1}", "[9999999,9999999]", "62", "Conv", "LIF"]
    for changed in changed_texts(rng, text, words):
        outcome = outcome_of(changed, arrays)
        assert isinstance(outcome, ChipGraph) or outcome.startswith("line ")


def outcome_of(text: str, arrays: dict[str, np.ndarray]) -> ChipGraph | str:
    """The chip graph, once it came back from its own text, or the message."""
    try:
        again = parse_chip(text, arrays)
    except SpikeportError as error:
        return str(error)
    same(parse_chip(to_text(again), arrays_of(again)), again)
    return again


Head = dict[str, Any]


def repacked(file: Path, change: Callable[[Head], object]) -> None:
    """A file whose header is changed, its data left alone."""
    content = file.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    head = json.loads(content[8 : 8 + length])
    change(head)
    packed = json.dumps(head).encode()
    file.write_bytes(struct.pack("<Q", len(packed)) + packed + content[8 + length :])


def entry(head: Head) -> Head:
    (found,) = (value for name, value in head.items() if name != "__metadata__")
    return found


def text_of(head: Head, old: str, new: str) -> None:
    meta = head["__metadata__"]
    assert old in meta["spikeport"]
    meta["spikeport"] = meta["spikeport"].replace(old, new)


LIES: dict[str, tuple[Callable[[Head], object], str]] = {
    "gigantic": (
        lambda h: entry(h).update(shape=[2**40, 2**40]),
        r"array \w+ of \d+ bytes at 0 to 900; expected as ma",
    ),
    "wider": (
        lambda h: entry(h).update(dtype="I64"),
        r"array \w+ of 7200 bytes at 0 to 900; expected as many bytes as",
    ),
    "unsigned": (
        lambda h: entry(h).update(dtype="U8"),
        r"array \w+ of type U8; expected F32 or F64 or I8 or I16 or I32",
    ),
    "reals": (
        lambda h: entry(h).update(dtype="F32", shape=[225]),
        r"line 3, column 37: i64\[30,30\]; expected f32\[225\]",
    ),
    "turned": (
        lambda h: entry(h).update(shape=[900]),
        r"line 3, column 37: i64\[30,30\]; expected i64\[900\], as the array",
    ),
    "pairs": (
        lambda h: h.update({next(k for k in h if k[0] != "_") + ".complex": entry(h)}),
        r"array \w+\.complex of I8",
    ),
    "scalar pairs": (
        lambda h: h.update({"0" * 16 + ".complex": {"dtype": "F64", "shape": [], "data_offsets": [0, 8]}}),
        r"array 0+\.complex of F64 with shape \[\]; expected reals with a last axis of 2",
    ),
    "another word": (
        lambda h: text_of(h, "\nchip ", "\ngraph "),
        "line 2, column 8: 'ChipInput'; expected one of Input, Ou",
    ),
    "no word": (lambda h: text_of(h, "\nchip ", "\ntree "), "line 1, column 1: 'tree'; expected 'graph' or 'chip'"),
    "huge input": (
        lambda h: text_of(h, "shape=[30]", "shape=[9999999,9999999]"),
        r"line 2, column 8, in \(ChipInput\), shape",
    ),
    "another shape": (
        lambda h: text_of(h, "shape=[30]", "shape=[31]"),
        r"line 2, column 31: in : spikes \[30\]; expected|line 1",
    ),
    "another field": (
        lambda h: text_of(h, "threshold=1", "threshold=2"),
        "a text of another hash than is written before it",
    ),
}

LOADER = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
from spikeport.toolchain.errors import FileError
from spikeport.toolchain.loihi.store import load
for name in sys.argv[1:]:
    try:
        load(name)
        print("taken")
    except FileError as error:
        print(str(error).removeprefix(name + ": "))
"""


def test_lies_end_in_one_message_and_little_memory(tmp_path: Path) -> None:
    files = []
    for index, (change, _) in enumerate(LIES.values()):
        files.append(tmp_path / f"{index}.graph")
        save(dense(np.arange(900).reshape(30, 30) % 100), files[-1])
        repacked(files[-1], change)
    done = subprocess.run(
        [sys.executable, "-c", LOADER, *map(str, files)], capture_output=True, text=True, timeout=60, check=True
    )
    said = done.stdout.splitlines()
    assert len(said) == len(LIES)
    for line, (name, (_, pattern)) in zip(said, LIES.items(), strict=True):
        assert re.match(pattern, line), (name, line)
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 2 << 20
