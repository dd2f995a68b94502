"""The parts of the fusion, each against its equation written out, and with each claim of its card."""

import pytest
import torch
from spikeport.models.bottleneck import Bottleneck, Price, divergence_of_logits, drawn
from spikeport.models.cross_mamba import CrossMamba, CrossSizes, Selection, TimeScan, scanned_by_step
from spikeport.models.divergences import bernoulli_divergence
from spikeport.models.firing import Firing
from spikeport.models.hypergraph import HypergraphConvolution, HypergraphGenerator
from spikeport.models.scan import scan, scan_reference
from spikeport.models.semantic_extractor import GlobalSpikingAttention, SemanticExtractor
from spikeport.models.tokens import Shortcut, SpikingMap, TokenMap, TokenNorm, TokenPool
from spikeport.models.weights import settle
from spikeport.toolchain.errors import UsageError

LIVE, TWIN = Firing(), Firing("relu")


def spikes(*shape, rate=0.3, seed=0):
    return (torch.rand(*shape, generator=torch.Generator().manual_seed(seed)) < rate).float()


def awake(layer, *inputs):
    """The layer with the statistics of these inputs, so that it fires."""
    settle(layer, *inputs)
    return layer.eval()


def binary(values):
    return set(values.detach().unique().tolist()) <= {0.0, 1.0}


def membranes(*shape, seed=0):
    """What neurons with a threshold of 1 and τ = 2 add up where some of them fire."""
    return 2 * torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def test_the_norm_of_tokens_is_batch_norm_while_learning_and_the_same_affine_map_afterwards():
    x, layer, theirs = torch.randn(3, 4, 5, 6), TokenNorm(6, 2.0), torch.nn.BatchNorm1d(6)
    torch.nn.init.constant_(theirs.weight, 2.0)
    for training in (True, True, False):
        layer.train(training), theirs.train(training)
        torch.testing.assert_close(layer(1 + 3 * x), theirs(1 + 3 * x.flatten(0, 2)).view_as(x))


def test_a_spike_passes_a_shortcut_and_silence_stays_silent_before_anything_is_learned():
    x, f = spikes(4, 3, 5, 6), torch.randn(4, 3, 5, 8)
    passed = Shortcut(8, 6, LIVE)(f, x)
    assert binary(passed)
    assert (passed == x).float().mean().item() > 0.97
    assert bool((Shortcut(8, 6, TWIN)(f, x) >= 0).all())


def test_a_fresh_layer_of_spikes_fires_sometimes():
    found = SpikingMap(6, 40, LIVE)(spikes(8, 4, 5, 6)).detach()
    assert binary(found)
    assert 0.05 < float(found.mean()) < 0.4


def test_a_map_for_membranes_spreads_as_it_is_told():
    x, layer = spikes(8, 40, 5, 6), TokenMap(6, 10, 0.7)
    torch.testing.assert_close(layer(x).flatten(0, 2).std(0), torch.full((10,), 0.7), rtol=0.01, atol=0)


def test_a_pool_keeps_places_apart():
    pool, x = TokenPool(5, 3), torch.randn(2, 2, 5, 4)
    torch.testing.assert_close(pool(x), torch.einsum("kn,tbnc->tbkc", pool.places, x).flatten(2))


# The hypergraph


def test_a_hyperedge_holds_the_tokens_that_fire_the_share_of_what_its_token_fires_on_average_over_time():
    x = spikes(5, 2, 7, 6)
    layer = awake(HypergraphGenerator(6, 8, Firing(tau=3.0), share=0.4), x)
    edges, codes = layer(x).detach(), layer.codes(x).detach()
    average = torch.zeros(2, 7, 7)
    for step, code in enumerate(codes):
        shared = torch.einsum("bed,bnd->ben", code, code)
        average = average * (2 / 3) + (shared - 0.4 * shared.diagonal(dim1=1, dim2=2)[..., None]) / 8
        assert torch.equal(edges[step], (average > 0).float())
    assert 0.01 < float(edges.mean()) < 0.9
    assert torch.equal(edges[0].diagonal(dim1=1, dim2=2) > 0, codes[0].sum(-1) > 0)


def test_the_threshold_of_the_hypergraph_is_learned():
    layer = HypergraphGenerator(6, 8, LIVE)
    layer(spikes(5, 2, 7, 6)).sum().backward()
    assert float(layer.share.grad) < 0
    assert float(layer.codes.linear.weight.grad.abs().sum()) > 0


def test_nothing_of_the_hypergraph_looks_ahead():
    x = membranes(6, 2, 7, 6)
    layer = awake(SemanticExtractor(7, 6, 4, True, LIVE), x)
    later = torch.cat([x[:3], 1 - x[3:]])
    assert torch.equal(layer(x)[:3], layer(later)[:3])
    assert not torch.equal(layer(x)[3:], layer(later)[3:])


def test_the_convolution_is_the_mean_over_edges_of_weighted_means_over_tokens():
    layer, x, edges = HypergraphConvolution(7), torch.randn(2, 3, 7, 4), spikes(2, 3, 7, 7, seed=2)
    edges[:, :, 2] = 0
    with torch.no_grad():
        layer.weights.copy_(torch.rand(7, 1))
    found = layer(x, edges)
    for t, b, n in [(0, 0, 0), (1, 2, 6), (0, 1, 2)]:
        holding = [e for e in range(7) if edges[t, b, e, n]]
        means = [
            layer.weights[e] * sum(x[t, b, m] for m in range(7) if edges[t, b, e, m]) / edges[t, b, e].sum()
            for e in holding
        ]
        expected = sum(means) / len(means) if means else torch.zeros(4)
        torch.testing.assert_close(found[t, b, n], expected)


# Attention


def test_attention_without_softmax_sums_over_all_tokens():
    x = spikes(5, 2, 7, 6)
    layer = awake(GlobalSpikingAttention(7, 6, 4, LIVE), x)
    q, k, v = layer.projections(x).chunk(3, -1)
    weights = torch.einsum("tbnd,tbmd->tbnm", q, k)
    mixed = torch.einsum("tbnm,tbme->tbne", weights, v)
    found = layer.found(layer.scale * mixed)
    torch.testing.assert_close(layer(x), layer.out(found))
    assert binary(found)
    assert 0 < layer.found(layer.scale * mixed).mean().item() < 0.6
    assert layer.found.threshold == 0.5


def test_the_extractor_is_the_hypergraph_and_then_the_attention():
    x = membranes(5, 2, 7, 6)
    layer = awake(SemanticExtractor(7, 6, 4, True, LIVE), x)
    sent = layer.enters(x)
    met = x + layer.out(layer.convolution(sent, layer.generator(sent)))
    attended = layer.attention(layer.passes(met))
    assert binary(sent)
    assert torch.equal(layer(x), met + attended)
    assert not torch.equal(met, x)
    assert bool((attended != 0).any())


def test_what_passes_the_extractor_is_little_changed_before_anything_is_learned():
    x = membranes(5, 20, 7, 6)
    layer = SemanticExtractor(7, 6, 4, True, LIVE)
    assert (layer(x) - x).std().item() < 0.5 * x.std().item()


def test_the_extractor_is_as_wide_as_its_input_and_its_attention_has_a_switch():
    x = membranes(4, 2, 7, 6)
    with_it, without = (SemanticExtractor(7, 6, 4, attention, LIVE) for attention in (True, False))
    assert with_it(x).shape == without(x).shape == x.shape
    assert {name.split(".")[0] for name, _ in with_it.named_parameters()} > {
        name.split(".")[0] for name, _ in without.named_parameters()
    }


# The cross Mamba


def test_the_time_scan_is_the_selective_scan_in_every_form():
    layer, sizes = TimeScan(2), {"generator": torch.Generator().manual_seed(1)}
    x, step = torch.randn(9, 3, 2, 5, **sizes), torch.rand(9, 3, 2, **sizes)
    keys, queries = (torch.randn(9, 3, 1, 4, **sizes) for _ in range(2))
    rate, skip = torch.nn.init.normal_(layer.log_rate).detach().exp(), torch.nn.init.normal_(layer.skip).detach()
    learning, deployed = layer(x, step, keys, queries), layer.eval()(x, step, keys, queries)
    h, rows = torch.zeros(3, 2, 4, 5), []
    for t in range(9):
        h = (-step[t] * rate).exp()[..., None, None] * h
        h = h + torch.einsum("bh,bs,bhp->bhsp", step[t], keys[t, :, 0], x[t])
        rows.append(torch.einsum("bs,bhsp->bhp", queries[t, :, 0], h) + skip[:, None] * x[t])
    torch.testing.assert_close(learning, torch.stack(rows), rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(deployed, torch.stack(rows), rtol=1e-4, atol=1e-5)


def test_the_loop_of_one_body_has_the_scan_s_values_state_and_gradients():
    shapes = ((7, 2, 3, 4), (7, 2, 3), (7, 2, 1, 5), (7, 2, 1, 5))
    given = [torch.randn(shape, dtype=torch.float64) for shape in shapes]
    given[1] = -given[1].abs()
    state = torch.randn(2, 3, 5, 4, dtype=torch.float64)
    gradients = []
    for form in (scanned_by_step, scan, scan_reference):
        leaves = [each.clone().requires_grad_() for each in given]
        y, after = form(*leaves, state=state)
        (y.square().sum() + after.sum()).backward()
        gradients.append([y, after, *(each.grad for each in leaves)])
    torch.testing.assert_close(gradients[0], gradients[1])
    torch.testing.assert_close(gradients[0], gradients[2])
    first, kept = scanned_by_step(*(each[:3] for each in given))
    rest, _ = scanned_by_step(*(each[3:] for each in given), state=kept)
    torch.testing.assert_close(torch.cat([first, rest]), scan(*given)[0])


def test_heads_remember_for_different_times_from_the_start():
    step, _, _ = Selection(8, 4, 2)(torch.zeros(1, 1, 8))
    lengths = 1 / step.detach().flatten()
    torch.testing.assert_close(lengths[[0, -1]], torch.tensor([1.5, 24.0]), rtol=0.1, atol=0)
    assert bool((lengths.diff() > 0).all())


SIZES = CrossSizes(events=6, skeleton=5, joints=7, maps=2, width=8, heads=2, state=3)


def test_both_streams_reach_what_the_cross_mamba_says_and_spikes_leave_it():
    layer = CrossMamba(SIZES, LIVE)
    events, skeleton = spikes(6, 2, 4, 6).requires_grad_(), spikes(6, 2, 7, 5, seed=1).requires_grad_()
    found = layer(events, skeleton)
    assert found.shape == events.shape
    assert binary(found)
    found.sum().backward()
    assert float(events.grad.abs().sum()) > 0
    assert float(skeleton.grad.abs().sum()) > 0
    for name, weight in layer.named_parameters():
        assert float(weight.grad.abs().sum()) > 0, name


def test_the_gate_is_the_skeleton_s_alone_and_masks_what_is_read():
    events, skeleton = spikes(6, 2, 4, 6), spikes(6, 2, 7, 5, seed=1)
    layer = awake(CrossMamba(SIZES, LIVE), events, skeleton)
    gates, reads = [], []
    layer.gate.register_forward_hook(lambda _module, _args, out: gates.append(out))
    layer.out.register_forward_hook(lambda _module, args, _out: reads.append(args[0]))
    layer(events, skeleton), layer(1 - events, skeleton), layer(events, 1 - skeleton)
    assert torch.equal(gates[0], gates[1])
    assert not torch.equal(gates[0], gates[2])
    assert binary(gates[0])
    assert bool((reads[0].permute(2, 0, 1, 3)[:, gates[0] == 0] == 0).all())


def test_each_patch_is_read_from_what_it_sent_itself():
    events, skeleton = spikes(6, 2, 4, 6), spikes(6, 2, 7, 5, seed=1)
    layer, reads = awake(CrossMamba(SIZES, LIVE), events, skeleton), []
    layer.out.register_forward_hook(lambda _module, args, _out: reads.append(args[0]))
    other = events.clone()
    other[:, :, 2] = 1 - other[:, :, 2]
    layer(events, skeleton), layer(other, skeleton)
    assert (reads[0] != reads[1]).any(3).any(0).any(0).tolist() == [False, False, True, False]


# The bottleneck


def test_the_divergence_of_logits_is_that_of_their_chances_and_does_not_overflow():
    logits = torch.linspace(-20, 20, 81, dtype=torch.float64)
    torch.testing.assert_close(divergence_of_logits(logits, 0.1), bernoulli_divergence(logits.sigmoid(), 0.1))
    far = divergence_of_logits(torch.tensor([-300.0, 300.0]), 0.1)
    torch.testing.assert_close(far, -torch.log(torch.tensor([0.9, 0.1])), rtol=1e-5, atol=1e-5)


def test_a_bottleneck_draws_while_it_learns_and_is_a_neuron_without_memory_afterwards():
    layer, x = Bottleneck(6, LIVE, Price(0.5, 0.1)), membranes(5, 40, 7, 6)
    torch.manual_seed(1)
    first, again = layer(x), layer(x)
    torch.manual_seed(1)
    assert torch.equal(layer(x), first)
    assert not torch.equal(first, again)
    assert binary(first)
    layer.eval()
    u = layer.gain * x
    assert torch.equal(layer(x), (torch.sigmoid(4 * (u - 1)) > 0.5).float())
    assert torch.equal(layer(x.flip(0)), layer(x).flip(0))


def test_a_bottleneck_charges_once_for_every_run_in_training():
    layer, x = Bottleneck(6, LIVE, Price(0.5, 0.1)), membranes(5, 4, 7, 6)
    layer(x)
    u = layer.gain * x
    expected = 0.5 * bernoulli_divergence(torch.sigmoid(4 * (u - 1)), 0.1).mean()
    torch.testing.assert_close(layer.charge(), expected)
    assert layer.charge() is None
    layer(x)
    layer.eval()(x)
    assert layer.charge() is None, "of the run before"


def test_the_gradient_is_the_same_with_the_draw_and_without():
    x, weights = membranes(5, 4, 7, 6), torch.randn(5, 4, 7, 6)
    grads = []
    for price in (Price(0.0, 0.1), None):
        torch.manual_seed(2)
        layer = Bottleneck(6, LIVE, price)
        (layer(x) * weights).sum().backward()
        grads.append(layer.gain.grad)
    torch.testing.assert_close(grads[0], grads[1])


def test_the_price_makes_spikes_rarer():
    rates = []
    for price in (Price(20.0, 0.02), None):
        torch.manual_seed(2)
        layer = Bottleneck(6, LIVE, price)
        descent = torch.optim.Adam(layer.parameters(), 0.05)
        for _ in range(40):
            layer(membranes(5, 40, 6))
            charged = layer.charge()
            if charged is not None:
                descent.zero_grad()
                charged.backward()
                descent.step()
        rates.append(layer.eval()(membranes(5, 40, 6)).mean().item())
    assert rates[0] < 0.1 < rates[1]


def test_the_twin_of_a_bottleneck_draws_nothing_and_costs_nothing():
    layer, x = Bottleneck(6, TWIN, Price(0.5, 0.1)), torch.rand(3, 2, 6) - 0.5
    assert torch.equal(layer(x), x.clamp(min=0))
    assert layer.charge() is None


@pytest.mark.parametrize("price", [(0.1, 0.0), (0.1, 1.0), (-1.0, 0.1), (float("nan"), 0.1)])
def test_a_price_that_makes_no_sense_is_refused(price):
    with pytest.raises(UsageError, match=r"bottleneck: weight .*; expected a weight ≥ 0, 0 < prior < 1"):
        Price(*price)


def test_draws_are_spikes_exactly():
    chances = torch.rand(10_000)
    assert binary(drawn(chances))
