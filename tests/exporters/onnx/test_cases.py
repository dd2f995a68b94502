"""ONNX's own cases of all operators that are read: none fails, and the page of the docs says what became of each."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from spikeport.exporters.onnx.operators import OPERATORS
from spikeport.exporters.onnx.reading import read_foreign
from spikeport.toolchain.simulate import simulate
from support import onnx_cases
from support.foreign_models import model, node
from support.onnx_cases import Outcome


@pytest.fixture(scope="module")
def found() -> list[Outcome]:
    return list(onnx_cases.outcomes())


def test_none_fails(found: list[Outcome]) -> None:
    assert [f"{each.case}: {each.said}" for each in found if each.word == "failed"] == []


def test_every_operator_has_a_case_that_passes(found: list[Outcome]) -> None:
    passed = {name for each in found if each.word == "passed" for name in each.operators}
    assert set(OPERATORS) - passed == {"GlobalLpPool"}  # ONNX has no case of it


def test_global_lp_pool(tmp_path: Path) -> None:
    file = tmp_path / "net.onnx"
    file.write_bytes(model([node("GlobalLpPool", "x", "y", p=3)]).SerializeToString())
    x = np.random.default_rng(0).normal(size=(2, 3, 8, 8)).astype(np.float32)
    (ours,) = simulate(read_foreign(file).graph, x[None]).outputs.values()
    np.testing.assert_allclose(ours[0], (np.abs(x) ** 3).sum((2, 3), keepdims=True) ** (1 / 3), rtol=1e-5)


def test_the_page_says_what_became_of_each(found: list[Outcome]) -> None:
    text = onnx_cases.PAGE.read_text()
    assert text == onnx_cases.page(text, found), "write it: cd tests; python -m support.onnx_cases --write"
