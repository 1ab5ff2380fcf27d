"""From the tree as found to the tree as published: lasting ids, people's merges, the history of topics.

The three steps belong in ``identity``, ``merging`` and ``lineage``; here they are put one after the other.
"""

from collections.abc import Sequence

import pyarrow as pa

from clustering_platform.semantics.curation import decided_topics, in_force, read_tree
from clustering_platform.semantics.identity import lasting_ids, relabel
from clustering_platform.semantics.lineage import Before, build_topic_lineage
from clustering_platform.semantics.membership import read_membership
from clustering_platform.semantics.merging import apply_merges, plan_merges
from clustering_platform.store.curation import Decision


def build_lasting_tree(
    embeddings: pa.Table,
    found_topics: pa.Table,
    found_item_topics: pa.Table,
    *,
    before: Before | None = None,
    log: Sequence[Decision] = (),
) -> tuple[pa.Table, pa.Table, pa.Table]:
    """Return the tables `topic_tree`, `item_topics` and `topic_lineage`.

    Topics are matched, and ids given, before people's merges are done: so a merge is done again on every later tree,
    and a topic that was merged is found under its own id when the merge is undone.

    Parameters
    ----------
    before
        What was published before; None for the first time.
    log
        All decisions of people. Their merges are done; of topics that others are about, the items are remembered when
        they are found no more.
    """
    decided = decided_topics(log)
    found = read_membership(found_item_topics, found_topics["topic_id"].to_pylist())
    ids = lasting_ids(
        found,
        before.found if before else None,
        retired=before.remembered if before else {},
        used=[*decided, *(before.rows if before else ())],
    )
    tree, items = relabel(found_topics, ids), relabel(found_item_topics, ids)
    plan = plan_merges(*read_tree(tree), in_force(log, "merge"))
    tree, items = apply_merges(tree, items, embeddings, plan)
    lineage = build_topic_lineage(
        read_membership(items, tree["topic_id"].to_pylist()),
        before,
        found_ids={lasting: found_id for found_id, lasting in ids.items()},
        decided=decided,
    )
    return tree, items, lineage


def read_before(
    commit: int, item_topics: pa.Table, found_item_topics: pa.Table | None, topic_lineage: pa.Table | None
) -> Before:
    """Return what was published before, from the tables of its commit.

    Parameters
    ----------
    commit
        Its number.
    item_topics, found_item_topics
        Their columns `item_id` and `path`. In commits from before there was a tree as found, it is the one published.
    """
    published = read_membership(item_topics)
    if found_item_topics is None or topic_lineage is None:
        return Before(commit, published, published)
    known = topic_lineage.filter(topic_lineage["found_id"].is_valid())
    lasting = dict(zip(known["found_id"].to_pylist(), known["topic_id"].to_pylist(), strict=True))
    return Before(commit, read_membership(relabel(found_item_topics, lasting)), published, topic_lineage)
