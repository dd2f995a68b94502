"""Images whose channels lie behind their pixels: only the strides differ, never a value."""

import numpy as np
import pytest
from spikeport.toolchain.graph import GraphBuilder, Node, nodes
from spikeport.toolchain.simulate import simulate
from spikeport.toolchain.simulate.layout import before, behind, channels_lie_last, empty_like, row_of

SHAPE = (4, 5, 3)
WAYS = {"number": (), "channel": (4, 1, 1), "row": (5, 1), "neuron": SHAPE}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", [nodes.LIF, nodes.CubaLIF, nodes.AdaptiveLIF, nodes.LeakyIntegrator])
def test_a_neuron_behind_a_convolution_is_the_neuron_itself(kind: type[Node], way: str) -> None:
    rng = np.random.default_rng(1)
    limits = {"beta": (0.5, 0.95), "alpha": (0.3, 0.8), "gain": (0.5, 1.5), "bias": (0, 0.2), "v_start": (-0.2, 0.3)}
    limits |= {"threshold": (0.2, 0.6), "adapt_decay": (0.3, 0.9), "adapt_step": (0.1, 0.3)}
    fields = {n: rng.uniform(*limits[n], WAYS[way]) for n in limits if n in kind.__dataclass_fields__}
    spiking = kind is not nodes.LeakyIntegrator
    node = kind(**fields, **({"reset": "subtract", "when": "next"} if spiking else {}))
    g = GraphBuilder()
    g.add("in", nodes.Input((2, *SHAPE[1:]), "spikes"))
    g.add("conv", nodes.Conv(rng.normal(size=(4, 2, 3, 3)).astype(np.float32), padding=1), "in")
    g.add("n", node, "conv")
    g.add("pool", nodes.MaxPool((2, 2)), "n")
    g.add("out", nodes.Output(), "pool")
    x = (rng.random((7, 3, 2, 5, 3)) < 0.4).astype(np.float32)
    trace = simulate(g.build(), x, record=["conv", "n", "n.voltage", "n.current"], window=3)
    current = trace["conv"].values
    state = node.start(SHAPE, 3, np.float32)
    for t in range(7):
        sent, state = node.step(state, current[t])
        np.testing.assert_array_equal(trace["n"].values[t], sent)
        np.testing.assert_array_equal(trace["n"].voltages[t], state["v"])
        np.testing.assert_array_equal(trace["n"].currents[t], state.get("u", current[t]))
    for key, value in state.items():
        np.testing.assert_array_equal(trace.state.nodes["n"][key], value)
    assert trace["n"].values.flags.c_contiguous
    assert trace.outputs["out"].flags.c_contiguous


def test_room_lies_as_what_goes_into_it() -> None:
    plain = np.zeros((2, 3, *SHAPE), np.float32)
    image = before(np.zeros((2, 3, 5, 3, 4), np.float32))
    assert image.shape == plain.shape
    assert channels_lie_last(image)
    assert not channels_lie_last(plain)
    for y in (plain, image):
        room = empty_like(y, 6)
        assert room.shape == (6, *y.shape[1:])
        assert channels_lie_last(room) == channels_lie_last(y)


@pytest.mark.parametrize("last", [False, True])
def test_a_state_is_put_into_the_order_of_what_comes_in(last: bool) -> None:
    values = np.arange(120, dtype=np.float32).reshape(2, *SHAPE)
    for given in (values.copy(), before(behind(values).copy())):
        state = {"v": given}
        row = row_of(state, "v", last)
        np.testing.assert_array_equal(state["v"], values)
        np.testing.assert_array_equal(row, (behind(values) if last else values).reshape(-1))
        row += 1  # the row is the state's own memory
        np.testing.assert_array_equal(state["v"], values + 1)
