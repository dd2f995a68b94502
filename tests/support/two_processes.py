"""Two processes as torchrun starts them, on this machine: the same environment, without its own start-up."""

import contextlib
import io
import multiprocessing
import os
import socket
import sys
from dataclasses import replace

from safetensors.torch import save_file
from spikeport.__main__ import app
from support.small_trainings import RECIPE, learn
from typer.testing import CliRunner

PLAIN = replace(RECIPE, optimizer="sgd", rate=0.05)
"""Where gradients are 0 but for rounding, Adam makes whole steps of what is left."""
COMMAND = ("train", "sequence_rnn", "--samples", "64", "--batch", "32", "--epochs", "1", "--config", "hidden=16")
WORLD = 2


def run(folder):
    """Both train a small network, and then by the command; files of the folder say what came out."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_process, args=(folder, rank, port)) for rank in range(WORLD)]
    for process in processes:
        process.start()
    try:
        for process in processes:
            process.join(240)
    finally:
        for process in processes:
            process.kill()
    return [process.exitcode for process in processes]


def _process(folder, rank, port):
    places = {"RANK": rank, "LOCAL_RANK": rank, "GROUP_RANK": 0, "WORLD_SIZE": WORLD, "LOCAL_WORLD_SIZE": WORLD}
    where = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "TORCHELASTIC_RUN_ID": "test"}
    os.environ.update({name: str(value) for name, value in {**places, **where}.items()})
    with contextlib.redirect_stderr(io.StringIO()):
        network, found = learn(PLAIN)
    if rank == 0:
        numbers = found.test.confusion.flatten().tolist()
        save_file({key: value.contiguous() for key, value in network.state_dict().items()}, folder / "two.safetensors")
        (folder / "two.txt").write_text(f"{found.history[-1].loss} {found.history[-1].accuracy} {numbers}")
    done = CliRunner().invoke(app, [*COMMAND, "--devices", str(WORLD), "-o", str(folder / "run")])
    (folder / f"{rank}.txt").write_text(f"{done.stdout}{done.stderr}")
    sys.exit(done.exit_code)
