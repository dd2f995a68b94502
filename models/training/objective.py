"""What is to become small: cross entropy of the readout, and what a network asks of its inner signals itself.

    loss = cross_entropy(readout(network(streams)), labels) + Σ penalties

One module gives all of it, so that whoever wraps it (other precision, other processes) sees every parameter's use.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ..penalties import Penalised
from ..readouts import READOUTS

TOTAL, RIGHT, ENTROPY = "loss", "right", "cross entropy"


class Objective(nn.Module):
    """The loss of a network on labelled clips.

    Args:
        network: [T, B, *shape] for each stream → [T, B, classes].
        readout: a row of `readouts.py`.
        smoothing: ε; the target is 1 − ε for the label and ε spread over all classes.
    """

    def __init__(self, network: nn.Module, readout: str, smoothing: float = 0.0) -> None:
        super().__init__()
        self.network, self.readout, self.smoothing = network, READOUTS[readout], smoothing
        # Several processes look for weights that a batch leaves out, and warn at length where there are none.
        self.left_out = nn.Parameter(torch.zeros(()))

    def forward(self, labels: Tensor, *streams: Tensor) -> dict[str, Tensor]:
        """The loss, its parts by name, and how many samples are right."""
        scores = self.readout(self.network(*streams)).float()
        parts = {ENTROPY: cross_entropy(scores, labels, label_smoothing=self.smoothing)}
        if isinstance(self.network, Penalised):
            parts.update(self.network.penalties(labels))
        total = sum(parts.values(), scores.new_zeros(()))
        return {TOTAL: total, RIGHT: (scores.argmax(1) == labels).sum().float(), **parts}
