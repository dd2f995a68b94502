"""Counts made by hand and by hypothesis, for the rules that bill them."""

from hypothesis import strategies as st
from spikeport.benchmarks.operations import Facts, LayerCount, OpCount, Ops, Pairs, Uncounted
from spikeport.benchmarks.rules.neuron_costs import NEURON_COSTS

CARRIES = {"acs": "spikes", "integer_acs": "int[0,3]", "macs": "graded"}


def linear(macs: int, *, rate: float = 1.0, first: bool = False, carries: str = "acs") -> LayerCount:
    """A matrix with so many pairs, of which a share has an input that is not 0."""
    live = round(macs * rate)
    pairs = Pairs(macs, macs, live, live, live if carries != "macs" else 0)
    facts = Facts("Affine", "synapses", (CARRIES[carries],), channels=(macs, 1), n_in=macs, n_out=1, first=first)
    return LayerCount(facts, Ops(**{carries: pairs}, received=macs, events=live))


def network(**layers: LayerCount) -> OpCount:
    """One sample of one step."""
    return OpCount("made", "graph", layers)


def times(counts: OpCount, factor: int) -> OpCount:
    """The same run so many times over, as more steps of the one sample."""
    layers = counts.layers
    for _ in range(factor - 1):
        layers = {name: each + counts.layers[name] for name, each in layers.items()}
    return OpCount(counts.network, counts.road, layers, counts.samples, counts.steps * factor)


@st.composite
def pairs(draw: st.DrawFn, integers: bool) -> Pairs:
    """weighted ≤ effective ≤ dense ≤ padded."""
    weighted = draw(st.integers(0, 10**6))
    effective = weighted + draw(st.integers(0, 10**6))
    dense = effective + draw(st.integers(0, 10**6))
    spikes = effective * draw(st.integers(1, 3)) if integers else 0
    return Pairs(dense, dense + draw(st.integers(0, 10**6)), effective, weighted, spikes)


@st.composite
def operations(draw: st.DrawFn, role: str) -> Ops:
    """What a layer of this role may have done."""
    some = st.integers(0, 10**6)
    if role == "neurons":
        updates = draw(st.dictionaries(st.sampled_from([*NEURON_COSTS, "LSTM"]), some, max_size=2))
        total = sum(updates.values())
        active, resets, sent = (draw(st.integers(0, total)) for _ in range(3))
        return Ops(received=total, events=active, sent=total, sent_events=sent, updates=updates, active=active,
                   comparisons=total, resets=resets)  # fmt: skip
    events = draw(some)
    kinds = {} if role == "elementwise" else {name: draw(pairs(name != "macs")) for name in draw(classes())}
    functions = draw(st.dictionaries(st.just("softmax"), some))
    return Ops(**kinds, received=events + draw(some), events=events, comparisons=draw(some), bias_adds=draw(some),
               adds=draw(some), multiplies=draw(some), functions=functions)  # fmt: skip


def classes() -> st.SearchStrategy[list[str]]:
    """Which classes of pairs a layer has."""
    return st.lists(st.sampled_from(list(CARRIES)), unique=True, min_size=1)


@st.composite
def layers(draw: st.DrawFn) -> LayerCount:
    """One layer of any role."""
    role = draw(st.sampled_from(["synapses", "products", "pool", "neurons", "elementwise"]))
    kernel = draw(st.sampled_from([(), (3,), (3, 2), (1, 1, 1)]))
    carries = tuple(draw(st.lists(st.sampled_from(["spikes", "int[0,3]", "int[-7,8]", "graded"]), max_size=2)))
    size = st.integers(1, 10**7)
    stride = draw(st.sampled_from([(), tuple(2 for _ in kernel)]))
    facts = Facts(
        draw(st.sampled_from(["Conv", "ConvTranspose", "Affine"])), role, carries, kernel, stride,
        draw(st.sampled_from([1, 2])), (draw(size), draw(st.integers(0, 512))), draw(size), draw(size),
        draw(st.integers(0, 10**7)), draw(st.integers(0, 512)), draw(st.booleans()),
    )  # fmt: skip
    return LayerCount(facts, draw(operations(role)))


@st.composite
def op_counts(draw: st.DrawFn) -> OpCount:
    """A network of a few layers of any kind."""
    found = draw(st.lists(layers(), min_size=1, max_size=5))
    samples = draw(st.integers(1, 4))
    uncounted = (Uncounted("aten::mystery", "l0", 1, 5),) if draw(st.booleans()) else ()
    return OpCount("random", "graph", {f"l{i}": each for i, each in enumerate(found)}, samples,
                   samples * draw(st.integers(1, 8)), uncounted)  # fmt: skip
