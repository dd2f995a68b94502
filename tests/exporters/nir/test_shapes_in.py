"""Parameters of a neuron, and what comes in: one value stands for all where it is meant to, and for nothing else."""

import numpy as np
import pytest
from spikeport.exporters.nir.neurons_in import fitted
from spikeport.toolchain.errors import GraphError

FITS = {
    # shape of the parameter: shapes of what comes in that it may be meant for
    (): [(3,), (2, 4, 5)],
    (1,): [(3,), (2, 4, 5)],
    (1, 3): [(3,), (1, 3)],
    (2,): [(2,), (2, 4, 5), (1, 2)],
    (2, 1, 1): [(2, 4, 5), (2,)],
    (1, 4, 5): [(2, 4, 5), (4, 5)],
}
APART = [((2,), (3,)), ((4,), (2, 4, 5)), ((2, 4), (2, 4, 5)), ((6,), (2, 3)), ((2, 2), (2, 4))]


@pytest.mark.parametrize("shape", FITS, ids=str)
def test_a_value_stands_for_what_it_may_be_meant_for(shape: tuple[int, ...]) -> None:
    for comes in FITS[shape]:
        one, _ = fitted(np.full(shape, 0.5), comes, "tau")
        assert one.shape == ()
        own = np.arange(np.prod(shape, dtype=int)).reshape(shape) + 1.0
        assert np.broadcast_to(fitted(own, comes, "tau")[0], comes).shape == comes


def test_a_row_that_may_go_either_way() -> None:
    """Three values for [3,4,3]: of the channels or of the columns? One value three times is the same for both."""
    assert fitted(np.full(3, 0.5), (3, 4, 3), "tau")[0] == 0.5
    with pytest.raises(GraphError, match="as comes in"):
        fitted(np.arange(3.0), (3, 4, 3), "tau")


@pytest.mark.parametrize(("shape", "comes"), APART, ids=str)
def test_as_many_neurons_as_come_in_and_no_others(shape: tuple[int, ...], comes: tuple[int, ...]) -> None:
    """Even where all have the same value: either the neurons are wrong or what feeds them, and nobody knows which."""
    for value in (np.full(shape, 0.5), np.arange(np.prod(shape)).reshape(shape) + 1.0):
        with pytest.raises(GraphError, match="as comes in"):
            fitted(value, comes, "tau")
