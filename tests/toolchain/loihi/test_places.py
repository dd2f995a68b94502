"""Where nodes are: written, read back, and wrong notes refused."""

import numpy as np
import pytest
from spikeport.toolchain.errors import UsageError
from spikeport.toolchain.graph import Wire, later
from spikeport.toolchain.loihi.chip_graph import ChipGraph
from spikeport.toolchain.loihi.places import Place, read_places, write_places
from spikeport.toolchain.loihi.processes import LIF, ChipInput, ChipOutput, Dense


def chip(**notes: str) -> ChipGraph:
    lif = LIF(current_decay=4096, voltage_decay=100, threshold=10)
    nodes = {"in": ChipInput((2,)), "fc": Dense(weight=np.eye(2, dtype=int)), "lif": lif, "out": ChipOutput()}
    return ChipGraph(nodes, {"fc": (later("in"),), "lif": (Wire("fc"),), "out": (Wire("lif"),)}, notes=notes)


def test_places_come_back_as_they_were_written():
    places = {"in": Place("in"), "n": Place("lif", 1, 163.84), "out": Place("out", 1, 0.1 + 0.2)}
    assert read_places(chip(places=write_places(places))) == places
    assert read_places(chip()) == {}


@pytest.mark.parametrize("text", ["[1]", "{", '{"a": 1}', '{"a": ["lif", "x", 1]}', '{"a": ["lif", 1]}'])
def test_a_note_that_is_none_is_refused(text):
    with pytest.raises(UsageError, match="a note 'places' that cannot be read; expected what quantise wrote"):
        read_places(chip(places=text))


def test_a_place_in_a_node_that_is_not_there_is_refused():
    with pytest.raises(UsageError, match="a place for 'a' in a node that is not there"):
        read_places(chip(places='{"a": ["gone", 1, 1.0]}'))
