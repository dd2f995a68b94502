"""The files of a report: what they hold adds up, nothing in them runs, and they appear together or not at all."""

import csv
import io
import json
from dataclasses import asdict, replace
from pathlib import Path

import jsonschema
import pytest
import spikeport
from spikeport.benchmarks import counts_json
from spikeport.benchmarks.findings import Findings
from spikeport.benchmarks.memory_accesses import memory_accesses
from spikeport.benchmarks.report import plain, write_report
from spikeport.benchmarks.report.csv_rows import COLUMNS, csv_text, inert
from spikeport.toolchain.errors import FileError
from support.made_findings import FORMULA, HOSTILE, hostile, made

SCHEMA = json.loads((Path(spikeport.__file__).parent / "docs" / "report-schema.json").read_text())
NAMES = {"index.html", "energy.json", "energy.csv", "energy.tex"}


def cases() -> list[Findings]:
    alone = made(against=False, samples=False)
    nothing = replace(
        alone, networks=(replace(alone.subject, billed=()),), spikes=(), break_even=(), what_if=(), figures=()
    )
    return [made(), hostile(), alone, nothing]


@pytest.mark.parametrize("findings", cases(), ids=["made", "hostile", "alone", "unbilled"])
def test_the_json_has_the_form_that_its_schema_says(findings: Findings) -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    found = json.loads(json.dumps(plain(findings), allow_nan=False))
    jsonschema.Draft202012Validator(SCHEMA).validate(found)
    found["version"] = 2
    assert not jsonschema.Draft202012Validator(SCHEMA).is_valid(found)


def test_the_json_adds_up_and_its_counts_can_be_read_again() -> None:
    findings = made()
    found = json.loads(json.dumps(plain(findings)))
    for network, said in zip(findings.networks, found["networks"], strict=True):
        assert counts_json.read(said["counts"]) == network.counts
        for billed, energy in zip(network.billed, said["energies"], strict=True):
            assert energy["pj"] == billed.energy.pj
            for part in (energy["by_layer"].values(), energy["by_kind"].values(), (e["pj"] for e in energy["lines"])):
                assert sum(part) == pytest.approx(billed.energy.pj, rel=1e-12)
            for line in energy["lines"]:
                assert line["pj"] == pytest.approx(line["count"] * line["pj_each"] / billed.energy.samples)
        words = {name: {"layer": name, **asdict(each)} for name, each in memory_accesses(network.counts).items()}
        assert said["memory"] == list(words.values())
        assert said["spread"]["least_pj"] == min(e["pj"] for e in said["energies"])


def rows_of(findings: Findings) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(csv_text(findings))))


def test_the_rows_of_the_csv_add_up_to_the_energies() -> None:
    findings = made()
    rows = rows_of(findings)
    assert tuple(rows[0]) == COLUMNS
    for network in findings.networks:
        for billed in network.billed:
            mine = [r for r in rows if (r["network"], r["rule"]) == (network.title, billed.energy.rule)]
            assert sum(float(r["pj_per_sample"]) for r in mine) == pytest.approx(billed.energy.pj, rel=1e-12)
            again = sum(float(r["count"]) * float(r["pj_per_operation"]) / int(r["samples"]) for r in mine)
            assert again == pytest.approx(billed.energy.pj, rel=1e-12)
            assert len(mine) == len(billed.energy.lines)
    assert all(row["source"] for row in rows)


def test_no_cell_of_the_csv_is_a_formula() -> None:
    rows = rows_of(hostile())
    assert {row["layer"] for row in rows} >= {HOSTILE, f"'{FORMULA}"}
    for row in rows:
        for name, cell in row.items():
            number = name in ("count", "samples", "pj_per_operation", "pj_per_sample", "year")
            assert number or not cell.lstrip().startswith(("=", "+", "-", "@", "\t", "\r"))
    assert [inert(x) for x in ("-x", " @y", "a\tb", 0.1, 3)] == ["'-x", "' @y", r"a\tb", "0.1", "3"]


def test_four_files_are_written_and_others_stay(tmp_path: Path) -> None:
    folder = tmp_path / "report"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    (folder / "energy.csv").write_text("old")
    findings = made(samples=False)
    assert write_report(findings, folder) == tuple(
        folder / n for n in ("index.html", "energy.json", "energy.csv", "energy.tex")
    )
    assert {each.name for each in folder.iterdir()} == NAMES | {"notes.txt"}
    assert (folder / "notes.txt").read_text() == "mine"
    assert json.loads((folder / "energy.json").read_text()) == json.loads(json.dumps(plain(findings)))
    first = {name: (folder / name).read_bytes() for name in NAMES}
    write_report(findings, folder)
    assert first == {name: (folder / name).read_bytes() for name in NAMES}


def test_where_one_file_cannot_be_none_is(tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text("old")
    (tmp_path / "energy.tex").mkdir()
    with pytest.raises(FileError, match=r"energy\.tex: is a folder"):
        write_report(made(against=False, samples=False), tmp_path)
    assert {each.name for each in tmp_path.iterdir()} == {"index.html", "energy.tex"}
    assert (tmp_path / "index.html").read_text() == "old"


def test_a_folder_that_cannot_be_is_one_message(tmp_path: Path) -> None:
    findings = made(against=False, samples=False)
    (tmp_path / "file").write_text("")
    with pytest.raises(FileError, match="is a file; expected the name of a folder"):
        write_report(findings, tmp_path / "file")
    with pytest.raises(FileError, match="cannot be made"):
        write_report(findings, tmp_path / "not" / "there")
    broken = replace(findings, networks=(replace(findings.subject, counts=None),))
    with pytest.raises(AttributeError):
        write_report(broken, tmp_path / "new")
    assert not (tmp_path / "new").exists()
