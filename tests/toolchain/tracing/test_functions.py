"""Every row of the function tables, in every form that people write: the graph computes what torch computes."""

import pytest
import torch
from spikeport.toolchain.tracing.functions import dispatch, hosts, table
from support.function_cases import CASES
from support.traced import Does, traced_as

T, B = 3, 2


def folded(call):
    return lambda x: call(x.flatten(0, 1)).unflatten(0, (T, B))


def folded_batch_first(call):
    return lambda x: call(x.flatten(0, 1)).unflatten(0, (B, T))


def indexed(call):
    return lambda x: torch.stack([call(x[t]) for t in range(x.shape[0])])


def iterated(call):
    return lambda x: torch.stack([call(x_t) for x_t in x], dim=0)


def second_axis(call):
    return lambda x: torch.stack([call(x[:, t]) for t in range(x.shape[1])], dim=1)


FORMS = {
    # form: (what is made of a call on [batch, ...], the leading axes of its input, the axis of time)
    "one step": (lambda call: call, (B,), None),
    "all steps": (lambda call: call, (T, B), 0),
    "folded": (folded, (T, B), 0),
    "folded, batch first": (folded_batch_first, (B, T), 1),
    "x[t]": (indexed, (T, B), "auto"),
    "for x_t in x": (iterated, (T, B), "auto"),
    "x[:, t]": (second_axis, (B, T), 1),
}
FOLDS, LOOPS = ("folded", "folded, batch first"), ("x[t]", "for x_t in x", "x[:, t]")


def forms(place, index, case):
    """One step always, all steps where it makes sense; each row's first case folded and in a loop, in turn."""
    yield "one step"
    if case.over_time:
        yield "all steps"
    if index == 0:
        yield FOLDS[place % 2]
        yield LOOPS[place % 3]


ALL = [
    pytest.param(name, index, form, id=f"{name}-{index}-{form}")
    for place, (name, cases) in enumerate(CASES.items())
    for index, case in enumerate(cases)
    for form in forms(place, index, case)
]


def drawn(lead, case, seed):
    dice = torch.Generator().manual_seed(seed)
    return torch.rand((*lead, *case.shape), generator=dice) * (2 - case.low) + case.low


def test_every_row_has_an_example():
    assert set(CASES) == {*table.ROWS, *hosts.OF_TWO_SIGNALS}


@pytest.mark.parametrize(("name", "index", "form"), ALL)
@pytest.mark.filterwarnings("ignore:To copy construct from a tensor:UserWarning")
def test_a_row_computes_what_torch_computes(name, index, form, monkeypatch):
    case = CASES[name][index]
    make, lead, axis = FORMS[form]
    met = set()
    monkeypatch.setattr(dispatch, "row_of", lambda op, func: met.add(op.name) or table.row_of(op, func))
    x = drawn(lead, case, 1).double()
    traced_as(Does(make(case.call)), drawn(lead, case, 0), time_axis=axis, inputs=[x], host=case.host)
    assert name in met
