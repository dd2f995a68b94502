"""Counts as JSON: exact both ways, and hostile data is one message."""

import copy
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spikeport.benchmarks.counts_json import plain, read
from spikeport.benchmarks.operations import Facts, LayerCount, OpCount, Ops, Pairs, Uncounted
from spikeport.toolchain.errors import FileError
from support.random_counts import several

SMALL = OpCount(
    "net",
    "graph",
    {
        "conv": LayerCount(Facts("Conv", "synapses", ("spikes",), (3, 3), (1, 1)), Ops(acs=Pairs(9, 9, 4, 3, 4))),
        "lif": LayerCount(Facts("LIF", "neurons"), Ops(updates={"LIF": 7}, functions={"exp": 0})),
    },
    uncounted=(Uncounted("fft", "conv", 1, 2, 0.5),),
    notes=("a note",),
)


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(several(largest=1, most=2**200))
def test_what_is_written_is_read_again_exactly(counts: list[OpCount]) -> None:
    (one,) = counts
    found = read(json.loads(json.dumps(plain(one), allow_nan=False)))
    assert found == one
    assert list(found.layers) == list(one.layers)


def places(value: object, path: tuple = ()) -> list[tuple]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(each for key, part in inner for each in places(part, (*path, key)))]


BAD = (
    None, -1, 1.5, "", True, [], {}, float("nan"), float("inf"), "graph ", 10**5000, [1, 2, 3], {"LIF": -1}, [[[[]]]],
    "x" * 5000, {"a": {"b": 1}}, 2**300,
)  # fmt: skip


@settings(deadline=None, max_examples=400)
@given(st.sampled_from(places(plain(SMALL))), st.sampled_from(BAD))
def test_hostile_data_is_one_message_or_is_read_as_what_it_says(path: tuple, bad: object) -> None:
    whole: dict = {"data": plain(SMALL)}
    at: object = whole
    for key in ("data", *path)[:-1]:
        at = at[key]
    at[("data", *path)[-1]] = copy.deepcopy(bad)
    try:
        found = read(whole["data"], "counts.json")
    except FileError as error:
        assert str(error).startswith("counts.json: ")  # noqa: PT017
        assert len(str(error)) < 400  # noqa: PT017
    else:
        assert plain(found) == whole["data"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda data: data.pop("road"),
            "f: it is .*; expected an object with network, road, layers, samples, steps, unc",
        ),
        (lambda data: data.update(samples=0), "f: samples is 0; expected a whole number of at least 1"),
        (lambda data: data.update(samples=True), "f: samples is True; expected a whole number of at least 1"),
        (lambda data: data.update(road="guess"), "f: road is 'guess'; expected graph, chip, module"),
        (
            lambda data: data["layers"].append(data["layers"][0]),
            r"f: layers\[2\].name is 'conv'; expected another name",
        ),
        (lambda data: data["layers"][0]["ops"].update(events=-1), r"f: layers\[0\].ops.events is -1; expected a whole"),
        (lambda data: data["layers"][0]["ops"].update(events=10**9999), r"f: layers\[0\].ops.events is a huge number"),
        (lambda data: data["layers"][0]["facts"].update(channels=[1]), r"facts.channels is \[1\]; expected two counts"),
        (lambda data: data.update(seconds=2**1100), r"f: seconds is .*; expected seconds, a number of"),
        (lambda data: data.update(seconds=float("nan")), "f: seconds is nan; expected seconds, a number of at least 0"),
    ],
)
def test_messages(change: object, message: str) -> None:
    data = plain(SMALL)
    change(data)
    with pytest.raises(FileError, match=message):
        read(data, "f")
