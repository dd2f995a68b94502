"""Which rule is applied with which profile, and the bills of a network over its samples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..toolchain.errors import UsageError
from .findings import Billed, Network
from .operations import OpCount
from .profile import Constant, Profile, load_profile
from .rules import RULES, accepts, bill, rule_named

if TYPE_CHECKING:
    from .compared import Counted


@dataclass(frozen=True)
class Tariff:
    """A rule and the profile that it is applied with."""

    rule: str
    profile: Profile

    @property
    def needs(self) -> tuple[str, ...]:
        """The constants that the rule uses."""
        return rule_named(self.rule).needs

    def takes(self, counts: OpCount) -> bool:
        """Whether the rule has something to say about this network."""
        return not rule_named(self.rule).refuses(counts)


def tariffs(rules: Sequence[str], profiles: Sequence[str]) -> tuple[Tariff, ...]:
    """Every rule with every profile that has its constants; where there is none, with the one that it is meant for.

    Args:
        rules: names.
        profiles: names or files; none: for each rule the profile that it is meant for.
    """
    loaded = [load_profile(each) for each in profiles]
    found = [each for name in rules for each in _of_rule(name, loaded)]
    for profile in loaded if rules else ():
        if profile.name not in [each.profile.name for each in found]:
            needs = "; ".join(f"{name} needs {', '.join(RULES[name].needs)}" for name in rules)
            raise UsageError(f"profile {profile.name}", f"has {', '.join(profile.constants)}", needs)
    return tuple({(each.rule, each.profile.name): each for each in found}.values())


def _of_rule(name: str, profiles: Sequence[Profile]) -> list[Tariff]:
    rule = rule_named(name)
    fit = [Tariff(name, profile) for profile in profiles if accepts(name, profile)]
    near = [profile for profile in profiles if any(need in profile.constants for need in rule.needs)]
    if not fit and near:
        for need in rule.needs:
            near[0].constant(need)  # says which one is missing, and what to do
    return fit or [Tariff(name, load_profile(rule.profile))]


def billed(network: Counted, price: Tariff) -> Billed | None:
    """The bill of a network; none where the rule does not speak of such networks."""
    if not price.takes(network.counts):
        return None
    energy = bill(network.counts, price.rule, price.profile)
    over, classes = network.over(price.rule, price.profile)
    return Billed(energy, over, classes)


def constants_of(networks: Iterable[Network], prices: Iterable[Tariff]) -> Mapping[str, tuple[Constant, ...]]:
    """The constants that were used, by profile."""
    lines = [
        (each.energy.profile, line.constant)
        for network in networks
        for each in network.billed
        for line in each.energy.lines
    ]
    names = dict.fromkeys(price.profile.name for price in prices)
    return {name: tuple(dict.fromkeys(constant for profile, constant in lines if profile == name)) for name in names}
