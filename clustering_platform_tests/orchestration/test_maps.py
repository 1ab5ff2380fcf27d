"""Maps as pictures."""

import warnings

import pyarrow as pa

from clustering_platform.orchestration.pictures import topic_map_png


def test_names_in_any_script_are_drawn_without_warnings() -> None:
    topics = ["t1", "t2"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        png = topic_map_png(
            pa.table({"x": [0.0, 1.0], "y": [0.0, 1.0]}),
            pa.table({"path": [["t0", topic] for topic in topics]}),
            pa.table({"topic_id": topics, "depth": [1, 1]}),
            pa.table({"topic_id": topics, "name": ["計程車 / 法規", "$5 \U0001f695"], "status": ["active", "active"]}),
            title="運輸",
        )
    assert png.startswith(b"\x89PNG")
