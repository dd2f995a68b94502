"""What a network is worth: confusion, classes and rates are what one counts by hand, whole or in parts."""

import numpy as np
import pytest
import torch
from spikeport.models.data.clips import Clips
from spikeport.models.neurons import IF, LI
from spikeport.models.training import judge
from spikeport.toolchain.errors import UsageError
from torch import nn


class Echo(nn.Module):
    """Answers with its input, spikes above 1, and an integrator that never fires."""

    def __init__(self):
        super().__init__()
        self.fire, self.sum, self.unit = IF(), LI(1.0), nn.Parameter(torch.ones(()))

    def forward(self, scores):
        self.fire(2 * (scores > 0).float() * self.unit)
        return self.sum(scores)


def echo(answers, labels, classes=3):
    scores = np.eye(classes, dtype=np.float32)[np.asarray(answers)][None].repeat(2, 0)
    return Clips({"scores": scores}, np.asarray(labels), tuple("abc"))


def test_what_is_counted():
    found = judge(Echo(), echo([0, 1, 1, 2, 1], [0, 0, 1, 1, 1]), "sum")
    assert found.confusion.tolist() == [[1, 1, 0], [0, 2, 1], [0, 0, 0]]
    assert found.accuracy == pytest.approx(3 / 5)
    assert found.by_class == (1 / 2, 2 / 3, None)
    assert found.right.tolist() == [True, False, True, False, True]
    assert found.rates == {"fire": pytest.approx(1 / 3)}
    assert found.rate == pytest.approx(1 / 3)
    # scores are 3 for the answer: 1 + 2 from an integrator that forgets nothing
    wrong, right = np.log(2 + np.exp(3)), np.log(2 + np.exp(3)) - 3
    assert found.loss == pytest.approx((3 * right + 2 * wrong) / 5)


def test_parts_that_are_judged_apart_add_to_the_whole(monkeypatch):
    clips = echo([0, 1, 2, 1, 0, 2, 2], [0, 1, 2, 2, 2, 0, 2])
    monkeypatch.setattr("spikeport.models.training.judging.EVALUATED", 2)
    parts = []
    for first in range(3):
        judge(Echo(), clips, "sum", first=first, every=3, reduce=lambda sums: parts.append(sums) or sums)
    total = judge(Echo(), clips, "sum", first=0, every=3, reduce=lambda _: sum(parts))
    whole = judge(Echo(), clips, "sum")
    assert np.array_equal(total.confusion, whole.confusion)
    assert total.right.tolist() == whole.right.tolist() == [True, True, True, False, False, False, True]
    assert total.loss == pytest.approx(whole.loss)
    assert total.rates == pytest.approx(whole.rates)


def test_without_neurons_there_is_no_rate():
    class Plain(nn.Linear):
        def forward(self, scores):
            return super().forward(scores)

    found = judge(Plain(3, 3), echo([0, 1], [0, 1]), "sum")
    assert (found.rates, found.rate) == ({}, None)


def test_a_class_that_no_answer_stands_for_is_refused():
    clips = Clips({"scores": np.zeros((2, 1, 2), np.float32)}, np.asarray([2]), tuple("abc"))
    with pytest.raises(UsageError, match=r"data: the class 2; expected 0 to 1, what the network answers"):
        judge(Echo(), clips, "sum")
