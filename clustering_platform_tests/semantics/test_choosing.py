"""How many clusters: the largest silhouette, and the elbow beside it."""

import numpy as np
import pytest

from clustering_platform.semantics.choosing import _farthest_below, choose_count, sampled_silhouette
from clustering_platform_tests.semantics.planted import Floats, labels_of, places


def clusters_of(layout: Floats) -> object:
    from scipy.cluster.hierarchy import fcluster, linkage

    merges = linkage(layout.astype(np.float64), "ward")

    def clusters(count: int) -> tuple[np.ndarray, float]:
        labels = fcluster(merges, count, "maxclust") - 1
        centres = np.stack([layout[labels == label].mean(axis=0) for label in range(labels.max() + 1)])
        return labels, float(((layout - centres[labels]) ** 2).sum())

    return clusters


@pytest.mark.parametrize("sizes", [[20, 20], [20, 30, 10], [15] * 6, [12] * 9], ids=len)
def test_the_planted_number_is_chosen_and_what_was_tried_is_told(sizes: list[int]) -> None:
    layout = places(sizes)
    chosen, rows = choose_count(layout, clusters_of(layout), most=20, seed=1)  # type: ignore[arg-type]
    assert chosen == len(sizes)
    tried = [row["topics"] for row in rows]
    assert tried == sorted(set(tried))
    assert (tried[0], tried[-1]) == (2, 20)
    assert [row["topics"] for row in rows if row["is_chosen"]] == [chosen]
    (elbow,) = (row["topics"] for row in rows if row["is_elbow"])
    squares = [row["sum_of_squares"] for row in rows]
    assert squares == sorted(squares, reverse=True)
    assert max(rows, key=lambda row: row["silhouette"])["topics"] == chosen
    assert elbow in (chosen, max(count for count in tried if count < chosen or count == 2))


def test_two_is_tried_even_where_less_is_allowed() -> None:
    layout = places([5, 5])
    chosen, rows = choose_count(layout, clusters_of(layout), most=1, seed=1)  # type: ignore[arg-type]
    assert (chosen, len(rows)) == (2, 1)


def test_the_elbow_is_farthest_below_the_line_from_first_to_last() -> None:
    places_of, heights = np.array([0.0, 1, 2, 3, 4]), np.array([100.0, 60, 10, 5, 0])
    assert _farthest_below(places_of, heights) == 2
    assert _farthest_below(places_of, np.array([100.0, 10, 5, 2, 0])) == 1
    assert _farthest_below(places_of, np.full(5, 3.0)) == 1
    assert _farthest_below(places_of[:2], heights[:2]) == 1


def test_the_silhouette_is_that_of_all_points_or_of_4000() -> None:
    from sklearn.metrics import silhouette_score

    sizes = [30, 20]
    layout, labels = places(sizes, spread=3), labels_of(sizes)
    assert sampled_silhouette(layout, labels, seed=1) == pytest.approx(silhouette_score(layout, labels))
    assert sampled_silhouette(layout, np.zeros(50, np.int64), seed=1) == -1
    many = [2500, 2500]
    layout, labels = places(many, spread=3), labels_of(many)
    one, other = (sampled_silhouette(layout, labels, seed=1) for _ in range(2))
    assert one == other == pytest.approx(silhouette_score(layout, labels), abs=0.02)
