"""Our Signal-SGN: its parts as complex numbers and loops write them, spikes that travel, no step that looks ahead."""

import dataclasses

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from spikeport.models.layer import Neurons
from spikeport.models.signal_sgn import SignalSgn, SignalSgnConfig, build
from spikeport.models.signal_sgn_parts import Attention, ComplexMap, Frequency, GraphMap, Wave, mapped
from spikeport.models.spectral import forward_maps, frequencies, inverse_maps
from spikeport.models.windows import run_in_windows
from spikeport.toolchain.errors import UsageError
from spikeport.toolchain.graph.nodes import Host, Multiply
from spikeport.toolchain.simulate import simulate
from spikeport.toolchain.tracing import trace
from torch import nn

SMALL = SignalSgnConfig(classes=5, channels=(8, 16), heads=4, wave_width=4)


def skeletons(config=SMALL, steps=16, samples=3):
    return torch.randn(steps, samples, *config.takes["skeleton"].shape, generator=torch.Generator().manual_seed(2))


def rows(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(4))


def size(network):
    return sum(each.numel() for each in network.parameters())


@given(st.integers(1, 40))
@settings(deadline=None, max_examples=25)
def test_the_matrices_are_the_fourier_transform_of_torch(size):
    x, (real, imaginary), (back_real, back_imaginary) = rows(3, size), forward_maps(size), inverse_maps(size)
    torch.testing.assert_close(torch.complex(x @ real, x @ imaginary), torch.fft.rfft(x), rtol=0, atol=2e-5)
    spectrum = torch.complex(rows(2, frequencies(size)), rows(2, frequencies(size)).flip(0))
    found = spectrum.real @ back_real + spectrum.imag @ back_imaginary
    torch.testing.assert_close(found, torch.fft.irfft(spectrum, size), rtol=0, atol=2e-5)


def test_the_complex_product_is_torchs():
    product = ComplexMap(3, 5)
    nn.init.normal_(product.real)
    nn.init.normal_(product.imaginary)
    x = torch.complex(rows(2, 3, 7), rows(2, 3, 7).flip(0))
    expected = torch.einsum("oi,nil->nol", torch.complex(product.real, product.imaginary), x)
    found = product(torch.cat([x.real, x.imag], 1))
    torch.testing.assert_close(found, torch.cat([expected.real, expected.imag], 1))


def test_the_frequency_part_is_the_same_in_complex_numbers():
    part = Frequency(4, 25, nn.Identity, repeated=False).eval()
    for weight in part.parameters():
        nn.init.normal_(weight)
    s = rows(3, 2, 4, 50)
    projected = part.project(s.flatten(0, 1).unflatten(-1, (2, 25))).flatten(2)
    spectrum = torch.fft.rfft(part.project_norm(projected).unflatten(-1, (2, 25)) * part.window[:, 0])
    weigh = torch.complex(*part.weigh.weight[..., 0].chunk(2))
    y = torch.einsum("oi,nimf->nomf", weigh, spectrum)
    y = part.norm(torch.cat([y.real, y.imag], 1).flatten(2)).chunk(2, 1)
    y = torch.einsum("oi,nil->nol", torch.complex(part.out.real, part.out.imaginary), torch.complex(*y))
    y = part.out_norm(torch.fft.irfft(y.unflatten(-1, (2, 13)), 25).flatten(2))
    torch.testing.assert_close(part(s), y.unflatten(0, (3, 2)), rtol=1e-4, atol=1e-4)


def test_the_published_slip_takes_the_real_part_twice():
    part = Frequency(4, 25, nn.Identity, repeated=True)
    real, imaginary = part.transformed(rows(6, 8, 50)).chunk(2, 1)
    assert torch.equal(real, imaginary)
    assert not torch.equal(*Frequency(4, 25, nn.Identity, repeated=False).transformed(rows(6, 8, 50)).chunk(2, 1))


def test_the_graph_sends_along_bones():
    part = GraphMap(1, 1, SMALL.links()).eval()
    nn.init.zeros_(part.maps.weight)
    x = torch.zeros(1, 1, 50)
    x[0, 0, 25 + 5] = 1  # the left elbow of the second person
    for way, reached in ((0, [30]), (1, [31]), (2, [29])):
        part.maps.weight.data.zero_()[way] = 1
        assert part(x)[0, 0].nonzero().flatten().tolist() == reached


def test_attention_is_between_all_joints_of_both_persons():
    part = Attention(8, 2, nn.Identity).eval()
    s = rows(2, 3, 8, 50)
    q, k, v = part.norm(part.maps(s.flatten(0, 1))).unflatten(1, (3, 2, 4)).unbind(1)
    met = torch.einsum("nhcl,nhcm,nhdm->nhdl", q, k, v).flatten(1, 2)
    expected = part.out_norm(part.out(part.mixed_norm(met))).unflatten(0, (2, 3))
    torch.testing.assert_close(part(s), expected, rtol=1e-4, atol=1e-5)


def test_the_bands_of_the_wave_add_up_to_what_came_in():
    part, m_0 = Wave(4, 2, 3, nn.Identity), rows(9, 2, 2, 7)
    *passed, _, _, slowest = part.filtered(m_0).chunk(6, 2)
    torch.testing.assert_close(sum(passed) + slowest, m_0)
    fast = m_0
    for level, band in enumerate(passed, 1):
        slow, before, keep = torch.zeros_like(m_0), torch.zeros(2, 2, 7), 1 - 2.0**-level
        for step, x in enumerate(fast):
            before = keep * before + (1 - keep) * x
            slow[step] = before
        torch.testing.assert_close(band, fast - slow)
        fast = slow


def test_the_wave_looks_at_its_other_band():
    part, s = Wave(4, 2, 3, nn.Identity).eval(), rows(6, 2, 4, 7)
    for norm in (part.band_norm, part.norm, part.shared_norm, part.up_norm):
        nn.init.uniform_(norm.bias)
    bands = part.filtered(part.down_norm(part.down(s.flatten(0, 1))).unflatten(0, (6, 2))).flatten(0, 1)
    seen, found = part.band_norm(bands).unflatten(1, (6, 2)), []
    maps = part.maps.weight[..., 0].unflatten(0, (6, 6))
    made = [
        part.norm(torch.einsum("boi,nbil->nbol", maps, seen).flatten(1, 2)).unflatten(1, (6, 3, 2))[:, :, i]
        for i in range(3)
    ]
    q, k, v = made
    for band in range(6):
        other = (k[:, band] * v[:, (band + 3) % 6]).mean(-1)
        place = slice(2 * band, 2 * band + 2)
        norm = part.shared_norm
        gate = norm.weight[place] * other / (1 + norm.eps) ** 0.5 + norm.bias[place]
        found.append(q[:, band].mean(-1) * gate)
    expected = part.up_norm(part.up(torch.cat(found, 1))).unflatten(0, (6, 2))
    torch.testing.assert_close(part(s), expected, rtol=1e-4, atol=1e-5)


def test_a_block_is_its_equation():
    network, h = build(SMALL, 0).eval(), 3 * rows(4, 2, 8, 50)
    assert [block.short is None for block in network.blocks] == [True, False]
    for block in network.blocks:
        s = block.enters(h)
        kept = h if block.short is None else mapped(s, block.short, block.short_norm)
        later = kept + mapped(s, block.graph)
        attention, frequency = (part(block.passes(later)) for part in block.parts)
        torch.testing.assert_close(block(h), later + attention + frequency)


def test_the_answer_is_of_the_mean_and_of_alpha_times_the_wave():
    network = build(SMALL, 0).eval()
    assert network.alpha.item() == pytest.approx(0.42)
    nn.init.constant_(network.alpha, 0.7)
    s, head = network.features(skeletons()), network.classify_map
    wave = network.wave(s)
    expected = (s.mean(-1) + 0.7 * wave) @ head.weight.T + head.bias
    torch.testing.assert_close(network(skeletons()), expected)
    assert set(wave.unique().tolist()) == {0.0, 1.0}


def test_tokens_are_spikes_person_by_person():
    network = build(SMALL, 0).eval()
    nn.init.zeros_(network.data_norm.running_mean)
    nn.init.ones_(network.data_norm.running_var)
    x = skeletons()
    with torch.no_grad():
        tokens, turned = network.tokens(x), network.tokens(x.flip(-1))
    assert tokens.shape == (16, 3, 50, 16)
    assert set(tokens.unique().tolist()) == {0.0, 1.0}
    swapped = torch.cat([turned[:, :, 25:], turned[:, :, :25]], 2)
    assert float((swapped == tokens).float().mean()) > 0.999  # sums in another order


def test_every_layer_of_weights_but_the_first_and_the_last_sees_spikes():
    network, seen = build(SMALL, 0).eval(), {}
    for name, part in network.named_modules():
        if isinstance(part, nn.Conv1d | nn.Conv2d | ComplexMap):
            part.register_forward_hook(lambda _part, args, _out, name=name: seen.__setitem__(name, args[0]))
    with torch.no_grad():
        network(skeletons())
    assert seen.pop("embed.maps").unique().numel() > 2
    assert len(seen) == 15
    assert all(set(x.unique().tolist()) <= {0.0, 1.0} for x in seen.values())


def test_every_neuron_fires_at_first_and_none_all_the_time():
    network, rates = build(SignalSgnConfig(channels=(16, 16, 32, 32), heads=4), 0).eval(), {}
    for name, part in network.named_modules():
        if isinstance(part, Neurons) and part.surrogate is not None:
            part.register_forward_hook(lambda _part, _args, out, name=name: rates.__setitem__(name, float(out.mean())))
    with torch.no_grad():
        network(skeletons())
    assert len(rates) == 4 * 6 + 5
    assert all(0.02 < rate < 0.5 for rate in rates.values()), rates


def test_no_step_looks_ahead():
    network, x = build(SMALL, 0).eval(), skeletons(samples=1)
    later = x.clone()
    later[9:] += 1
    with torch.no_grad():
        whole, other = network(x), network(later)
        torch.testing.assert_close(run_in_windows(network, x, 5), whole)
    torch.testing.assert_close(other[:9], whole[:9])
    assert not torch.allclose(other[9:], whole[9:])


@pytest.mark.parametrize("values", [{}, {"joints": 20, "persons": 1, "product": "repeated", "graph": "identity"}])
def test_its_graph_is_proved_and_gives_its_logits(values):
    config = dataclasses.replace(SMALL, **values)
    network, x = build(config, 1).eval(), skeletons(config, samples=2)
    graph = trace(network, (x[:4],), time_axis=0, host=True)
    assert graph.notes["proof"].startswith("equal to the module in float64")
    hosts = {node.operation for node in graph.nodes.values() if isinstance(node, Host)}
    assert hosts == {"matmul"}
    assert sum(isinstance(node, Multiply) for node in graph.nodes.values()) == 3  # wave: two, and changes
    with torch.no_grad():
        expected = network.double()(x.double())
    found = simulate(graph, x.double().numpy()).outputs
    torch.testing.assert_close(torch.tensor(next(iter(found.values()))), expected, rtol=1e-9, atol=1e-9)


def test_the_twin_of_rectifiers_learns():
    network = build(dataclasses.replace(SMALL, neurons="relu", dropout=0.0), 0).train()
    x, labels = skeletons(samples=8), torch.arange(8) % 5
    steps = torch.optim.Adam(network.parameters(), 1e-2)
    losses = []
    for _ in range(12):
        steps.zero_grad()
        loss = nn.functional.cross_entropy(network(x).mean(0), labels)
        loss.backward()
        steps.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 4, losses
    assert not [part for part in network.modules() if isinstance(part, Neurons) and part.surrogate is not None]


@pytest.mark.parametrize("part", ["motion", "attention", "frequency", "wave"])
def test_parts_can_be_left_out(part):
    config = dataclasses.replace(SMALL, **{part: False})
    network = build(config, 0).train()
    assert size(network) < size(build(SMALL, 0))
    out = network(skeletons())
    assert out.shape == (16, 3, 5)
    out.square().sum().backward()
    assert all(weight.grad is not None and weight.grad.any() for weight in network.parameters())


def test_both_blocks_and_nothing_else():
    network = build(dataclasses.replace(SMALL, attention=False, frequency=False), 0).eval()
    assert network(skeletons()).shape == (16, 3, 5)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"heads": 3}, r"channels \(8, 16\) in 3 heads; .* channels that the heads divide"),
        ({"joints": 17}, "17 joints; expected one of 25, 20"),
        ({"channels": ()}, "0 blocks, 3 levels"),
        ({"levels": 9}, "9 levels, dropout 0.3; expected at least one block, 1 to 8 levels"),
        ({"product": "real"}, "product 'real', graph ''; expected one of complex, repeated"),
        ({"neurons": "gelu"}, "the kind 'gelu'"),
    ],
)
def test_messages(values, message):
    with pytest.raises(UsageError, match=message):
        dataclasses.replace(SMALL, **values)


def test_the_published_network_is_another_module():
    with pytest.raises(UsageError, match=r"published=True; expected false for this module. Use build\(config, seed\)"):
        SignalSgn(SignalSgnConfig(published=True))
