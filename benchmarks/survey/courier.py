"""What runs in the workers of a Dask cluster: the network's arrival, and the counting of chunks."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, Any

from distributed import WorkerPlugin

from ...toolchain.errors import SpikeportError, UsageError
from .chunk import packed
from .code import counted_by
from .work import Read, count_chunk

if TYPE_CHECKING:
    from .job import Subject
    from .sources import DataSource

_SENT: dict[str, bytes] = {}
"""The networks that were sent to this worker, by key."""
_READY: dict[str, Subject] = {}
"""The same, ready to run."""


class Courier(WorkerPlugin):  # type: ignore[misc]
    """Brings a network to every worker, to those that start later too."""

    def __init__(self, key: str, network: bytes) -> None:
        """Still on its way.

        Args:
            key: what chunks call it.
            network: it, pickled.
        """
        self.key, self.network = key, network

    def setup(self, worker: Any) -> None:  # noqa: ARG002 - as Dask calls it
        """It is there."""
        _SENT[self.key] = self.network

    def teardown(self, worker: Any) -> None:  # noqa: ARG002 - as Dask calls it
        """It goes."""
        _SENT.pop(self.key, None)
        _READY.pop(self.key, None)


def count_there(
    key: str, given: Read | DataSource, samples: range, carries: str, infer_from_values: bool, code: str
) -> bytes | SpikeportError:
    """The packed counts of a chunk, or what is wrong with it.

    Args:
        key: of the network.
        given: the samples, or where they come from.
        samples: their numbers.
        carries: what the data promises to be.
        infer_from_values: of a module, take what a tensor carries from its values where nothing else says it.
        code: what has to count: a worker that came later may have another.
    """
    if code != counted_by():
        return UsageError("a worker", f"has {counted_by()}", code, "install the same version everywhere")
    try:
        if key not in _READY:
            _READY[key] = pickle.loads(_SENT[key])  # from the scheduler that the user named
        return packed(count_chunk(_READY[key], given, samples, carries, infer_from_values=infer_from_values))
    except SpikeportError as error:
        return error
