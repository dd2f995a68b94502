"""What the paper claims of bottlenecks in spikes, in a form that numbers can contradict.

Its propositions and lemmas are known by their statements alone; where a form had to be found, it is ours, and says so.
"""

import itertools
import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from spikeport.models.bottleneck import drawn, unlike
from spikeport.models.divergences import bernoulli_divergence, least_gaussian_divergence
from spikeport.models.neurons import LIF
from spikeport.toolchain.kernels.gradients import Surrogate

EXACT = {"dtype": torch.float64}
few = settings(max_examples=30, deadline=None)
rates = st.floats(1e-6, 1 - 1e-6)
inner = st.floats(0.02, 0.98)


def exact(values):
    return torch.tensor(values, **EXACT)


def gaussian_divergence(mean, deviation):
    return (deviation**2 + mean**2 - 1 - 2 * torch.log(deviation)) / 2


# Proposition 1: a Gaussian latent behind a spike pays ½·ln(1 + a²), a = Φ⁻¹(π), without bound as spikes get rare.


@given(rate=rates)
@few
def test_proposition_1_the_least_gaussian_price_is_where_the_derivative_says(rate):
    a = torch.special.ndtri(exact(rate))
    found = least_gaussian_divergence(exact(rate))
    deviation = ((1 + a**2) ** -0.5).requires_grad_()
    price = gaussian_divergence(a * deviation, deviation)
    price.backward()
    assert price.item() == pytest.approx(float(found), abs=1e-9)
    assert float(deviation.grad) == pytest.approx(0, abs=1e-7)
    assert float(torch.special.ndtr(a)) == pytest.approx(rate, abs=1e-9)
    wide = torch.logspace(-4, 2, 4001, **EXACT)
    assert float(gaussian_divergence(a * wide, wide).min()) >= float(found) - 1e-9


def test_proposition_1_the_price_is_nothing_at_a_half_and_grows_without_bound_to_both_sides():
    assert float(least_gaussian_divergence(exact(0.5))) == 0
    assert float(least_gaussian_divergence(exact(0.1))) == pytest.approx(0.485839, abs=5e-7)
    rare = least_gaussian_divergence(10.0 ** -torch.arange(1, 300, 10, **EXACT))
    assert bool((rare.diff() > 0).all())
    assert float(rare[-1]) > 3.5
    often = least_gaussian_divergence(1 - 10.0 ** -torch.arange(1, 15, **EXACT))
    assert bool((often.diff() > 0).all())
    prior = 0.01
    assert float(bernoulli_divergence(exact(prior), prior)) == pytest.approx(0, abs=1e-15)


# Proposition 2: no gradient comes through a hard threshold; through a surrogate it does.


@given(st.floats(-3, 3).filter(lambda z: abs(z - 1) > 1e-3))
@few
def test_proposition_2_a_hard_threshold_has_no_slope_and_a_surrogate_has_that_of_a_chance(value):
    def slope(surrogate):
        z = torch.full((1, 1), value, **EXACT, requires_grad=True)
        LIF(0.0, threshold=1.0, surrogate=surrogate)(z).sum().backward()
        return float(z.grad)

    step = LIF(0.0, threshold=1.0)
    apart = torch.tensor([[value - 1e-4], [value + 1e-4]], **EXACT)[:, None]
    assert float(step(apart).diff(dim=0)) == 0
    assert slope(Surrogate("heaviside", 1.0)) == 0
    u = exact(value).requires_grad_()
    torch.sigmoid(4 * (u - 1)).backward()
    assert slope(Surrogate("sigmoid", 4.0)) == pytest.approx(float(u.grad), rel=1e-9)
    assert float(u.grad) > 0


# Proposition 3: the Bernoulli divergence bounds what a code tells of its cause, and how far its rate is from the prior.


def channel(chances):
    """p(s | x) of every code of independent spikes, [x, 2^d], of p(s_j = 1 | x) [x, d]."""
    codes = exact(list(itertools.product((0.0, 1.0), repeat=chances.shape[1])))
    return torch.where(codes[None] > 0, chances[:, None], 1 - chances[:, None]).prod(-1)


def divergence(p, q):
    return torch.xlogy(p, p / q).sum(-1)


@given(
    st.integers(1, 3).flatmap(
        lambda d: st.lists(st.lists(inner, min_size=d, max_size=d), min_size=2, max_size=5).map(exact)
    ),
    st.randoms(use_true_random=False),
)
@few
def test_proposition_3_the_mean_divergence_is_the_information_and_what_the_prior_misses(chances, random):
    given_x = channel(chances)
    cause = exact([random.random() + 0.05 for _ in chances])
    cause = cause / cause.sum()
    marginal = cause @ given_x
    information = float(cause @ divergence(given_x, marginal[None]))
    prior = exact([random.random() + 0.05 for _ in marginal])
    prior = prior / prior.sum()
    paid = float(cause @ divergence(given_x, prior[None]))
    assert paid >= information - 1e-12
    assert paid == pytest.approx(information + float(divergence(marginal, prior)), abs=1e-9)
    assert information >= -1e-12
    independent = float(cause @ bernoulli_divergence(chances, 0.1).sum(-1))
    assert independent >= information - 1e-12


@given(rates, st.floats(0.01, 0.99))
@few
def test_proposition_3_a_cheap_code_has_nearly_the_rate_of_the_prior(rate, prior):
    assert abs(rate - prior) <= math.sqrt(float(bernoulli_divergence(exact(rate), prior)) / 2) + 1e-9


def test_proposition_3_the_published_value():
    assert float(bernoulli_divergence(exact(0.2), 0.1)) == pytest.approx(0.044403, abs=5e-7)


# Lemma 1 and theorem 1: cross-entropy in the chance of a spike.


@given(p=rates, s=st.floats(0, 1))
@few
def test_lemma_1_the_slope_of_cross_entropy(p, s):
    chance = exact(p).requires_grad_()
    torch.nn.functional.binary_cross_entropy(chance, exact(s)).backward()
    assert float(chance.grad) == pytest.approx((p - s) / (p * (1 - p)), rel=1e-6, abs=1e-6)


def test_lemma_1_the_slope_explodes_at_the_ends_and_vanishes_at_agreement():
    chances = 10.0 ** -torch.arange(1, 9, **EXACT)
    for spike, each in ((1.0, chances), (0.0, 1 - chances)):
        p = each.clone().requires_grad_()
        torch.nn.functional.binary_cross_entropy(p, torch.full_like(p, spike), reduction="sum").backward()
        torch.testing.assert_close(p.grad.abs() * chances, torch.ones_like(p), rtol=1e-6, atol=0)
    p = chances.clone().requires_grad_()
    torch.nn.functional.binary_cross_entropy(p, chances, reduction="sum").backward()
    torch.testing.assert_close(p.grad, torch.zeros_like(p))


def condition(rate):
    """The condition number of expected cross-entropy at agreement, of one neuron of this rate beside one of a half."""
    at = exact([rate, 0.5])
    found = torch.autograd.functional.hessian(
        lambda p: torch.nn.functional.binary_cross_entropy(p, at, reduction="sum"), at
    )
    values = torch.linalg.eigvalsh(found)
    return float(values[-1] / values[0])


def test_theorem_1_in_our_form_the_condition_number_grows_as_one_over_the_rate():
    for rate in (0.2, 0.1, 0.01, 1e-3, 1e-5):
        assert condition(rate) == pytest.approx(1 / (4 * rate * (1 - rate)), rel=1e-6)
    assert condition(1e-5) / condition(1e-4) == pytest.approx(10, rel=1e-3)


# Lemma 2: where two neurons of rate π share the part c of their spikes, the cosine is c, and information follows it.


def information(c, rate):
    both, one, none = c * rate, (1 - c) * rate, 1 - 2 * rate + c * rate
    told = torch.xlogy(both, both / rate**2) + torch.xlogy(none, none / (1 - rate) ** 2)
    return told + 2 * torch.xlogy(one, one / (rate * (1 - rate)))


def entropy(rate):
    return -torch.xlogy(rate, rate) - torch.xlogy(1 - rate, 1 - rate)


@pytest.mark.parametrize("rate", [0.3, 0.1, 1e-2, 1e-4])
def test_lemma_2_information_grows_with_the_cosine(rate):
    pi = exact(rate)
    c = torch.linspace(rate, 1, 200, **EXACT)
    told = information(c, pi)
    assert float(told[0]) == pytest.approx(0, abs=1e-12)
    assert float(told[-1]) == pytest.approx(float(entropy(pi)), rel=1e-9)
    assert bool((told.diff() > 0).all())
    joint = exact([[1, 1]] * 3 + [[1, 0], [0, 1]] + [[0, 0]] * 5)
    assert float(torch.cosine_similarity(joint[:, 0], joint[:, 1], dim=0)) == pytest.approx(3 / 4)


def test_lemma_2_the_rarer_spikes_are_the_nearer_their_share_of_information_is_to_the_cosine():
    c = torch.linspace(0.1, 0.9, 9, **EXACT)
    apart = []
    for power in (1, 2, 4, 8, 16, 32, 128):
        pi = exact(10.0**-power)
        share = information(c, pi) / entropy(pi)
        apart.append(float((share - c).abs().max()))
        assert bool(((share - c).abs() <= (entropy(c) + 1) / math.log(1 / float(pi))).all())
    assert all(later < earlier for earlier, later in itertools.pairwise(apart[1:]))
    assert apart[-1] < 4e-3


def test_lemma_2_the_slope_of_information_depends_on_sparsity_without_bound_and_that_of_the_cosine_does_not():
    def slope(c, rate):
        c = exact(c).requires_grad_()
        information(c, exact(rate)).backward()
        return float(c.grad)

    assert slope(0.5, 1e-9) < 1e-6 * slope(0.5, 0.1)
    chance_of_both = [slope(0.5, 10.0**-power) * 10.0**power for power in (1, 2, 4, 8)]
    assert all(later > earlier + 1 for earlier, later in itertools.pairwise(chance_of_both))
    assert slope(1 - 1e-12, 0.1) > 4 * slope(0.5, 0.1)


@given(st.lists(inner, min_size=3, max_size=3), st.lists(inner, min_size=3, max_size=3), st.floats(1e-4, 1))
@few
def test_lemma_2_the_slope_of_the_distance_is_bounded_by_the_length_of_the_code(code, prototype, sparsity):
    found = (sparsity * exact(code)).requires_grad_()
    away = unlike(found[None], exact(prototype)[None])
    away.backward()
    assert float(found.grad.norm()) <= 1 / float(found.detach().norm()) + 1e-9
    assert float(found.grad @ found.detach()) == pytest.approx(0, abs=1e-9)
    assert away.item() == pytest.approx(unlike(exact(code)[None], exact(prototype)[None]).item(), abs=1e-9)


def test_lemma_2_the_distance_is_nothing_for_one_direction_and_most_for_the_opposite():
    code = exact([[0.2, 0.1, 0.0]])
    apart = [unlike(code, other).item() for other in (3 * code, exact([[0.0, 0.0, 1.0]]), -code)]
    assert apart == pytest.approx([0, 1, 2], abs=1e-12)


# Lemma 3: draws keep the mean, and their straight-through gradient is that of the expectation for what is linear.


@pytest.mark.parametrize("chance", [0.01, 0.1, 0.5, 0.93])
def test_lemma_3_spikes_have_the_mean_of_their_chances(chance):
    torch.manual_seed(3)
    count = 40_000
    spikes = drawn(torch.full((count,), chance))
    assert set(spikes.unique().tolist()) == {0.0, 1.0}
    assert float(spikes.mean()) == pytest.approx(chance, abs=5 * math.sqrt(chance * (1 - chance) / count))


@given(st.lists(inner, min_size=4, max_size=4), st.lists(st.floats(-2, 2), min_size=4, max_size=4), st.integers(0, 99))
@few
def test_lemma_3_the_gradient_of_a_linear_function_is_exact_in_every_draw(chances, weights, seed):
    torch.manual_seed(seed)
    p = exact(chances).requires_grad_()
    (drawn(p) @ exact(weights)).backward()
    torch.testing.assert_close(p.grad, exact(weights))


def test_lemma_3_a_product_of_draws_has_the_right_gradient_on_average_and_a_square_has_not():
    torch.manual_seed(5)
    p = torch.full((2, 20_000), 0.3, **EXACT).requires_grad_()
    drawn(p).prod(0).sum().backward()
    assert float(p.grad.mean()) == pytest.approx(0.3, abs=0.02)
    q = torch.full((20_000,), 0.3, **EXACT).requires_grad_()
    drawn(q).square().sum().backward()
    assert abs(float(q.grad.mean()) - 1) > 0.3


@pytest.mark.parametrize("chance", [0.5, 0.1, 0.01, 1e-4])
def test_lemma_3_the_other_unbiased_gradient_scatters_the_more_the_rarer_spikes_are(chance):
    p, spikes = exact(chance), exact([0.0, 1.0])
    weights = torch.stack([1 - p, p])
    estimates = spikes * (spikes - p) / (p * (1 - p))
    mean = float(weights @ estimates)
    assert mean == pytest.approx(1)
    assert float(weights @ estimates.square()) - mean**2 == pytest.approx(1 / chance - 1)
