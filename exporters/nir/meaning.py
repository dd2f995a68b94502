"""How a file is meant: whose it is, how long a step is, how neurons reset.

What the user says comes first, then what Spikeport wrote in or beside the file. Other files are recognised by what
their numbers look like, where a dialect is sure of it. Where none is, the equations of the NIR paper are read, for
which a step has to be told: a step or a reset that was only guessed would make another network.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, cast, get_args

import numpy as np

from ...toolchain.errors import FileError, GraphError, UsageError
from ...toolchain.graph.nodes import Firing, Integrating
from ...toolchain.graph.nodes.base import brief
from ...toolchain.graph.nodes.integrators import Rule
from ...toolchain.graph.nodes.neurons import Reset
from .dialects import DIALECTS, dialect
from .dialects.base import SURE, Dialect, Told
from .edges_in import NEURONS
from .exact import decoded, restored
from .facts import Facts, NeuronFacts
from .flat import leaves
from .said import Said
from .tree import Leaf, Tree

TIMED = NEURONS | {"Delay"}
"""The nodes that mean nothing without the length of a step."""
STEP = 1e-3
"""The length of a step where nothing depends on it."""
AGREE = 1e-6
"""How far two lengths of a step may be apart."""
RESETS: Mapping[Reset, str] = {"value": "reset to v_reset", "subtract": "reset by subtraction", "none": "no reset"}
"""What a spike does, in words."""


@dataclass(frozen=True)
class Asked:
    """What the user says of a file; none where he says nothing.

    Args:
        dialect: whose it is.
        dt: the length of a step in seconds.
        reset: what a spike does: value, subtract or none.
    """

    dialect: str | None = None
    dt: float | None = None
    reset: str | None = None

    def __post_init__(self) -> None:
        if self.dialect is not None and self.dialect not in DIALECTS:
            raise UsageError("--dialect", f"'{self.dialect}'", " or ".join(DIALECTS))
        if self.dt is not None and not 0 < self.dt < math.inf:
            raise UsageError("--dt", f"{self.dt}", "a positive number of seconds")
        if self.reset is not None and self.reset not in get_args(Reset):
            raise UsageError("--reset", f"'{self.reset}'", " or ".join(get_args(Reset)))


@dataclass(frozen=True)
class Meaning:
    """How the numbers of a file are read.

    Args:
        dialect: whose it is.
        told: what the numbers do not say.
        facts: what Spikeport wrote of it; none for files of others.
        asked: what the user says.
    """

    dialect: Dialect
    told: Told
    facts: Facts | None = None
    asked: Asked = Asked()

    def mended(self, tree: Tree, said: Said) -> Tree:
        """The tree without the faults that only files of this framework's exporter have."""
        if self.facts is not None or self.dialect.mend is None:
            return tree
        mended, repairs = self.dialect.mend(tree)
        for line in repairs:
            said.remark("", line)
        return mended

    def begun(self, tree: Tree) -> Tree:
        """The tree with what the framework does beside what its nodes say."""
        return tree if self.dialect.begin is None else self.dialect.begin(tree, self.told.dt)

    def neuron(self, path: str, leaf: Leaf, said: Said) -> Integrating:
        """The node of the graph that a neuron of the file is."""
        with np.errstate(all="ignore"):  # what is not finite is refused by the node
            return self._neuron(path, leaf, said)

    def _neuron(self, path: str, leaf: Leaf, said: Said) -> Integrating:
        if self.facts is None:
            return decoded(leaf, self.told, self.dialect.exported)
        own = self.facts.neurons.get(path, NeuronFacts())
        if path not in self.facts.neurons:
            said.remark(path, "what Spikeport wrote says nothing of this neuron; --reset says what a spike does")
        rule: Rule = "exact" if own.rule == "exact" else "euler"
        told = Told(self.told.dt, rule, own.reset, own.when, own.at_least)
        taken = _reset_as(told, self.asked)
        node = replace(decoded(leaf, taken, self.dialect.imported), rule=own.rule)
        if taken != told and isinstance(node, Firing):
            said.remark(path, f"written with {RESETS[told.reset]}; read with --reset {taken.reset}")
        exact, wrong = restored(node, leaf, steps=self.told.dt == self.facts.dt)
        for name in wrong:
            said.remark(path, f"the exact {name} in its metadata does not agree with its fields, which are taken")
        return exact


def meaning_of(tree: Tree, asked: Asked, facts: Facts | None, said: Said) -> Meaning:
    """How a tree is meant.

    Raises:
        FileError: when nothing says how long a step is.
    """
    if facts is not None and asked.dialect in (None, facts.dialect):
        if facts.dialect not in DIALECTS:
            raise said.error("dialect", f"'{facts.dialect}'", " or ".join(DIALECTS), "update Spikeport")
        found = dialect(facts.dialect)
        dt = asked.dt or facts.dt
        if dt != facts.dt:
            said.remark("", f"written for steps of {facts.dt:g} s; read with --dt {dt:g}")
        _check_readable(tree, facts, said)
        return Meaning(found, Told(dt), facts, asked)
    if facts is not None:
        said.remark(
            "", f"written by Spikeport in the dialect {facts.dialect}; read as {asked.dialect}, as --dialect says"
        )
    kept = facts.dt if facts is not None else _kept_step(tree)
    named = _told_or_recognised(tree, asked, kept, said)
    told = _reset_as(replace(named.told, dt=_step(tree, asked, kept, named, said)), asked)
    if any(leaf.kind in NEURONS for _, leaf in leaves(tree)):
        said.remark("", f"not said by the file, so as {named.name} has it: {_sentence(told)}")
    return Meaning(named, told, None, asked)


def _check_readable(tree: Tree, facts: Facts, said: Said) -> None:
    """Says where an entry for people was changed, which changes nothing."""
    for name, text in facts.readable().items():
        held = tree.metadata.get(name, text)
        if not isinstance(held, str) or held != text:
            other = brief(held) if isinstance(held, str) else "numbers"
            said.remark("", f"its metadata say {name} = {other}; {brief(text)}, as Spikeport wrote, is taken")


def _sentence(told: Told) -> str:
    when = {"now": "at once", "next": "one step later", "guarded": "at once, guarded"}[told.when]
    decays = "β = exp(−dt/τ)" if told.rule == "exact" else "β = 1 − dt/τ"
    return (
        f"steps of {told.dt:g} s, {decays}, {RESETS[told.reset]} {when}, spikes at v {'≥' if told.at_least else '>'} θ"
    )


def _reset_as(told: Told, asked: Asked) -> Told:
    if asked.reset is None or asked.reset == told.reset:
        return told
    reset = cast(Reset, asked.reset)
    return replace(told, reset=reset, when="now" if told.when == "guarded" else told.when)


def _told_or_recognised(tree: Tree, asked: Asked, kept: float | None, said: Said) -> Dialect:
    if asked.dialect is not None:
        return dialect(asked.dialect)
    if not any(leaf.kind in NEURONS for _, leaf in leaves(tree)):
        return dialect("ode")
    found = sorted(_candidates(tree), key=lambda each: -each.sure)
    best = [each for each in found if each.sure == found[0].sure >= SURE]
    if len(best) == 1:
        said.remark(
            "",
            f"read as a file of {best[0].name}: {best[0].why}; --dialect (of convert: --from-dialect) says otherwise",
        )
        return dialect(best[0].name)
    if asked.dt is None and kept is None and any(leaf.kind in TIMED for _, leaf in leaves(tree)):
        raise _unsaid(found, asked, said)
    why = _maybe(found) or "nothing in it says whose it is"
    said.remark(
        "",
        f"{why}: read by the equations of the NIR paper (ode); --dialect (of convert: --from-dialect) says otherwise",
    )
    return dialect("ode")


@dataclass(frozen=True)
class Candidate:
    """A dialect that a file may be of.

    Args:
        sure: how sure that is, from 0 to 1.
        name: of the dialect.
        why: what speaks for it.
    """

    sure: float
    name: str
    why: str


def _maybe(found: list[Candidate]) -> str:
    return "it may be of " + ", or of ".join(f"{each.name} ({each.why})" for each in found) if found else ""


def _unsaid(found: list[Candidate], asked: Asked, said: Said) -> FileError:
    """That somebody has to say how long a step is, or whose the file is."""
    text = "; ".join(["nothing says how long a step is", *([_maybe(found)] if found else [])])
    fix = "add --dt SECONDS"
    if asked.dialect is None:
        names = [f"--dialect {each.name}" for each in found] or ["--dialect NAME and --dt"]
        fix += f" to read it by the equations of the NIR paper, or {' or '.join(names)} (of convert: --from-dialect)"
    return said.error("", text, "a dt, in its metadata or told", fix)


def _candidates(tree: Tree) -> list[Candidate]:
    """The dialects that a tree may be of."""
    found = []
    for name in DIALECTS:
        known = dialect(name).known
        try:
            with np.errstate(all="ignore"):
                answer = known(tree) if known is not None else None
        except (GraphError, ValueError):  # numbers, or shapes, of which its framework makes nothing
            continue
        if answer is not None and answer[0] > 0:
            found.append(Candidate(answer[0], name, answer[1]))
    return found


def _step(tree: Tree, asked: Asked, kept: float | None, found: Dialect, said: Said) -> float:
    """The length of a step: as told, as the metadata have it, as the numbers give away, or as the dialect fixes it."""
    if asked.dt is not None:
        return asked.dt
    shown = found.step_of(tree) if found.step_of is not None else None
    if kept is not None:
        if shown is not None and abs(shown - kept) > AGREE * kept:
            said.remark("", f"its metadata say dt = {kept:g}, its numbers {shown:g}; {kept:g} is taken")
        return kept
    dt = shown or found.told.dt
    if dt > 0:
        return dt
    if any(leaf.kind in TIMED for _, leaf in leaves(tree)):
        raise _unsaid([], asked, said)
    return STEP


def _kept_step(tree: Tree) -> float | None:
    """The dt that stands in the metadata, where all that do agree."""
    every = [tree.metadata, *(leaf.metadata for _, leaf in leaves(tree))]
    steps = {step for held in every if (step := _number(held.get("dt"))) is not None}
    return steps.pop() if len(steps) == 1 else None


def _number(value: Any) -> float | None:
    """A positive number, from a number or a text; none for anything else."""
    try:
        step = float(value if isinstance(value, str) else np.asarray(value).reshape(()))
    except (ValueError, TypeError):
        return None
    return step if 0 < step < math.inf else None
