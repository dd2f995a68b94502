"""What two processes of torchrun do in a test: a training of a small network, and the command.

torchrun --nproc_per_node 2 two_processes.py FOLDER
"""

import sys
from dataclasses import replace
from pathlib import Path

from safetensors.torch import save_file
from spikeport.__main__ import main
from spikeport.models.training.processes import launched
from support.small_trainings import RECIPE, learn

PLAIN = replace(RECIPE, optimizer="sgd", rate=0.05)
"""Where gradients are 0 but for rounding, Adam makes whole steps of what is left."""
COMMAND = ("sequence_rnn", "--samples", "64", "--batch", "32", "--epochs", "1", "--config", "hidden=16")


def run(folder: Path):
    """Both; files of the folder say what came out."""
    network, found = learn(PLAIN)
    if launched().rank == 0:
        numbers = found.test.confusion.flatten().tolist()
        save_file({key: value.contiguous() for key, value in network.state_dict().items()}, folder / "two.safetensors")
        (folder / "two.txt").write_text(f"{found.history[-1].loss} {found.history[-1].accuracy} {numbers}")
    sys.argv = ["spikeport", "train", *COMMAND, "--devices", "2", "-o", str(folder / "run")]
    main()


if __name__ == "__main__":
    run(Path(sys.argv[1]))
