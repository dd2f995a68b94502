"""Files of users: what is wrong is said once, with where, what was found, what is expected and what to do."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spikeport.benchmarks.profile import load_profile
from spikeport.toolchain.errors import FileError, SpikeportError, UsageError

GOOD = {"value": "4.6", "unit": '"pJ"', "process": '"7 nm"', "year": "2025", "source": '"Somebody, 2025, table 1"'}
ODD = ["1", "-1", "nan", '""', '"pJ"', "true", "[1]", "{a = 1}", "2014", "1979-05-27", '"\\u0007"']


def text(name: str = "mac", title: str = 'title = "mine"', tail: str = "", **changes: str | None) -> str:
    """A profile of one constant with some fields changed, or taken out."""
    fields = {**GOOD, **changes}
    lines = [f"{key} = {value}" for key, value in fields.items() if value is not None]
    return "\n".join([title, f"[constants.{name}]", *lines, tail])


def read(folder: Path, content: str | bytes) -> str:
    """What is said about a file."""
    file = folder / "mine.toml"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(FileError) as caught:
        load_profile(file)
    return str(caught.value).replace(f"profile {file}", "FILE")


def test_a_good_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    tail = "[constants.sram_64k]\nbytes = 65536\n" + "\n".join(f"{k} = {v}" for k, v in GOOD.items())
    file.write_text(text(note='"a note"', tail=tail + "\n[parameters]\nhops_ew = 2.5"))
    profile = load_profile(file)
    assert profile.name == str(file)
    assert profile.constant("mac").note == "a note"
    assert profile.sram(32768).pj == pytest.approx(2.3)
    assert profile.parameter("hops_ew") == 2.5


@pytest.mark.parametrize(("unit", "factor"), [("fJ", 1e-3), ("pJ", 1), ("nJ", 1e3), ("J", 1e12)])
def test_units_are_told_apart(tmp_path: Path, unit: str, factor: float) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text(value="0.25", unit=f'"{unit}"'))
    assert load_profile(file).constant("mac").pj == pytest.approx(0.25 * factor)


@pytest.mark.parametrize("source", [None, '""', '"  "'])
def test_a_constant_without_a_source_is_refused(tmp_path: Path, source: str | None) -> None:
    assert read(tmp_path, text(source=source)) == (
        "FILE, constants.mac: no source; expected source: a constant without one is refused. "
        "Say where the value is printed: authors, title, year, table"
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"value": None}, "FILE, constants.mac: no value; expected value, a number. Add value = 4.6, for example"),
        ({"value": "-4.6"}, "FILE, constants.mac: value is -4.6; expected a number from 0 to 1e+12"),
        ({"value": "nan"}, "FILE, constants.mac: value is nan; expected a number from 0 to 1e+12"),
        ({"value": "inf"}, "FILE, constants.mac: value is inf; expected a number from 0 to 1e+12"),
        ({"value": "1e300"}, "FILE, constants.mac: value is 1e+300; expected a number from 0 to 1e+12"),
        ({"value": "9" * 400}, "FILE, constants.mac: value is a huge number; expected a number from 0 to 1e+12"),
        ({"value": "2", "unit": '"J"'}, "FILE, constants.mac: value is 2; expected a number from 0 to 1"),
        ({"value": "true"}, "FILE, constants.mac: value is True; expected a number from 0 to 1e+12"),
        ({"value": '"4.6 pJ"'}, "FILE, constants.mac: value is '4.6 pJ'; expected a number from 0 to 1e+12"),
        ({"value": "[4.6]"}, "FILE, constants.mac: value is a list; expected a number from 0 to 1e+12"),
        ({"unit": None}, 'FILE, constants.mac: no unit; expected unit, a line of text. Add unit = "…"'),
        ({"unit": '"pj"'}, "FILE, constants.mac: unit 'pj'; expected one of fJ, pJ, nJ, J"),
        ({"unit": '"pJ/bit"'}, "FILE, constants.mac: unit 'pJ/bit'; expected one of fJ, pJ, nJ, J"),
        ({"process": "45"}, "FILE, constants.mac: process is 45; expected a line of text of at most 1000 characters"),
        ({"year": None}, "FILE, constants.mac: no year; expected the year of the source, 1950 to 2100. "
                         "Add year = 2014, for example"),
        ({"year": "20144"}, "FILE, constants.mac: year is 20144; expected the year of the source, 1950 to 2100. "
                            "Add year = 2014, for example"),
        ({"year": '"2014"'}, "FILE, constants.mac: year is '2014'; expected the year of the source, 1950 to 2100. "
                             "Add year = 2014, for example"),
        ({"sorce": '"x"'}, "FILE, constants.mac: unknown key 'sorce'; expected one of value, unit, process, year, "
                           "source, note, bytes. Did you mean source?"),
        ({"bytes": "8192"}, "FILE, constants.mac: bytes; expected no size: only sram_… is an access to memory of a "
                            "size. Take the line out"),
        ({"source": '"a\\nb"'}, "FILE, constants.mac: source is 'a\\nb'; expected a line of text of at most 1000 "
                                "characters"),
        ({"title": ""}, 'FILE: no title; expected title, a line of text. Add title = "…"'),
        ({"name": "sram_4k"}, "FILE, constants.sram_4k: no bytes; expected the size of the memory. "
                              "Add bytes = 8192, for example"),
        ({"name": "sram_4k", "bytes": "0"}, "FILE, constants.sram_4k: bytes is 0; expected the size of the memory, a "
                                            "whole number from 1"),
        ({"tail": "[parameters]\nhops = 1"}, "FILE, parameters: unknown key 'hops'; expected one of operand_bits, "
                                             "weight_bits, activation_bits, word_bytes, word_share, fifo_entries, "
                                             "hops_ew, hops_ns, destinations. Did you mean hops_ns?"),
        ({"tail": "[parameters]\nhops_ew = -1"}, "FILE, parameters: hops_ew is -1; expected a number from 0 to 1e+09"),
        ({"tail": "[extra]"}, "FILE: unknown key 'extra'; expected one of title, constants, parameters"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(tmp_path: Path, changes: dict[str, str | None], said: str) -> None:
    assert read(tmp_path, text(**changes)) == said


def test_an_unknown_constant_is_refused_with_the_one_that_was_meant(tmp_path: Path) -> None:
    said = read(tmp_path, text(name="macs"))
    assert said.startswith("FILE, constants.macs: no rule knows this constant; expected one of mac, ac, ")
    assert said.endswith("Did you mean mac?")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "FILE: no constants; expected at least one table [constants.…]. See docs/energy.md for an example"),
        (b'title = "x"\nconstants = 3', "FILE: constants is 3; expected a table [constants]"),
        (b'title = "x"\n[constants]\nmac = 4.6', "FILE, constants.mac: 4.6; expected a table with value, unit, "
                                                 "process, year and source"),
        (b"\xff\xfe", "FILE: no TOML: "),
        (b"title = ", "FILE: no TOML: Invalid value"),
        (b"x = " + b"9" * 5000, "FILE: no TOML: "),
        (b"x = " + b"[" * 20000, "FILE: tables nested too deeply; expected [constants.…] and [parameters]"),
        (b"# \n" * 400_000, "FILE: more than 100000 bytes; expected a profile: a page of constants"),
        (b"x" + b".x" * 40_000 + b" = 1", "FILE: more than 200 dots in one line; expected [constants.…] and"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_profile_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    assert read(tmp_path, content).startswith(said)


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="cannot be read: No such file or directory; expected a TOML file"):
        load_profile(tmp_path / "none.toml")
    with pytest.raises(FileError, match="cannot be read: Is a directory"):
        load_profile(tmp_path)
    with pytest.raises(FileError, match="cannot be read: embedded null byte"):
        load_profile("a\0b.toml")
    with pytest.raises(UsageError, match="expected one of 45nm-fp32"):
        load_profile("x" * 5000)


def test_two_memories_of_one_size_are_refused(tmp_path: Path) -> None:
    fields = "\n".join(f"{key} = {value}" for key, value in GOOD.items())
    tail = f"[constants.sram_b]\nbytes = 8192\n{fields}"
    assert read(tmp_path, text(name="sram_a", bytes="8192", tail=tail)) == (
        "FILE: two memories of one size; expected one price for each size of memory"
    )


@settings(deadline=None, max_examples=60)
@given(st.dictionaries(st.sampled_from([*GOOD, "note", "bytes", "x"]), st.sampled_from(ODD), max_size=8))
def test_whatever_the_fields_are_there_is_a_profile_or_one_message(
    tmp_path_factory: pytest.TempPathFactory, fields: dict[str, str]
) -> None:
    file = tmp_path_factory.mktemp("hostile") / "mine.toml"
    file.write_text(text(**fields))
    said: tuple[str, ...] = ("a profile",)
    try:
        assert load_profile(file).constant("mac").source
    except SpikeportError as error:
        said = (error.where, error.found, error.expected)
    assert all(said)
