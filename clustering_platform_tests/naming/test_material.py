"""What a language model gets to see of each topic."""

import numpy as np
import pyarrow as pa

from clustering_platform.naming.material import Material, as_sent, read_material
from clustering_platform.semantics.item_embeddings import list_column

SIZE = 12


def material(texts: list[list[str]], authors: list[list[str]] | None = None) -> list[Material]:
    """Return the material of a root with a topic for each list of texts; the n-th topic lies along axis n."""
    ids = [[f"{topic}-{place}" for place in range(len(inside))] for topic, inside in enumerate(texts)]
    flat = [item_id for inside in ids for item_id in inside]
    axes = np.eye(len(texts) + 1, dtype=np.float32)
    vectors = np.concatenate([np.repeat(axes[topic][None], len(inside), axis=0) for topic, inside in enumerate(texts)])
    columns = {"item_id": flat, "text": [text for inside in texts for text in inside]}
    if authors:
        columns["author_id"] = [author for inside in authors for author in inside]
    topics = [{"topic_id": "t0", "parent_id": None, "size": len(flat), "exemplar_ids": flat[:2], "diverse_ids": []}]
    for topic, inside in enumerate(ids, 1):
        exemplars = {"exemplar_ids": inside[:6], "diverse_ids": inside[4:]}
        topics.append({"topic_id": f"t{topic}", "parent_id": "t0", "size": len(inside), **exemplars})
    tree = pa.Table.from_pylist(topics).append_column(
        "centroid", list_column(np.concatenate([axes[-1:], axes[: len(texts)]]))
    )
    names = [{"topic_id": row["topic_id"], "name": "Offline", "keywords": ["a", "b"]} for row in topics]
    embeddings = pa.table({"item_id": flat, "vector": list_column(vectors)})
    return read_material(pa.table(columns), embeddings, tree, pa.Table.from_pylist(names))


def test_a_topic_shows_central_and_diverse_texts_and_texts_of_its_neighbours() -> None:
    texts = [[f"Text {place} of {topic}" for place in range(SIZE)] for topic in ("parks", "buses")]
    root, parks, buses = material(texts)
    assert [text for _, text in parks.items] == texts[0]
    assert parks.items[0][0] == "0-0"
    assert set(parks.others) <= set(texts[1])
    assert len(parks.others) == 8
    assert (root.children, parks.parent, buses.parent) == ([1, 2], 0, 0)
    assert root.others == []


def test_equal_texts_are_sent_once_and_an_author_twice_at_most() -> None:
    flooded = ["Buy now"] * 5 + [f"Buy now number {place}" for place in range(5)] + ["Quiet", "Calm"]
    authors = ["troll"] * 10 + ["ann", "bob"]
    _, topic = material([flooded], [authors])
    assert [text for _, text in topic.items] == ["Buy now", "Buy now number 0", "Quiet", "Calm"]


def test_addresses_and_long_numbers_do_not_leave_the_machine() -> None:
    sent = as_sent("Write to ann.b@example.org or call +49 170 1234567,\nsee https://example.org/x?id=1 by 2030")
    assert sent == "Write to [address] or call [number], see [link] by 2030"


def test_long_texts_are_cut_in_the_middle_and_invisible_characters_left_out() -> None:
    sent = as_sent("start " + "word " * 500 + "end")
    assert len(sent) <= 410
    assert sent.startswith("start")
    assert sent.endswith("end")
    assert as_sent("a\u202eb\x00c") == "abc"
