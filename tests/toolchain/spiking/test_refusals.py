"""What cannot be spikes is refused by its name, all of it at once."""

import numpy as np
import pytest
from spikeport.toolchain.errors import Refused
from spikeport.toolchain.graph import GraphBuilder, chain, later
from spikeport.toolchain.graph.nodes import (
    LIF,
    Activation,
    Add,
    Affine,
    Delay,
    Host,
    Input,
    MaxPool,
    Multiply,
    Output,
)
from spikeport.toolchain.spiking import spiking

X = np.ones((1, 1, 2, 4, 4))


def around(*nodes):
    return chain([("x", Input((2, 4, 4))), ("first", Activation("relu")), *nodes, ("y", Output())], name="net")


@pytest.mark.parametrize(
    ("nodes", "message"),
    [
        (
            [("p", MaxPool((2, 2)))],
            "p: a MaxPool: the maximum of changes is not that of values; expected an average or a sum",
        ),
        ([("a", Activation("gelu"))], "a: the activation gelu; expected a ReLU, or a clip from 0"),
        (
            [("q", Activation("quantise", {"scale": 0.1, "zero": 0.0, "low": 0.0, "high": 255.0}))],
            "q: the activation quantise; expected .* Convert the network as it was before quantising",
        ),
        ([("a", Activation("clip", {"low": -1.0, "high": 1.0}))], "a: the activation clip from -1"),
        ([("s", Host("softmax", {"axis": 0.0}))], "s: the host operation 'softmax'; .*Cut it off and read what comes"),
        ([("n", LIF(beta=0.5))], "n: a LIF; expected ReLUs, and nothing that remembers"),
        ([("d", Delay((1,)))], "d: a Delay, which looks at earlier steps"),
    ],
)
def test_one_reason(nodes, message):
    with pytest.raises(Refused, match=message):
        spiking(around(*nodes), X)


def test_all_reasons_at_once():
    graph = around(("p", MaxPool((2, 2))), ("a", Activation("tanh")), ("n", LIF(beta=0.5)))
    with pytest.raises(Refused) as refused:
        spiking(graph, X, neurons="if")
    assert [reason.where for reason in refused.value.reasons] == ["p", "a", "n"]
    assert str(refused.value).startswith("net as spikes: refused for 3 reasons:")
    assert "the maximum of rates is not that of values" in str(refused.value)


def test_products_loops_and_networks_without_a_relu():
    b = GraphBuilder("net")
    b.add("x", Input((2,)))
    b.add("r", Activation("relu"), "x")
    b.add("m", Multiply(), "r", "x")
    b.add("s", Add(), "m", later("m"))
    b.add("y", Output(), "s")
    with pytest.raises(Refused, match=r"m: a product of two signals(.|\n)*s: it reads what was sent a step before"):
        spiking(b.build(), X)
    with pytest.raises(Refused, match="net: a network without a ReLU; expected ReLUs between its layers"):
        spiking(chain([("x", Input((2,))), ("f", Affine(np.eye(2))), ("y", Output())], name="net"), X)
