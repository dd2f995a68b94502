"""What the tests of this folder share."""

from typing import Any

import pytest

FIRST: dict[str, Any] = {}
"""The state that each module's RNG had before its first test."""


@pytest.fixture(autouse=True)
def numbers_of_its_own(request: pytest.FixtureRequest) -> None:
    """Every test draws the same numbers from the RNG of its module, whichever ran before it."""
    source = getattr(request.module, "RNG", None)
    if source is not None:
        source.bit_generator.state = FIRST.setdefault(request.module.__name__, source.bit_generator.state)
