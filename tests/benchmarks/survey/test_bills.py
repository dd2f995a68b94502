"""The bill of every sample: what the rule itself says, for every rule, however it is worked out."""

from dataclasses import replace

import numpy as np
import pytest
from spikeport.benchmarks.operations import OpCount
from spikeport.benchmarks.rules import RULES, Bill, bill, load_profile
from spikeport.benchmarks.survey import bills
from spikeport.benchmarks.survey.bills import over_samples, sample_energies
from spikeport.benchmarks.survey.run import Survey, survey
from spikeport.benchmarks.survey.table import tabled
from support.surveys import small_job


@pytest.fixture(scope="module")
def found() -> Survey:
    return survey(small_job(60))


@pytest.mark.parametrize("rule", RULES)
def test_the_bill_of_every_sample_is_the_rules_own(found: Survey, rule: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not RULES[rule].refuses(found.total)
    wanted = [bill(found.sample(n), rule).pj for n in range(60)]
    made = []
    real = bills.bill
    monkeypatch.setattr(bills, "bill", lambda *a: (made.append(1), real(*a))[1])
    assert sample_energies(found.table, rule) == pytest.approx(wanted, rel=1e-12)
    assert len(made) < 30
    whole, classes = over_samples(found, rule)
    assert (whole.least, whole.most) == pytest.approx((min(wanted), max(wanted)), rel=1e-12)
    assert whole.samples == 60
    assert whole.mean == pytest.approx(bill(found.total, rule).pj, rel=1e-12)
    labels = np.array(found.labels)
    for name, one in classes.items():
        mine = np.array(wanted)[labels == found.class_names.index(name)]
        assert (one.samples, one.mean) == (len(mine), pytest.approx(mine.mean()))
    assert sum(one.samples for one in classes.values()) == 60


def test_samples_of_different_lengths_are_billed_each_by_its_own(found: Survey) -> None:
    def longer(count: OpCount, n: int) -> OpCount:
        layers = {name: each if n % 3 else each + each for name, each in count.layers.items()}
        return replace(count, layers=layers, steps=count.steps * (1 if n % 3 else 2))

    counts = [longer(found.sample(n), n) for n in range(60)]
    for rule in ("paper", "strict", "lemaire", "events"):
        wanted = [bill(each, rule).pj for each in counts]
        assert sample_energies(tabled(counts), rule) == pytest.approx(wanted, rel=1e-12)


def test_a_rule_that_is_not_linear_is_billed_in_full(found: Survey, monkeypatch: pytest.MonkeyPatch) -> None:
    strict = RULES["strict"]

    def squared(counts: OpCount, profile: object) -> Bill:
        lines = strict.bill(counts, profile).lines
        return Bill(tuple(replace(each, count=each.count**2) for each in lines))

    odd = replace(strict, name="odd", bill=squared)
    monkeypatch.setattr("spikeport.benchmarks.rules.RULES", {**RULES, "odd": odd})
    wanted = [bill(found.sample(n), "odd").pj for n in range(60)]
    assert sample_energies(found.table, "odd") == pytest.approx(wanted, rel=1e-12)


def test_one_sample_has_no_spread() -> None:
    whole, classes = over_samples(survey(small_job(1)), "strict", load_profile("45nm-fp32"))
    assert whole is None
    assert [each.samples for each in classes.values()] == [1]
