"""The arithmetic of published energy tables, row by row, and what must not happen to it."""

import pytest
from spikeport.benchmarks.operations import Facts, LayerCount, OpCount, Ops, Pairs
from spikeport.benchmarks.profile import Profile, load_profile
from spikeport.benchmarks.rules import RULES, bill
from spikeport.benchmarks.rules.neuron_costs import NEURON_COSTS, PROCESS_COSTS
from spikeport.toolchain.errors import UsageError
from spikeport.toolchain.graph import KINDS
from spikeport.toolchain.graph.nodes import Delta, ResonateFire, Sigma, SigmaDelta
from spikeport.toolchain.graph.nodes.integrators import Integrating
from spikeport.toolchain.loihi.processes import PROCESSES
from support.made_counts import linear, network, times

G = 10**9

#: The README of syops-counter, its ACs and MACs in G and its millijoules as printed; the last three are ANNs.
ROWS = [
    ("spiking_resnet18", 0.10, 0.14, 0.734, 3),
    ("sew_resnet18", 0.50, 2.75, 13.10, 2),
    ("DSNN18", 1.69, 0.20, 2.441, 3),
    ("resnet18", 0, 1.82, 8.372, 3),
    ("CTR-GCN", 0, 1.97, 9.062, 3),
    ("Shift-GCN", 0, 2.5, 11.5, 1),
    ("EPAM-Net", 0, 8.0754923, 37.1473, 4),
]


@pytest.mark.parametrize(("name", "acs", "macs", "mj", "digits"), ROWS, ids=[row[0] for row in ROWS])
@pytest.mark.parametrize("rule", ["strict", "events", "neurobench"])
def test_published_rows(rule: str, name: str, acs: float, macs: float, mj: float, digits: int) -> None:
    counts = network(real=linear(round(macs * G), carries="macs", first=True), spikes=linear(round(acs * G)))
    assert round(bill(counts, rule).mj, digits) == mj
    assert bill(counts, rule).mj == pytest.approx(0.9 * acs + 4.6 * macs, rel=1e-12)


def test_paper_is_mac_for_the_first_layer_and_rate_times_ac_for_the_rest() -> None:
    counts = network(a=linear(1000, first=True, carries="macs"), b=linear(4000, rate=0.25), c=linear(500, rate=0.1))
    energy = bill(counts, "paper")
    assert energy.pj == pytest.approx(4.6 * 1000 + 0.9 * (0.25 * 4000 + 0.1 * 500), rel=1e-12)
    assert energy.by_layer() == pytest.approx({"a": 4600, "b": 900, "c": 45})


def test_paper_counts_the_padding_as_papers_do() -> None:
    facts = Facts("Conv", "synapses", ("spikes",), (3,), (1,), 1, (1, 1), 4, 4)
    layer = LayerCount(facts, Ops(acs=Pairs(10, 12, 5, 5, 5), received=4, events=2))
    assert bill(network(a=layer), "paper").pj == pytest.approx(0.9 * 12 * 0.5)
    assert bill(network(a=layer), "strict").pj == pytest.approx(0.9 * 5)


@pytest.mark.parametrize("rule", RULES)
def test_steps_are_never_multiplied_twice(rule: str) -> None:
    """T steps of the run, the run with T folded into the batch, and T runs in a loop cost the same."""
    once = network(a=linear(1000, rate=0.5), b=linear(300, rate=0.1))
    looped = times(once, 8)
    folded = OpCount(once.network, "module", looped.layers, samples=1, steps=1)
    assert bill(looped, rule).pj == pytest.approx(8 * bill(once, rule).pj, rel=1e-12)
    assert bill(folded, rule).pj == bill(looped, rule).pj


@pytest.mark.parametrize("rule", ["paper", "strict", "events", "neurobench", "neurobench-dense", "pasnet"])
def test_at_rate_1_and_one_price_the_spiking_network_costs_what_the_ann_does(rule: str) -> None:
    profile = load_profile("45nm-fp32").replaced(ac=4.6)
    spiking = network(a=linear(1000, first=True, carries="macs"), b=linear(4000), c=linear(500))
    ann = network(
        **{name: linear(n, first=True, carries="macs") for name, n in {"a": 1000, "b": 4000, "c": 500}.items()}
    )
    assert bill(spiking, rule, profile).pj == pytest.approx(bill(ann, rule, profile).pj) == pytest.approx(4.6 * 5500)


def test_an_integer_n_is_n_accumulates_to_strict_and_one_mac_to_neurobench() -> None:
    layer = LayerCount(linear(10).facts, Ops(integer_acs=Pairs(10, 10, 4, 3, 9), received=10, events=4))
    assert bill(network(a=layer), "strict").pj == pytest.approx(0.9 * 9)
    assert bill(network(a=layer), "neurobench").pj == pytest.approx(4.6 * 3)
    assert bill(network(a=layer), "neurobench-dense").pj == pytest.approx(4.6 * 10)


def test_a_real_number_that_is_0_costs_strict_nothing() -> None:
    layer = linear(1000, rate=0.3, carries="macs")
    assert bill(network(a=layer), "strict").pj == pytest.approx(4.6 * 300)
    assert bill(network(a=layer), "neurobench-dense").pj == pytest.approx(4.6 * 1000)


def test_strict_bills_products_pools_and_one_value_at_a_time() -> None:
    product = LayerCount(Facts("matmul", "products", ("spikes", "graded")), Ops(acs=Pairs(100, 100, 20, 20, 20)))
    pool = LayerCount(Facts("AveragePool", "pool", ("graded",)), Ops(adds=40, multiplies=10))
    scale = LayerCount(Facts("BatchNorm", "elementwise"), Ops(adds=3, multiplies=5))
    energy = bill(network(product=product, pool=pool, scale=scale), "strict")
    assert energy.by_layer() == pytest.approx(
        {"product": 0.9 * 20, "pool": 0.9 * 40 + 3.7 * 10, "scale": 0.9 * 3 + 3.7 * 5}
    )
    assert energy.by_kind() == pytest.approx({"synapses": 18, "elementwise": 0.9 * 43 + 3.7 * 15})


@pytest.mark.parametrize(
    ("kind", "multiplies", "adds"),
    [("IF", 0, 1), ("LIF", 1, 1), ("CubaLIF", 2, 2), ("AdaptiveLIF", 4, 4), ("LeakyIntegrator", 1, 1),
     ("CubaIntegrator", 2, 2), ("ResonateFire", 4, 4), ("Sigma", 0, 1), ("Delta", 0, 3), ("SigmaDelta", 0, 5)],
)  # fmt: skip
def test_events_bills_the_equation_of_every_neuron_in_every_step(kind: str, multiplies: int, adds: int) -> None:
    neurons = LayerCount(
        Facts(kind, "neurons"), Ops(updates={kind: 100}, active=7, comparisons=100, resets=3, sent=100, sent_events=3)
    )
    energy = bill(network(n=neurons), "events")
    assert energy.pj == pytest.approx(100 * (multiplies * 3.7 + adds * 0.9) + 0.9 * 103)
    assert energy.by_kind()["reset"] == pytest.approx(2.7)


def test_the_lif_of_a_chip_has_a_current_and_a_bias() -> None:
    neurons = {"n": LayerCount(Facts("LIF", "neurons"), Ops(updates={"LIF": 100}))}
    assert bill(OpCount("c", "graph", neurons), "events").pj == pytest.approx(100 * (3.7 + 0.9))
    assert bill(OpCount("c", "chip", neurons), "events").pj == pytest.approx(100 * (2 * 3.7 + 3 * 0.9))
    assert bill(OpCount("c", "chip", neurons), "lemaire").by_kind()["neurons"] == pytest.approx(100 * 2 * 3.2)


def test_every_kind_of_neuron_that_there_is_has_an_entry() -> None:
    """The tables hold the nodes that a walk counts as neurons, and the processes that are neurons."""
    neurons = (Integrating, ResonateFire, Sigma, Delta, SigmaDelta)
    assert set(NEURON_COSTS) == {name for name, kind in KINDS.items() if issubclass(kind, neurons)}
    assert set(PROCESS_COSTS) == {name for name, kind in PROCESSES.items() if kind.role == "neuron"}


def test_events_bills_weights_that_are_not_0_and_biases() -> None:
    layer = LayerCount(linear(10).facts, Ops(acs=Pairs(10, 10, 6, 4, 6), received=10, events=6, bias_adds=5))
    energy = bill(network(a=layer), "events")
    assert energy.by_kind() == pytest.approx({"synapses": 0.9 * 4, "bias": 0.9 * 5})


def test_pasnet_is_paper_at_a_tenth_of_a_picojoule_without_products() -> None:
    product = LayerCount(Facts("matmul", "products", ("spikes", "spikes")), Ops(acs=Pairs(100, 100, 20, 20, 20)))
    counts = network(a=linear(1000, first=True, carries="macs"), b=linear(4000, rate=0.25), p=product)
    assert bill(counts, "pasnet").pj == pytest.approx(4600 + 0.1 * 1000)
    assert "products of two signals" in bill(counts, "pasnet").unbilled
    assert "products of two signals" not in bill(counts, "paper").unbilled


def test_bits_bills_the_product_of_the_widths() -> None:
    spikes, four = (
        linear(1000, rate=0.5),
        LayerCount(Facts("Affine", "synapses", ("int[-7,8]",)), Ops(integer_acs=Pairs(100, 100, 10, 10, 30))),
    )
    real = linear(50, carries="macs")
    energy = bill(network(spikes=spikes, four=four, real=real), "bits")
    assert [line.count for line in energy.lines] == [500 * 8 * 1, 10 * 8 * 4, 50 * 8 * 8]
    assert energy.by_layer()["real"] == pytest.approx(50 * 0.23), "an 8-bit weight and value cost an 8-bit MAC"
    halved = bill(network(spikes=spikes), "bits", load_profile("45nm-int8").replaced(weight_bits=4))
    assert halved.pj == pytest.approx(energy.by_layer()["spikes"] / 2)


def test_bits_of_integers_are_those_of_their_range_and_a_pool_has_no_weights() -> None:
    pairs = Ops(integer_acs=Pairs(100, 100, 10, 10, 30))
    matrix, pool = (LayerCount(Facts("made", role, ("int[2,5]",)), pairs) for role in ("synapses", "pool"))
    assert [line.count for line in bill(network(a=matrix, b=pool), "bits").lines] == [10 * 8 * 2, 10 * 1 * 2]


def test_bits_of_two_signals_are_those_of_both() -> None:
    facts = Facts("matmul", "products", ("spikes", "int[0,3]"))
    energy = bill(network(p=LayerCount(facts, Ops(acs=Pairs(10, 10, 6, 6, 6)))), "bits")
    assert [line.count for line in energy.lines] == [6 * 1 * 2]


def test_a_bill_names_what_it_leaves_out() -> None:
    counts = network(
        a=LayerCount(linear(10).facts, Ops(acs=Pairs(10, 10, 4, 4, 4), bias_adds=2, functions={"softmax": 9})),
        n=LayerCount(Facts("LSTM", "neurons"), Ops(updates={"LSTM": 5}, comparisons=5, resets=1)),
    )
    assert bill(counts, "strict").unbilled == (
        "neuron updates", "comparisons of neurons", "resets", "additions of a bias", "memory", "function softmax",
    )  # fmt: skip
    assert bill(counts, "events").unbilled == (
        "memory", "function softmax", "updates of LSTM: no entry in the table of neurons",
    )  # fmt: skip


def test_unknown_names_and_missing_constants_are_refused() -> None:
    counts = network(a=linear(10))
    with pytest.raises(UsageError, match=r"^rule: 'loihi'; expected one of paper, strict, events, .*chip:spinnaker2$"):
        bill(counts, "loihi")
    with pytest.raises(UsageError, match=r"^profile: 'loihi'; expected one of 45nm-fp32"):
        bill(counts, "paper", "loihi")
    with pytest.raises(UsageError, match=r"^profile pasnet: no constant 'multiply' among mac, ac\. Add \[constants"):
        bill(counts, "strict", "pasnet")
    with pytest.raises(UsageError, match=r"^profile pasnet: no constant 'add' among mac, ac\. Add"):
        bill(counts, "lemaire", "pasnet")
    fp32 = load_profile("45nm-fp32")
    forgetful = Profile("mine", "no memory", {name: fp32.constant(name) for name in ("mac", "add")})
    with pytest.raises(UsageError, match=r"^profile mine: no constant 'sram_byte' among mac, add\. Add"):
        bill(network(a=LayerCount(Facts("Add", "elementwise"))), "lemaire", forgetful)
