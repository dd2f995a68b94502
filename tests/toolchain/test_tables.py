"""Tables at 80 columns, and how numbers look in them."""

import pytest
from rich.console import Console
from spikeport.toolchain.chip_views import inspected_chip
from spikeport.toolchain.graph import Wire, later
from spikeport.toolchain.loihi.chip_graph import ChipGraph
from spikeport.toolchain.loihi.processes import ChipInput, ChipOutput, Dense, LIFReset
from spikeport.toolchain.tables import counted, table


def lines(what: object) -> list[str]:
    console = Console(width=80, highlight=False)
    with console.capture() as captured:
        console.print(what)
    return captured.get().splitlines()


def test_short_names_stay_whole_where_another_column_can_give_way() -> None:
    row = ("layer10.synapse", "Conv", "layer7.flat", "-192..192", "8", "3×3, stride 2×1, pad 1×0", "52,027,520")
    shown = lines(table(("synapses", "kind", "from", ">weights", ">bits", "options", ">number"), [row]))
    assert any(line.startswith("layer10.synapse ") for line in shown)
    assert max(map(len, shown)) <= 80


def test_names_that_are_too_long_go_on_below_and_nothing_is_lost() -> None:
    name = "block." * 20
    shown = lines(table(("node", "kind"), [(name, "Conv")]))
    assert max(map(len, shown)) <= 80
    assert "".join(line.split()[0] for line in shown[2:]).removesuffix("Conv").startswith("block.block.")
    assert sum(line.count("block.") for line in shown) >= 19


@pytest.mark.parametrize(("number", "said"), [(0, "0 steps"), (1, "1 step"), (1200, "1,200 steps")])
def test_one_is_one_and_others_are_many(number: int, said: str) -> None:
    assert counted(number, "step") == said


def test_an_interval_without_end_is_a_power_of_two() -> None:
    neuron = LIFReset(current_decay=4096, voltage_decay=0, threshold=64, interval=2**30, offset=2)
    nodes = {"in": ChipInput((2,)), "fc": Dense(weight=[[2, 4]]), "n": neuron, "out": ChipOutput()}
    wires = {"fc": (later("in"),), "n": (Wire("fc"),), "out": (Wire("n"),)}
    shown = " ".join(" ".join(lines(inspected_chip(ChipGraph(nodes, wires), text=False).view)).split())
    assert "interval 2^30" in shown
