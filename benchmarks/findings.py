"""All that one run of `spikeport energy` found out: what the report shows, and nothing that is not in here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..toolchain.graph.nodes import Array
from .energy import Energy
from .operations import OpCount
from .profile import Constant

if TYPE_CHECKING:
    from .break_even import BreakEven
    from .conventions import Figure


@dataclass(frozen=True)
class Statistics:
    """One number over samples.

    Args:
        samples: how many.
        mean: their mean.
        sd: their standard deviation (n − 1).
        low: the lower end of the 95 % confidence interval of the mean.
        high: the upper end.
        least: the smallest of them.
        most: the largest.
    """

    samples: int
    mean: float
    sd: float
    low: float
    high: float
    least: float
    most: float


@dataclass(frozen=True)
class Billed:
    """One network under one rule, and over the samples where there were several.

    Args:
        energy: the bill.
        over: picojoules per sample, over the samples.
        classes: the same for the samples of each class.
    """

    energy: Energy
    over: Statistics | None = None
    classes: Mapping[str, Statistics] = field(default_factory=dict)


@dataclass(frozen=True)
class Network:
    """One network in the report.

    Args:
        title: what it is called there.
        role: subject: the network the report is about; against: what it is compared with.
        counts: its operations.
        billed: its energy, one for each rule, in the order asked for.
        about: how it was made, in a sentence: "the twin: …".
    """

    title: str
    role: str
    counts: OpCount
    billed: tuple[Billed, ...]
    about: str = ""


@dataclass(frozen=True, eq=False)
class Spikes:
    """What one neuron layer of the subject sent for one sample, for the raster and the map of rates.

    Args:
        layer: its name.
        shape: of one step.
        steps: how many steps.
        times: the step of each spike.
        neurons: the neuron of each spike, flat.
        rates: spikes per step of every neuron, [*shape].
    """

    layer: str
    shape: tuple[int, ...]
    steps: int
    times: Array
    neurons: Array
    rates: Array


@dataclass(frozen=True)
class WhatIf:
    """The total under another value of one constant.

    Args:
        constant: the constant's name.
        pj: its other value.
        rule: the rule.
        profile: the profile whose constant it is.
        totals: picojoules per sample, by the title of each network.
    """

    constant: str
    pj: float
    rule: str
    profile: str
    totals: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class Findings:
    """One run.

    Args:
        command: the exact command line.
        version: of spikeport.
        source: the SOURCE.
        data: what it ran on, in words.
        data_identity: sha256 of that.
        networks: the subject first, then what it is compared with.
        constants: every constant used, by profile.
        rules: each rule asked for, with its sentence, its formula and its source.
        break_even: the subject's layers beside a quantised ANN of equal bits.
        what_if: other values of a constant.
        figures: published conventions, where asked for.
        spikes: what the subject's neurons sent for the first sample.
        notes: what the reader has to know, in sentences.
    """

    command: str
    version: str
    source: str
    data: str
    data_identity: str
    networks: tuple[Network, ...]
    constants: Mapping[str, tuple[Constant, ...]]
    rules: Mapping[str, tuple[str, str, str]]
    break_even: tuple[BreakEven, ...] = ()
    what_if: tuple[WhatIf, ...] = ()
    figures: tuple[Figure, ...] = ()
    spikes: tuple[Spikes, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def subject(self) -> Network:
        """The network the report is about."""
        return self.networks[0]
