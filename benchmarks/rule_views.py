"""The rules as tables, for the terminal and for the docs."""

from __future__ import annotations

from rich.console import Group

from ..toolchain.console import Result
from ..toolchain.tables import table
from .profile import PROFILES, load_profile
from .profile_views import profile_view
from .rules import RULES
from .rules.neuron_costs import NEURON_COSTS, PROCESS_COSTS


def listed_rules() -> Result:
    """Every rule with its formula, and every profile with its constants."""
    profiles = [load_profile(name) for name in PROFILES]
    billed = table(("rule", "what is billed as what", "profile"), [(r.name, r.text, r.profile) for r in RULES.values()])
    data = {
        "rules": [{**_said(rule.name), "profile": rule.profile, "needs": list(rule.needs)} for rule in RULES.values()],
        "profiles": [
            {"name": p.name, "title": p.title, "constants": [vars(c) for c in p.constants.values()]} for p in profiles
        ],
    }
    return Result(data, Group(billed, *(part for profile in profiles for part in profile_view(profile))))


def _said(name: str) -> dict[str, str]:
    rule = RULES[name]
    return {"name": name, "text": rule.text, "formula": rule.formula, "source": rule.source}


def section() -> str:
    """The rules as a table of the docs."""
    lines = ["| rule | what is billed as what | its own profile | source |", "|---|---|---|---|"]
    lines += [
        f"| `{rule.name}` | {cell(rule.text)} | `{rule.profile}` | {cell(rule.source)} |" for rule in RULES.values()
    ]
    return "\n".join(lines)


def neurons() -> str:
    """What one update of every kind of neuron costs, as a table of the docs."""
    lines = [
        "| neuron | of | equation of a step | multiplications | additions | words of state |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {kind} | {where} | {cell(cost.equation)} | {cost.multiplies} | {cost.adds} | {cost.states} |"
        for where, costs in (("graphs and modules", NEURON_COSTS), ("chips", PROCESS_COSTS))
        for kind, cost in costs.items()
    ]
    return "\n".join(lines)


def cell(text: str) -> str:
    """Text inside a table of Markdown."""
    return text.replace("|", "\\|")
