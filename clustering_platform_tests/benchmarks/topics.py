"""Vectors of texts to topics: ours, which is not told how many there are, beside what others use.

The texts are CLINC150 and Banking77, whole, from the shared data; their vectors are made before any clock starts.
Everything runs in processes of its own. What the parts measure stands in docs/benchmarks.md.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from clustering_platform_tests.benchmarks import topic_checks
from clustering_platform_tests.benchmarks.measure import Spread, fresh
from clustering_platform_tests.benchmarks.topic_methods import METHODS, Found, is_installed, run_method
from clustering_platform_tests.benchmarks.topic_sets import (
    NAMES,
    OUT_OF_SCOPE,
    SETS,
    TEXTS,
    Labelled,
    made_file,
    read_set,
    vector_file,
)

SIZES = (25_000, 50_000, 100_000)


@dataclass(frozen=True)
class Task:
    """What a part is asked to do."""

    sets: Sequence[str]
    folder: Path
    rounds: int
    seed: int
    sizes: Sequence[int]
    has_baseline: bool

    def files(self) -> dict[str, Path]:
        """Return the vectors of each labelled set, by the name to print."""
        return {NAMES[name]: vector_file(SETS[name], self.folder) for name in self.sets}

    @property
    def outside(self) -> Path:
        """The vectors of the requests that belong to no class of CLINC150."""
        return vector_file(OUT_OF_SCOPE, self.folder)

    @property
    def clinc(self) -> Path:
        """The vectors of CLINC150."""
        return vector_file(SETS["clinc"], self.folder)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the figures of each part."""
    parser = argparse.ArgumentParser(prog="topics", description=__doc__)
    parser.add_argument("--sets", default=",".join(SETS), help=f"of {', '.join(SETS)} (default: both)")
    parser.add_argument("--parts", default=",".join(PARTS), help=f"of {', '.join(PARTS)} (default: all)")
    parser.add_argument("--rounds", type=int, default=1, help="how often everything is measured (default: 1)")
    parser.add_argument("--seed", type=int, default=7, help="seed of subsamples and of made vectors")
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="numbers of vectors of the part `scale`")
    parser.add_argument("--no-baseline", action="store_true", help="leave the other methods out")
    parser.add_argument(
        "--vectors", type=Path, help="folder in which the vectors of each set are kept from run to run, as NAME.npz"
    )
    chosen = parser.parse_args(arguments)
    sets, parts = _known(parser, chosen.sets, SETS), _known(parser, chosen.parts, PARTS)
    if not TEXTS.is_dir() and parts != ["scale"]:
        print(f"topics: no labelled texts at {TEXTS}; only the part `scale` can be measured")
        parts = [part for part in parts if part == "scale"]
    print(f"load of the machine at the start: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores", flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        folder = chosen.vectors or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        sizes = [int(size) for size in chosen.sizes.split(",")]
        task = Task(sets, folder, chosen.rounds, chosen.seed, sizes, not chosen.no_baseline)
        for part in parts:
            print(f"{part}:", flush=True)
            PARTS[part](task)
    print(f"load of the machine at the end: {os.getloadavg()[0]:.1f}")


def _known(parser: argparse.ArgumentParser, chosen: str, known: Sequence[str] | dict[str, object]) -> list[str]:
    names = chosen.split(",")
    if unknown := set(names) - set(known):
        parser.error(f"no {', '.join(sorted(unknown))}; known: {', '.join(known)}")
    return names


def quality(task: Task) -> None:
    """Print how well the topics of each method agree with the classes, and what they took."""
    scores: dict[str, list[tuple[float, float]]] = {}
    for set_name, file in task.files().items():
        data = read_set(file)
        print(f"  {set_name}: {len(data):,} texts, {len(set(data.fine))} intents", flush=True)
        for name in METHODS if task.has_baseline else ["ours"]:
            if not is_installed(name):
                print(f"    {name:18}not installed; see the extra `bench`", flush=True)
                continue
            found: list[Found] = fresh(run_method, name, file, rounds=task.rounds)
            ami, ari = _scores(data.fine, found[0].labels)
            scores.setdefault(name, []).append((ami, ari))
            print(f"    {name:18}AMI {ami:.3f}  ARI {ari:.3f}  {_figures(found)}{_levels(data, found[0])}", flush=True)
    for name, both in scores.items():
        if len(both) > 1:
            ami, ari = np.mean(both, axis=0)
            print(f"  mean of the sets  {name:18}AMI {ami:.3f}  ARI {ari:.3f}")


def _figures(found: Sequence[Found]) -> str:
    spread = [_spread([getattr(one, name) for one in found]) for name in ("cpu", "seconds", "megabytes", "peak")]
    return (
        f"{found[0].topics:4} topics, {found[0].noise:.1%} noise   {spread[0]} CPU s   {spread[1]} s   "
        f"{spread[2]} MB above imports, {spread[3]} MB in all"
    )


def _spread(figures: Sequence[float]) -> str:
    return str(Spread.of(figures)) if len(figures) > 1 else str(Spread.of(figures)).partition(" ")[0]


def _levels(data: Labelled, found: Found) -> str:
    """Return how well each level agrees with the domains, where there are any."""
    if len(set(data.coarse)) < 2:
        return ""
    each = [(len(np.unique(labels)), _scores(data.coarse, labels)[0]) for labels in found.levels]
    return "   domains: " + ", ".join(f"{ami:.3f} at {topics}" for topics, ami in each)


def _scores(classes: NDArray[np.str_], labels: NDArray[np.int64]) -> tuple[float, float]:
    from sklearn.metrics import adjusted_mutual_info_score, adjusted_rand_score

    return float(adjusted_mutual_info_score(classes, labels)), float(adjusted_rand_score(classes, labels))


def stability(task: Task) -> None:
    """Print whether two runs give the same bytes, and how far two subsamples agree."""
    for name, file in task.files().items():
        hashes = fresh(topic_checks.fingerprint, file, rounds=2)
        same = "the same bytes" if len(set(hashes)) == 1 else f"DIFFERENT BYTES: {' '.join(hashes)}"
        print(f"  {name}: two processes, same input: {same} ({hashes[0]})", flush=True)
        for round_ in range(task.rounds):
            first, second = (
                fresh(topic_checks.leaf_topics, file, task.seed + 2 * round_ + place)[0] for place in range(2)
            )
            ari, ami = topic_checks.agreement(first, second)
            print(f"  {name}: two subsamples of 90 %: ARI {ari:.3f}  AMI {ami:.3f} on the common items", flush=True)


def identity(task: Task) -> None:
    """Print how many topics keep their id when the last 5 % of the items come."""
    for name, file in task.files().items():
        for round_ in range(task.rounds):
            (kept,) = fresh(topic_checks.kept_ids, file, task.seed + round_)
            for way in ("placed", "made anew"):
                told = "not done" if kept[way] is None else "{:.1%} of the leaves and {:.1%} of all".format(*kept[way])
                print(
                    f"  {name}: a tree of 95 % with {kept['leaves']} leaves, {kept['topics']} topics, then the others "
                    f"{way}: ids kept of {told}",
                    flush=True,
                )


def noise(task: Task) -> None:
    """Print how well requests of no class are told apart when the tree was made with them."""
    (found,) = fresh(topic_checks.noise, task.clinc, task.outside)
    print(
        f"  CLINC150 with its requests of no class: AUC {found['neighbours']:.3f} by similarity to the neighbours, "
        f"{found['topic']:.3f} by similarity to the topic; flagged as noise {found['flagged outside']:.1%} of them and "
        f"{found['flagged inside']:.1%} of the others; {found['with a path']:.0%} have a topic"
    )


def new_items(task: Task) -> None:
    """Print how well items that come later are placed."""
    for round_ in range(task.rounds):
        (found,) = fresh(topic_checks.new_items, task.clinc, task.outside, task.seed + round_)
        print(
            f"  CLINC150, 30 % held out: accuracy {found['accuracy']:.3f} against the most frequent intent of the "
            f"nearest of {found['leaves']} leaves (those fitted: {found['fitted']:.3f}); requests of no class told "
            f"apart from them with AUC {found['auc']:.3f}; under the threshold {found['refused inside']:.1%} of those "
            f"held out, {found['refused outside']:.1%} of no class",
            flush=True,
        )


def scale(task: Task) -> None:
    """Print what the tree of made vectors takes, and how that grows."""
    medians: dict[int, tuple[float, float]] = {}
    for size in task.sizes:
        file = made_file(size, task.folder, seed=task.seed)
        found: list[Found] = fresh(run_method, "ours", file, rounds=task.rounds)
        ami, ari = _scores(read_set(file).fine, found[0].labels)
        print(f"  {size:,} vectors: {_figures(found)}   AMI {ami:.3f}  ARI {ari:.3f}", flush=True)
        medians[size] = Spread.of(one.cpu for one in found).median, Spread.of(one.seconds for one in found).median
        file.unlink()
    if len(medians) > 1:
        sizes = np.log(list(medians))
        cpu, wall = (np.polyfit(sizes, np.log(figures), 1)[0] for figures in zip(*medians.values(), strict=True))
        print(f"  grows with the power {cpu:.2f} of the number (CPU seconds), {wall:.2f} (wall)")


def recommendation(task: Task) -> None:
    """Print which strategy is recommended of each set, and what comparing them took."""
    for name, file in task.files().items():
        (found,) = fresh(topic_checks.recommendation, file)
        print(
            f"  {name}: {found.cpu:.1f} CPU s, {found.seconds:.1f} s, {found.megabytes:.0f} MB above imports",
            flush=True,
        )
        for row in sorted(found.rows, key=lambda row: row["rank"]):
            stable = "  -  " if row["stability"] is None else f"{row['stability']:.3f}"
            print(
                f"    {row['rank']}. {row['name']:20}stability {stable}  silhouette {row['silhouette']:.3f}  "
                f"coverage {row['coverage']:.3f}  {row['topics']:4} topics  {row['cpu']:.1f} CPU s"
            )


PARTS: dict[str, Callable[[Task], None]] = {
    "quality": quality,
    "stability": stability,
    "identity": identity,
    "noise": noise,
    "new-items": new_items,
    "scale": scale,
    "recommendation": recommendation,
}

if __name__ == "__main__":
    main()
