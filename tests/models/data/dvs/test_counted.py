"""Events in slices of time: by our own counting of event files, by tonic, and by definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spikeport.models.data.dvs.counted import counts_of, events_of, frames_of, slice_of
from spikeport.models.data.dvs.emulator import EVENT
from spikeport.models.data.dvs.voxels import voxels_of
from spikeport.toolchain.errors import UsageError
from spikeport.toolchain.events import Events, binned
from spikeport.toolchain.graph.signal import GRADED, Signal
from support.dvs_pixels import QUIET


def some(count: int, end: int, seed: int = 0, size: tuple[int, int] = (7, 5)) -> np.ndarray:
    """Events in order of time, after 0 and up to the end."""
    source = np.random.default_rng(seed)
    events = np.zeros(count, EVENT)
    events["t"] = np.sort(source.integers(1, end + 1, count))
    events["x"], events["y"] = source.integers(0, size[0], count), source.integers(0, size[1], count)
    events["p"] = source.integers(0, 2, count)
    return events


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 10**12), st.integers(1, 60), st.integers(0, 10**6), st.data())
def test_the_end_of_a_slice_belongs_to_it(length: int, steps: int, first: int, data: st.DataObject) -> None:
    t = data.draw(st.integers(first + 1, first + length))
    (k,) = slice_of(np.array([t]), (first, first + length), steps).tolist()
    assert 0 <= k < steps
    assert k * length < (t - first) * steps <= (k + 1) * length
    assert slice_of(np.array([first]), (first, first + length), steps) == 0


def test_counts_are_those_of_the_event_files() -> None:
    """`run --input` counts from the first event on, and the begin of a step belongs to it: one µs earlier."""
    events = some(3000, 40_000)
    events["t"][0] = 1
    columns = {name: events[name] for name in "xytp"}
    theirs = binned(Events("e", columns), Signal((2, 5, 7), GRADED), dt=0.0025)
    np.testing.assert_array_equal(
        counts_of(events, (0, 40_000), 16, (7, 5)), np.concatenate(list(theirs.windows()))[:, 0]
    )


def test_counts_are_those_of_tonic() -> None:
    from tonic.transforms import ToFrame

    events = some(3000, 40_000)
    moved = events.copy()
    moved["t"] -= 1
    theirs = ToFrame((7, 5, 2), time_window=2500, start_time=0, end_time=40_000)(moved)
    np.testing.assert_array_equal(counts_of(events, (0, 40_000), 16, (7, 5)), theirs)


def test_with_one_frame_more_than_slices_each_holds_what_a_frame_has_changed() -> None:
    frames = np.random.default_rng(3).random((9, 4, 4)) * 255
    times = [31_250 * k for k in range(9)]
    events = events_of(frames, times, QUIET)
    found = frames_of(events, (0, times[-1]), 8, (4, 4))
    for k in range(8):
        expected = np.zeros((2, 4, 4))
        among = events[(events["t"] > times[k]) & (events["t"] <= times[k + 1])]
        expected[among["p"], among["y"], among["x"]] = 1
        np.testing.assert_array_equal(found[k], expected)


def test_coarser_grids_add_up() -> None:
    events = some(500, 1000, size=(12, 8))
    fine, coarse = counts_of(events, (0, 1000), 4, (12, 8)), counts_of(events, (0, 1000), 4, (12, 8), (4, 2))
    np.testing.assert_array_equal(coarse, fine.reshape(4, 2, 2, 4, 4, 3).sum((3, 5)))


def test_voxels_are_tonics_over_the_stretch_of_the_whole() -> None:
    events, bins, end = some(400, 1000), 6, 1200
    expected = np.zeros((bins, 1, 5, 7))
    place = bins * events["t"] / end
    for b in range(bins):
        weight = np.maximum(0, 1 - np.abs(b - place)) * np.where(events["p"] == 1, 1, -1)
        np.add.at(expected[b, 0], (events["y"], events["x"]), weight)
    before = events.copy()
    found = voxels_of([events[:13], events[13:13], events[13:300], events[300:]], (0, end), bins, (7, 5))
    np.testing.assert_allclose(found, expected, atol=1e-12)
    np.testing.assert_array_equal(events, before)
    assert voxels_of([], (0, end), bins, (7, 5)).sum() == 0


def test_slices_of_nothing_are_refused() -> None:
    with pytest.raises(UsageError, match="0 of 5 µs; expected at least one, of a stretch of time"):
        slice_of(np.array([1]), (0, 5), 0)
    with pytest.raises(UsageError, match="4 of 0 µs"):
        slice_of(np.array([1]), (5, 5), 4)
