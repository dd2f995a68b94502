"""Events into steps: nothing is lost or made up, and what is merged, capped or left out is said."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spikeport.toolchain import events as module
from spikeport.toolchain.errors import FileError
from spikeport.toolchain.events import Binned, Events, binned, named, plain
from spikeport.toolchain.graph.signal import GRADED, SPIKES, Signal, integers

CAMERA = Signal((2, 4, 5), GRADED)


def some(**columns: object) -> Events:
    return named("e.npy", {name: np.asarray(values) for name, values in columns.items()})


def counts(found: Binned) -> np.ndarray:
    return np.concatenate(list(found.windows()))


def random_events(seed: int, count: int, duration: int = 10_000) -> Events:
    rng = np.random.default_rng(seed)
    place = {"x": rng.integers(0, 5, count), "y": rng.integers(0, 4, count), "p": rng.integers(0, 2, count)}
    return some(**place, t=rng.integers(0, duration, count))


@given(st.integers(0, 10**6), st.integers(1, 300), st.sampled_from([1e-3, 2.5e-4, 0.1, 1e-6]))
@settings(deadline=None, max_examples=80)
def test_every_event_is_counted_once_where_and_when_it_was(seed: int, count: int, dt: float) -> None:
    events = random_events(seed, count)
    found = binned(events, CAMERA, dt=dt)
    x, y, t, p = (events.columns[name].tolist() for name in "xytp")
    expected = np.zeros((found.steps, 1, 2, 4, 5), int)
    for each in zip(x, y, t, p, strict=True):
        # In whole microseconds: what a step is must not hang on how 0.001 is rounded.
        expected[(each[2] - min(t)) // round(dt * 1e6), 0, each[3], each[1], each[0]] += 1
    np.testing.assert_array_equal(counts(found), expected)
    assert counts(found).sum() == count
    assert found.said == ()


@given(st.integers(0, 10**6), st.integers(1, 12))
@settings(deadline=None, max_examples=50)
def test_steps_that_are_asked_for_keep_what_falls_into_them_and_say_the_rest(seed: int, steps: int) -> None:
    events = random_events(seed, 200)
    found = binned(events, CAMERA, dt=1e-3, steps=steps)
    whole = counts(binned(events, CAMERA, dt=1e-3))
    assert found.steps == steps
    np.testing.assert_array_equal(counts(found)[: len(whole)], whole[:steps])
    late = int(whole[steps:].sum())
    said = (f"{late} of 200 events come after step {steps} and are left out",) if late else ()
    assert found.said == said


def test_windows_are_cut_as_memory_asks_and_give_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    found = binned(random_events(3, 500), CAMERA, dt=1e-3)
    whole = counts(found)
    monkeypatch.setattr(module, "WINDOW_VALUES", 100)
    assert [len(window) for window in found.windows()] == [2] * (found.steps // 2) + [1] * (found.steps % 2)
    np.testing.assert_array_equal(counts(found), whole)


@pytest.mark.parametrize(
    ("t", "unit", "dt", "steps"),
    [
        ([5, 5 + 3000], "us", 1e-3, [0, 3]),  # 3000·10⁻⁶ / 10⁻³ is 2.9999999999999996
        ([0.0, 0.003, 0.0071], "s", 1e-3, [0, 3, 7]),
        ([1_700_000_000_000_000_001, 1_700_000_000_003_000_001], "ns", 1e-3, [0, 3]),
        ([7, 12], "ms", 5e-3, [0, 1]),
        ([0, 1, 2, 3], "us", 1e-6 / 2, [0, 2, 4, 6]),
        ([-50, -49], "us", 1e-6, [0, 1]),
    ],
)
def test_times_count_what_the_unit_says_from_the_first_event_on(
    t: list[float], unit: str, dt: float, steps: list[int]
) -> None:
    found = binned(some(x=np.zeros(len(t)), t=t), Signal((1,), GRADED), dt=dt, unit=unit)
    assert np.flatnonzero(counts(found)[:, 0, 0]).tolist() == steps


def test_polarities_are_channels() -> None:
    for p in ([0, 1, 1], [-1, 1, 1], [False, True, True]):
        found = counts(binned(some(x=[1, 2, 3], y=[0, 1, 2], t=[0, 0, 0], p=p), CAMERA, dt=1e-3))
        assert [tuple(at) for at in np.argwhere(found)] == [(0, 0, 0, 0, 1), (0, 0, 1, 1, 2), (0, 0, 1, 2, 3)]


@pytest.mark.parametrize("shape", [(4, 5), (1, 4, 5)])
def test_one_channel_takes_both_polarities_and_says_so(shape: tuple[int, ...]) -> None:
    both = some(x=[1, 2], y=[0, 1], t=[0, 0], p=[0, 1])
    found = binned(both, Signal(shape, SPIKES), dt=1e-3)
    assert counts(found).sum() == 2
    assert found.said == ("both polarities are counted together: the input has one channel",)
    assert binned(some(x=[1], y=[0], t=[0], p=[1]), Signal(shape, SPIKES), dt=1e-3).said == ()
    assert binned(some(x=[1], y=[0], t=[0]), Signal(shape, SPIKES), dt=1e-3).said == ()


def test_sounds_have_channels_and_no_rows() -> None:
    found = counts(binned(some(x=[1, 6], t=[0, 1000], p=[1, 1]), Signal((7,), SPIKES), dt=1e-3))
    assert [tuple(at) for at in np.argwhere(found)] == [(0, 0, 1), (1, 0, 6)]
    found = counts(binned(some(x=[1, 6], t=[0, 0], p=[0, 1]), Signal((2, 7), SPIKES), dt=1e-3))
    assert [tuple(at) for at in np.argwhere(found)] == [(0, 0, 0, 1), (0, 0, 1, 6)]


def test_spikes_count_once_and_that_is_said_other_ranges_are_never_cut() -> None:
    events = some(x=[1, 1, 1, 2], t=[0, 1, 2, 0])
    found = binned(events, Signal((3,), SPIKES), dt=1e-3)
    assert counts(found)[0, 0].tolist() == [0, 1, 1]
    assert found.said == (
        "2 events fall on another one of the same step and place: an input of spikes counts them once",
    )
    assert counts(binned(events, Signal((3,), integers(0, 3)), dt=1e-3))[0, 0].tolist() == [0, 3, 1]
    message = "e.npy: 3 events in one step at one place; expected at most 2. Take a smaller --dt"
    with pytest.raises(FileError, match=re.escape(message)):
        binned(events, Signal((3,), integers(0, 2)), dt=1e-3)


CAMERA_MESSAGES = {
    "x of event 1 is 5; expected 0 to 4, as the input has": {"x": [0, 5], "y": [0, 0], "t": [0, 0], "p": [0, 0]},
    "x of event 0 is -1; expected 0 to 4": {"x": [-1, 5], "y": [0, 0], "t": [0, 0], "p": [0, 0]},
    "y of event 1 is 4; expected 0 to 3, as the input has. Bring larger ones to its size": {
        "x": [0, 1],
        "y": [0, 4],
        "t": [0, 0],
        "p": [0, 0],
    },
    "p of event 1 is 2; expected 0 or 1, or -1 or 1": {"x": [0, 1], "y": [0, 0], "t": [0, 0], "p": [0, 2]},
    "polarities -1, 0 and 1; expected two of them": {"x": [0, 1, 2], "y": [0] * 3, "t": [0] * 3, "p": [0, 1, -1]},
    "events without polarity; expected a column p, for an input of two channels": {"x": [0], "y": [0], "t": [0]},
    "x of event 1 is 0.5; expected whole numbers": {"x": [0, 0.5], "y": [0, 0], "t": [0, 0], "p": [0, 0]},
    "t of event 1 is nan; expected finite": {"x": [0, 1], "y": [0, 0], "t": [0, np.nan], "p": [0, 0]},
    "t of event 0 is inf; expected finite": {"x": [0, 1], "y": [0, 0], "t": [np.inf, 1], "p": [0, 0]},
    "x of event 1 is 1e+300; expected numbers below 2^62": {"x": [0, 1e300], "y": [0, 0], "t": [0, 0], "p": [0, 0]},
    "columns x (2), y (2), t (1), p (2); expected x, y, t and p, or x and t, of one length": {
        "x": [0, 1],
        "y": [0, 0],
        "t": [0],
        "p": [0, 0],
    },
    "columns x (1); expected x, y, t and p": {"x": [0]},
    "no events; expected at least one": {"x": [], "y": [], "t": [], "p": []},
    "x of type <U1 and shape [1]; expected a column": {"x": ["a"], "t": [0]},
    "x of type int64 and shape [1,1]; expected a column": {"x": [[1]], "t": [0]},
    "a column 'label'; expected x, y, t and p, each once": {"x": [0], "t": [0], "label": [3]},
    "a column 'ts'; expected x, y, t and p, each once": {"x": [0], "t": [0], "ts": [3]},
    "t from 0 to 4000000000000 us: 4e+09 steps of 0.001 s; expected at most 10,000,000 steps. Say --unit, --dt or": {
        "x": [0, 0],
        "y": [0, 0],
        "t": [0, 4 * 10**12],
        "p": [0, 0],
    },
}


@pytest.mark.parametrize("message", CAMERA_MESSAGES)
def test_events_that_cannot_be_are_refused(message: str) -> None:
    with pytest.raises(FileError) as caught:
        binned(some(**CAMERA_MESSAGES[message]), CAMERA, dt=1e-3)
    assert str(caught.value).startswith(f"e.npy: {message}"), str(caught.value)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((3, 4, 5), "events for an input of shape [3,4,5]; expected [x], [y,x] or [1 or 2,y,x]"),
        ((), "events for an input of shape []; expected"),
        ((1, 2, 4, 5), "events for an input of shape [1,2,4,5]; expected"),
        ((5,), "y of event 1 is 3; expected 0 to 0, as the input has"),
    ],
)
def test_inputs_that_events_do_not_fit(shape: tuple[int, ...], message: str) -> None:
    events = some(x=[0, 1], y=[0, 3], t=[0, 0], p=[0, 1])
    with pytest.raises(FileError, match=re.escape(message)):
        binned(events, Signal(shape, SPIKES), dt=1e-3)


def test_columns_without_names_are_x_y_t_p() -> None:
    events = plain("e.npy", np.array([[1, 2, 30, 0], [3, 0, 40, 1]]))
    assert {name: values.tolist() for name, values in events.columns.items()} == {
        "x": [1, 3],
        "y": [2, 0],
        "t": [30, 40],
        "p": [0, 1],
    }
    with pytest.raises(FileError, match=re.escape("an array of shape [2,3]; expected four columns: x, y, t, p")):
        plain("e.npy", np.zeros((2, 3)))
