import numpy as np
import pytest

from clustering_platform.opinions import grid as module
from clustering_platform.opinions.grid import gather, gather_places, kmeans_on_grid
from clustering_platform.opinions.kmeans import kmeans


def crowd(n_points: int = 30_000) -> np.ndarray:
    rng = np.random.default_rng(1)
    camps = np.array([[0.0, 0.0], [6.0, 1.0], [-3.0, 5.0]])
    return camps[rng.integers(0, 3, n_points)] + rng.normal(size=(n_points, 2)) * rng.gamma(2, 0.5, (n_points, 1))


def inertia(points: np.ndarray, clusters: tuple[np.ndarray, np.ndarray]) -> float:
    labels, centres = clusters
    return float(np.square(points - centres[labels]).sum())


def test_few_points_are_clustered_one_by_one():
    points = crowd(module.GRID_ABOVE)
    ours, expected = kmeans_on_grid(points, k=30, weights=np.ones(len(points))), kmeans(points, k=30)
    assert all(a.tobytes() == b.tobytes() for a, b in zip(ours, expected, strict=True))


def test_many_points_are_clustered_almost_as_well_by_their_cells():
    points = crowd()
    found = kmeans_on_grid(points, k=100, weights=np.ones(len(points)))
    assert inertia(points, found) < 1.03 * inertia(points, kmeans(points, k=100))
    assert len(found[1]) == 100


def test_centres_are_the_weighted_means_of_the_points_and_repeat_byte_by_byte():
    points = crowd()
    weights = np.random.default_rng(0).integers(1, 50, len(points)).astype(float)
    labels, centres = kmeans_on_grid(points, k=20, weights=weights)
    for cluster, centre in enumerate(centres):
        members = labels == cluster
        assert centre == pytest.approx(np.average(points[members], axis=0, weights=weights[members]))
    again = kmeans_on_grid(points, k=20, weights=weights)
    assert (again[0].tobytes(), again[1].tobytes()) == (labels.tobytes(), centres.tobytes())


def test_a_few_points_far_off_do_not_make_the_cells_large_and_have_the_nearest_cluster():
    points = crowd()
    points[:5] = [[9e3, 9e3], [-9e3, 0], [0, 9e3], [50, -40], [1e4, 0]]
    labels, centres = kmeans_on_grid(points, k=100, weights=np.ones(len(points)))
    distances = np.hypot(*(points[:5, np.newaxis] - centres).transpose(2, 0, 1))
    assert labels[:5].tolist() == distances.argmin(axis=1).tolist()
    near = np.arange(len(points)) >= 5
    assert np.square(points - centres[labels])[near].sum() < 1.1 * inertia(points[5:], kmeans(points[5:], k=100))


def test_cells_stand_in_the_order_of_their_first_points_and_keep_the_weight():
    points, weights = crowd(), np.arange(1.0, 30_001)
    gathered = gather(points, weights)
    _, first = np.unique(gathered.cells, return_index=True)
    assert (np.diff(first) > 0).all()
    assert gathered.weights.sum() == weights.sum()
    for cell in gathered.cells[:20]:
        members = gathered.cells == cell
        mean = np.average(points[members], axis=0, weights=weights[members])
        assert gathered.points[cell] == pytest.approx(mean)


@pytest.mark.parametrize("distinct", [1, 2, 7, 600])
def test_few_places_are_clustered_as_they_are(distinct: int):
    places = np.random.default_rng(distinct).normal(size=(distinct, 2))
    places[1:2] = places[0] + 1e-7
    points = np.repeat(places, 42_000 // distinct, axis=0)
    weights = np.ones(len(points))
    labels, centres = kmeans_on_grid(points, k=100, weights=weights)
    assert len(centres) == min(distinct, 100)
    if distinct <= 100:
        assert centres[labels] == pytest.approx(points, abs=1e-12, rel=1e-12)
    assert len(gather_places(points, weights).points) == distinct


def test_points_on_a_line_are_clustered():
    line = np.linspace(-1, 1, 30_000)
    for points in (np.column_stack([line, 0 * line]), np.column_stack([0 * line, line]), np.column_stack([line, line])):
        labels, centres = kmeans_on_grid(points, k=100, weights=np.ones(len(points)))
        assert len(centres) == 100
        assert np.abs(points - centres[labels]).max() < 1.0
