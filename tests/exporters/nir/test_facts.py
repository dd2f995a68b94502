"""What stands beside a file: what is written is read again, and nothing else is."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spikeport.exporters.nir import facts as module
from spikeport.exporters.nir.facts import Facts, NeuronFacts, beside, facts_beside, facts_of
from spikeport.toolchain.errors import FileError

FULL = Facts(
    "ode",
    2.5e-3,
    "net",
    {"made": "here κ"},
    ("folded a into b",),
    {"in": "int[-2,3]", "in2": "spikes"},
    {"out": "sum"},
    {"loop.lif": "lif", "a_b": "a.b"},
    (("loop.back", "loop.lif"),),
    {"loop.lif": "sum"},
    {"loop.lif": NeuronFacts("exact", "subtract", "guarded", at_least=True)},
    {"fc": "Affine"},
)
FIX = "Delete it, and tell --dialect, --dt and --reset instead"


@pytest.mark.parametrize("facts", [FULL, Facts("ode", 1.0)])
def test_facts_come_back(tmp_path, facts):
    assert facts_of(facts.text(), "here") == facts
    assert facts_of(facts.metadata()["spikeport"], "here") == facts
    path = tmp_path / "net.nir"
    beside(path).write_text(facts.beside("0" * 64), encoding="utf-8")
    assert facts_beside(path) == (facts, "0" * 64)
    assert list(facts_of(facts.text(), "here").inputs) == list(facts.inputs)


def test_metadata_can_be_read_by_people():
    found = FULL.metadata()
    del found["spikeport"]
    expected = {"dt": "0.0025", "dialect": "ode", "reset": "subtract (guarded)", "passes": "folded a into b"}
    assert found == expected


def test_facts_without_a_file_are_none(tmp_path):
    assert facts_beside(tmp_path / "net.nir") is None


GOOD = {"version": 1, "dialect": "ode", "dt": 1}
WRONG = {
    "x: of another kind or version; expected facts of Spikeport's, version 1": [{}, [], 3, GOOD | {"version": 2}],
    "x, dt: not there; expected an entry of that name": [{"version": 1, "dialect": "ode"}],
    "x, dialect: 7; expected a text": [GOOD | {"dialect": 7}],
    "x, more: an entry that is not known; expected dialect, dt, name": [GOOD | {"more": 1}],
    "x, notes, a: a list; expected a text": [GOOD | {"notes": {"a": []}}],
    "x, notes: a list; expected entries by name": [GOOD | {"notes": ["a"]}],
    "x, notes: '-'; expected letters, digits": [GOOD | {"notes": {"-": "a"}}],
    "x, passes: a dict; expected a list": [GOOD | {"passes": {}}],
    "x, delayed: a list; expected pairs of a source and a target": [GOOD | {"delayed": [["a"]]}],
    "x, delayed: ''; expected a path": [GOOD | {"delayed": [["a", ""]]}],
    "x, carries: 'loud'; expected spikes, graded": [GOOD | {"inputs": {"in": "loud"}}],
    "x, outputs, out: 'all'; expected steps or last": [GOOD | {"outputs": {"out": "all"}}],
    "x, neurons, n: a dict; expected some of rule, reset": [GOOD | {"neurons": {"n": {"x": 1}}}],
    "x, neurons, n: at_least 1; expected true or false": [GOOD | {"neurons": {"n": {"at_least": 1}}}],
    "x, neurons, n, reset: 'never'; expected value or subtract": [GOOD | {"neurons": {"n": {"reset": "never"}}}],
    "x, kinds, n: 'Conv'; expected Scale or Affine": [GOOD | {"kinds": {"n": "Conv"}}],
}
STEPS = ["0", "-1", "true", '"1"', "NaN", "Infinity", "1" + "0" * 400, "null"]


@pytest.mark.parametrize("text", WRONG)
def test_wrong_facts_are_named(text):
    for data in WRONG[text]:
        with pytest.raises(FileError) as error:
            facts_of(json.dumps(data), "x")
        assert text in str(error.value)
        assert str(error.value).endswith(FIX)


@pytest.mark.parametrize("step", STEPS)
def test_a_step_is_a_positive_number(step):
    with pytest.raises(FileError, match=r"x, dt: .*expected a positive number of seconds"):
        facts_of('{"version": 1, "dialect": "ode", "dt": %s}' % step, "x")  # noqa: UP031


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, '{"version": 1' + "0" * 5000 + "}", "\0"])
def test_what_is_no_json_is_named(text):
    with pytest.raises(FileError, match="x: no JSON"):
        facts_of(text, "x")


def test_a_large_file_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "LARGEST", 100)
    beside(tmp_path / "net.nir").write_text(FULL.beside("0" * 64))
    with pytest.raises(FileError, match="more than 0 MB"):
        facts_beside(tmp_path / "net.nir")


@pytest.mark.parametrize(("content", "text"), [(b"\xff", "no text in UTF-8"), (b'{"version": 1}', "sha256: not there")])
def test_a_broken_file_beside_is_named(tmp_path, content, text):
    beside(tmp_path / "net.nir").write_bytes(content)
    with pytest.raises(FileError, match=text):
        facts_beside(tmp_path / "net.nir")


LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
JSON = st.recursive(LEAVES, lambda s: st.lists(s, max_size=3) | st.dictionaries(st.text(max_size=4), s, max_size=3))


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(module.CHECKS)), JSON)
def test_any_entry_is_read_or_refused_by_one_message(name, value):
    text = json.dumps({**GOOD, name: value})
    try:
        found = facts_of(text, "x")
    except FileError:
        return
    assert facts_of(found.text(), "x") == found
