"""The rules and the profiles as tables, for the terminal and for the docs."""

from __future__ import annotations

from rich.console import Group
from rich.text import Text

from ..toolchain.console import Result
from ..toolchain.tables import number, table
from .profile import PROFILES, load_profile
from .rules import RULES


def listed_rules() -> Result:
    """Every rule with its formula, and every profile with its constants."""
    profiles = [load_profile(name) for name in PROFILES]
    billed = table(("rule", "what is billed as what", "profile"), [(r.name, r.text, r.profile) for r in RULES.values()])
    rows = [
        (profile.name, constant.name, number(constant.pj), f"{constant.process}, {constant.year}", constant.source)
        for profile in profiles
        for constant in profile.constants.values()
    ]
    prices = table(("profile", "constant", ">pJ", "process, year", "source"), rows)
    data = {
        "rules": [{**_said(rule.name), "profile": rule.profile, "needs": list(rule.needs)} for rule in RULES.values()],
        "profiles": [
            {"name": p.name, "title": p.title, "constants": [vars(c) for c in p.constants.values()]} for p in profiles
        ],
    }
    return Result(data, Group(billed, Text(), prices))


def _said(name: str) -> dict[str, str]:
    rule = RULES[name]
    return {"name": name, "text": rule.text, "formula": rule.formula, "source": rule.source}


def rules_in_markdown() -> str:
    """The rules as a table of the docs."""
    lines = ["| rule | what is billed as what | profile | source |", "|---|---|---|---|"]
    for rule in RULES.values():
        lines.append(f"| `{rule.name}` | {_cell(rule.text)} | {rule.profile} | {_cell(rule.source)} |")
    return "\n".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
