"""ONNX's own cases of all operators that are read: none fails, and the page of the docs says what became of each."""

from __future__ import annotations

import pytest
from spikeport.exporters.onnx.operators import OPERATORS
from support import onnx_cases
from support.onnx_cases import Outcome


@pytest.fixture(scope="module")
def found() -> list[Outcome]:
    return list(onnx_cases.outcomes())


def test_none_fails(found: list[Outcome]) -> None:
    assert [f"{each.case}: {each.said}" for each in found if each.word == "failed"] == []


def test_every_operator_has_a_case_that_passes(found: list[Outcome]) -> None:
    passed = {name for each in found if each.word == "passed" for name in each.operators}
    assert set(OPERATORS) - passed == set()


def test_the_page_says_what_became_of_each(found: list[Outcome]) -> None:
    text = onnx_cases.PAGE.read_text()
    assert text == onnx_cases.page(text, found), "write it: cd tests; python -m support.onnx_cases --write"
