"""Loops of any shape are closed on wires that neurons send on, and no wire besides."""

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from spikeport.exporters.nir.cycles import bundles, cycles
from spikeport.exporters.nir.loops_in import closing
from spikeport.exporters.nir.tree import Leaf, Tree


def reached(after: dict[str, list[str]], start: str) -> set[str]:
    found, new = set(), [start]
    while new:
        ends = [target for target in after[new.pop()] if target not in found]
        found.update(ends)
        new.extend(ends)
    return found


def drawn(seed: int) -> tuple[dict[str, list[str]], frozenset[str]]:
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 9))
    names = [f"n{index}" for index in range(count)]
    sources = {name: sorted({names[k] for k in rng.integers(0, count, int(rng.integers(0, 4)))}) for name in names}
    return sources, frozenset(name for name in names if rng.random() < 0.6)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 10**6))
def test_bundles_are_what_reaches_itself(seed):
    after, _ = drawn(seed)
    ways = {name: reached(after, name) for name in after}
    expected = {frozenset(b for b in ways[a] if a in ways[b]) for a in after if a in ways[a]}
    assert set(bundles(after)) == expected
    edges = tuple((a, b) for a, targets in after.items() for b in targets)
    assert cycles(Tree({name: Leaf("", {}) for name in after}, (*edges, ("x", "n0")))) == sorted(expected, key=sorted)


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 10**6))
def test_every_loop_is_closed_once(seed):
    sources, neurons = drawn(seed)
    found = closing(sources, ["n0"], neurons, neurons, frozenset())
    bare = {name: [s for s in each if s not in neurons] for name, each in sources.items() if name not in neurons}
    assert bool(found.stuck) == bool(bundles(bare))
    if found.stuck:
        around = [*found.stuck, found.stuck[0]]
        assert all(a in bare[b] for a, b in pairwise(around))
        return
    left = {name: [s for s in each if (s, name) not in found.delayed] for name, each in sources.items()}
    assert not bundles(left)
    for source, name in found.delayed:
        back = {each: [*sources, *([source] if each == name else [])] for each, sources in left.items()}
        assert source in sources[name]
        assert bundles(back), "a wire is delayed that closes nothing"


def test_a_delay_is_shorter_by_the_step_of_its_wire():
    sources = {"lif": ["in", "wait"], "wait": ["lif"], "in": [], "out": ["lif"]}
    lif = frozenset({"lif"})
    found = closing(sources, ["in"], lif, lif, frozenset({"wait"}))
    assert (found.delayed, found.shorter) == ({("lif", "wait")}, {"wait"})


def test_long_loops_take_no_more_than_their_length():
    count = 20_000
    sources = {f"n{index}": [f"n{(index - 1) % count}"] for index in range(count)}
    lif = frozenset({"n7"})
    found = closing(sources, ["n0"], lif, lif, frozenset())
    assert found.delayed == {("n7", "n8")}
