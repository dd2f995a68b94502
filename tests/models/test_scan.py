"""The selective scan: all forms give the same numbers and gradients, in pieces or at once, however strong the decay."""

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings
from spikeport.models.frame_products import scan_by_products
from spikeport.models.frame_scan import scan_frames
from spikeport.models.neurons import LI, CubaLIF
from spikeport.models.scan import scan, scan_chunks, scan_reference, scan_steps
from spikeport.toolchain.errors import UsageError
from spikeport.toolchain.kernels import scan as kernels

FORMS = {"steps": scan_steps, "chunks": scan_chunks, "kernels": scan}
WIDE = {"rtol": 1e-9, "atol": 1e-10}


def drawn(length, batch=2, groups=1, heads=2, width=3, state=4, decay=1.0, dtype=torch.float64, seed=0):
    """x, a, b, c, d and a first state."""
    source = torch.Generator().manual_seed(seed)
    shapes = [(length, batch, heads, width), (length, batch, heads), *[(length, batch, groups, state)] * 2]
    made = [torch.randn(shape, generator=source, dtype=dtype) for shape in (*shapes, (heads,))]
    made.append(torch.randn(batch, heads, state, width, generator=source, dtype=dtype))
    made[1] = -decay * torch.nn.functional.softplus(made[1])
    return made


def gradients(form, values, **options):
    """y, the last state, and the gradients of everything for weights that do not depend on the form."""
    values = [value.detach().requires_grad_() for value in values]
    ends = form(*values, **options)
    source = torch.Generator().manual_seed(1)
    weights = [torch.randn(end.shape, generator=source, dtype=end.dtype) for end in ends]
    return (*ends, *torch.autograd.grad(ends, values, weights))


@st.composite
def cases(draw):
    groups = draw(st.integers(1, 3))
    sizes = {
        "length": draw(st.integers(1, 40)),
        "batch": draw(st.integers(1, 3)),
        "groups": groups,
        "heads": groups * draw(st.integers(1, 3)),
        "width": draw(st.integers(1, 5)),
        "state": draw(st.integers(1, 5)),
        "decay": draw(st.sampled_from([0.0, 0.01, 1.0, 30.0, 1e4])),
        "seed": draw(st.integers(0, 99)),
    }
    return sizes, draw(st.integers(1, 50))


@settings(deadline=None, max_examples=25)
@given(cases())
def test_every_form_is_the_sum_and_has_its_gradients(case):
    sizes, chunk = case
    values = drawn(**sizes)
    wanted = gradients(scan_reference, values)
    for found in (
        gradients(scan_steps, values),
        gradients(scan_chunks, values, chunk=chunk),
        gradients(scan, values),
    ):
        for one, other in zip(found, wanted, strict=True):
            torch.testing.assert_close(one, other, **WIDE)


@pytest.mark.parametrize("decay", [0.05, 3.0])
@pytest.mark.parametrize("form", FORMS)
def test_in_float32_they_differ_by_1e_5(form, decay):
    values = drawn(150, groups=2, heads=4, width=8, state=8, decay=decay, dtype=torch.float32)
    found, wanted = gradients(FORMS[form], values), gradients(scan_reference, values)
    for one, other in zip(found, wanted, strict=True):
        assert (one - other).abs().max() <= 1e-5 * other.abs().max().clamp(min=1)


@pytest.mark.parametrize("form", FORMS)
def test_a_small_decay_behind_large_ones_is_not_lost(form):
    values = drawn(64, dtype=torch.float32)
    values[1][:] = -1000.0
    values[1][50:] = -0.001
    wanted = scan_reference(*(value.double() for value in values))[0]
    torch.testing.assert_close(FORMS[form](*values)[0].double(), wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("form", FORMS)
def test_a_sequence_in_pieces_is_the_sequence(form):
    x, a, b, c, d, state = drawn(37)
    whole, last = FORMS[form](x, a, b, c, d, state)
    for cut in (0, 1, 16, 36, 37):
        pieces, now = [], state
        for part in (slice(None, cut), slice(cut, None)):
            y, now = FORMS[form](x[part], a[part], b[part], c[part], d, now)
            pieces.append(y)
        torch.testing.assert_close(torch.cat(pieces), whole, **WIDE)
        torch.testing.assert_close(now, last, **WIDE)


@pytest.mark.parametrize("form", [*FORMS.values(), scan_reference])
def test_nothing_gives_nothing_and_keeps_the_state(form):
    *rest, state = drawn(0)
    y, after = form(*rest, state)
    assert y.shape == (0, 2, 2, 3)
    assert torch.equal(after, state)


@pytest.mark.parametrize("form", FORMS.values())
def test_without_a_state_it_starts_at_zero(form):
    *rest, state = drawn(5)
    torch.testing.assert_close(form(*rest)[0], form(*rest, torch.zeros_like(state))[0])


@pytest.mark.parametrize("alpha", [0.0, 0.3, 0.95])
def test_with_constants_it_is_a_leaky_integrator_and_the_current_of_a_neuron(alpha):
    x = torch.randn(30, 2, 4, 6, generator=torch.Generator().manual_seed(3))
    a = torch.full((4,), alpha).log()
    ones = torch.ones(30, 2, 1, 1)
    y, last = scan_steps(x, a.expand(30, 2, 4), ones, ones)
    kept = float(a.exp()[0])
    assert torch.equal(y, LI(kept)(x))
    neurons, state = CubaLIF(kept, 0.5), None
    for step, current in zip(x, y, strict=True):
        _, state = neurons.run(step[None], state)
        assert torch.equal(state.u, current)
    assert torch.equal(state.u, last.squeeze(2))


def frames(steps=4, batch=2, tokens=6, heads=2, width=3, state=4, seed=0):
    """x, Δ, a, b, c and a first state of a scan over frames, and two logarithms of decays."""
    source = torch.Generator().manual_seed(seed)
    shapes = [(heads * width,), (2, heads), (2, heads), (2, state), (2, state)]
    made = [torch.randn(steps, batch, tokens, *shape, generator=source, dtype=torch.float64) for shape in shapes]
    made[1:3] = made[1].exp(), -made[2].exp()
    return [*made, torch.randn(batch, 2, state, heads * width, generator=source, dtype=torch.float64)]


def by_hand(x, step, a, b, c, state):
    """Both directions as scans of their own, tokens put in order."""
    heads, total, after = step.shape[4], 0.0, []
    for r in (0, 1):
        turn = (lambda each: each) if r == 0 else (lambda each: each.flip(2))
        driven = step[:, :, :, r].unsqueeze(-1) * x.unflatten(3, (heads, -1))
        line = [
            turn(each).transpose(1, 2).flatten(0, 1)
            for each in (driven, a[:, :, :, r], b[:, :, :, [r]], c[:, :, :, [r]])
        ]
        first = state[:, r].unflatten(2, (heads, -1)).transpose(1, 2)
        y, last = scan_reference(*line, None, first)
        total = total + turn(y.flatten(2).unflatten(0, x.shape[:1] + x.shape[2:3]).transpose(1, 2))
        after.append(last.transpose(1, 2).flatten(2))
    return total, torch.stack(after, 1)


def through_products(x, step, a, b, c, state):
    return scan_by_products(x, step, a, b.unsqueeze(4), c.unsqueeze(4), state)


@pytest.mark.parametrize("form", [scan_frames, through_products])
@pytest.mark.parametrize("sizes", [{}, {"steps": 1, "tokens": 1}, {"steps": 9, "tokens": 16, "heads": 3, "width": 1}])
def test_frames_are_two_scans_in_opposite_orders(form, sizes):
    values = frames(**sizes)
    for one, other in zip(gradients(form, values), gradients(by_hand, values), strict=True):
        torch.testing.assert_close(one, other, **WIDE)


@pytest.mark.parametrize("form", [scan_frames, through_products])
def test_frames_go_on_from_a_state(form):
    *line, state = frames(steps=5)
    whole, last = form(*line, state)
    first, between = form(*(each[:2] for each in line), state)
    second, after = form(*(each[2:] for each in line), between)
    torch.testing.assert_close(torch.cat([first, second]), whole, **WIDE)
    torch.testing.assert_close(after, last, **WIDE)


def test_a_token_sees_its_whole_frame_and_no_later_one():
    x, *rest, state = frames(steps=3, batch=1, tokens=5)
    x.requires_grad_()
    y, _ = scan_frames(x, *rest, state)
    seen = torch.autograd.grad(y[1, 0, 2].sum(), x)[0].abs().sum(-1)[:, 0] > 0
    assert seen[:2].all()
    assert not seen[2].any()


def test_frames_over_several_threads_and_stretches_are_those_of_one(monkeypatch):
    values = frames(steps=6, batch=5, tokens=64, heads=4, width=16)
    wanted = gradients(scan_frames, values)
    monkeypatch.setattr(kernels, "on_cores", lambda task, count, _: [task(i, i + 1) for i in range(count)])
    monkeypatch.setattr(kernels, "STRETCH", 7)
    for one, other in zip(gradients(scan_frames, values), wanted, strict=True):
        torch.testing.assert_close(one, other, **WIDE)


def test_autocast_does_not_reach_the_scan():
    values = [value.float() for value in frames(tokens=9)]
    line = drawn(40, dtype=torch.float32)
    wanted = [*scan_frames(*values), *scan(*line)]
    with torch.autocast("cpu", torch.bfloat16):
        found = [*scan_frames(*values), *scan(*line)]
    assert all(torch.equal(one, other) for one, other in zip(found, wanted, strict=True))


def test_gradients_have_gradients():
    values = [value.requires_grad_() for value in frames(steps=2, batch=1, tokens=2, heads=1, width=2, state=2)]
    assert torch.autograd.gradgradcheck(scan_frames, values, atol=1e-4)


def test_what_does_not_fit_is_refused():
    x, a, b, c, d, state = drawn(5, heads=4)
    with pytest.raises(UsageError, match=r"x \[5, 2, 4, 3\], a \[5, 2, 3\].*expected x \[L, B, heads, P\]"):
        scan(x, a[:, :, :3], b, c)
    with pytest.raises(UsageError, match=r"groups that divide heads"):
        scan_steps(x, a, b.repeat(1, 1, 3, 1), c.repeat(1, 1, 3, 1))
    with pytest.raises(UsageError, match=r"d \[3\]; expected d \[heads\], \[4\]"):
        scan_reference(x, a, b, c, d[:3])
    with pytest.raises(UsageError, match=r"a state \[B, heads, S, P\], \[2, 4, 4, 3\]"):
        scan(x, a, b, c, d, state[:1])
    with pytest.raises(UsageError, match=r"chunks of 0"):
        scan_chunks(x, a, b, c, chunk=0)
