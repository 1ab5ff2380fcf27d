"""Topics that are still about the same keep the names they had."""

import numpy as np
import pyarrow as pa

from clustering_platform.semantics.kept_names import keep_proposed, kept_names


def names(namer: str = "phrases 1", **centroids: list[float]) -> pa.Table:
    rows = []
    for key, value in centroids.items():
        centroid = np.array(value) / np.linalg.norm(value)
        rows.append({"topic_id": key, "name": f"{namer} {key}", "centroid": centroid.tolist(), "namer": namer})
    return pa.Table.from_pylist(rows)


def test_a_name_holds_while_the_centroid_is_near_where_it_was_named() -> None:
    before = names(t1=[1.0, 0.0], t2=[1.0, 0.0], t9=[1.0, 0.0])
    now = names(t1=[1.0, 0.3], t2=[1.0, 1.0], t3=[1.0, 0.0])
    assert list(kept_names(now, before, max_drift=0.1)) == ["t1"]
    assert kept_names(now, None, max_drift=0.1) == {}


def test_small_steps_add_up_since_the_centroid_at_naming_is_kept() -> None:
    table = names(t1=[1.0, 0.0])
    kept = 0
    for angle in np.linspace(0.05, 1, 20):
        now = names(namer="phrases 1", t1=[np.cos(angle), np.sin(angle)])
        kept += "t1" in kept_names(now, table, max_drift=0.1)
        table = keep_proposed(now, table, max_drift=0.1)
    assert 0 < kept < 20


def test_names_made_in_another_way_or_of_other_vectors_are_not_kept() -> None:
    now = names(namer="phrases 2", t1=[1.0, 0.0])
    assert keep_proposed(now, names(t1=[1.0, 0.0]), max_drift=0.1)["name"].to_pylist() == ["phrases 2 t1"]
    assert kept_names(now, names(t1=[1.0, 0.0, 0.0]), max_drift=0.1) == {}
