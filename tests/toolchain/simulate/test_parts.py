"""The parts of a graph against the plain definition of who can reach whom."""

from hypothesis import given
from hypothesis import strategies as st
from spikeport.toolchain.graph import Wire
from spikeport.toolchain.simulate.groups import pieces
from spikeport.toolchain.simulate.parts import parts_of


@st.composite
def wirings(draw: st.DrawFn) -> dict[str, tuple[Wire, ...]]:
    """Nodes in an order in which wires without a delay come from earlier nodes."""
    count = draw(st.integers(1, 9))
    wires = {}
    for index in range(count):
        earlier = draw(st.lists(st.integers(0, max(0, index - 1)), max_size=2)) if index else []
        any_node = draw(st.lists(st.integers(0, count - 1), max_size=2))
        wires[str(index)] = (*(Wire(str(i)) for i in earlier), *(Wire(str(i), True) for i in any_node))
    return wires


def reached(start: str, wires: dict[str, tuple[Wire, ...]]) -> set[str]:
    """All nodes that a node reads from, directly or not."""
    found: set[str] = set()
    waiting = [wire.source for wire in wires[start]]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [wire.source for wire in wires[name]]
    return found


@given(wirings())
def test_parts_are_loops_and_come_after_what_they_read(wires: dict[str, tuple[Wire, ...]]) -> None:
    order = list(wires)
    sources = {name: reached(name, wires) for name in wires}
    parts = parts_of(order, wires)
    assert sorted(name for part in parts for name in part.names) == sorted(wires)
    done: set[str] = set()
    for part in parts:
        first = part.names[0]
        assert set(part.names) == {first} | {n for n in wires if n in sources[first] and first in sources[n]}
        assert part.loops == (first in sources[first])
        assert list(part.names) == sorted(part.names, key=order.index)
        done |= set(part.names)
        assert set().union(*(sources[name] for name in part.names)) <= done


def test_a_long_chain_needs_no_recursion() -> None:
    count = 20_000
    wires = {str(i): (Wire(str(i - 1)),) if i else (Wire(str(count - 1), True),) for i in range(count)}
    (part,) = parts_of(list(wires), wires)
    assert part.loops
    assert len(part.names) == count


@given(st.integers(0, 40), st.integers(1, 40), st.integers(1, 12))
def test_groups_start_at_multiples_of_their_size(first: int, steps: int, group: int) -> None:
    found = list(pieces(first, steps, group))
    assert [t for start, stop, _ in found for t in range(start, stop)] == list(range(steps))
    for start, stop, lead in found:
        assert (first + start - lead) % group == 0
        assert 0 < stop - start <= group - lead
        assert stop == steps or (first + stop) % group == 0
