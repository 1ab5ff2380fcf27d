"""Every command and every question in README, the tutorial and the page of topics works as it stands there."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from clustering_platform.store.catalog import connect
from clustering_platform_tests.e2e.processes import ROOT, clustering_here, environment

pytestmark = pytest.mark.e2e

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
README = ROOT / "README.md"
TUTORIAL, TOPICS, DRIFT = (ROOT / "docs" / f"{name}.md" for name in ("tutorial", "topics", "drift"))


def blocks(language: str, document: Path = README) -> list[str]:
    """Return the fenced blocks of one language in a document."""
    text = document.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder that holds `data` after the demo, and what the demo printed."""
    folder = tmp_path_factory.mktemp("a demo")
    return folder, clustering_here(folder / "data", "demo")


def test_the_demo_finds_the_planted_groups_and_says_so(demo: tuple[Path, str]) -> None:
    _, printed = demo
    (score,) = re.findall(r"adjusted Rand index ([\d.]+)", printed)
    assert float(score) > 0.9
    for heading in ("Group A", "Group C", "What unites all", "Topics", "From day to day", "Where to look next"):
        assert heading in printed
    assert "Group D" not in printed


def test_the_demo_draws_both_maps(demo: tuple[Path, str]) -> None:
    folder, _ = demo
    for name in ("opinion-map.png", "topic-map.png"):
        assert (folder / "data" / "demo" / name).read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("document", [README, TUTORIAL, DRIFT], ids=lambda path: path.name)
def test_the_shell_commands_work(document: Path, demo: tuple[Path, str]) -> None:
    folder, _ = demo
    commands = [shlex.split(line, comments=True) for block in blocks("sh", document) for line in block.splitlines()]
    assert commands
    for program, *arguments in commands:
        if program == "make":
            subprocess.run(["make", "-n", *arguments], cwd=ROOT, check=True, capture_output=True)
        else:
            assert program == ".venv/bin/clustering"
            clustering_here(folder / "data", *[str(ROOT / word) if "/" in word else word for word in arguments])


@pytest.mark.parametrize("query", [*blocks("sql"), *blocks("sql", TOPICS), *blocks("sql", DRIFT)])
def test_the_questions_have_answers(query: str, demo: tuple[Path, str]) -> None:
    folder, _ = demo
    with connect(folder / "data" / "catalog.duckdb") as catalog:
        assert catalog.execute(query).fetchall()


def test_the_python_lines_work(demo: tuple[Path, str]) -> None:
    folder, _ = demo
    (code,) = blocks("python")
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env=environment(folder / "data"), capture_output=True, check=True
    )
    assert b"voter_groups" in result.stdout


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)[^)]*\)", document.read_text(encoding="utf-8"))
    broken = [link for link in links if "://" not in link and not (document.parent / link).exists()]
    assert broken == []
