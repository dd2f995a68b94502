"""A worker on this machine: a process that counts what its scheduler hands it, and ends when whoever started it does.

It is started by path of the package alone, with a pipe as its standard input. Nothing is ever written there: the pipe
ends when the process at its other end does, however that came about.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading


def main() -> None:
    """Works for the scheduler whose address is the first argument, in the folder that is the second."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    asyncio.run(_work(sys.argv[1], sys.argv[2]))


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(1)


async def _work(address: str, folder: str) -> None:
    from distributed import Worker

    host = address.rpartition("/")[2].rpartition(":")[0]
    # Without limits of its own: a run that needs more memory than there is refuses by itself.
    async with Worker(
        address, nthreads=1, host=host, local_directory=folder, memory_limit=0, dashboard=False, dashboard_address=None
    ) as worker:
        await worker.finished()
