"""How an answer is read from what a network gives over time."""

import pytest
import torch
from spikeport.models.readouts import READOUTS, correct


@pytest.mark.parametrize(("readout", "wanted"), [("sum", 1), ("last", 0), ("max", 2), ("mean", 1)])
def test_readouts(readout, wanted):
    y = torch.tensor([[[0.0, 3.0, 0.0]], [[0.0, 3.0, 5.0]], [[2.0, 1.0, 0.0]]])
    scores = READOUTS[readout](y)
    assert scores.shape == (1, 3)
    assert correct(scores, torch.tensor([wanted])) == 1
    assert correct(scores, torch.tensor([(wanted + 1) % 3])) == 0
