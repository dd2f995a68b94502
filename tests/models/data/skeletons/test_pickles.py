"""Pickles as plain values: Python's own of every protocol are read right, and hostile ones do nothing at all."""

import collections
import os
import pickle
import pickletools
import struct
import subprocess
import sys
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from spikeport.models.data.skeletons.pickled_arrays import Pickled
from spikeport.models.data.skeletons.pickles import read_pickle, values_in
from spikeport.toolchain.errors import FileError

PROTOCOLS = range(6)
NUMBERS = st.one_of(st.integers(-(2**100), 2**100), st.floats(allow_nan=False), st.booleans(), st.none())
TEXTS = st.text(max_size=300)
ARRAYS = arrays.arrays(
    st.sampled_from(["f2", "<f4", ">f8", "i1", ">i4", "u8", "?", "U3", "S4"]),
    arrays.array_shapes(min_dims=0, min_side=0),
)
VALUES = st.recursive(
    st.one_of(NUMBERS, TEXTS, st.binary(max_size=300), ARRAYS),
    lambda inner: st.one_of(
        st.lists(inner, max_size=5), st.lists(inner, max_size=5).map(tuple), st.dictionaries(TEXTS, inner, max_size=4)
    ),
    max_leaves=12,
)


def same(found, expected):
    """Whether a value is the one that was pickled."""
    if isinstance(expected, np.ndarray):
        values = found.values if isinstance(found, Pickled) else None
        return values is not None and values.dtype == expected.dtype and values.tobytes() == expected.tobytes()
    if isinstance(expected, bytes):
        return bytes(found) == expected
    if isinstance(expected, dict):
        return list(found) == list(expected) and all(same(found[key], expected[key]) for key in expected)
    if isinstance(expected, list | tuple):
        return type(found) is type(expected) and len(found) == len(expected) and all(map(same, found, expected))
    return type(found) is type(expected) and found == expected


@settings(deadline=None, max_examples=60)
@given(VALUES, st.sampled_from(PROTOCOLS))
def test_what_python_pickles_is_read(value, protocol):
    assert same(values_in(pickle.dumps(value, protocol), "made"), value)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_columns_first_strides_scalars_and_ordered_dicts(protocol):
    columns = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    held = {"a": columns, "b": np.arange(12)[::2], "c": columns, "d": collections.OrderedDict(x=np.float32(2.5), y=[])}
    held |= {"e": np.int64(-3), "f": np.str_("é"), "g": np.bool_(True), "h": np.zeros((0, 3), ">f4")}
    found = values_in(pickle.dumps(held, protocol), "made")
    np.testing.assert_array_equal(found["a"].values, columns)
    np.testing.assert_array_equal(found["b"].values, [0, 2, 4, 6, 8, 10])
    assert found["a"] is found["c"]
    assert found["d"] == {"x": 2.5, "y": []}
    assert (found["e"], found["f"], found["g"]) == (-3, "é", True)


def test_pickles_of_python_2_and_of_old_numpy():
    old = b"(dp0\nS'name'\np1\nS'a\\xe9b'\np2\nsS'number'\np3\nL12L\nsS'half'\nF0.5\nsS'yes'\nI01\ns."
    assert values_in(old, "made") == {"name": "aéb", "number": 12, "half": 0.5, "yes": True}
    array = pickle.dumps(np.arange(3, dtype="i4"), 2).replace(b"numpy._core.multiarray", b"numpy.core.multiarray")
    assert values_in(array, "made").values.tolist() == [0, 1, 2]
    raw = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR"
    raw += b"(I1\n(I2\ntcnumpy\ndtype\n(S'i2'\nI0\nI1\ntR"
    raw += b"(I3\nS'<'\nNNNI-1\nI-1\nI0\ntbI00\nS'\\x01\\x00\\x02\\x00'\ntb."
    assert values_in(raw, "made").values.tolist() == [1, 2]


def test_a_file_is_read_without_being_copied(tmp_path):
    (tmp_path / "a.pkl").write_bytes(pickle.dumps({"x": np.arange(1000)}))
    found = read_pickle(tmp_path / "a.pkl")["x"].values
    assert not found.flags.writeable
    assert not found.flags.owndata
    np.testing.assert_array_equal(found, np.arange(1000))


class Asks:
    """Pickles as a call."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


class Plain:
    """An object of a class."""


def short(text):
    return b"\x8c" + bytes([len(text)]) + text.encode()


def array_by_hand(shape, data=b"\0" * 8, kind="f8", state=None):
    """An array whose parts need not fit together."""
    dtype = (
        b"cnumpy\ndtype\n"
        + short(kind)
        + b"\x89\x88\x87R"
        + (state or b"(K\x03" + short("<") + b"NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb")
    )
    start = b"\x80\x04cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85C\x01b\x87R(K\x01"
    return start + pickle.dumps(shape, 2)[2:-1] + dtype + b"\x89C" + bytes([len(data)]) + data + b"tb."


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (pickle.dumps(Asks(os.system, "touch owned")), r"byte \d+: asks for posix\.system; expected a pickle"),
        (pickle.dumps(Asks(eval, "1"), 0), "asks for __builtin__.eval"),
        (pickle.dumps(Asks(getattr, [], "append"), 4), "asks for builtins.getattr"),
        (pickle.dumps(Asks(np.load, "x"), 4), "asks for numpy.load"),
        (pickle.dumps(Asks(subprocess.Popen, "x"), 3), "asks for subprocess.Popen"),
        (pickle.dumps(Plain(), 4), "asks for .*Plain"),
        (pickle.dumps(Plain(), 0), "asks for copy_reg._reconstructor"),
        (b"ios\nsystem\n.", "objects of a class"),
        (b"(cos\nsystem\no.", "asks for os.system"),
        (b"Pabc\n.", "values from outside of the file"),
        (b"\x82\x01.", "a registered extension"),
        (pickle.dumps({1, 2}, 4), "a set"),
        (b"\x80\x04" + short("os\nx") + short("\x1b[2Jsystem") + b"\x93.", r"asks for os\?x\.\?\[2Jsystem"),
        (pickle.dumps(np.array([1, None]), 4), "an array of Python objects"),
        (pickle.dumps(np.zeros(2, [("a", "f4")]), 4), "an array of an unknown type|an array of records"),
        (pickle.dumps(np.zeros(2, "M8[s]"), 4), "an array of an unknown type"),
        (pickle.dumps(np.zeros(2, complex), 4), "an array of an unknown type"),
        (b"cnumpy\nndarray\n(I1\ntR.", "a call of numpy.ndarray"),
        (array_by_hand((2,)), r"an array of shape \[2\] with 8 bytes of values"),
        (array_by_hand((2**39, 2**39, 2**39)), "an array of shape"),
        (array_by_hand((-1,)), "an array of a broken shape"),
        (array_by_hand((True,)), "an array of a broken shape"),
        (array_by_hand((2**60,)), "an array of a broken shape"),
        (array_by_hand((1,) * 40), "an array of a broken shape"),
        (array_by_hand([1]), "an array of a broken shape"),
        (array_by_hand((1,), kind="f7"), "an array of the type f7"),
        (array_by_hand((1,), kind="O8"), "an array of Python objects"),
        (array_by_hand((1,), state=b"K\x01b"), "a broken type of an array"),
        (array_by_hand((1,), state=b"(K\x03" + short("<") + short("f8") + b"NNtb"), "an array of records"),
        (array_by_hand((2,), kind="U1", data=b"\xff" * 8), None),
        (b"\x8e" + struct.pack("<Q", 2**62) + b".", r"4611686018427387904 bytes announced, 1 left"),
        (b"\x96" + struct.pack("<Q", 2**63) + b".", "9223372036854775808 bytes announced"),
        (b"X\xff\xff\xff\xff.", "4294967295 bytes announced"),
        (b"\x8b\xff\xff\xff\x7f.", "a whole number of 2147483647 bytes"),
        (b"I" + b"9" * 5000 + b"\n.", "a whole number of 5000 digits"),
        (b"]r\xff\xff\xff\xff.", None),
        (b"]p99999999999999999999\n.", None),
        (b"j\xff\xff\xff\x7f.", "a broken pickle"),
        (b"K\x01K\x02R.", "a call of something that is no function"),
        (b"cnumpy\ndtype\nK\x01R.", "a broken type of an array"),
        (b"]K\x01b.", "a state for something that is no array"),
        (b"K\x01K\x02a.", "no list where one should be"),
        (b"}]K\x01s.", "a dict whose keys are no texts or whole numbers"),
        (b"}(K\x01u.", "a dict whose keys are no texts or whole numbers"),
        (pickle.dumps({2**61 - 1: 0}), "a dict whose keys are no texts or whole numbers"),
        (pickle.dumps({1.5: 0}), "a dict whose keys are no texts or whole numbers"),
        (pickle.dumps({-7: 0, 2**59: 1}), None),
        (b"K\x01(0.", "fewer values than it uses"),
        (b"t.", "a broken pickle"),
        (b".", "a broken pickle"),
        (b"]", "a broken pickle"),
        (b"\xff.", "the operation 255"),
        (b"Sabc\n.", "a text without quotes"),
        (b"S'a\\xZZ'\n.", "a broken pickle"),
        (b"F1.5", "the file ends within a line"),
        (b"X\x02\0\0\0\xff\xff.", "a broken pickle"),
    ],
)  # fmt: skip
def test_hostile_pickles_do_nothing(data, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if message is None:
        values_in(data, "made")
        return
    with pytest.raises(FileError, match=message) as caught:
        values_in(data, "made")
    assert str(caught.value).isprintable()
    assert not os.path.exists("owned")


def test_loops_and_depth_do_no_harm():
    loop = []
    loop.append(loop)
    found = values_in(pickle.dumps(loop), "made")
    assert found[0] is found
    deep = values_in(b"]" * 50_000 + b"a" * 49_999 + b".", "made")
    for _ in range(49_999):
        deep = deep[0]
    assert deep == []
    with pytest.raises(FileError, match="whose keys are no texts or whole numbers"):
        values_in(b"}" + b")" + b"\x85" * 100_000 + b"Ns.", "made")


COPIES = """
import resource, struct, sys
resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
from spikeport.models.data.skeletons.pickles import values_in
from spikeport.toolchain.errors import FileError
size = 1 << 20
text = b"X" + struct.pack("<I", size) + b"a" * size + b"q\\0"
many = {
    "encode": b"c_codecs\\nencode\\nq\\1X\\6\\0\\0\\0latin1q\\2" + text + b"(" + b"h\\1h\\0h\\2\\x86R" * 9000 + b"l.",
    "memory": b"]" + b"".join(b"r" + struct.pack("<I", n * 20_000) for n in range(200_000)) + b".",
}
try:
    values_in(many[sys.argv[1]], "made")
except FileError as error:
    print(error)
"""


@pytest.mark.parametrize(("kind", "message"), [("encode", "more copies than it has bytes"), ("memory", "")])
def test_small_files_take_no_large_memory(kind, message):
    done = subprocess.run([sys.executable, "-c", COPIES, kind], capture_output=True, text=True, cwd="/", check=False)
    assert done.returncode == 0, done.stderr[-500:]
    assert message in done.stdout


def test_500_mutations_give_a_value_or_a_file_error():
    held = {"split": {"a": ["x", "y"]}, "annotations": [{"keypoint": np.ones((1, 2, 25, 3), "f2"), "label": 3}] * 2}
    source = np.random.default_rng(0)
    started, refused = time.monotonic(), 0
    for number in range(500):
        data = bytearray(pickle.dumps(held, number % 6))
        for _ in range(source.integers(1, 5)):
            data[source.integers(len(data))] = source.integers(256)
        try:
            values_in(bytes(data), "made")
        except FileError:
            refused += 1
    assert refused > 100
    assert time.monotonic() - started < 20


def test_every_operation_of_the_format_is_known():
    from spikeport.models.data.skeletons.pickles import _OPERATIONS, _REFUSED

    assert {ord(each.code) for each in pickletools.opcodes} == {*_OPERATIONS, *_REFUSED, ord(".")}
    assert not set(_OPERATIONS) & set(_REFUSED)


def test_no_file_and_an_empty_one(tmp_path):
    (tmp_path / "empty.pkl").touch()
    for path in (tmp_path / "no.pkl", tmp_path / "empty.pkl", tmp_path):
        with pytest.raises(FileError, match="is no file, or empty"):
            read_pickle(path)
