"""Operations counted neuron by neuron and pair by pair, from what every node's `step` sends; as slow as it is plain.

Which outputs an input value is connected with is found by asking the node: a single 1 goes in, and what moves is
reached; with all weights 1 for the pairs there are, with its own weights for those whose weight is not 0.
"""

from collections import Counter
from dataclasses import replace

import numpy as np
from spikeport.toolchain.graph import Graph
from spikeport.toolchain.graph import nodes as n
from spikeport.toolchain.graph.inline import inline

PAIRS = ("dense", "padded", "effective", "weighted", "spikes")
MOVES = ("Input", "Output", "Delay", "Flatten", "Reshape", "Permute", "Slice", "Pad", "Concat")
NEURONS = ("IF", "LIF", "CubaLIF", "AdaptiveLIF", "Integrator", "LeakyIntegrator", "CubaIntegrator", "ResonateFire")
CODERS = ("Sigma", "Delta", "SigmaDelta")
COMPARE = ("IF", "LIF", "CubaLIF", "AdaptiveLIF", "ResonateFire", "Delta", "SigmaDelta")
FIELDS = ("received", "events", "sent", "sent_events", "active", "comparisons", "resets", "bias_adds", "adds")


def brute_count(graph: Graph, sent: dict[str, np.ndarray]) -> list[dict[str, Counter]]:
    """For each sample, for each layer, its operations by name: "macs.dense", "updates.LIF", "adds" …; no zeros.

    `sent` is what every node of the graph without sub-graphs sends, [T, B, *shape], as `run_by_steps` gives it.
    """
    flat = inline(graph)
    batch = sent[flat.inputs[0]].shape[1]
    names = [name for name, node in flat.nodes.items() if node.kind not in MOVES and not _turned(node)]
    return [{name: +_layer(flat, name, sent, sample) for name in names} for sample in range(batch)]


def _layer(graph: Graph, name: str, sent: dict[str, np.ndarray], sample: int) -> Counter:
    node = graph.nodes[name]
    given = []
    for wire in graph.wires[name]:
        rows = sent[wire.source][:, sample]
        given.append(np.concatenate([np.zeros_like(rows[:1]), rows[:-1]]) if wire.delayed else rows)
    carried = [signal.carries for signal in graph.received(name)]
    value_by_value = COUNTS[node.kind] is _values or (node.kind == "Host" and node.operation != "matmul")
    ops = Counter()
    for rows in given:
        for value in rows.ravel().tolist():
            ops["received"] += 1
            ops["events"] += value != 0 or value_by_value
    COUNTS[node.kind](ops, node, given, carried, sent[name][:, sample])
    return ops


def _turned(node: n.Node) -> bool:
    """Whether nothing but signs change."""
    return isinstance(node, n.Scale) and node.shift is None and all(abs(s) == 1 for s in node.scale.ravel().tolist())


def _class(carries) -> str:
    return "macs" if carries.graded else "acs" if carries.binary else "integer_acs"


def _reached(node: n.Node, shape: tuple[int, ...]) -> list[list[int]]:
    """For each input value the outputs that it moves."""
    size = int(np.prod(shape))
    ones = np.eye(size).reshape(size, *shape)
    answers, _ = node.step(node.start(shape, size, np.float64), ones)
    return [[o for o, value in enumerate(row) if value != 0] for row in answers.reshape(size, -1).tolist()]


def _all_ones(node: n.Node) -> n.Node:
    name = "constant" if isinstance(node, n.Contract) else "weight"
    return replace(node, **{name: np.ones(getattr(node, name).shape)})


def _weights(ops: Counter, node: n.Node, given: list, carried: list, sent: np.ndarray) -> None:
    bare = node if isinstance(node, n.Contract) else replace(node, bias=None)
    if isinstance(node, n.Contract):  # every weight is above 0, so that a sum of several is not 0 by accident
        bare = replace(node, constant=np.abs(node.constant))
    every, weighted = _reached(_all_ones(bare), given[0].shape[1:]), _reached(bare, given[0].shape[1:])
    _pairs(ops, given[0], carried[0], every, weighted)
    kind, steps = _class(carried[0]), len(sent)
    if isinstance(node, n.Conv):
        ops[f"{kind}.padded"] = sent.size * int(np.prod(node.weight.shape[1:]))
    elif isinstance(node, n.ConvTranspose):
        ops[f"{kind}.padded"] = given[0].size * int(np.prod(node.weight.shape[1:]))
    else:
        ops[f"{kind}.padded"] = steps * sum(map(len, every))
    if getattr(node, "bias", None) is not None:
        ops["bias_adds"] = sent.size


def _pairs(ops: Counter, rows: np.ndarray, carries, every: list, weighted: list) -> None:
    kind = _class(carries)
    for row in rows.reshape(len(rows), -1).tolist():
        for value, reached, alive in zip(row, every, weighted, strict=True):
            for _ in reached:
                ops[f"{kind}.dense"] += 1
                if value != 0:
                    ops[f"{kind}.effective"] += 1
                    ops[f"{kind}.spikes"] += 0 if carries.graded else abs(int(value))
            if value != 0:
                ops[f"{kind}.weighted"] += len(alive)


def _taps(ops: Counter, node: n.TemporalKernel, given: list, carried: list, sent: np.ndarray) -> None:
    kind, (rows,) = _class(carried[0]), given
    for k in range(len(node.weight)):
        for o in range(node.weight.shape[1]):
            for i in range(node.weight.shape[2]):
                for t in range(len(rows)):
                    for value in rows[t - k, i].ravel().tolist() if t >= k else [None] * rows[t, i].size:
                        ops[f"{kind}.padded"] += 1
                        if value is not None:
                            ops[f"{kind}.dense"] += 1
                        if value:
                            ops[f"{kind}.effective"] += 1
                            ops[f"{kind}.weighted"] += node.weight[k, o, i] != 0
                            ops[f"{kind}.spikes"] += 0 if carried[0].graded else abs(int(value))
    if node.bias is not None:
        ops["bias_adds"] = sent.size


def _states(ops: Counter, node: n.StateSpace, given: list, carried: list, sent: np.ndarray) -> None:
    kind, (rows,) = _class(carried[0]), given
    state = node.start(rows.shape[1:], 1, rows.dtype)
    for t, x in enumerate(rows):
        before = state["h"][0]
        _, state = node.step(state, x[None])
        for place in np.ndindex(*x.shape):
            for s in range(node.decay.shape[1]):
                c = place[0]
                _pair(ops, kind, x[place], node.inward[c, s], carried[0])
                _pair(ops, "macs", before[place][s], node.decay[c, s], None, there=t > 0)
                _pair(ops, "macs", state["h"][0][place][s], node.outward[c, s], None)
            if node.through is not None:
                _pair(ops, kind, x[place], node.through[place[0]], carried[0])
    del sent


def _pair(ops: Counter, kind: str, value, weight, carries, *, there: bool = True) -> None:
    ops[f"{kind}.dense"] += there
    ops[f"{kind}.padded"] += 1
    ops[f"{kind}.effective"] += bool(value != 0)
    ops[f"{kind}.weighted"] += bool(value != 0 and weight != 0)
    ops[f"{kind}.spikes"] += 0 if carries is None or carries.graded else abs(int(value))


def _pool(ops: Counter, node: n.Node, given: list, carried: list, sent: np.ndarray) -> None:
    (rows,) = given
    shape = rows.shape[1:]
    same = node
    if isinstance(node, n.MaxPool):
        same = n.SumPool(node.window, node.stride, node.padding, node.ceil)
    reached = _reached(same, shape)
    if isinstance(node, n.MaxPool):
        ops["comparisons"] = len(rows) * sum(map(len, reached))
        return
    if isinstance(node, n.AveragePool | n.Mean):
        ops["multiplies"] = sent.size
    if carried[0].graded:
        ops["adds"] = len(rows) * sum(map(len, reached))
        return
    _pairs(ops, rows, carried[0], reached, reached)
    kind = _class(carried[0])
    windowed = isinstance(node, n.AveragePool | n.SumPool)
    ops[f"{kind}.padded"] = sent.size * int(np.prod(node.window)) if windowed else rows.size


def _neurons(ops: Counter, node: n.Node, given: list, carried: list, sent: np.ndarray) -> None:
    for into in zip(*(rows.ravel().tolist() for rows in given), strict=True):
        ops[f"updates.{node.kind}"] += 1
        ops["active"] += any(value != 0 for value in into)
        ops["comparisons"] += node.kind in COMPARE
    for value in sent.ravel().tolist():
        ops["sent"] += 1
        ops["sent_events"] += value != 0
    resets = getattr(node, "reset", "none") != "none" or getattr(node, "spike", "") == "izhikevich"
    if resets:
        twin = replace(node, emit="spikes") if hasattr(node, "emit") else node
        state = twin.start(given[0].shape[1:], 1, given[0].dtype)
        for row in zip(*given, strict=True):
            spikes, state = twin.step(state, *(x[None] for x in row))
            ops["resets"] += int(spikes.sum())
    del carried


def _multiply(ops: Counter, node: n.Node, given: list, carried: list, sent: np.ndarray) -> None:
    rank = sent.ndim - 1
    wide = [
        np.broadcast_to(x.reshape(len(x), *([1] * (rank + 1 - x.ndim)), *x.shape[1:]), sent.shape).ravel().tolist()
        for x in given
    ]
    for operands in zip(*wide, strict=True):
        for last in range(1, len(operands)):
            _product(ops, operands, operands[: last + 1], carried)
    del node


def _product(ops: Counter, operands: tuple, met: tuple, carried: list) -> None:
    spikes = any(c.binary for c in carried)
    whole = [k for k, c in enumerate(carried) if not c.graded]
    kind = "acs" if spikes else "integer_acs" if whole else "macs"
    ops[f"{kind}.dense"] += 1
    ops[f"{kind}.padded"] += 1
    if all(value != 0 for value in met):
        ops[f"{kind}.effective"] += 1
        ops[f"{kind}.weighted"] += 1
        ops[f"{kind}.spikes"] += 1 if spikes else abs(int(operands[whole[0]])) if whole else 0


def _matmul(ops: Counter, node: n.Node, given: list, carried: list, sent: np.ndarray) -> None:
    rank = max(x.ndim for x in given)
    a, b = (x.reshape(len(x), *([1] * (rank - x.ndim)), *x.shape[1:]) for x in given)
    stack = sent.shape[:-2]
    a, b = np.broadcast_to(a, (*stack, *a.shape[-2:])), np.broadcast_to(b, (*stack, *b.shape[-2:]))
    for place in np.ndindex(*stack):
        left, right = a[place].tolist(), b[place].tolist()
        for row in left:
            for column in zip(*right, strict=True):
                for pair in zip(row, column, strict=True):
                    _product(ops, pair, pair, carried)
    del node


def _host(ops: Counter, node: n.Host, given: list, carried: list, sent: np.ndarray) -> None:
    name, last = node.operation, given[0]
    if name == "matmul":
        _matmul(ops, node, given, carried, sent)
    elif name in ("maximum", "minimum", "greater"):
        ops["comparisons"] = sent.size
    elif name == "extreme":
        ops["comparisons"] = last.size
    elif name == "cumsum":
        ops["adds"] = sent.size
    elif name == "fft":
        length = last.shape[1 + int(node.settings["axis"])]
        stages = 0
        while 2**stages < length:
            stages += 1
        transforms = last.size // length
        ops["multiplies"], ops["adds"] = 2 * length * stages * transforms, 3 * length * stages * transforms
    else:
        ops[f"functions.{name}"] = sent.size


def _values(ops: Counter, node: n.Node, given: list, carried: list, sent: np.ndarray) -> None:
    factors = np.broadcast_to(node.scale, sent.shape) if isinstance(node, n.Scale) else np.zeros(sent.shape)
    for factor in factors.ravel().tolist():
        if isinstance(node, n.Add):
            ops["adds"] += len(given) - 1
        elif isinstance(node, n.Activation):
            ops["comparisons" if node.function == "relu" else f"functions.{node.function}"] += 1
        else:
            ops["multiplies"] += abs(factor) != 1
            ops["adds"] += isinstance(node, n.BatchNorm) or node.shift is not None
    del carried


COUNTS = {
    **dict.fromkeys(("Affine", "Conv", "ConvTranspose", "Contract"), _weights),
    **dict.fromkeys(("SumPool", "AveragePool", "MaxPool", "Sum", "Mean"), _pool),
    **dict.fromkeys((*NEURONS, *CODERS), _neurons),
    **dict.fromkeys(("Add", "Scale", "BatchNorm", "Activation"), _values),
    "TemporalKernel": _taps,
    "StateSpace": _states,
    "Multiply": _multiply,
    "Host": _host,
}


def plain(ops) -> Counter:
    """`Ops` in the form that `brute_count` gives; no zeros."""
    found = Counter()
    for kind in ("acs", "integer_acs", "macs"):
        found.update({f"{kind}.{name}": getattr(getattr(ops, kind), name) for name in PAIRS})
    for group in ("updates", "functions"):
        found.update({f"{group}.{name}": count for name, count in getattr(ops, group).items()})
    found.update({name: getattr(ops, name) for name in (*FIELDS, "multiplies")})
    return +found
