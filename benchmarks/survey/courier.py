"""What runs in the workers of a Dask cluster: a network arrives, and chunks are counted."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING

from ...toolchain.errors import SpikeportError, UsageError
from .chunk import packed
from .code import counted_by
from .work import Read, count_chunk

if TYPE_CHECKING:
    from ..operations import Promise
    from .job import Subject
    from .sources import DataSource

_READY: dict[str, Subject] = {}
"""The network that this worker counts, ready to run, by the key of its survey."""


def brought(network: bytes) -> bytes:
    """A network as a task's result: Dask brings it to every worker, and makes it again where it got lost."""
    return network


def count_there(
    key: str,
    network: bytes,
    given: Read | DataSource,
    samples: range,
    carries: Promise,
    infer_from_values: bool,
    code: str,
) -> bytes | SpikeportError:
    """The packed counts of a chunk, or what is wrong with it.

    Args:
        key: of the survey.
        network: pickled.
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
            _READY.clear()
            _READY[key] = pickle.loads(network)  # from the scheduler that the user named
        return packed(count_chunk(_READY[key], given, samples, carries, infer_from_values=infer_from_values))
    except SpikeportError as error:
        return error
