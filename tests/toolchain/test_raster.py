"""What a raster shows, as numbers and as drawn: layers, sampled neurons, rates, voltages with thresholds and spikes."""

import re
from pathlib import Path

import numpy as np
import pytest
import spikeport
from matplotlib.figure import Figure
from spikeport.toolchain.errors import FileError, UsageError
from spikeport.toolchain.graph import Graph, Wire, chain, later
from spikeport.toolchain.graph import nodes as n
from spikeport.toolchain.graph.network import Network
from spikeport.toolchain.loihi.chip_graph import ChipGraph
from spikeport.toolchain.loihi.processes import (
    ATRLIF,
    LIF,
    ChipInput,
    ChipOutput,
    Dense,
    GradedVec,
    Joined,
    TernaryLIF,
)
from spikeport.toolchain.plot import COLOURS, INPUT, LINE, Run, check_suffix, figure, in_hertz, save
from spikeport.toolchain.raster import MOST_LAYERS, MOST_ROWS, Layer, Voltage, items, layers, probe, spiking, voltages


def floats(width: int = 5, reset: str = "value") -> Graph:
    rng = np.random.default_rng(0)
    nodes = [
        ("in", n.Input((2, 3), "spikes")),
        ("flat", n.Flatten()),
        ("fc", n.Affine(rng.normal(0.4, 1, (width, 6)))),
        ("lif", n.LIF(beta=0.9, threshold=np.linspace(0.5, 1, width), reset=reset)),
        ("fc2", n.Affine(rng.normal(size=(3, width)))),
        ("li", n.LeakyIntegrator(beta=0.8)),
        ("out", n.Output()),
    ]
    return chain(nodes, name="floats", dt=2e-3)


def chip() -> ChipGraph:
    rng = np.random.default_rng(1)
    membrane = {"current_decay": 4096, "voltage_decay": 300}
    adaptive = {"threshold_decay": 100, "refractory_decay": 200, "threshold_step": 40}
    neurons = {
        "lif": LIF(**membrane, threshold=np.arange(4) * 10 + 20),
        "ternary": TernaryLIF(**membrane, high=30, low=-30),
        "atr": ATRLIF(current_decay=4000, voltage_decay=300, threshold=30, **adaptive),
        "vec": GradedVec(),
        "li": LIF(**membrane, threshold=131071, emit="voltage"),
    }
    nodes, wires = {"in": ChipInput((6,))}, {}
    for name, neuron in neurons.items():
        nodes |= {f"fc_{name}": Dense(weight=rng.integers(-30, 60, (4, 6)) * 2), name: neuron}
        wires |= {f"fc_{name}": (later("in"),), name: (Wire(f"fc_{name}"),)}
    nodes |= {"all": Joined(), "out": ChipOutput(), "v": ChipOutput()}
    wires |= {"all": tuple(Wire(name) for name in neurons if name != "li"), "out": (Wire("all"),), "v": (Wire("li"),)}
    return ChipGraph(nodes, wires, name="chip")


def ran(network: Network, *texts: str, steps: int = 40, batch: int = 2, rate: float = 0.5):
    probes = [probe(text, network) for text in texts]
    (name,) = network.inputs
    rng = np.random.default_rng(2)
    inputs = (rng.random((steps, batch, *network.signals[name].shape)) < rate).astype("f4")
    return spikeport.simulate(network, inputs, record=items(network, probes)), probes


def test_inputs_and_what_sends_spikes_or_messages_is_shown() -> None:
    assert spiking(floats()) == ("in", "lif")
    assert spiking(chip()) == ("in", "lif", "ternary", "atr", "vec")


@pytest.mark.parametrize("network", [floats(), chip()], ids=["floats", "chip"])
def test_layers_hold_what_was_sent_in_one_sample(network: Network) -> None:
    trace, _ = ran(network)
    for sample in (0, 1):
        for layer in layers(network, trace, sample):
            sent = trace[layer.name].values[:, sample].reshape(40, -1)
            np.testing.assert_array_equal(layer.sent, sent)
            np.testing.assert_array_equal(layer.rates, (sent != 0).mean(0))
            assert layer.mean == pytest.approx((sent != 0).mean())
            assert layer.incoming == (layer.name == "in")


def test_neurons_are_sampled_evenly_and_that_is_said() -> None:
    trace, _ = ran(floats(1000))
    layer = layers(floats(1000), trace, 0)[1]
    assert len(layer.neurons) == MOST_ROWS
    assert (layer.neurons[0], layer.neurons[-1]) == (0, 999)
    assert set(np.diff(layer.neurons)) == {6, 7}
    assert layer.title == f"lif · LIF 1000 · 1,000 neurons, {MOST_ROWS} drawn"
    assert layer.mean == pytest.approx((trace["lif"].spikes[:, 0] != 0).mean())
    np.testing.assert_array_equal(layer.sent, trace["lif"].values[:, 0, layer.neurons])
    assert layers(floats(), ran(floats())[0], 0)[0].title == "in · Input 2×3 · 6 values"


def test_many_layers_are_cut() -> None:
    body = [(f"lif{i}", n.LIF(beta=0.5)) for i in range(30)]
    deep = chain([("in", n.Input((2,), "spikes")), *body, ("out", n.Output())])
    assert len(layers(deep, ran(deep)[0], 0)) == MOST_LAYERS


@pytest.mark.parametrize(
    ("text", "index"), [("lif[3]", (3,)), (" lif[ 3 ] ", (3,)), ("lif", None), ("fc", ...), ("nobody", ...)]
)
def test_probes_are_read(text: str, index: object) -> None:
    if index is ...:
        with pytest.raises(UsageError, match="--trace: "):
            probe(text, floats())
    else:
        assert probe(text, floats()).index == index


def test_places_are_counted_in_c_order_or_axis_by_axis() -> None:
    wide = chain([("in", n.Input((2, 3, 4), "spikes")), ("lif", n.LIF(beta=0.5)), ("out", n.Output())])
    assert probe("lif[1,2,3]", wide).index == probe("lif[23]", wide).index == (1, 2, 3)
    for text in ("lif[24]", "lif[1,2]", "lif[2,0,0]", "lif[1,2,3,0]"):
        message = f"--trace: '{text}'; expected a place in [2,3,4], counted from 0"
        with pytest.raises(UsageError, match=re.escape(message)):
            probe(text, wide)


def test_messages_name_the_neurons_there_are() -> None:
    cases = {
        "lif[-1]": "--trace: 'lif[-1]'; expected NODE, NODE[7] or NODE[1,2,3], of lif, li",
        "nobody": "--trace: 'nobody'; expected NODE, NODE[7] or NODE[1,2,3], of lif, li",
        "fc[0]": "--trace: 'fc', a Affine; expected a neuron with a voltage",
    }
    for text, message in cases.items():
        with pytest.raises(UsageError, match=re.escape(message)):
            probe(text, floats())


@pytest.mark.parametrize("network", [floats(), chip()], ids=["floats", "chip"])
def test_voltages_come_with_threshold_and_spikes(network: Network) -> None:
    trace, probes = ran(network, "lif[3]", "li[1]")
    lif, li = voltages(network, trace, probes, 1)
    np.testing.assert_array_equal(lif.values, trace["lif"].voltages[:, 1, 3])
    np.testing.assert_array_equal(lif.fired, trace["lif"].spikes[:, 1, 3] != 0)
    threshold = network.nodes["lif"].threshold[3]
    assert lif.threshold == (threshold * 64 if isinstance(network, ChipGraph) else threshold)
    assert lif.fired.any()
    assert (lif.values[~lif.fired] <= lif.threshold).all()
    np.testing.assert_array_equal(li.values, trace["li"].voltages[:, 1, 1])
    assert li.threshold is None
    assert not li.fired.any()
    assert (lif.title, li.title) == ("lif[3]", "li[1]")


def test_the_threshold_of_an_adaptive_neuron_moves() -> None:
    trace, probes = ran(chip(), "atr[0]")
    (atr,) = voltages(chip(), trace, probes, 0)
    np.testing.assert_array_equal(atr.threshold, trace["atr"].states["theta"][:, 0, 0])
    assert len(set(atr.threshold.tolist())) > 1


def test_a_node_alone_is_the_neuron_of_median_rate() -> None:
    trace, probes = ran(floats(9), "lif", "li")
    lif, li = voltages(floats(9), trace, probes, 0)
    counts = trace["lif"].spikes[:, 0].sum(0)
    assert lif.fired.sum() == sorted(counts[counts > 0])[(counts > 0).sum() // 2]
    assert lif.title.endswith("], of median rate among those that spike")
    farthest = int(np.abs(trace["li"].voltages[:, 0]).max(0).argmax())
    assert li.title == f"li[{farthest}], the one that goes farthest"


RUN = Run("a $network", "40 steps of 2 ms", 2e-3, 40, first=10)


def drawn(network: Network, *texts: str) -> tuple[Figure, list[Layer], list[Voltage]]:
    trace, probes = ran(network, *texts)
    found, below = layers(network, trace, 0), voltages(network, trace, probes, 0)
    return figure(RUN, found, below), found, below


def marks(axes) -> set[tuple[float, float]]:
    """The marks of a raster as (time, row)."""
    return {(round(float(x), 6), float(y)) for line in axes.lines for x, y in zip(*line.get_data(), strict=True)}


def test_every_spike_is_a_mark_at_its_time() -> None:
    made, found, _ = drawn(floats())
    for index, layer in enumerate(found):
        axes = made.axes[2 * index]
        steps, rows = np.nonzero(layer.sent)
        assert marks(axes) == {(round((10 + int(s)) * 2.0, 6), float(r)) for s, r in zip(steps, rows, strict=True)}
        assert axes.get_title(loc="left") == layer.title
        assert axes.get_xlim()[1] == 100.0
        bars = made.axes[2 * index + 1].patches[0].get_data()
        np.testing.assert_allclose(bars.values, layer.rates / 2e-3)
        assert made.axes[2 * index + 1].get_title(loc="left") == f"mean {in_hertz(layer.mean / 2e-3)} Hz"
    assert made.axes[-2].get_xlabel() == "time in ms"
    assert {text.get_text() for text in made.texts} == {"a $network", "40 steps of 2 ms"}


def test_rates_are_whole_numbers_where_they_are_large() -> None:
    assert [in_hertz(rate) for rate in (0, 0.4567, 16.13, 282.3, 1000.0, 12345.6)] == [
        "0",
        "0.457",
        "16.1",
        "282",
        "1,000",
        "12,346",
    ]


def test_inputs_are_grey_layers_have_colours_and_signs_differ() -> None:
    made, found, _ = drawn(chip())
    colours = {layer.name: [line.get_color() for line in made.axes[2 * i].lines] for i, layer in enumerate(found)}
    assert colours["in"] == [INPUT]
    assert colours["lif"] == [COLOURS[0]]
    assert colours["ternary"] == [COLOURS[1], LINE]
    ticks = made.axes[0]
    assert [label.get_text() for label in ticks.get_yticklabels()] == ["0", "2", "5"]


def test_a_silent_layer_says_so() -> None:
    trace, _ = ran(floats(), rate=0.0)
    made = figure(RUN, layers(floats(), trace, 0), [])
    assert [text.get_text() for text in made.axes[2].texts] == ["silent"]


def test_a_voltage_is_drawn_with_its_threshold_and_its_spikes() -> None:
    made, found, (lif, li) = drawn(floats(), "lif[2]", "li[0]")
    assert len(found) == 2
    axes, below = made.axes[4], made.axes[6]
    curve, level = (patch.get_data() for patch in axes.patches)
    np.testing.assert_array_equal(curve.values, lif.values)
    assert set(level.values.tolist()) == {float(lif.threshold)}
    (spikes,) = axes.collections
    assert [segment[0][0] for segment in spikes.get_segments()] == RUN.times[lif.fired].tolist()
    assert axes.get_title(loc="left").startswith("lif[2] · voltage after the reset, threshold dashed, ")
    assert below.get_title(loc="left") == "li[0] · voltage"
    assert not below.collections
    np.testing.assert_array_equal(below.patches[0].get_data().values, li.values)


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_figures_are_files_of_a_size_and_the_same_every_time(tmp_path: Path, suffix: str) -> None:
    for name in "ab":
        save(drawn(chip(), "lif", "atr[1]")[0], tmp_path / f"{name}{suffix}")
    content = (tmp_path / f"a{suffix}").read_bytes()
    assert content == (tmp_path / f"b{suffix}").read_bytes()
    assert content.startswith({".png": b"\x89PNG", ".svg": b"<?xml", ".pdf": b"%PDF"}[suffix])
    if suffix == ".png":
        width, height = (int.from_bytes(content[at : at + 4], "big") for at in (16, 20))
        assert width == 1500
        assert 800 < height < 3000
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"a{suffix}", f"b{suffix}"]


def test_a_picture_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"--plot: 'x\.bmp'; expected a name that ends in \.png or \.svg or \.pdf"):
        check_suffix(Path("x.bmp"))
    with pytest.raises(FileError, match=r"the folder .* does not exist"):
        save(drawn(floats())[0], tmp_path / "no" / "x.png")


def test_one_step_of_one_neuron_can_be_drawn(tmp_path: Path) -> None:
    tiny = chain([("in", n.Input((1,), "spikes")), ("lif", n.LIF(beta=0.5)), ("out", n.Output())])
    trace, probes = ran(tiny, "lif", steps=1, batch=1, rate=1.0)
    run = Run("tiny", "", 1e-3, 1)
    save(figure(run, layers(tiny, trace, 0), voltages(tiny, trace, probes, 0)), tmp_path / "x.png")
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")
