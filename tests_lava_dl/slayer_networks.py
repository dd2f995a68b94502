"""Networks of lava-dl's own slayer, exported by it: `python -I slayer_networks.py FOLDER COUNT`; in lava-dl's Python.

Each is a random chain of one of slayer's kinds of neurons, run once so that it knows its shapes, and written by
`export_hdf5` of its blocks. Beside FOLDER/k.net lies FOLDER/k.json: the shape of its input, channels first, and the
arguments of the loader.
"""

import json
import random
import sys
from pathlib import Path

import h5py
import torch
from lava.lib.dl import slayer

KINDS = ("cuba", "cuba", "sdnn", "rf", "rf_iz", "cuba")
STEPS = 6


def neuron_params(kind, rng):
    threshold = rng.choice([0.3, 0.6, 1.25])
    if kind == "sdnn":
        return {"threshold": rng.choice([0.0, 0.05, 0.1]), "activation": torch.nn.functional.relu}
    if kind in ("rf", "rf_iz"):
        return {"threshold": threshold / 4, "period": rng.choice([5, 12, 40]), "decay": rng.choice([0.03, 0.2])}
    return {"threshold": threshold, "current_decay": rng.choice([0.25, 1.0]), "voltage_decay": rng.choice([0.03, 0.4])}


def normed(kind, rng):
    norms = {"cuba": slayer.neuron.norm.MeanOnlyBatchNorm, "sdnn": slayer.neuron.norm.MeanOnlyBatchNorm}
    return {"norm": norms[kind]} if kind in norms and rng.random() < 0.4 else {}


def blocks_of(kind, rng):
    """Blocks, and the shape of their input."""
    make = {
        "cuba": slayer.block.cuba,
        "sdnn": slayer.block.sigma_delta,
        "rf": slayer.block.rf,
        "rf_iz": slayer.block.rf_iz,
    }
    block, blocks = make[kind], []
    coded = kind == "sdnn"
    image = kind in ("cuba", "sdnn") and rng.random() < 0.5
    shape = (rng.choice([1, 2, 3]), rng.randint(5, 7), rng.randint(5, 8)) if image else (rng.randint(2, 9),)
    if coded or (kind == "cuba" and rng.random() < 0.5):
        blocks.append(block.Input(neuron_params(kind, rng), weight=None, bias=None))
    width = shape[0]
    if image:
        for _ in range(rng.randint(1, 2)):
            out = rng.choice([2, 4])
            window = {"stride": rng.choice([1, 2]), "padding": rng.choice([0, 1]), "weight_scale": 3}
            params = {**neuron_params(kind, rng), **normed(kind, rng)}
            groups = out if width == out and rng.random() < 0.5 else 1
            blocks.append(block.Conv(params, width, out, rng.choice([2, 3]), groups=groups, **window))
            width = out
        blocks.append(block.Flatten())
        x = torch.zeros(1, *shape, STEPS)
        for each in blocks:
            x = each(x)
        width = x.shape[1]
    recurrent = kind == "cuba"
    for _ in range(rng.randint(1, 3)):
        out = rng.randint(2, 8)
        params = {**neuron_params(kind, rng), **normed(kind, rng)}
        if recurrent and rng.random() < 0.3:
            blocks.append(block.Recurrent(params, width, out, weight_scale=3))
        else:
            delay = (
                {"delay": True} if kind != "sdnn" and kind != "rf" and kind != "rf_iz" and rng.random() < 0.4 else {}
            )
            blocks.append(block.Dense(params, width, out, weight_scale=3, weight_norm=rng.random() < 0.3, **delay))
        width = out
    if kind in ("cuba", "sdnn") and rng.random() < 0.25:
        dynamics = {} if coded else {"dynamics": rng.random() < 0.5}
        if coded:
            blocks.append(block.Output(neuron_params(kind, rng), width, 3, weight_scale=3))
        else:
            blocks.append(block.Affine(neuron_params(kind, rng), width, 3, weight_scale=3, **dynamics))
    return blocks, shape


def spread_delays(blocks, rng):
    """Random delays, now and then beyond what the loader takes."""
    for block in blocks:
        delay = getattr(block, "delay", None)
        if delay is not None:
            delay.delay.data = torch.rand_like(delay.delay) * rng.choice([4, 30, 100])


def spread_norms(blocks):
    for block in blocks:
        norm = getattr(getattr(block, "neuron", None), "norm", None)
        if norm is not None and hasattr(norm, "running_mean"):
            norm.running_mean.data = torch.randn_like(norm.running_mean) * 0.3


def main(folder, count):
    for index in range(count):
        rng = random.Random(index)
        torch.manual_seed(index)
        kind = KINDS[index % len(KINDS)]
        blocks, shape = blocks_of(kind, rng)
        for block in blocks:
            block.eval()
        x = torch.zeros(1, *shape, STEPS)
        for block in blocks:
            x = block(x)
        spread_delays(blocks, rng)
        spread_norms(blocks)
        with h5py.File(folder / f"{index}.net", "w") as file:
            layer = file.create_group("layer")
            if not isinstance(blocks[0], slayer.block.base.AbstractInput) and len(shape) == 3:
                group = layer.create_group("0")
                group.create_dataset("type", (1,), "S10", [b"input"])
                group.create_dataset("shape", data=shape)
            for block in blocks:
                block.export_hdf5(layer.create_group(str(len(layer))))
        load = {"input_message_bits": 16} if kind == "sdnn" else {}
        (folder / f"{index}.json").write_text(json.dumps({"kind": kind, "shape": shape, "load": load}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
