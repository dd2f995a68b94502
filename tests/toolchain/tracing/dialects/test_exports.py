"""Whatever a framework exports is in the tables, refused by its name, or known to be made of what the tables know."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from types import ModuleType

import norse.torch
import pytest
import snntorch
import torch
from spikeport.toolchain.errors import SpikeportError
from spikeport.toolchain.tracing import trace
from spikeport.toolchain.tracing.calls import Rows
from spikeport.toolchain.tracing.dialects import REFUSED, TABLES
from spikeport.toolchain.tracing.dialects import norse as of_norse
from spikeport.toolchain.tracing.dialects import snntorch as of_snntorch
from spikeport.toolchain.tracing.dialects import spikingjelly as of_spikingjelly
from spikingjelly.activation_based import encoding, layer, neuron, rnn
from torch import nn

SPACES: tuple[ModuleType, ...] = (norse.torch, snntorch, neuron, layer, rnn, encoding)
THROUGH = {
    # containers, and networks of modules that are in the tables
    *("Lift", "SequentialState", "ConvNet", "ConvNet4", "VGG", "MobileNetV2"),
    *("MultiStepContainer", "SeqToANNContainer", "StepModeContainer", "TLastMultiStepContainer", "OTTTSequential"),
    *("GradwithTrace", "SpikeTraceOp", "TemporalReceptiveField", "SpikingSelfAttention", "SpikeDrivenSelfAttention"),
    *("QKAttention", "TokenQKAttention", "ChannelQKAttention"),
    # layers without a state, recorded function by function
    *("LConv2d", "SpatialReceptiveField2d", "ParameterizedSpatialReceptiveField2d", "SampledSpatialReceptiveField2d"),
    *("GradedSpikes", "PrintShapeModule", "VotingLayer", "Upsample", "GroupNorm", "Linear", "Flatten"),
    *("WSConv2d", "WSLinear", "MultiDimensionalAttention", "TemporalWiseAttention"),
    *(
        f"{kind}{dims}d"
        for kind in ("Conv", "ConvTranspose", "BatchNorm", "MaxPool", "MaxUnpool")
        for dims in (1, 2, 3)
    ),
    *(f"{kind}{dims}d" for kind in ("AvgPool", "AdaptiveAvgPool", "ThresholdDependentBatchNorm") for dims in (1, 2, 3)),
}
"""What has no row of its own; the tests of the layers and of random networks run them."""

ARGUMENTS = ((), (5,), (5, 5), (0.9,), (0.9, 0.8), (0.9, 5, 5), (5, 5, 3))


def exported() -> dict[str, type[nn.Module]]:
    found = {}
    for space in SPACES:
        for name, each in vars(space).items():
            if inspect.isclass(each) and issubclass(each, nn.Module):
                found[f"{space.__name__}.{name}"] = each
    return found


EXPORTED = exported()


def full_name(kind: type) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def bare(kind: type[nn.Module]) -> nn.Module:
    made = kind.__new__(kind)
    nn.Module.__init__(made)
    return made


MADE: dict[str, Callable[[], nn.Module]] = {
    "MPBNBaseNode": lambda: neuron.MPBNBaseNode(out_features=5),
    "MPBNLIFNode": lambda: neuron.MPBNLIFNode(out_features=5),
    "PeriodicEncoder": lambda: encoding.PeriodicEncoder(torch.ones(3, 2, 5)),
    "FlexSN": lambda: neuron.FlexSN(lambda x, v: (x, v), 1),
}


def made(kind: type[nn.Module]) -> nn.Module:
    """One of a type; a bare one where its arguments are not easily guessed, since a refusal asks for its type alone."""
    if kind.__name__ in MADE:
        return MADE[kind.__name__]()
    for arguments in ARGUMENTS:
        try:
            return kind(*arguments)
        except Exception:
            continue
    return bare(kind)


def test_the_frameworks_export_what_they_should():
    assert len(EXPORTED) > 150


@pytest.mark.parametrize("name", EXPORTED)
def test_every_export_is_known(name: str):
    kind = EXPORTED[name]
    row = Rows({}).row(bare(kind))
    if full_name(kind) in TABLES:
        assert row is TABLES[full_name(kind)]
    elif kind.__name__ in THROUGH:
        assert row is None
    else:
        assert row in REFUSED.values(), f"{name} is traced as one of its bases, or not known at all"


@pytest.mark.parametrize(
    "name", [name for name, kind in EXPORTED.items() if Rows({}).row(bare(kind)) in REFUSED.values()]
)
def test_a_refusal_names_it_and_says_what_to_do(name: str):
    kind = EXPORTED[name]
    with pytest.raises(SpikeportError) as refusal:
        trace(nn.Sequential(made(kind)), torch.rand(2, 5))
    message = str(refusal.value)
    assert f"{kind.__name__}: " in message
    assert "Use one of them, or give a row for it" in message


@pytest.mark.parametrize("dialect", [of_norse, of_snntorch, of_spikingjelly])
def test_every_reason_is_about_something_that_exists(dialect):
    prefix = {of_norse: "norse.torch.module", of_snntorch: "snntorch._neurons"}.get(
        dialect, "spikingjelly.activation_based"
    )
    for name in (*dialect.ROWS, *(f"{prefix}.{each}" for each in dialect.REASONS)):
        module, kind = name.rsplit(".", 1)
        assert inspect.isclass(getattr(__import__(module, fromlist=[kind]), kind)), name
