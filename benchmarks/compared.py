"""The networks of a report: the subject, and what it is compared with, each counted on the same samples."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..toolchain.errors import Refused, UsageError
from ..toolchain.graph import Graph
from ..toolchain.graph.nodes import Firing as Spiking
from ..toolchain.graph.nodes import Node, ResonateFire
from ..toolchain.graph.signal import Signal, carries
from ..toolchain.loihi.chip_graph import ChipGraph
from ..toolchain.simulate import simulate
from ..toolchain.source import Given, Source, changed
from .findings import Spikes, Statistics
from .means import Means
from .operations import OpCount
from .profile import Profile
from .survey.job import Job
from .survey.run import Survey
from .survey.sources import DataSource, DataSpec, Takes, each_of, open_data
from .survey.still import Still
from .survey.work import run_counted
from .twin import twin_count

if TYPE_CHECKING:
    from torch import nn

    from ..toolchain.passes.pipeline import PipelineResult

TWIN = "twin"
JOURNAL = "counts.journal"
"""The file beside the report that keeps what was counted of its subject."""
PASSES = "simplify"
"""What is counted is the network as it is deployed: normalisation and scales folded into weights."""
USUAL = ("paper", "strict", "events", "neurobench", "lemaire", "bits", "chip:loihi1")
"""The rules that are applied to a graph or a module where nobody says which."""
USUAL_ON_CHIP = ("events", "chip:loihi1", "chip:loihi1-sanafe")
"""The same for the integers of a chip."""


@dataclass(frozen=True, eq=False)
class Subject:
    """A network, before it is counted.

    Args:
        title: what the report calls it.
        network: the network.
        takes: what its inputs take in one step; none where nobody says.
        example: gives an example of its input, for a module that nobody says the shape of.
        notes: how it came about, where that is remarkable.
    """

    title: str
    network: Graph | ChipGraph | nn.Module
    takes: Takes
    example: Callable[[], object] | None = None
    notes: tuple[str, ...] = ()

    @property
    def usual_rules(self) -> tuple[str, ...]:
        """The rules that are applied where nobody says which."""
        return USUAL_ON_CHIP if isinstance(self.network, ChipGraph) else USUAL

    @property
    def dt(self) -> float:
        """The length of a step in seconds."""
        return self.network.dt if isinstance(self.network, Graph | ChipGraph) else 1e-3


@dataclass(frozen=True, eq=False)
class Counted:
    """A network, counted.

    Args:
        title: what the report calls it.
        role: subject or against.
        counts: its operations, over all samples.
        about: how it was made, where it was made of another.
        survey: its counts sample by sample; none for what was worked out from another's.
        source: the samples; none where there was an example alone.
        spikes: what its neurons sent for the first sample.
        example: the input that it was counted on, where there was one alone.
        data: what it ran on, in words.
        identity: SHA-256 of that.
        said: what the reader has to know of the data.
        notes: what the reader has to know of the counts.
    """

    title: str
    role: str
    counts: OpCount
    about: str = ""
    survey: Survey | None = None
    source: DataSource | None = None
    spikes: tuple[Spikes, ...] = ()
    example: object = None
    data: str = ""
    identity: str = ""
    said: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def over(self, rule: str, profile: Profile) -> tuple[Statistics | None, Mapping[str, Statistics]]:
        """Picojoules per sample, over the samples and over those of each class."""
        if self.survey is None or len(self.survey) < 2:
            return None, {}
        from .survey.bills import over_samples

        return over_samples(self.survey, rule, profile)


def subject(given: Given, road: str) -> Subject:
    """The network of a SOURCE, as a graph where it can be one."""
    name = Path(given.source.name).stem if given.source.name.endswith(".safetensors") else given.source.name
    if road != "module":
        try:
            return _of_network(given, given.network(), name)
        except Refused as refusal:
            if road == "graph":
                raise
            reasons = f"{len(refusal.reasons)} reason{'s' * (len(refusal.reasons) != 1)}"
            why = f"counted in the running module: no graph can be made of it, for {reasons} (inspect says which)"
            return replace(_of_module(given, name), notes=(why,))
    return _of_module(given, name)


def _of_network(given: Given, network: Graph | ChipGraph, title: str) -> Subject:
    """A graph, after the passes that were asked for; a chip graph as it is."""
    if not isinstance(network, Graph):
        return Subject(title, network, _takes(network))
    done = changed(network, given.passes or PASSES)
    said = [_passes(done)] if done.changes else []
    if given.explain:
        said += [change.text() for change in done.changes] + [refusal.text() for refusal in done.refusals]
    return Subject(title, done.graph, _takes(done.graph), notes=tuple(f"{done.graph.name}: {text}" for text in said))


def _takes(network: Graph | ChipGraph) -> Mapping[str, Signal]:
    """What each input takes."""
    return {name: network.signals[name] for name in network.inputs}


def _passes(done: PipelineResult) -> str:
    """What passes did, and how to count without them."""
    several = "" if len(done.changes) == 1 else "s"
    how = "--explain says which, --passes none leaves all as it is"
    return f"counted after {len(done.changes)} change{several} by passes ({how})"


def _of_module(given: Given, title: str) -> Subject:
    """A module, and what its input is, as far as the SOURCE says it."""
    module = given.load.module(given.source)
    shape = given.source.shape
    signal = None if shape is None else Signal(shape, carries(given.source.carries))
    return Subject(title, module, signal, partial(given.load.example, given.source))


def counted(found: Subject, spec: DataSpec, means: Means | None = None, *, infer: bool = False) -> Counted:
    """The subject's counts, on data or on its own example."""
    if spec.data is None and found.takes is None and found.example is not None:
        return _on_example(found, found.example(), infer=infer)
    source = open_data(spec, found.takes, found.dt, "--data")
    done = (means or Means()).count(Job(found.network, source, infer, found.title), JOURNAL)
    spikes = tuple(_spikes(found.network, source)) if isinstance(found.network, Graph) else ()
    return Counted(
        found.title, "subject", done.total, survey=done, source=source, spikes=spikes, data=done.data,
        identity=done.data_identity, said=done.said, notes=(*found.notes, *done.total.notes),
    )  # fmt: skip


def _on_example(found: Subject, example: object, *, infer: bool) -> Counted:
    """One call of a module on the example that came with it."""
    module: Any = found.network
    counts = run_counted(module, example, infer_from_values=infer)
    words = "one call on the example that the factory gave"
    return Counted(found.title, "subject", counts, example=example, data=words, notes=(*found.notes, *counts.notes))


def _spikes(graph: Graph, source: DataSource) -> Iterator[Spikes]:
    """What every layer of neurons sends for the first sample."""
    inputs, _ = source.batch([0])
    run = simulate(graph, each_of(inputs, lambda values: values.astype(np.float32)), record="spikes")
    for name, node in graph.nodes.items():
        if name in run.nodes and _sends(node):
            sent = run[name].spikes[:, 0]
            times, neurons = np.nonzero(sent.reshape(len(sent), -1))
            yield Spikes(name, sent.shape[1:], len(sent), times, neurons, sent.mean(0, dtype=np.float64))


def _sends(node: Node) -> bool:
    """Whether it is a layer of neurons that sends spikes."""
    return isinstance(node, ResonateFire) or (isinstance(node, Spiking) and node.emit == "spikes")


def compared(given: Given, here: Counted, against: Sequence[str], means: Means | None = None) -> list[Counted]:
    """What the subject is compared with; no two networks have one title."""
    titles, found = [here.title], []
    for each in (each for name in against for each in _against(given, here, name, means or Means())):
        found.append(replace(each, title=_untaken(each.title, titles)))
        titles.append(found[-1].title)
    return found


def _untaken(title: str, taken: Sequence[str]) -> str:
    """A title, with a number where another network has it."""
    numbered = (f"{title} ({number})" for number in count(2))
    return next(each for each in chain((title,), numbered) if each not in taken)


def _against(given: Given, here: Counted, name: str, means: Means) -> Iterator[Counted]:
    if name == TWIN:
        yield from twins(here)
        return
    found = subject(replace(given, source=_beside_source(given.source, name)), "auto")
    if here.source is None:
        raise UsageError("--against", f"{name}: the network itself was counted on its own example", fix="give --data")
    every = _beside(found, here.source, name, means)
    how = "" if isinstance(found.network, Graph | ChipGraph) else ", in the running module"
    yield replace(every, about=f"on the same samples, in every step{how}")
    if isinstance(found.network, Graph) and _still(found.network):
        about = "once for each sample, on the mean over its steps"
        yield replace(_beside(found, Still(here.source), name, means), title=f"{found.title}, one pass", about=about)


def _beside_source(source: Source, name: str) -> Source:
    """Another SOURCE: the shape that was said goes for a factory's network too, which reads the same samples."""
    return replace(source, name=name, weights=None) if ":" in name else Source(name)


def _beside(found: Subject, source: DataSource, name: str, means: Means) -> Counted:
    """Another network on the subject's samples."""
    try:
        done = means.count(Job(found.network, source, source=found.title))
    except UsageError as error:
        raise error.inside(f"--against {name}") from error
    return Counted(found.title, "against", done.total, survey=done, source=source)


def _still(graph: Graph) -> bool:
    """Whether it remembers nothing from one step to the next, and takes real numbers."""
    delayed = any(wire.delayed for wires in graph.wires.values() for wire in wires)
    real = all(graph.signals[name].carries.graded for name in graph.inputs)
    return real and not delayed and not any(node.stateful for node in graph.nodes.values())


def twins(here: Counted) -> Iterator[Counted]:
    """The ANN twin in one pass, and in every step where there are several."""
    about = "the same layers where neurons are ReLUs, every value is real and none is 0; run once for each sample"
    yield Counted("ANN twin, one pass", "against", twin_count(here.counts, "one"), about=about)
    if here.counts.steps > here.counts.samples:
        again = "the same, run once in every step"
        yield Counted("ANN twin, every step", "against", twin_count(here.counts, "all"), about=again)
