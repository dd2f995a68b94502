"""Spiking Mamba: binary wherever weights are, causal in time, traced as it is, and on a chip without selection."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from spikeport.exporters.netx_parts import read_parts, write_parts
from spikeport.exporters.nir_file import read, write
from spikeport.models.firing import Firing
from spikeport.models.neurons import LI, CubaLIF
from spikeport.models.scan import scan_steps
from spikeport.models.spiking_mamba import SpikingMambaConfig, build
from spikeport.models.spiking_scan import Invariant, SelectiveScan
from spikeport.models.windows import run_in_windows
from spikeport.toolchain.errors import UsageError
from spikeport.toolchain.graph.nodes import Host
from spikeport.toolchain.loihi.quantise import quantise
from spikeport.toolchain.simulate import simulate
from spikeport.toolchain.tracing import trace
from spikeport.toolchain.verifying import OnLava, verify

SMALL = SpikingMambaConfig(classes=3, size=8, patch=4, width=8, depth=1, heads=2, state=4)
CHIP = replace(SMALL, selective=False)
KINDS = {"selective": SMALL, "invariant": CHIP, "relu": replace(SMALL, neurons="relu")}
KINDS["invariant relu"] = replace(CHIP, neurons="relu")


def events(steps=6, batch=2, size=8, seed=0):
    source = torch.Generator().manual_seed(seed)
    return (torch.rand(steps, batch, 2, size, size, generator=source) < 0.2).float()


def settled(config, seed=0):
    """A network whose batch norms have seen something, so that its neurons fire as in training."""
    network = build(config, seed)
    for layer in network.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.momentum = None
    with torch.no_grad():
        network.train()(events(8, 16, config.size, 5))
    return network.eval()


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_traced_as_it_is(kind):
    config = KINDS[kind]
    network, given = settled(config), events()
    graph = trace(network, (given,), time_axis=0, host=config.selective, carries="spikes")
    found = next(iter(simulate(graph, given.numpy()).outputs.values()))
    with torch.no_grad():
        wanted = network(given)
    np.testing.assert_allclose(found, wanted.numpy(), atol=1e-5)
    assert wanted.std() > 0.01
    assert any(isinstance(node, Host) for node in graph.nodes.values()) == config.selective


@pytest.mark.parametrize("kind", ["selective", "invariant"])
def test_every_layer_of_weights_is_reached_by_spikes(kind):
    network, seen = settled(KINDS[kind]), {}
    for name, layer in network.named_modules():
        if isinstance(layer, torch.nn.Conv2d):
            layer.register_forward_hook(lambda _layer, args, _out, name=name: seen.update({name: args[0]}))
    tokens = network.tokens(events(20, 8))
    seen["tokens"] = tokens
    assert len(seen) == 7
    for name, values in seen.items():
        assert set(values.unique().tolist()) == {0.0, 1.0}, name
    assert tokens.shape == (20, 8, 4, 8)


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_still_to_come_changes_nothing(kind):
    network, given = settled(KINDS[kind]), events(9)
    other = torch.cat([given[:5], events(4, seed=9)])
    with torch.no_grad():
        one, two = network(given), network(other)
    torch.testing.assert_close(one[:5], two[:5])
    assert not torch.allclose(one[5:], two[5:])


@pytest.mark.parametrize("kind", KINDS)
def test_frame_by_frame_it_says_the_same(kind):
    network, given = settled(KINDS[kind]), events(5)
    with torch.no_grad():
        torch.testing.assert_close(run_in_windows(network, given, 1), network(given))


@pytest.mark.parametrize("kind", KINDS)
def test_all_of_it_learns(kind):
    network = build(replace(KINDS[kind], depth=2), 0).train()
    network(events(8, 4)).square().sum().backward()
    for name, weight in network.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.abs().sum() > 0, name


@pytest.mark.parametrize("kind", ["selective", "invariant"])
def test_it_learns_which_way_a_bar_moves(kind):
    network = build(replace(KINDS[kind], classes=2, width=16), 0).train()
    optimiser = torch.optim.AdamW(network.parameters(), 1e-2)
    source = torch.Generator().manual_seed(2)
    for _ in range(40):
        given, labels = bars(32, source)
        optimiser.zero_grad()
        torch.nn.functional.cross_entropy(network(given).mean(0), labels).backward()
        optimiser.step()
    given, labels = bars(64, source)
    with torch.no_grad():
        assert (network.eval()(given).mean(0).argmax(1) == labels).float().mean() >= 0.9


def bars(count, source):
    """A column of events that moves to the right or to the left from a column by chance: frames alone tell nothing."""
    labels, start = (torch.randint(n, (count,), generator=source) for n in (2, 8))
    given = torch.zeros(8, count, 2, 8, 8)
    for t in range(8):
        given[t, torch.arange(count), :, :, (start + t * (2 * labels - 1)) % 8] = 1.0
    return given, labels


def test_without_selection_all_of_it_goes_to_the_chip(tmp_path, lava):
    network, given = settled(CHIP), events(8)
    graph = trace(network, (given,), time_axis=0, carries="spikes")
    assert verify(network, graph, given.numpy())
    write(graph, tmp_path / "network.nir")
    assert verify(graph, read(tmp_path / "network.nir").graph, given.numpy())
    chip, _ = quantise(graph, calibration=given.numpy(), target="netx")
    fired = [node for node in verify(graph, chip, given.numpy(), at_least=0.9).nodes if node.spikes]
    assert all(node.same and node.rates[0] > 0 for node in fired)
    write_parts(chip, tmp_path)
    again = read_parts(next(tmp_path.glob("*.parts.json")))
    assert verify(chip, again, given.numpy())
    on_lava = verify(again, OnLava(again), np.repeat(given.numpy()[:, :1], 3, 0))  # the last neurons are steps late
    assert on_lava.exact
    assert not on_lava.silent


def test_without_selection_its_scan_is_the_current_of_neurons():
    network = settled(replace(CHIP, heads=4))
    heads = network.blocks[0].scan.heads
    assert all(isinstance(head, CubaLIF) for head in heads)
    lengths = [-1 / np.log(head.alpha) for head in heads]
    np.testing.assert_allclose(lengths, [1, 16 ** (1 / 3), 16 ** (2 / 3), 16])


def test_its_scan_is_the_recursion_over_patches_and_frames_in_both_orders():
    scan, u = SelectiveScan(6, 2, 3, 4).double(), (torch.rand(3, 2, 6, 2, 2, dtype=torch.float64) < 0.4).double()
    for weight in (scan.log_rate, scan.skip, scan.select.layer.weight, scan.select.layer.bias):
        torch.nn.init.normal_(weight)
    spikes = u.flatten(3).transpose(2, 3)
    chosen = spikes @ scan.select.layer.weight[..., 0, 0].T + scan.select.layer.bias
    expected, order = spikes * scan.skip, [(t, n) for t in range(3) for n in range(4)]
    for r, places in enumerate((order, [(t, 3 - n) for t, n in order])):
        state = torch.zeros(2, 3, 6, dtype=torch.float64)
        for t, n in places:
            rows = chosen[t, :, n, 8 * r : 8 * r + 8]
            step = torch.log1p(rows[:, :2].exp())
            kept = (-step * scan.log_rate[r].exp()).exp().repeat_interleave(3, 1)
            driven = step.repeat_interleave(3, 1) * spikes[t, :, n]
            state = kept[:, None] * state + rows[:, 2:5, None] * driven[:, None]
            expected[t, :, n] = expected[t, :, n] + (rows[:, 5:, None] * state).sum(1)
    torch.testing.assert_close(scan(u).flatten(3).transpose(2, 3), expected, rtol=1e-9, atol=1e-9)


def test_without_selection_its_scan_is_the_scan_with_constants_and_leaky_integrators_in_every_bit():
    firing = Firing(tau=3.0, threshold=0.7)
    part, x = Invariant(8, 4, firing), 3 * torch.randn(12, 2, 8, 3, 3)
    driven = part.mix(part.fire_in(x)).detach()
    spikes, seen = part(x).detach(), 0.0
    for head, alpha in enumerate(part.decays):
        own = slice(2 * head, 2 * head + 2)
        current = LI(alpha)(driven[:, :, own])
        i, v = torch.zeros_like(current[0]), torch.zeros_like(current[0])
        for t in range(12):
            i = alpha * i + driven[t, :, own]
            assert torch.equal(i, current[t])
            v = v * (2 / 3) + i * (1 / 3)
            fires = v >= 0.7
            assert torch.equal(spikes[t, :, own], fires.float())
            v = torch.where(fires, 0.0, v)
        ones, kept = torch.ones(12, 2, 1, 1), torch.full((12, 2, 1), np.log(alpha))
        scanned, _ = scan_steps(driven[:, :, own].flatten(2)[:, :, None], kept, ones, ones)
        torch.testing.assert_close(scanned.view_as(current), current, rtol=1e-6, atol=1e-6)
        seen += float(spikes[:, :, own].mean())
    assert 0.02 < seen / 4 < 0.6


@pytest.mark.parametrize("kind", KINDS)
def test_a_block_is_its_equation(kind):
    block, m = settled(KINDS[kind]).blocks[0], torch.randn(6, 2, 8, 2, 2)
    with torch.no_grad():
        x, z = block.fire_streams(block.project(block.fire(m))).chunk(2, dim=2)
        torch.testing.assert_close(block(m), block.merge(block.scan(block.local(x)) * z))


@pytest.mark.parametrize("values", [{"patch": 3}, {"patch": 16}, {"size": 12, "patch": 8}, {"patch": 1}])
def test_patches_that_do_not_fit_are_refused(values):
    with pytest.raises(UsageError, match="a power of two that divides the size"):
        replace(SMALL, **values)


@pytest.mark.parametrize("values", [{"heads": 3}, {"width": 7}, {"depth": 0}, {"tau": 0.5}])
def test_sizes_that_make_no_network_are_refused(values):
    with pytest.raises(UsageError, match=r"expected"):
        replace(SMALL, **values)


def test_the_coincidence_of_a_chip_is_the_product_of_spikes():
    a, b = torch.tensor([[[0.0, 0.0, 1.0, 1.0]], [[1.0, 1.0, 0.0, 1.0]]]), torch.tensor([[[0.0, 1.0, 0.0, 1.0]]] * 2)
    gate = build(CHIP, 0).blocks[0].gate
    assert torch.equal(gate(a, b), a * b)


def test_blocks_add_to_the_membrane():
    network, given = settled(replace(SMALL, depth=2)), events()
    for block in network.blocks:
        torch.nn.init.zeros_(block.merge[1].layer.weight)
        torch.nn.init.zeros_(block.merge[1].layer.bias)
    with torch.no_grad():
        alone = network.fire(network.stem(given)).flatten(3).transpose(2, 3)
        assert torch.equal(network.tokens(given), alone)
    assert 0.02 < alone.mean() < 0.5
