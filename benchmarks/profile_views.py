"""The profiles with the source of every constant, for the terminal and for the docs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import RenderableType
from rich.text import Text

from ..toolchain.tables import number, table
from .profile import PROFILES, Constant, Profile, load_profile


def profile_view(profile: Profile) -> Iterator[RenderableType]:
    """One profile: its constants, and below them where they come from."""
    sources = _sources(profile)
    rows = [
        (each.name, number(each.pj), each.process, str(each.year), str(1 + sources.index(each.source)))
        for each in profile.constants.values()
    ]
    yield Text.assemble(("\n" + profile.name, "bold"), f": {profile.title}")
    yield table(("constant", ">pJ", "process", ">year", ">source"), rows)
    yield Text("\n".join(f"  {place}  {source}" for place, source in enumerate(sources, 1)))


def _sources(profile: Profile) -> list[str]:
    return list(dict.fromkeys(each.source for each in profile.constants.values()))


def section() -> str:
    """All profiles, for the docs."""
    return "\n".join(line for name in PROFILES for line in _of(load_profile(name)))


def _of(profile: Profile) -> Iterator[str]:
    yield f"- **`{profile.name}`**, {profile.title}: {', '.join(map(_price, profile.constants.values()))} pJ."
    constants = profile.constants.values()
    for source in _sources(profile):
        yield f"  - {_names(each.name for each in constants if each.source == source)}: {source}"
    for note in dict.fromkeys(each.note for each in constants if each.note):
        yield f"  - {_names(each.name for each in constants if each.note == note)}: *{note}*"


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _price(constant: Constant) -> str:
    return f"{constant.name} {number(constant.pj)}"
