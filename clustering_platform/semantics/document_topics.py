"""Which topics a document is about: the table `document_topics`, and the one topic that stands for it."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from clustering_platform.semantics.pieces import is_cut
from clustering_platform.tables import TABLES, conform


def find_document_topics(chunks: pa.Table, item_topics: pa.Table) -> pa.Table:
    """Return the table `document_topics`: the deepest topics of the pieces of each document, the main one first.

    The main topic is that of most pieces; of several, the one that they are more similar to, then the one that comes
    first in the document. Documents come in the order of `chunks`.

    Parameters
    ----------
    chunks
        The table `chunks`.
    item_topics
        The table `item_topics`; of it `item_id`, `topic_id` and `similarity` are read.
    """
    contract = TABLES["document_topics"]
    places = pc.index_in(item_topics["item_id"], chunks["item_id"].combine_chunks()).to_numpy()
    if not len(places):
        return contract.empty()
    places_in_order = np.argsort(places, kind="stable")
    rows = chunks.take(pa.array(places[places_in_order]))
    topics = item_topics["topic_id"].take(pa.array(places_in_order)).combine_chunks().dictionary_encode()
    documents = rows["document_id"].combine_chunks().dictionary_encode()
    document, topic = np.asarray(documents.indices, np.int64), np.asarray(topics.indices, np.int64)
    _, first, pair, counts = np.unique(
        document * len(topics.dictionary) + topic, return_index=True, return_inverse=True, return_counts=True
    )
    similarity = item_topics["similarity"].to_numpy()[places_in_order]
    mean = np.bincount(pair, weights=similarity, minlength=len(first)) / counts
    order = np.lexsort((first, -mean, -counts, document[first]))
    of_document = document[first][order]
    total = np.bincount(document)
    table = pa.table(
        {
            "document_id": documents.dictionary.take(pa.array(of_document)),
            "topic_id": topics.dictionary.take(pa.array(topic[first][order])),
            "chunks": counts[order],
            "share": counts[order] / total[of_document],
            "is_main": np.diff(of_document, prepend=-1) > 0,
        }
    )
    return conform(table, contract)


def main_topics(chunks: pa.Table, item_topics: pa.Table) -> pa.Table:
    """Return the rows of `item_topics` that stand for items as a whole, under their ids.

    The row of an item that is cut is that of its piece which is most similar to its main topic, see
    `find_document_topics`. Where no item is cut, `item_topics` itself is returned.

    Parameters
    ----------
    chunks
        The table `chunks`; of it `item_id`, `document_id` and `position` are read.
    item_topics
        Of it `item_id`, `topic_id` and `similarity` are read; it may lack other columns, or have further ones.
    """
    if not is_cut(chunks):
        return item_topics
    topics = find_document_topics(chunks, item_topics)
    main = topics.filter(topics["is_main"])
    owners = chunks["document_id"].take(pc.index_in(item_topics["item_id"], chunks["item_id"].combine_chunks()))
    places = pc.index_in(owners, main["document_id"].combine_chunks())
    is_own = pc.equal(main["topic_id"].take(places), item_topics["topic_id"])
    rows = np.flatnonzero(is_own)
    order = np.lexsort((rows, -item_topics["similarity"].to_numpy()[rows], places.to_numpy()[rows]))
    _, first = np.unique(places.to_numpy()[rows][order], return_index=True)
    chosen = item_topics.take(pa.array(rows[order][first]))
    return chosen.set_column(chosen.column_names.index("item_id"), chosen.schema.field("item_id"), main["document_id"])
