"""The table of counts: what goes in comes out, whatever the chunks were, and sums are exact."""

import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spikeport.benchmarks.operations import Facts, LayerCount, OpCount, Ops, total
from spikeport.benchmarks.survey.chunk import Chunk, packed, unpacked
from spikeport.benchmarks.survey.table import exact_sum, joined, tabled
from spikeport.toolchain.errors import FileError, UsageError
from support.random_counts import several

MANY = settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])


def same(found: OpCount, wanted: OpCount) -> None:
    """All whole numbers; of times a table knows the sum alone."""
    assert (found.network, found.road, found.samples, found.steps) == (
        wanted.network, wanted.road, wanted.samples, wanted.steps,
    )  # fmt: skip
    assert found.layers == wanted.layers
    assert list(found.layers) == list(wanted.layers)
    assert found.notes == wanted.notes
    mine, theirs = ([(u.name, u.layer, u.calls, u.values) for u in each.uncounted] for each in (found, wanted))
    assert mine == theirs


@MANY
@given(several())
def test_every_sample_comes_out_as_it_went_in(counts: list[OpCount]) -> None:
    table = tabled(counts)
    assert len(table) == len(counts)
    for number, wanted in enumerate(counts):
        same(table.sample(number), wanted)


@MANY
@given(several(), st.integers(1, 5), st.randoms())
def test_the_total_is_exact_whatever_the_chunks(counts: list[OpCount], size: int, chance: object) -> None:
    chunks = [tabled(counts[start : start + size]) for start in range(0, len(counts), size)]
    table = joined(chunks)
    same(table.total, total(counts))
    assert table.total.seconds == pytest.approx(sum(each.seconds for each in counts), abs=1e-6)
    whole = tabled(counts)
    for number, wanted in enumerate(counts):
        same(table.sample(number), wanted)
    for layer, name, key in whole.columns:
        np.testing.assert_array_equal(table.column(layer, name, key), whole.column(layer, name, key))


@MANY
@given(several(), st.booleans())
def test_bytes_hold_a_chunk_exactly(counts: list[OpCount], labelled: bool) -> None:
    labels = np.arange(len(counts)) if labelled else None
    found = unpacked(packed(Chunk(tabled(counts), labels, ("said",))), "wire")
    for number, wanted in enumerate(counts):
        same(found.table.sample(number), wanted)
    assert found.table.seconds == tabled(counts).seconds
    assert found.table.timed == tabled(counts).timed
    assert found.said == ("said",)
    assert labels is None or found.labels.tolist() == labels.tolist()


def one(events: int = 1, layer: str = "conv", **more: object) -> OpCount:
    facts = Facts("Conv", "synapses", ("spikes",))
    return OpCount("net", "graph", {layer: LayerCount(facts, Ops(events=events, received=9, **more))})


def test_what_is_the_same_in_all_samples_is_kept_once() -> None:
    table = tabled([one(events) for events in range(1000)])
    assert table.values.shape == (1000, 1)
    assert table.columns == (("", "steps", ""), ("conv", "received", ""), ("conv", "events", ""))
    assert table.column("conv", "resets").tolist() == [0] * 1000
    assert table.column("conv", "received").tolist() == [9] * 1000


def test_a_column_that_only_later_samples_have() -> None:
    table = joined([tabled([one()]), tabled([one(resets=5, updates={"LIF": 3})])])
    assert table.total.total.resets == 5
    assert dict(table.total.total.updates) == {"LIF": 3}
    assert table.sample(0).total.resets == 0


def test_sums_beyond_64_bits() -> None:
    most = 2**63 - 1
    assert exact_sum(np.full(1000, most)) == 1000 * most
    assert tabled([one(most), one(most), one(0)]).total.total.events == 2 * most


def test_a_count_that_no_table_holds_is_refused() -> None:
    with pytest.raises(UsageError, match=r"net: a count above 9.2e\+18 in one sample"):
        tabled([one(2**63)])


def test_samples_of_other_networks_are_refused() -> None:
    with pytest.raises(UsageError, match=r"layers .*; expected the same layers for every sample"):
        tabled([one(), one(layer="fc")])
    with pytest.raises(UsageError, match=r"layers .*; expected the same layers for every sample"):
        joined([tabled([one()]), tabled([one(layer="fc")])])
    with pytest.raises(UsageError, match="counts: of 2 samples together; expected of one"):
        tabled([one() + one()])


GOOD = packed(Chunk(tabled([one(n) for n in range(3)]), np.array([0, 1, 1])))


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_hostile_bytes_are_one_message(data: st.DataObject) -> None:
    whole = bytearray(zlib.decompress(GOOD))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(whole) - 1))
        if data.draw(st.booleans()):
            whole[at] = data.draw(st.integers(0, 255))
        else:
            del whole[at : at + data.draw(st.integers(1, 9))]
    try:
        found = unpacked(zlib.compress(bytes(whole)), "file")
    except FileError as error:
        assert len(str(error)) < 500  # noqa: PT017
    else:
        assert len(found) > 0


@pytest.mark.parametrize("data", [b"", b"x", GOOD[:-3], GOOD + b"x", zlib.compress(b"{}"), zlib.compress(b"[" * 10**6)])
def test_bytes_that_are_no_chunk(data: bytes) -> None:
    with pytest.raises(FileError, match="file: "):
        unpacked(data, "file")
