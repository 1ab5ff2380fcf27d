"""Stage by stage against what Polis computed: each stage is entered with Polis's own result of the stage before."""

from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from clustering_platform.opinions.components import item_means, principal_components
from clustering_platform.opinions.consensus import build_consensus_items
from clustering_platform.opinions.groups import build_groups
from clustering_platform.opinions.item_statistics import build_item_statistics
from clustering_platform.opinions.representative import build_representative_items
from clustering_platform.opinions.space import project_items, project_voters
from clustering_platform_tests.opinions.polis_data import CONFIG, CONVERSATIONS, Conversation, load_conversation

EXACT = 1e-9


@pytest.fixture(scope="module", params=CONVERSATIONS)
def polis(request: pytest.FixtureRequest, shared_data: Path) -> Conversation:
    return load_conversation(shared_data / "polis-math" / request.param)


def test_voters_and_votes_are_counted_alike(polis: Conversation):
    matrix = polis.matrix
    ours = dict(zip(matrix.voter_ids.to_pylist(), matrix.votes_cast.tolist(), strict=True))
    assert ours == {voter: votes for voter, votes in polis.math["user-vote-counts"].items() if votes}
    assert matrix.shape == (polis.math["n"], polis.math["n-cmts"])


def test_grouped_are_all_with_enough_votes_and_for_polis_those_who_once_had(polis: Conversation):
    ours = set(polis.matrix.voter_ids.filter(polis.matrix.is_grouped).to_pylist())
    assert ours <= {str(pid) for pid in polis.math["in-conv"]}


def test_means_are_equal(polis: Conversation):
    assert item_means(polis.matrix) == pytest.approx(polis.means, abs=EXACT)


def test_components_are_the_same_but_for_their_sign(polis: Conversation):
    ours = principal_components(polis.matrix, item_means(polis.matrix))
    cosines = (ours * polis.components).sum(axis=1) / np.linalg.norm(polis.components, axis=1)
    assert (np.abs(cosines) >= 0.999999).all()


def test_items_are_projected_alike(polis: Conversation):
    places = project_items(means=polis.means, components=polis.components)
    expected = -polis.in_our_order(polis.math["pca"]["comment-projection"])
    assert places == pytest.approx(expected.T, abs=EXACT)


def test_base_clusters_lie_at_the_mean_of_their_projected_voters(polis: Conversation):
    places = project_voters(polis.matrix, means=polis.means, components=polis.components)
    for base in polis.base_clusters.to_pylist():
        centre = places[base["voter_positions"]].mean(axis=0)
        assert centre == pytest.approx([base["x"], base["y"]], abs=EXACT)


def test_base_clusters_form_the_same_groups(polis: Conversation):
    groups, _ = build_groups(polis.base_clusters, config=CONFIG)
    ours = {frozenset(members) for members in groups["base_cluster_ids"].to_pylist()}
    assert ours == {frozenset(group["members"]) for group in polis.math["group-clusters"]}
    assert sorted(groups["x"].to_pylist()) == pytest.approx(sorted(polis.groups["x"].to_pylist()), abs=EXACT)
    assert sorted(groups["size"].to_pylist()) == sorted(polis.groups["size"].to_pylist())


def test_votes_of_base_clusters_are_counted_alike(polis: Conversation):
    ours: defaultdict[str, dict[str, list[int]]] = defaultdict(lambda: {"A": [], "D": [], "S": []})
    for row in polis.patterns.to_pylist():  # by base_cluster_id, as Polis lists them
        if row["level"] == "base_cluster":
            for name, column in (("A", "agree"), ("D", "disagree"), ("S", "seen")):
                ours[row["item_id"]][name].append(row[column])
    assert ours == polis.math["votes-base"]


def test_votes_of_groups_are_counted_alike(polis: Conversation):
    ours: defaultdict[str, dict[str, dict[str, int]]] = defaultdict(dict)
    for row in polis.patterns.to_pylist():
        if row["level"] == "group":
            counts = {"A": row["agree"], "D": row["disagree"], "S": row["seen"]}
            ours[str(row["cluster_id"])][row["item_id"]] = counts
    assert ours == {group: entry["votes"] for group, entry in polis.math["group-votes"].items()}


def test_the_same_items_represent_each_group_in_the_same_order(polis: Conversation):
    ours: defaultdict[str, list[dict[str, object]]] = defaultdict(list)
    for row in build_representative_items(polis.tables[1], polis.patterns).to_pylist():
        ours[str(row["group_id"])].append(row)
    assert set(ours) == set(polis.math["repness"])
    names = {"n-success": "n_success", "n-trials": "n_trials", "p-success": "p_success", "p-test": "p_test"}
    names |= {"repness": "repness", "repness-test": "repness_test"}
    for group, records in polis.math["repness"].items():
        rows = ours[group]
        assert [(row["item_id"], row["side"]) for row in rows] == [(str(r["tid"]), r["repful-for"]) for r in records]
        assert [row["rank"] for row in rows] == list(range(1, len(records) + 1))
        for row, record in zip(rows, records, strict=True):
            assert {name: row[ours] for name, ours in names.items()} == pytest.approx(
                {name: record[name] for name in names}, rel=1e-6
            )
            assert (row["is_best_agree"], row["n_agree"]) == (record.get("best-agree", False), record.get("n-agree"))


def test_the_same_items_are_consensus_in_the_same_order(polis: Conversation):
    rows = build_consensus_items(polis.tables[1]).to_pylist()
    for side, records in polis.math["consensus"].items():
        ours = [row for row in rows if row["side"] == side]
        assert [(row["item_id"], row["n_success"], row["n_trials"]) for row in ours] == [
            (str(record["tid"]), record["n-success"], record["n-trials"]) for record in records
        ]
        # Polis rounds quotients at sixteen decimal digits: its last binary digit may differ.
        for row, record in zip(ours, records, strict=True):
            assert (row["p_success"], row["p_test"]) == pytest.approx(
                (record["p-success"], record["p-test"]), rel=1e-14
            )


def test_figures_of_items_are_equal(polis: Conversation):
    """Priorities too: Polis takes the group votes of the tick before, but here they equal those of the last one."""
    rows = build_item_statistics(polis.tables[1], polis.space, polis.patterns).to_pylist()
    ours = {name: {row["item_id"]: row[name] for row in rows} for name in rows[0]}
    assert ours["group_aware_consensus"] == pytest.approx(polis.math["group-aware-consensus"], abs=EXACT)
    assert ours["priority"] == pytest.approx(polis.math["comment-priorities"], abs=EXACT)
    extremity = dict(zip(map(str, polis.math["tids"]), polis.math["pca"]["comment-extremity"], strict=True))
    assert ours["extremity"] == pytest.approx(extremity, abs=EXACT)
    assert {item for item, is_out in ours["is_moderated_out"].items() if is_out} == {
        str(tid) for tid in polis.math["mod-out"] if tid in polis.math["tids"]
    }
