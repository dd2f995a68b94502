"""Counts by chance, for what has to hold for all of them."""

from hypothesis import strategies as st
from spikeport.benchmarks.operations import Facts, LayerCount, OpCount, Ops, Pairs, Uncounted

ROLES = ("synapses", "products", "pool", "neurons", "elementwise")
NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), min_size=1, max_size=8)
SECONDS = st.floats(0, 1e6, allow_nan=False, allow_infinity=False)


def numbers(most: int) -> st.SearchStrategy[int]:
    return st.one_of(st.just(0), st.integers(0, 9), st.integers(0, most))


def facts() -> st.SearchStrategy[Facts]:
    few = st.lists(st.integers(0, 99), max_size=3).map(tuple)
    count = st.integers(0, 10**9)
    return st.builds(
        Facts, kind=NAMES, role=st.sampled_from(ROLES), carries=st.lists(NAMES, max_size=2).map(tuple), kernel=few,
        stride=few, groups=count, channels=st.tuples(count, count), n_in=count, n_out=count, weights=count,
        biases=count, first=st.booleans(),
    )  # fmt: skip


def ops(most: int, keys: tuple[str, ...], functions: tuple[str, ...]) -> st.SearchStrategy[Ops]:
    number = numbers(most)
    pairs = st.builds(Pairs, number, number, number, number, number)
    return st.builds(
        Ops, pairs, pairs, pairs, number, number, number, number, st.fixed_dictionaries(dict.fromkeys(keys, number)),
        number, number, number, number, number, number, st.fixed_dictionaries(dict.fromkeys(functions, number)),
    )  # fmt: skip


def uncounted(most: int, names: list[tuple[str, str]]) -> st.SearchStrategy[tuple[Uncounted, ...]]:
    some = numbers(most).map(lambda n: n + 1)
    return st.tuples(*(st.builds(Uncounted, st.just(n), st.just(layer), some, some, SECONDS) for n, layer in names))


@st.composite
def several(draw: st.DrawFn, least: int = 1, largest: int = 6, most: int = 2**62) -> list[OpCount]:
    """Counts of samples of one network."""
    layers = draw(st.dictionaries(NAMES, facts(), max_size=3))
    keys = {n: tuple(draw(st.lists(st.sampled_from(("LIF", "IF")), unique=True, max_size=2))) for n in layers}
    called = {n: tuple(draw(st.lists(st.sampled_from(("exp", "fft")), unique=True, max_size=1))) for n in layers}
    missed = draw(st.lists(st.tuples(NAMES, st.sampled_from(["", *layers])), unique=True, max_size=2))
    missed.sort(key=lambda each: ["", *layers].index(each[1]))
    network, road = draw(NAMES), draw(st.sampled_from(("graph", "chip", "module")))
    notes = tuple(draw(st.lists(NAMES, max_size=2, unique=True)))
    return [
        OpCount(
            network, road, {n: LayerCount(f, draw(ops(most, keys[n], called[n]))) for n, f in layers.items()},
            1, draw(numbers(most)), draw(uncounted(most, missed)), draw(SECONDS), notes,
        )
        for _ in range(draw(st.integers(least, largest)))
    ]  # fmt: skip
