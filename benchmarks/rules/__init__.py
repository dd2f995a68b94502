"""What is billed as what: rules by name, and the bill."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ...toolchain.errors import UsageError
from ..energy import Energy
from ..operations import OpCount
from ..profile import Profile, load_profile
from . import (
    bits,
    chip_loihi1,
    chip_sanafe,
    chip_spinnaker,
    chip_truenorth,
    events,
    lemaire,
    neurobench,
    paper,
    pasnet,
    strict,
)
from .rule import Bill, Rule

__all__ = ["RULES", "Bill", "Rule", "accepts", "bill", "rule_named"]

RULES: Mapping[str, Rule] = MappingProxyType(
    {
        each.name: each
        for each in (
            paper.RULE, strict.RULE, events.RULE, neurobench.RULE, neurobench.DENSE, lemaire.RULE, bits.RULE,
            pasnet.RULE, chip_loihi1.RULE, chip_sanafe.RULE, chip_truenorth.RULE, chip_spinnaker.FIRST,
            chip_spinnaker.SECOND,
        )
    }
)  # fmt: skip
"""The rules, by the name that the command line calls them."""


def rule_named(name: str) -> Rule:
    """The rule of that name."""
    if name not in RULES:
        raise UsageError("rule", f"'{name}'", f"one of {', '.join(RULES)}")
    return RULES[name]


def accepts(rule: str, profile: Profile) -> bool:
    """Whether the profile has every constant that the rule needs."""
    return profile.has(*rule_named(rule).needs)


def bill(counts: OpCount, rule: str = "strict", profile: str | Profile | None = None) -> Energy:
    """What the rule bills for these counts; None stands for the profile that the rule is meant for."""
    chosen = rule_named(rule)
    prices = profile if isinstance(profile, Profile) else load_profile(chosen.profile if profile is None else profile)
    for need in chosen.needs:
        if need == "sram":
            prices.sram(0)
        else:
            prices.constant(need)
    if reason := chosen.refuses(counts):
        raise UsageError(f"rule {rule}", f"{counts.network}: {reason}", "a network of spikes", "choose another rule")
    found = chosen.bill(counts, prices)
    return Energy(chosen.name, prices.name, found.lines, counts.samples, found.unbilled)
