"""Loads netx files with lava-dl's own loader and runs them on Lava's runtime: Python 3.10, lava-nc and lava-dl.

    python -I loader_worker.py LAVA_WORKER JOB [JOB ...]

LAVA_WORKER is the folder of the worker that runs Lava programs; its jobs, its recording and its care for child
processes are used as they are, only the network comes from a file. A JOB is a folder with `program.json`:
{"steps", "samples", "file", "load": {arguments of the loader}, "processes": []}, with `arrays.npz` that holds `inputs`
[T, B, *shape] in the loader's own axes, and with `progress`. After the run there are `status.json`, and for layer k
`k.npy`: what its neurons sent, [T, B, *shape], and where they have a voltage `k.v.npy`.
"""

import importlib
import importlib.util
import sys
from pathlib import Path


def _package(folder):
    spec = importlib.util.spec_from_file_location(
        "lava_worker", folder / "__init__.py", submodule_search_locations=[str(folder)]
    )
    sys.modules["lava_worker"] = importlib.util.module_from_spec(spec)
    return importlib.import_module("lava_worker.jobs")


class LoadedNetwork:
    """A netx file as the jobs of the worker want a network."""

    def __init__(self, program, arrays, folder):
        self.program, self.arrays, self.folder = program, arrays, folder
        self.models = {}

    def build(self):
        """Loads the file, connects its input, and says what is recorded; returns a process to start."""
        import numpy as np
        from lava.lib.dl.netx import hdf5
        from lava.proc.io.source import PySendModelFixed, RingBuffer
        from lava_worker.recording import Orders, Recorded, Tape

        load = {key: tuple(value) if isinstance(value, list) else value for key, value in self.program["load"].items()}
        network = hdf5.Network(self.program["file"], **load)
        values = self.arrays["inputs"]
        flat = np.concatenate(np.moveaxis(values, 1, 0))
        source = RingBuffer(data=np.ascontiguousarray(np.moveaxis(flat, 0, -1)))
        first = network.layers[0]
        source.s_out.connect(first.neuron.a_in if type(first).__name__ == "Input" else network.inp)
        steps, samples = self.program["steps"], self.program["samples"]
        progress = np.memmap(self.folder / "progress", "<i8", "r+")
        tapes = {id(layer.neuron): str(index) for index, layer in enumerate(network.layers)}
        self.models[source] = PySendModelFixed
        self.models[network] = hdf5.PyNetworkModel
        for layer in network.layers:
            self.models[layer] = _block_model(layer)
            for part in (getattr(layer, name, None) for name in PARTS):
                if part is None:
                    continue
                found = {"s_out": tapes[id(part)], "v": f"{tapes[id(part)]}.v"} if id(part) in tapes else {}
                made = {name: Tape(self.folder / f"{label}.npy", steps, samples) for name, label in found.items()}
                states = {"v": made["v"]} if found and "v" in part.vars.member_names else {}
                sent = {"s_out": made["s_out"]} if found else {}
                part.proc_params["orders"] = Orders(type(part).__name__, self.folder, steps, progress, states, sent)
                progress = None
                self.models[part] = type("Recorded", (Recorded, _fixed_model(part)), {})
        return network


PARTS = ("synapse", "synapse_rec", "real_synapse", "imag_synapse", "neuron")


def _fixed_model(process):
    """The model that lava-dl's own tests choose: the first with the tag fixed_pt."""
    module = importlib.import_module(type(process).__module__.replace(".process", ".models"))
    every = [model for model in vars(module).values() if getattr(model, "implements_process", None) is type(process)]
    return next(model for model in every if "fixed_pt" in model.tags)


def _block_model(block):
    """The sub-process model of a block; lava-dl has forgotten that of RecurrentDense."""
    from lava.lib.dl.netx.blocks import models, process
    from lava.magma.core.decorator import implements
    from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol

    if type(block) is not process.RecurrentDense:
        return getattr(models, f"Py{type(block).__name__}Model")

    @implements(proc=process.RecurrentDense, protocol=LoihiProtocol)
    class PyRecurrentDenseModel(models.AbstractPyBlockModel):
        pass

    return PyRecurrentDenseModel


if __name__ == "__main__":
    jobs = _package(Path(sys.argv[1]))
    importlib.import_module("lava.lib.dl.netx.hdf5")
    jobs.Network = LoadedNetwork
    jobs.main(sys.argv[2:])
