"""What NIR cannot say and a network needs, as JSON: in the file's own metadata, and beside it in FILE.json.

Parameters live in NIR's fields. What stands here is small: the step, the rules that lead from a time constant to a
decay, how neurons reset, which edges hand on one step later, and the names that a sum or a node had. The file beside
the network also holds the SHA-256 of the network's file, and is trusted first.

An array of a neuron that does not come back bit for bit from NIR's fields stands in that node's own metadata, under the
name that it has in the graph: `beta` beside `tau`. It has one value where all neurons share it, and the neurons' shape
otherwise.

A node is called by its path: its name in the file, behind the names of the sub-graphs around it, with dots between.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, get_args

from ...toolchain.errors import FileError, GraphError
from ...toolchain.graph.network import check_name
from ...toolchain.graph.nodes.base import BRIEF, brief, need
from ...toolchain.graph.nodes.ends import Readout
from ...toolchain.graph.nodes.integrators import Rule, one_of
from ...toolchain.graph.nodes.neurons import Reset, When
from ...toolchain.graph.signal import carries

KEY = "spikeport"
"""The name of the metadata entry that holds all of it."""
VERSION = 1
LARGEST = 64 << 20
"""The most bytes of JSON that are read."""
LONGEST = 1 << 20
"""The most entries of a list or a mapping, and the most characters of a text."""
LATEST = 1e300
"""Steps are shorter than this."""
SUFFIX = ".json"
CHUNK = 1 << 20
Edge = tuple[str, str]


@dataclass(frozen=True)
class NeuronFacts:
    """What a neuron's numbers do not say.

    Args:
        rule: where its decays came from; see the graph's integrators. `given` is written by Euler's rule.
        reset: to a value, by subtraction, or none.
        when: when it resets.
        at_least: whether v = θ is enough to fire.
    """

    rule: Rule = "given"
    reset: Reset = "value"
    when: When = "now"
    at_least: bool = False

    def __post_init__(self) -> None:
        one_of(self.rule, Rule, "rule")
        one_of(self.reset, Reset, "reset")
        one_of(self.when, When, "when")


@dataclass(frozen=True)
class Facts:
    """All of it. Every mapping keeps its order.

    Args:
        dialect: in which the file was written.
        dt: the length of a step in seconds.
        name: of the network.
        notes: of the network.
        passes: what was changed so that NIR could say it, a line each.
        inputs: path of each input → what it carries, in the network's order.
        outputs: path of each output → its readout, in the network's order.
        names: path → the node's own name, where they differ.
        delayed: the edges (path, path) that hand on one step later; each closes a loop.
        sums: path of a node with several edges into it → the own name of the Add that this sum is. The terms are in
            the order of the edges. The same name at two nodes is one Add that both read.
        neurons: path of each neuron → what its numbers do not say.
        kinds: path → what the node is, where NIR has another word for it: `Scale` for an Affine whose matrix is
            diagonal (leading axes of the weight are those of the signal); `Affine` for one whose matrix is the same
            for all leading axes; `step_or_equal` for a Threshold that v = θ is enough for.
    """

    dialect: str
    dt: float
    name: str = "network"
    notes: Mapping[str, str] = field(default_factory=dict)
    passes: tuple[str, ...] = ()
    inputs: Mapping[str, str] = field(default_factory=dict)
    outputs: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    delayed: tuple[Edge, ...] = ()
    sums: Mapping[str, str] = field(default_factory=dict)
    neurons: Mapping[str, NeuronFacts] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if isinstance(value, Mapping):
                object.__setattr__(self, each.name, MappingProxyType(dict(value)))

    def text(self) -> str:
        """As it is written: JSON, one form for one content; what is at its default is left out."""
        return json.dumps(self._data(), ensure_ascii=True, separators=(",", ":"))

    def _data(self) -> dict[str, Any]:
        data: dict[str, Any] = {"version": VERSION, "dialect": self.dialect, "dt": self.dt, "name": self.name}
        for each in fields(self)[3:]:
            value = getattr(self, each.name)
            if value:
                data[each.name] = dict(value) if isinstance(value, Mapping) else list(value)
        if self.neurons:
            data["neurons"] = {path: asdict(each) for path, each in self.neurons.items()}
        return data

    def metadata(self) -> dict[str, str]:
        """As metadata of the graph: the readable entries, and all of it under KEY."""
        return {**self.readable(), KEY: self.text()}

    def readable(self) -> dict[str, str]:
        """The entries for people and for other programs; what they say stands in the text too."""
        resets = sorted({f"{each.reset} ({each.when})" for each in self.neurons.values()})
        found = {"dt": repr(self.dt), "dialect": self.dialect, "reset": ", ".join(resets)}
        found["passes"] = "; ".join(self.passes)
        return {name: text for name, text in found.items() if text}

    def beside(self, digest: str) -> str:
        """As the file beside a network whose file has this SHA-256."""
        return json.dumps({"sha256": digest, **self._data()}, ensure_ascii=True, indent=1) + "\n"


def beside(path: str | Path) -> Path:
    """Where the facts of a network's file stand: net.nir.json for net.nir."""
    return Path(f"{path}{SUFFIX}")


def digest_of(path: str | Path) -> str:
    """The SHA-256 of a file."""
    found = hashlib.sha256()
    with Path(path).open("rb") as file:
        while chunk := file.read(CHUNK):
            found.update(chunk)
    return found.hexdigest()


def facts_of(text: str, where: str) -> Facts:
    """The facts in the metadata entry KEY.

    Raises:
        FileError: when they cannot be understood.
    """
    return _facts(_parsed(text, where), where)


def facts_beside(path: str | Path) -> tuple[Facts, str] | None:
    """The facts that stand beside a network's file, and the SHA-256 that they are for; None where there are none.

    Raises:
        FileError: when they cannot be read or understood.
    """
    place = beside(path)
    if not place.is_file():
        return None
    try:
        with place.open("rb") as file:
            raw = file.read(LARGEST + 1)
        text = raw.decode("utf-8")
    except OSError as error:
        raise FileError(str(place), f"cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise FileError(str(place), "no text in UTF-8", "JSON of Spikeport's", FIX) from error
    data = _parsed(text, str(place))
    digest = data.pop("sha256", None)
    if not isinstance(digest, str):
        raise FileError(f"{place}, sha256", "not there" if digest is None else "no text", "64 digits", FIX)
    return _facts(data, str(place)), digest


FIX = "delete it, and tell --dialect, --dt and --reset instead"


def _parsed(text: str, where: str) -> dict[str, Any]:
    if len(text) > LARGEST:
        raise FileError(where, f"more than {LARGEST >> 20} MB", "JSON of Spikeport's", FIX)
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FileError(where, f"no JSON: {error}"[:BRIEF], "JSON of Spikeport's", FIX) from error
    if not isinstance(data, dict) or data.get("version") != VERSION:
        raise FileError(where, "of another kind or version", f"facts of Spikeport's, version {VERSION}", FIX)
    return {name: value for name, value in data.items() if name != "version"}


def _facts(data: Mapping[str, Any], where: str) -> Facts:
    """The facts, every entry checked."""
    try:
        for name in data:
            need(name in CHECKS, brief(name), "an entry that is not known", ", ".join(CHECKS))
        for name in ("dialect", "dt"):
            need(name in data, name, "not there", "an entry of that name")
        return Facts(**{name: CHECKS[name](value, name) for name, value in data.items()})
    except GraphError as error:
        raise FileError(f"{where}, {error.where}", error.found, error.expected, FIX) from error


def _text(value: Any, where: str) -> str:
    need(isinstance(value, str) and len(value) <= LONGEST, where, _shown(value), "a text")
    return str(value)


def _name(value: Any, where: str) -> str:
    check_name(value, where)
    return str(value)


def _path(value: Any, where: str) -> str:
    text = _text(value, where)
    need(len(text) > 0 and "\0" not in text, where, f"'{text}'", "a path of names with dots between")
    return text


def _step(value: Any, where: str) -> float:
    fits = isinstance(value, (int, float)) and not isinstance(value, bool)
    need(fits and 0 < value < LATEST, where, _shown(value), "a positive number of seconds")
    return float(value)


def _carried(value: Any, where: str) -> str:
    return str(carries(_text(value, where)))


def _choice(choices: Sequence[str]) -> Callable[[Any, str], str]:
    def check(value: Any, where: str) -> str:
        need(isinstance(value, str) and value in choices, where, _shown(value), " or ".join(choices))
        return str(value)

    return check


def _by(key: Callable[[Any, str], str], entry: Callable[[Any, str], Any]) -> Callable[[Any, str], dict[str, Any]]:
    def check(value: Any, where: str) -> dict[str, Any]:
        need(isinstance(value, dict) and len(value) <= LONGEST, where, _shown(value), "entries by name")
        return {key(name, where): entry(each, f"{where}, {brief(name)}") for name, each in value.items()}

    return check


def _list(entry: Callable[[Any, str], Any]) -> Callable[[Any, str], tuple[Any, ...]]:
    def check(value: Any, where: str) -> tuple[Any, ...]:
        need(isinstance(value, list) and len(value) <= LONGEST, where, _shown(value), "a list")
        return tuple(entry(each, where) for each in value)

    return check


def _edge(value: Any, where: str) -> Edge:
    need(isinstance(value, list) and len(value) == 2, where, _shown(value), "pairs of a source and a target")
    return _path(value[0], where), _path(value[1], where)


def _neuron(value: Any, where: str) -> NeuronFacts:
    known = [each.name for each in fields(NeuronFacts)]
    need(isinstance(value, dict) and set(value) <= set(known), where, _shown(value), f"some of {', '.join(known)}")
    for name, each in value.items():
        fits = isinstance(each, bool if name == "at_least" else str)
        need(fits, where, f"{name} {_shown(each)}", "true or false" if name == "at_least" else "a text")
    try:
        return NeuronFacts(**value)
    except GraphError as error:
        raise error.inside(where) from None


def _shown(value: Any) -> str:
    return brief(repr(value)) if isinstance(value, (str, int, float, bool)) else f"a {type(value).__name__}"


CHECKS: Mapping[str, Callable[[Any, str], Any]] = {
    "dialect": _text,
    "dt": _step,
    "name": _name,
    "notes": _by(_name, _text),
    "passes": _list(_text),
    "inputs": _by(_path, _carried),
    "outputs": _by(_path, _choice(get_args(Readout))),
    "names": _by(_path, _name),
    "delayed": _list(_edge),
    "sums": _by(_path, _name),
    "neurons": _by(_path, _neuron),
    "kinds": _by(_path, _choice(("Scale", "Affine", "step_or_equal"))),
}
"""What is read, entry by entry: each a function that hands back the value or raises a GraphError."""
