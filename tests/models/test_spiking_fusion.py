"""The fusion of events and skeletons: its switches, its single streams, its losses, and that it learns from both."""

import copy
import functools

import pytest
import torch
from spikeport.models import zoo
from spikeport.models.bottleneck import Bottleneck
from spikeport.models.divergences import bernoulli_divergence
from spikeport.models.layer import Neurons
from spikeport.models.penalties import Penalised
from spikeport.models.signal_sgn_parts import ComplexMap
from spikeport.models.spiking_fusion import SpikingFusionConfig, build
from spikeport.models.tokens import TokenPool
from spikeport.models.windows import carrying
from spikeport.toolchain.errors import UsageError

SMALL = zoo.entry("spiking_fusion").small
SWITCHES = ("sse", "gsa", "scm", "dib_one", "dib_two")


@pytest.fixture(autouse=True, scope="module")
def _one_thread():
    """Threads cost these small networks more than they give."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def small(**values):
    return copy.deepcopy(_small(tuple(values.items())))


@functools.cache
def _small(values):
    return build(SpikingFusionConfig(**{**SMALL, **dict(values)}), 0).eval()


def streams(samples=4, steps=6, seed=0):
    source = torch.Generator().manual_seed(seed)
    skeleton = torch.randn(steps, samples, 3, 20, 1, generator=source)
    return {"skeleton": skeleton, "events": (torch.rand(steps, samples, 2, 8, 8, generator=source) < 0.2).float()}


def parts(network):
    return {name.rsplit(".", 1)[0] for name, _ in network.named_parameters()}


@pytest.mark.parametrize("taken", ["both", "skeleton", "events"])
def test_a_network_takes_the_streams_it_was_made_for_and_pays_for_them(taken):
    config = SpikingFusionConfig(**{**SMALL, "streams": taken})
    network = small(streams=taken).train()
    x = {name: each for name, each in streams().items() if name in config.takes}
    assert network(**x).shape == (6, 4, 3)
    assert isinstance(network, Penalised)
    prices = network.penalties(torch.tensor([0, 1, 2, 0]))
    assert set(prices) == {*(f"dib_{name}" for name in config.takes), "dib_fusion", "dib_cosine"}
    assert all(each.ndim == 0 and float(each.detach()) > 0 for each in prices.values())
    assert not network.penalties(torch.tensor([0, 1, 2, 0]))
    network.eval()(**x)
    assert not network.penalties(torch.tensor([0, 1, 2, 0]))


def test_a_single_stream_is_the_fusion_without_the_other():
    both, skeleton, events = (parts(small(streams=each)) for each in ("both", "skeleton", "events"))
    cross = {each for each in both if each.startswith("cross")}
    assert both - skeleton - events - cross == {"answer.pools.1", "answer.pools.2"}
    assert {each.split(".")[0] for each in skeleton} == {"skeleton", "answer"}
    assert {each.split(".")[0] for each in events} == {"events", "answer"}


@pytest.mark.parametrize("switch", SWITCHES)
def test_every_switch_leaves_out_what_it_names_and_nothing_else(switch):
    whole, without = small().train(), small(**{switch: False}).train()
    x, labels = streams(), torch.tensor([0, 1, 2, 0])
    whole(**x), without(**x)
    gone = parts(whole) - parts(without)
    left_out = {"sse": ("extractor",), "gsa": ("extractor.attention",), "scm": ("cross", "answer.pools.2")}
    assert parts(without) <= parts(whole)
    assert bool(gone) == (switch in left_out)
    assert all(any(name in each for name in left_out[switch]) for each in gone)
    prices = {"dib_one": {"dib_skeleton", "dib_events"}, "dib_two": {"dib_fusion", "dib_cosine"}}
    assert set(whole.penalties(labels)) - set(without.penalties(labels)) == prices.get(switch, set())


def test_without_draws_the_network_is_the_same_after_learning():
    with_them, without = small(), small(dib_one=False, dib_two=False)
    without.load_state_dict(with_them.state_dict())
    assert torch.equal(with_them(**streams()), without(**streams()))
    labels = torch.tensor([0, 1, 2, 0])
    torch.manual_seed(0)
    drawn = with_them.train()(**streams())
    torch.manual_seed(0)
    assert torch.equal(drawn, with_them(**streams()))
    assert not torch.equal(drawn, without.train()(**streams()))
    assert not without.penalties(labels)


def test_a_copy_made_while_learning_owes_nothing():
    network, labels = small().train(), torch.tensor([0, 1, 2, 0])
    network(**streams())
    assert not copy.deepcopy(network).penalties(labels)
    assert network.penalties(labels)


def test_all_that_layers_send_are_spikes():
    sent = {}
    network = small()
    for name, layer in network.named_modules():
        if isinstance(layer, (Neurons, Bottleneck)):
            layer.register_forward_hook(lambda _module, _args, out, name=name: sent.update({name: out.detach()}))
    with torch.no_grad():
        network(**streams())
    assert len(sent) > 25
    assert all(set(each.unique().tolist()) <= {0.0, 1.0} for each in sent.values())
    ends = ("bottleneck.fire", "cross.out.fire")
    rates = {name: float(each.mean()) for name, each in sent.items() if name.endswith(ends)}
    assert len(rates) == 4
    assert all(0.005 < rate < 0.7 for rate in rates.values()), rates


def test_the_answer_sees_the_cross_mamba_and_what_each_stream_says_alone():
    network, sent, pooled = small(), {}, []
    for name in ("cross", "events", "skeleton"):
        part = network.get_submodule(name)
        part.register_forward_hook(lambda _module, _args, out, name=name: sent.update({name: out}))
    for pool in network.answer.pools:
        pool.register_forward_hook(lambda _module, args, _out: pooled.append(args[0]))
    network(**streams())
    assert all(torch.equal(one, sent[name]) for one, name in zip(pooled, ("cross", "events", "skeleton"), strict=True))
    assert all(bool(each.any()) for each in pooled)


REAL = {
    "skeleton.backbone.embed.maps": "coordinates",
    "skeleton.extractor.out.linear": "means over hyperedges",
    "events.extractor.out.linear": "means over hyperedges",
    "cross.context.linear": "joints, pooled",
    "cross.out.linear": "what the gate lets pass of the scan",
    "answer.fuse.linear": "tokens, pooled",
}
"""Layers of weights that see more than spikes; pools are linear maps of spikes themselves."""


def test_every_other_layer_of_weights_sees_spikes():
    seen, network = {}, small()
    for name, layer in network.named_modules():
        if isinstance(layer, torch.nn.Linear | torch.nn.Conv1d | torch.nn.Conv2d | ComplexMap | TokenPool):
            layer.register_forward_hook(lambda _layer, args, _out, name=name: seen.update({name: args[0].detach()}))
    with torch.no_grad():
        network(**streams())
    assert {name for name, x in seen.items() if not set(x.unique().tolist()) <= {0.0, 1.0}} == set(REAL)
    assert len(seen) > 25


def test_what_both_stages_cost_are_their_equations():
    network, labels = small(alpha=0.3, lambda_one=0.7, lambda_two=0.2, prior=0.15).train(), torch.tensor([2, 1, 2, 0])
    seen = {}
    for name, layer in network.named_modules():
        if isinstance(layer, Bottleneck):
            layer.register_forward_hook(lambda layer, args, out, name=name: seen.update({name: (layer, *args, out)}))
    network(**streams())
    prices = network.penalties(labels)
    for name, price, weight in (("skeleton", "skeleton", 0.7), ("events", "events", 0.7), ("answer", "fusion", 0.2)):
        layer, x, _ = seen[f"{name}.bottleneck"]
        chances = torch.sigmoid(4 * (layer.gain * x - 1))
        expected = weight * bernoulli_divergence(chances, 0.15).mean()
        torch.testing.assert_close(prices[f"dib_{price}"], expected, rtol=1e-4, atol=1e-6)
    rates, rows = seen["answer.bottleneck"][2].mean(0), network.answer.classify.weight[labels]
    likeness = (rates * rows).sum(-1) / (rates.norm(dim=-1) * rows.norm(dim=-1))
    torch.testing.assert_close(prices["dib_cosine"], 0.3 * (1 - likeness).mean())


def test_what_is_computed_of_a_step_is_of_it_and_those_before():
    network, x = small(), streams(seed=1)
    later = {name: torch.cat([each[:3], each[3:].flip(1)]) for name, each in x.items()}
    with torch.no_grad():
        found, changed = network(**x), network(**later)
    assert torch.equal(found[:3], changed[:3])
    assert not torch.equal(found[3:], changed[3:])


def test_window_by_window_it_gives_what_it_gives_at_once():
    network, x = small(), streams()
    with torch.no_grad(), carrying(network) as rewind:
        windows = []
        for start in (0, 2, 5):
            rewind()
            stop = {0: 2, 2: 5, 5: 6}[start]
            windows.append(network(**{name: each[start:stop] for name, each in x.items()}))
    torch.testing.assert_close(torch.cat(windows), network(**x).detach())


def test_both_persons_count():
    network = small(persons=2, streams="skeleton")
    one = torch.randn(6, 4, 3, 20, 2, generator=torch.Generator().manual_seed(0))
    assert not torch.equal(network(one), network(torch.cat([one[..., :1], torch.zeros_like(one[..., 1:])], -1)))
    assert not torch.equal(network(one), network(one.flip(-1)))


def test_it_learns_what_it_is_shown():
    torch.manual_seed(0)
    network, x, labels = small(code=16).train(), streams(samples=6), torch.tensor([0, 1, 2, 0, 1, 2])
    descent, losses = torch.optim.AdamW(network.parameters(), 0.02), []
    for _ in range(25):
        loss = torch.nn.functional.cross_entropy(network(**x).mean(0), labels)
        descent.zero_grad()
        (loss + sum(network.penalties(labels).values())).backward()
        descent.step()
        losses.append(loss.item())
    assert losses[-1] < 0.3 * losses[0]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"streams": "audio"}, r"streams 'audio'; expected one of both, skeleton, events"),
        ({"cross": 7}, r"cross 7 for 2 heads; expected a multiple of the heads"),
        ({"maps": 0}, r"widths .*; expected 1 to 4096 of each"),
        ({"alpha": -1.0}, r"alpha -1.0; expected a weight ≥ 0"),
        ({"prior": 1.0}, r"bottleneck: weight .*, prior 1.0"),
        ({"neurons": "tanh"}, r"the kind 'tanh'; expected one of lif, relu"),
        ({"patch": 3}, r"patches of 3 in 8; expected a power of two"),
        ({"joints": 17}, r"17 joints"),
    ],
)
def test_messages(values, message):
    with pytest.raises(UsageError, match=message):
        small(**values)
