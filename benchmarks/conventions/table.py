"""Published ways to count operations, by name, so that a number in a paper can be met, or told why it differs.

The same network has as many "FLOPs" as there are counters: one counts a multiply-accumulate as 1 and another as 2, one
counts normalisation and another not, most do not see a matrix product outside of a module. So a figure is printed with
the convention, the mode, the persons, whether the steps are inside, and what the convention did not see.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from ...toolchain.errors import UsageError
from ...toolchain.references import referred

if TYPE_CHECKING:
    from torch import nn

Mode = Literal["train", "eval"]


@dataclass(frozen=True)
class Tally:
    """What one convention found.

    Args:
        values: whole numbers by name, over everything that was given.
        misses: what ran and has no rule there, by layer.
        samples: what the counter divides by before it prints.
        printed: what it prints, where that is no plain number.
    """

    values: Mapping[str, int]
    misses: tuple[str, ...]
    samples: int = 1
    printed: str = ""


@dataclass(frozen=True)
class Convention:
    """One way to count.

    Args:
        name: its name.
        counts_what: what it counts, in a line.
        source: the package and version whose integers it meets, or the paper.
        mode: the mode that the network is counted in; None for the one it is in.
        counter: "module:function" of this package, called with the module and the inputs.
    """

    name: str
    counts_what: str
    source: str
    mode: Mode | None
    counter: str

    def figure(self, module: nn.Module, inputs: Any, persons: int | None = None) -> Figure:
        """Counts; the module is copied first and stays as it is."""
        mode: Mode = self.mode or ("train" if module.training else "eval")
        count: Callable[[nn.Module, Any, bool], Tally] = referred(self.counter, __package__)
        found = count(module, inputs, mode == "train")
        return Figure(
            self.name, mode, dict(found.values), self.counts_what, persons, True, found.samples, found.misses,
            found.printed, self.source,
        )  # fmt: skip


@dataclass(frozen=True)
class Figure:
    """One network under one convention.

    Args:
        convention: its name.
        mode: the network was counted in train or in eval mode.
        values: whole numbers by name, over all that was given.
        counts_what: what they count, in a line.
        persons: how many persons (bodies, views) one sample holds; None where nobody said.
        steps_inside: whether the steps of a spiking network are in the numbers already. All that ran is counted, and
            a loop over time as often as it turns, so they are; a number from here is never multiplied by T.
        samples: what the counter divides by before it prints; 1 for those that print a number for the whole batch.
        misses: what the convention does not see in this network, by layer.
        printed: what it prints, where that is no plain number.
        source: the package whose integers these are.
    """

    convention: str
    mode: Mode
    values: Mapping[str, int]
    counts_what: str
    persons: int | None = None
    steps_inside: bool = True
    samples: int = 1
    misses: tuple[str, ...] = ()
    printed: str = ""
    source: str = ""

    @property
    def per_sample(self) -> dict[str, float]:
        """The values divided as the counter divides them."""
        return {name: value / self.samples for name, value in self.values.items()}


_ROWS = (
    Convention(
        "mmcv",
        "MACs of convolutions and linear layers, + 1 per output of a convolution with a bias; normalisation 2 per "
        "value (1 without weights), activations and pools 1 per value; nothing outside of modules",
        "mmcv 1.7.2, get_model_complexity_info",
        "eval",
        ".mmcv:count",
    ),
    Convention(
        "fvcore-eval",
        "MACs of convolutions, linear layers, matmul and einsum; batch norm 2 per value, layer norm 5",
        "fvcore 0.1.5, FlopCountAnalysis of model.eval()",
        "eval",
        ".fvcore:count",
    ),
    Convention(
        "fvcore-train",
        "the same in train mode: batch norm 5 per value",
        "fvcore 0.1.5, FlopCountAnalysis of model.train()",
        "train",
        ".fvcore:count",
    ),
    Convention(
        "pyskl",
        "fvcore in the mode that the model is in, and G stands for 1024³",
        "pyskl, fnp (over fvcore 0.1.5)",
        None,
        ".fvcore:count_pyskl",
    ),
    Convention(
        "thop",
        "MACs of convolutions (transposed ones by their outputs) and linear layers, normalisation 4 per value (2 "
        "without weights), average pools, softmax, recurrent layers with their biases; nothing outside of modules",
        "thop 0.1.1, profile",
        "eval",
        ".thop:count",
    ),
    Convention(
        "torch",
        "2 · MACs of convolutions and matrix products, whoever calls them; nothing else",
        "torch 2.13, torch.utils.flop_counter.FlopCounterMode",
        "eval",
        ".flop_counter:count",
    ),
    Convention(
        "syops",
        "operations as mmcv counts them; a layer whose input has at most two values, in [0, 1], gives ACs = "
        "operations · mean of the input, any other MACs; neurons 1 AC per value; nothing outside of modules",
        "syops 0.0.5, get_model_complexity_info",
        "eval",
        ".syops:count",
    ),
    Convention(
        "neurobench",
        "pairs in bounds of Linear, Conv1d-3d and recurrent cells whose input and weight are not 0: ACs where the "
        "values of the input are all in {-1, 0, 1}, else MACs; Dense: all pairs; no biases; neurons of snnTorch apart",
        "neurobench 2.3.0, SynapticOperations, NeuronOperations, MembraneUpdates",
        "eval",
        ".neurobench:count",
    ),
    Convention(
        "spikingjelly",
        "ACs = spikes · fan-out where an input or a weight is all 0 and 1, else dense MACs with the padding; batch "
        "norm, additions and average pools too; bytes of weights, biases and neuron states",
        "spikingjelly 2.0.0, estimate_simple_energy",
        "eval",
        ".spikingjelly:count",
    ),
)

CONVENTIONS: Mapping[str, Convention] = {row.name: row for row in _ROWS}
"""Every convention by name."""


def figures(
    module: nn.Module, inputs: Any, names: Iterable[str] | None = None, persons: int | None = None
) -> tuple[Figure, ...]:
    """A network and an input under published conventions.

    Args:
        module: the network; it is copied, and neither its state nor its mode changes.
        inputs: what it is called with: a tensor, a tuple of arguments, or keyword arguments by name.
        names: which conventions; all of them unless said.
        persons: how many persons one sample holds, for the record.
    """
    chosen = tuple(CONVENTIONS if names is None else names)
    for name in chosen:
        if name not in CONVENTIONS:
            raise UsageError("conventions", f"'{name}'", ", ".join(CONVENTIONS))
    return tuple(CONVENTIONS[name].figure(module, inputs, persons) for name in chosen)
