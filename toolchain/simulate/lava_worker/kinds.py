"""Which processes a program can have, and the model of Lava's that runs each."""

from __future__ import annotations

import importlib
from typing import Any, NamedTuple

import numpy as np
from lava.magma.core.decorator import implements, requires
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.resources import CPU
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol
from lava.proc.sdn.process import ActivationMode
from lava.utils.weightutils import SignMode


class Kind(NamedTuple):
    """Where a process of Lava and its fixed-point model for the CPU are, and whether it sends before it receives."""

    folder: str
    model: str
    sends_first: bool = False


KINDS = {
    "Dense": Kind("dense", "PyDenseModelBitAcc", sends_first=True),
    "DelayDense": Kind("dense", "PyDelayDenseModelBitAcc", sends_first=True),
    "Sparse": Kind("sparse", "PySparseModelBitAcc", sends_first=True),
    "DelaySparse": Kind("sparse", "PyDelaySparseModelBitAcc", sends_first=True),
    "Conv": Kind("conv", "PyConvModelFixed", sends_first=True),
    "ConvInTime": Kind("conv_in_time", "PyConvInTimeFixed", sends_first=True),
    "LIF": Kind("lif", "PyLifModelBitAcc"),
    "LIFReset": Kind("lif", "PyLifResetModelBitAcc"),
    "TernaryLIF": Kind("lif", "PyTernLifModelFixed"),
    "ATRLIF": Kind("atrlif", "PyATRLIFModelFixed"),
    "Delta": Kind("sdn", "PyDeltaModelFixed"),
    "Sigma": Kind("sdn", "PySigmaModelFixed"),
    "SigmaDelta": Kind("sdn", "PySigmaDeltaModelFixed"),
    "RF": Kind("rf", "PyRFModelFixed"),
    "RF_IZ": Kind("rf_iz", "PyRF_IZModelFixed"),
    "RFZero": Kind("resfire", "PyRFZeroModelFixed"),
    "GradedVec": Kind("graded", "PyGradedVecModelFixed"),
    "GradedReluVec": Kind("graded", "PyGradedReluVecModelFixed"),
    "NormVecDelay": Kind("graded", "NormVecDelayModel"),
    "InvSqrt": Kind("graded", "InvSqrtModelFP"),
    "ProdNeuron": Kind("prodneuron", "PyProdNeuronModelFixed"),
}
#: Lava declares the first as float, which no fixed-point neuron of Lava's can read, and the second as 64 bits, which
#: would make whatever it is connected with compute in 64 bits too. The values are the same.
PORTS = {
    "ConvInTime": {"a_out": LavaPyType(PyOutPort.VEC_DENSE, np.int32)},
    "TernaryLIF": {"s_out": LavaPyType(PyOutPort.VEC_DENSE, np.int32)},
}
PARTS = ("process", "models")
NAMED = {"sign_mode": SignMode, "act_mode": ActivationMode}


class Concat(AbstractProcess):  # type: ignore[misc]
    """s_out = the inputs side by side along `axis`."""

    def __init__(self, *, shapes: tuple[tuple[int, ...], ...], axis: int) -> None:
        super().__init__(count=len(shapes), axis=axis)
        for index, shape in enumerate(shapes):
            setattr(self, f"in{index}", InPort(shape=tuple(shape)))
        whole = np.concatenate([np.empty(shape, bool) for shape in shapes], axis).shape
        self.s_out = OutPort(shape=whole)


def concat_model(count: int) -> type:
    """The model of a Concat with so many inputs."""

    @implements(proc=Concat, protocol=LoihiProtocol)
    @requires(CPU)
    class ConcatModel(PyLoihiProcessModel):  # type: ignore[misc]
        s_out = LavaPyType(PyOutPort.VEC_DENSE, np.int32)

        def run_spk(self) -> None:
            parts = [getattr(self, f"in{index}").recv() for index in range(count)]
            self.s_out.send(np.concatenate(parts, self.proc_params["axis"]))

    ports = {f"in{index}": LavaPyType(PyInPort.VEC_DENSE, np.int32) for index in range(count)}
    return type("ConcatModel", (ConcatModel,), ports)


def made(kind: str, given: dict[str, Any]) -> tuple[Any, type]:
    """A process of Lava's and the model that shall run it."""
    if kind == "Concat":
        return Concat(**given), concat_model(len(given["shapes"]))
    if kind not in KINDS:
        raise KeyError(f"there are {', '.join(KINDS)} and Concat")
    process, model = classes(kind)
    return process(**given), type(KINDS[kind].model, (model,), PORTS.get(kind, {}))


def classes(kind: str) -> tuple[type, type]:
    """The process and the model of a kind, as Lava has them."""
    process, model = (importlib.import_module(f"lava.proc.{KINDS[kind].folder}.{part}") for part in PARTS)
    return getattr(process, kind), getattr(model, KINDS[kind].model)
