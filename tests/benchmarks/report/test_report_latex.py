"""The LaTeX table: complete, in pure ASCII, and it compiles with nothing but booktabs."""

import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spikeport.benchmarks.findings import Findings
from spikeport.benchmarks.report.latex import latex, tex
from support.made_findings import hostile, made

TEX = shutil.which("pdflatex")
DOCUMENT = "\\documentclass{article}\n\\usepackage{booktabs}\n\\begin{document}\n\\input{energy}\n\\end{document}\n"


def three() -> Findings:
    """A subject and two twins with long titles."""
    found = made()
    subject, twin = found.networks
    twins = (replace(twin, title="ANN twin, one pass"), replace(twin, title="ANN twin, every step of the run"))
    return replace(found, networks=(subject, *twins))


def compiled(folder: Path, table: str) -> str:
    """What pdflatex says."""
    (folder / "energy.tex").write_text(table)
    (folder / "paper.tex").write_text(DOCUMENT)
    call = [TEX, "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "paper.tex"]
    done = subprocess.run(call, cwd=folder, capture_output=True, text=True, errors="replace", check=False)
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.mark.skipif(TEX is None, reason="pdflatex is not installed")
@pytest.mark.parametrize("findings", [made(), three(), made(against=False, samples=False)], ids=["two", "three", "one"])
def test_it_compiles_and_fits_the_page(findings: Findings, tmp_path: Path) -> None:
    log = compiled(tmp_path, latex(findings))
    assert (tmp_path / "paper.pdf").stat().st_size > 1000
    assert "Overfull" not in log


@pytest.mark.skipif(TEX is None, reason="pdflatex is not installed")
def test_names_that_are_commands_compile_and_do_nothing(tmp_path: Path) -> None:
    log = compiled(tmp_path, latex(hostile()))
    assert "(/etc/passwd" not in log
    assert (tmp_path / "paper.pdf").stat().st_size > 1000


@pytest.mark.skipif(TEX is None, reason="pdflatex is not installed")
def test_every_sign_that_has_a_name_compiles(tmp_path: Path) -> None:
    signs = (
        "".join(map(chr, range(32, 127))) + "-- ''' ,, µμ×·±÷≤≥≠−–—…’‘“”→Σαβγκλστθπ°⌈⌉₁₂²³ßøØłŁæœåéüñčçÀ 日\x00\u202e"
    )
    compiled(tmp_path, tex(signs) + "\n\n\\begin{tabular}{ll}a&b\\\\\n" + tex("[x] * [y]") + "& c\\\\\\end{tabular}")


@settings(deadline=None, max_examples=300)
@given(st.text())
def test_no_text_is_a_command(text: str) -> None:
    made_ = tex(text)
    assert made_.isascii()
    assert made_.isprintable() or made_ == ""
    names = set(re.findall(r"\\([a-zA-Z]+)", made_))
    assert not names & {"input", "write", "def", "csname", "include", "openin", "catcode"}
    assert not re.search(r"(?<!\\)[$&#%_]", re.sub(r"\\ensuremath\{[^}]*\}", "", made_))


def test_it_says_where_it_comes_from_and_what_the_constants_are() -> None:
    table = latex(made())
    assert table.startswith("% made by spikeport 0.1.0")
    assert "% spikeport energy event_convnet.safetensors" in table
    for part in (
        r"\begin{table}",
        r"\toprule",
        "mac 4.6, ac 0.9",
        "Horowitz",
        "Davies",
        "its ANN twin",
        r"59.9",
        "200 samples",
    ):
        assert part in table, part
    assert r"40.72 & \,\ensuremath{\pm}\,3.90" in table
