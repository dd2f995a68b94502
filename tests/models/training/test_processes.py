"""Two processes as torchrun starts them learn what one learns, and say it once."""

import json

import pytest
import torch
from safetensors.torch import load_file
from spikeport.models.checkpoints import load_checkpoint
from spikeport.models.training.order import Order
from spikeport.models.training.processes import Launch, check_launch, fabric_of
from spikeport.toolchain.errors import UsageError
from support import two_processes
from support.small_trainings import learn


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    folder = tmp_path_factory.mktemp("both")
    assert two_processes.run(folder) == [0, 0]
    return folder


def test_two_processes_learn_what_one_learns(both):
    """With batches that cannot be halved, batch normalisation, and a weight that nobody uses."""
    network, found = learn(two_processes.PLAIN)
    weights = load_file(both / "two.safetensors")
    assert weights.keys() == network.state_dict().keys()
    for name, weight in network.state_dict().items():
        torch.testing.assert_close(weights[name], weight, rtol=1e-4, atol=1e-5, msg=name)
    loss, accuracy, confusion = (both / "two.txt").read_text().split(" ", 2)
    assert float(loss) == pytest.approx(found.history[-1].loss, rel=1e-5)
    assert float(accuracy) == found.history[-1].accuracy
    assert json.loads(confusion) == found.test.confusion.flatten().tolist()


def test_the_command_says_it_once_and_keeps_the_random_numbers_of_both(both):
    said, other = ((both / f"{rank}.txt").read_text() for rank in range(2))
    assert "test accuracy" in said
    assert "epoch 1 of 1" in said
    assert "find_unused" not in said
    assert other == ""
    assert {"best.safetensors", "last.safetensors", "metrics.csv", "curves.png"} <= {
        each.name for each in (both / "run").iterdir()
    }
    assert load_checkpoint(both / "run" / "best.safetensors")[1].training["processes"] == 2
    assert {"random.0.torch", "random.1.torch"} <= set(load_file(both / "run" / "last.safetensors"))


def test_more_devices_than_processes_are_refused():
    message = (
        r"--devices, --nodes: 2 devices on 3 machines, and 1 processes; expected a process for each device. "
        r"Start them: torchrun --nnodes 3 --nproc_per_node 2 -m spikeport train"
    )
    with pytest.raises(UsageError, match=message):
        check_launch(2, 3)
    check_launch(1, None)
    check_launch(None, 1)
    assert Launch(2, 6, 5).nodes == 3


def test_a_process_without_a_clip_is_refused():
    Order(64, 32, 0, 2)
    with pytest.raises(UsageError, match=r"65 clips in batches of 32 on 2 processes; expected a clip of each batch"):
        Order(65, 32, 0, 2)


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_float16_needs_a_gpu():
    with pytest.raises(UsageError, match=r"--precision: 16 on a CPU; expected a GPU. Take bf16 or 32"):
        fabric_of("16")
