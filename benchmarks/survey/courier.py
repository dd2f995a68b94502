"""What brings a network to every worker of a Dask cluster, to those that start later too."""

from __future__ import annotations

from typing import Any

from distributed import WorkerPlugin

from . import cluster


class Courier(WorkerPlugin):  # type: ignore[misc]
    """Puts a network where chunks find it."""

    def __init__(self, key: str, network: bytes) -> None:
        """Still on its way.

        Args:
            key: what chunks call it.
            network: it, pickled.
        """
        self.key, self.network = key, network

    def setup(self, worker: Any) -> None:  # noqa: ARG002 - as Dask calls it
        """It is there."""
        cluster._NETWORKS[self.key] = self.network

    def teardown(self, worker: Any) -> None:  # noqa: ARG002 - as Dask calls it
        """It goes."""
        cluster._NETWORKS.pop(self.key, None)
        cluster._READY.pop(self.key, None)
