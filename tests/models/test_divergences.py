"""What a spike code costs in an information bottleneck: closed forms against published numbers, sampling and search."""

import math

import pytest
import torch
from spikeport.models.divergences import bernoulli_divergence, least_gaussian_divergence

EXACT = {"dtype": torch.float64}


def test_the_published_values() -> None:
    assert float(bernoulli_divergence(torch.tensor(0.2, **EXACT), 0.1)) == pytest.approx(0.044403, abs=5e-7)
    assert float(least_gaussian_divergence(torch.tensor(0.1, **EXACT))) == pytest.approx(0.485839, abs=5e-7)
    assert float(least_gaussian_divergence(torch.tensor(0.5, **EXACT))) == 0.0


def test_a_bernoulli_code_costs_what_torch_says_and_nothing_at_the_prior() -> None:
    rates = torch.linspace(0.01, 0.99, 50, **EXACT)
    theirs = torch.distributions.kl_divergence(
        torch.distributions.Bernoulli(rates), torch.distributions.Bernoulli(torch.tensor(0.3, **EXACT))
    )
    torch.testing.assert_close(bernoulli_divergence(rates, 0.3), theirs)
    assert float(bernoulli_divergence(torch.tensor(0.3, **EXACT), 0.3)) == pytest.approx(0, abs=1e-15)


def test_silence_and_constant_firing_have_a_price_and_a_gradient_elsewhere() -> None:
    ends = bernoulli_divergence(torch.tensor([0.0, 1.0], **EXACT), 0.1)
    torch.testing.assert_close(ends, torch.tensor([-math.log(0.9), -math.log(0.1)], **EXACT))
    rate = torch.tensor(0.2, requires_grad=True, **EXACT)
    bernoulli_divergence(rate, 0.1).backward()
    assert float(rate.grad) == pytest.approx(math.log(0.2 / 0.1) - math.log(0.8 / 0.9))


@pytest.mark.parametrize("rate", [0.02, 0.1, 0.3, 0.7, 0.95])
def test_no_gaussian_of_this_rate_is_nearer_to_the_prior(rate: float) -> None:
    found = float(least_gaussian_divergence(torch.tensor(rate, **EXACT)))
    a = float(torch.special.ndtri(torch.tensor(rate, **EXACT)))
    sigma = torch.linspace(0.05, 3, 20_001, **EXACT)
    all_of_them = (sigma**2 + (a * sigma) ** 2 - 1 - 2 * sigma.log()) / 2
    assert found == pytest.approx(float(all_of_them.min()), abs=1e-7)
