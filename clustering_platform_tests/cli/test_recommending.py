"""What `clustering recommend` prints."""

import io
from pathlib import Path
from typing import Any

from rich.console import Console

from clustering_platform.cli.recommending import print_recommendation
from clustering_platform.datasets import Dataset
from clustering_platform.semantics.recommending import ranked

FIGURES = {"silhouette": 0.12, "coverage": 0.97, "topics": 8}


def printed(folder: Path, *, settings: str = "") -> list[str]:
    (folder / "dataset.yaml").write_text(settings)
    rows: list[dict[str, Any]] = [
        {"trial": 1, "strategy": "auto", "algorithm": None, "resolution": 3.4, "stability": 0.91} | FIGURES,
        {"trial": 2, "strategy": "flat", "algorithm": "kmeans", "resolution": None, "stability": None} | FIGURES,
    ]
    out = Console(file=io.StringIO(), width=200, soft_wrap=True)
    print_recommendation(sorted(ranked(rows), key=lambda row: row["rank"]), Dataset("talk", folder), out)
    assert isinstance(out.file, io.StringIO)
    return out.file.getvalue().splitlines()


def test_the_best_comes_first_and_what_is_not_known_is_a_dash(tmp_path: Path) -> None:
    lines = printed(tmp_path)
    assert lines[1].split()[:8] == ["1", "auto", "-", "3.4", "8", "0.91", "0.12", "0.97"]
    assert lines[2].split()[:8] == ["2", "flat", "kmeans", "-", "8", "-", "0.12", "0.97"]


def test_it_says_what_to_write_and_where(tmp_path: Path) -> None:
    lines = printed(tmp_path)
    assert f"for the first, write into {tmp_path / 'dataset.yaml'}:" in lines
    assert lines[-5:-1] == ["topics:", "  strategy: auto", "  auto:", "    resolution: 3.4"]


def test_it_says_when_the_settings_are_so_already(tmp_path: Path) -> None:
    assert printed(tmp_path, settings="topics: {auto: {resolution: 3.4}}")[-1].startswith("talk has the settings")
