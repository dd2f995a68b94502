"""Spyx 1.0 in a process of its own: its networks and their files, what its importer makes of files, and its faults.

JAX must not be in the process of the tests: it warns when a process with it starts another one in some ways.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import nir
import numpy as np
import spyx.nn as sn
from flax import nnx
from serving import serve
from spyx.nir import from_nir, to_nir

Arrays = Mapping[str, np.ndarray]


def answer(ask: Any, arrays: Arrays) -> Any:
    """What an own network answers whose file is written, what an imported one does, or whether a fault is there."""
    if ask["what"] == "fault":
        return FAULTS[ask["name"]]()
    x = channels_last(arrays["x"], 2)
    if ask["what"] == "import":
        _, sent = from_nir(nir.read(ask["path"], type_check=False), jnp.asarray(x), dt=ask["dt"])
    else:
        network = sn.Sequential(*(MAKERS[each["kind"]](each, arrays) for each in ask["layers"]))
        sent, _ = sn.run(network, jnp.asarray(x))
        ends = ({"input": np.array(ask["takes"])}, {"output": np.array(ask["sends"])})
        write(ask["path"], to_nir(network, *ends, dt=ask["dt"]))
    return channels_first(np.asarray(sent), 2)


def write(path: str, made: nir.NIRGraph) -> None:
    """The file; the object in its place where nir.write cannot write it."""
    try:
        nir.write(path, made)
    except TypeError:
        Path(path).write_bytes(pickle.dumps(made))


def channels_last(values: np.ndarray, before: int = 0) -> np.ndarray:
    """C, H, W as H, W, C behind as many other axes."""
    return np.moveaxis(values, before, -1) if values.ndim == before + 3 else values


def channels_first(values: np.ndarray, before: int = 0) -> np.ndarray:
    """H, W, C as C, H, W behind as many other axes."""
    return np.moveaxis(values, -1, before) if values.ndim == before + 3 else values


def dense(layer: Any, arrays: Arrays) -> nnx.Linear:
    """A dense layer of flax."""
    weight, bias = arrays[f"{layer['name']}.weight"], arrays.get(f"{layer['name']}.bias")
    made = nnx.Linear(weight.shape[1], weight.shape[0], use_bias=bias is not None, rngs=nnx.Rngs(0))
    made.kernel[...] = jnp.asarray(weight.T)
    if bias is not None:
        made.bias[...] = jnp.asarray(bias)
    return made


def conv(layer: Any, arrays: Arrays) -> nnx.Conv:
    """A convolution of flax."""
    weight, bias = arrays[f"{layer['name']}.weight"], arrays.get(f"{layer['name']}.bias")
    made = nnx.Conv(
        weight.shape[1] * layer["groups"],
        weight.shape[0],
        weight.shape[2:],
        strides=tuple(layer["stride"]),
        padding=[tuple(each) for each in layer["padding"]],
        feature_group_count=layer["groups"],
        use_bias=bias is not None,
        rngs=nnx.Rngs(0),
    )
    made.kernel[...] = jnp.asarray(weight.transpose(2, 3, 1, 0))
    if bias is not None:
        made.bias[...] = jnp.asarray(bias)
    return made


def neurons(layer: Any, arrays: Arrays) -> Any:
    """Spyx's own neurons; recurrent ones where there are weights for them."""
    held = {
        key.removeprefix(f"{layer['name']}."): jnp.asarray(channels_last(value))
        for key, value in arrays.items()
        if key.startswith(f"{layer['name']}.")
    }
    kind = KINDS[layer["kind"], "back" in held]
    shape = held["threshold"].shape if "threshold" in held else held["beta"].shape
    fire = {"threshold": held["threshold"]} if "threshold" in held else {}
    made = kind(shape, **fire, rngs=nnx.Rngs(0))
    for name in {"alpha", "beta"} & set(held):
        getattr(made, name)[...] = held[name]
    if "back" in held:
        made.recurrent_w[...] = held["back"].T
    return made


KINDS = {
    ("IF", False): sn.IF,
    ("LIF", False): sn.LIF,
    ("CubaLIF", False): sn.CuBaLIF,
    ("LeakyIntegrator", False): sn.LI,
    ("IF", True): sn.RIF,
    ("LIF", True): sn.RLIF,
    ("CubaLIF", True): sn.RCuBaLIF,
}
MAKERS: Mapping[str, Callable[[Any, Arrays], Any]] = {
    "Affine": dense,
    "Conv": conv,
    "SumPool": lambda layer, _: sn.SumPool(tuple(layer["window"]), tuple(layer["stride"]), "VALID"),
    "Flatten": lambda *_: sn.Flatten(),
    **{kind: neurons for kind, _ in KINDS},
}


def full(value: float, *shape: int) -> Any:
    """One value in float32."""
    return np.full(shape or (1,), value, np.float32)


def lif(**fields: Any) -> nir.LIF:
    """β of 0.5 in steps of 1, and a threshold of 1."""
    given = {"tau": full(2), "r": full(1), "v_leak": full(0), "v_threshold": full(1)}
    return nir.LIF(**{**given, **fields})


def sent(*nodes: nir.NIRNode, x: Any) -> list[float]:
    """What the network that from_nir makes of a chain answers, step by step."""
    graph = nir.NIRGraph.from_list(*nodes, type_check=False)
    return [float(value) for value in np.asarray(from_nir(graph, jnp.asarray(x))[1]).flatten()]


def late() -> bool:
    """A LIF of NIR at v = 1.5 sends its spike in that step; the imported one in the next."""
    return sent(lif(), x=full(1.5, 3, 1, 1)) == [0.0, 1.0, 1.0]


def no_reset_value() -> bool:
    """1.9, then 0.5: a LIF of NIR has forgotten the 0.9 above its threshold and stays at 0.5 for a second spike."""
    x = np.array([1.9, 1.1, 0.0], np.float32).reshape(3, 1, 1)
    return sent(nir.IF(full(1), full(1)), x=x) == [0.0, 1.0, 1.0] and sent(nir.IF(full(1), full(1)), x=x * 0.55) == [
        0,
        1,
        0,
    ]


def r_ignored() -> bool:
    """Twice the r, the same answers."""
    x = full(0.6, 8, 1, 1)
    return sent(lif(), x=x) == sent(lif(r=full(2)), x=x)


def v_leak_ignored() -> bool:
    """A LIF that leaks to 5 is silent."""
    return not any(sent(lif(v_leak=full(5)), x=full(0, 8, 1, 1)))


def unknown_dropped() -> bool:
    """A Scale of 9 is left out."""
    x = full(0.6, 8, 1, 1)
    return sent(nir.Scale(full(9)), lif(), x=x) == sent(lif(), x=x)


def li_dropped() -> bool:
    """A network of one LI has a file without nodes."""
    made = to_nir(sn.Sequential(sn.LI((1,), rngs=nnx.Rngs(0))), {"input": np.array([1])}, {"output": np.array([1])})
    return sorted(made.nodes) == ["input", "output"]


def flat_order() -> bool:
    """Two channels of 1 × 2 places in NIR's order are 0, 1, 2, 3; the imported Flatten makes 0, 2, 1, 3 of them."""
    ends = {"input": nir.Input(np.array([2, 1, 2])), "output": nir.Output(np.array([1]))}
    nodes = {
        "flat": nir.Flatten({"input": np.array([2, 1, 2])}, 0, -1),
        "pick": nir.Linear(np.array([[0, 1, 0, 0]], np.float32)),
    }
    edges = [("input", "flat"), ("flat", "pick"), ("pick", "output")]
    x = channels_last(np.arange(4, dtype=np.float32).reshape(1, 1, 2, 1, 2), 2)
    graph = nir.NIRGraph({**ends, **nodes}, edges, type_check=False)
    return float(np.asarray(from_nir(graph, jnp.asarray(x))[1])[0, 0, 0]) == 2.0


def groups_exported() -> bool:
    """A convolution of two groups is not written: its weights are taken for those of one group."""
    made = nnx.Conv(2, 2, (1, 1), feature_group_count=2, rngs=nnx.Rngs(0))
    try:
        to_nir(sn.Sequential(made), {"input": np.array([2, 2, 2])}, {"output": np.array([2, 2, 2])})
    except ValueError:
        return True
    return False


def no_bias_written() -> bool:
    """The bias of a convolution without one is None in the graph, which nir.write cannot write."""
    made = nnx.Conv(1, 1, (1, 1), use_bias=False, rngs=nnx.Rngs(0))
    ends = ({"input": np.array([1, 2, 2])}, {"output": np.array([1, 2, 2])})
    return to_nir(sn.Sequential(made), *ends).nodes["layer_0"].bias is None


def dilation_imported() -> bool:
    """A kernel of 2 with a dilation of 2 does not fit into 2 places; the imported one does."""
    node = nir.Conv2d((2, 2), full(1, 1, 1, 2, 2), (1, 1), (0, 0), (2, 2), 1, full(0))
    return len(sent(node, x=full(1, 1, 1, 2, 2, 1))) == 1


def cuba_images() -> bool:
    """A CuBaLIF over 2 × 2 places fails: its state has twice of every size."""
    network = sn.Sequential(sn.CuBaLIF((2, 2, 1), rngs=nnx.Rngs(0)))
    try:
        sn.run(network, jnp.ones((2, 1, 2, 2, 1)))
    except (TypeError, ValueError):
        return True
    return False


def edge_to_weights() -> bool:
    """In the file of a recurrent layer what comes in goes to its own weights, not to its neurons."""
    network = sn.Sequential(sn.RLIF((1,), rngs=nnx.Rngs(0)))
    graph = to_nir(network, {"input": np.array([1])}, {"output": np.array([1])})
    return ("layer_0.input", "layer_0.w_rec") in graph.nodes["layer_0"].edges


def branches() -> bool:
    """x + 9·x is x: one edge from each node is followed."""
    layers = {name: nir.Linear(full(value, 1, 1)) for name, value in (("one", 0.6), ("nine", 9))}
    nodes = {"input": nir.Input(np.array([1])), **layers, "sum": lif(), "output": nir.Output(np.array([1]))}
    edges = [("input", "one"), ("input", "nine"), ("one", "sum"), ("nine", "sum"), ("sum", "output")]
    found = from_nir(nir.NIRGraph(nodes, edges, type_check=False), jnp.ones((4, 1, 1)))[1]
    return [float(each) for each in np.asarray(found).flatten()] == sent(layers["one"], lif(), x=full(1, 4, 1, 1))


FAULTS: Mapping[str, Callable[[], bool]] = {
    each.__name__: each
    for each in (
        late,
        no_reset_value,
        r_ignored,
        v_leak_ignored,
        unknown_dropped,
        li_dropped,
        flat_order,
        groups_exported,
        no_bias_written,
        dilation_imported,
        cuba_images,
        edge_to_weights,
        branches,
    )
}

if __name__ == "__main__":
    serve(answer)
