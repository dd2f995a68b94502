"""Sensitivity: the bill again with other values of a constant.

E(c) for c in values, everything else as it is
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from .findings import WhatIf
from .operations import OpCount
from .profile import Profile, load_profile
from .rules import bill, rule_named


def sensitivity(
    counts: OpCount | Mapping[str, OpCount],
    rule: str = "strict",
    profile: str | Profile | None = None,
    what: Mapping[str, Iterable[float]] | None = None,
) -> tuple[WhatIf, ...]:
    """One row for each value of each constant: picojoules per sample of each network.

    Args:
        counts: of one network, or of several by title.
        rule: who bills.
        profile: the constants; None for those that the rule is meant for.
        what: the values to try, by constant or parameter; None for an AC between 0.03 and 4.6 pJ.
    """
    networks = {counts.network: counts} if isinstance(counts, OpCount) else dict(counts)
    chosen = rule_named(rule).profile if profile is None else profile
    prices = chosen if isinstance(chosen, Profile) else load_profile(chosen)
    tried = {"ac": (0.03, 0.1, 0.4, 0.9, 4.6)} if what is None else what
    return tuple(
        _row(networks, rule, prices, constant, value) for constant, values in tried.items() for value in values
    )


def _row(networks: Mapping[str, OpCount], rule: str, profile: Profile, constant: str, value: float) -> WhatIf:
    """The bills under one other value."""
    other = profile.replaced(**{constant: value})
    totals = {title: bill(each, rule, other).pj for title, each in networks.items()}
    return WhatIf(constant, value, rule, profile.name, totals)
