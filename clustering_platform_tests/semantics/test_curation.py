"""Decisions of people hold over refits, are never lost, and are checked before they are taken."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from clustering_platform.semantics.curation import (
    KnownTopics,
    Standing,
    build_curation,
    build_topic_names,
    known_topics,
    replay,
    strength,
)
from clustering_platform.semantics.errors import CurationError
from clustering_platform.semantics.lasting import build_lasting_tree, read_before
from clustering_platform.semantics.lineage import Before
from clustering_platform.semantics.proposing import CuratedTopics, curated_topics
from clustering_platform.store.curation import Action, Decision
from clustering_platform.tables import TABLES
from clustering_platform_tests.semantics.trees import Tree, as_found, decisions, drawn_trees, tables

Written = tuple[Action, str, str | None]
SPORT, MUSIC, FOOD = ([f"{kind}{row}" for row in range(8)] for kind in "smf")
FIRST: Tree = {"t0": {"t1": SPORT, "t2": MUSIC, "t3": {"t4": FOOD[:4], "t5": FOOD[4:]}}}
NAMES = {"t0": "Everything", "t1": "Sport", "t2": "Music", "t3": "Food", "t4": "Bread", "t5": "Wine"}


def fitted(tree: Tree, log: list[Decision], before: Before | None = None) -> dict[str, pa.Table]:
    """Return the tables of one fit: the tree is as the engine found it, whatever its ids."""
    topic_tree, item_topics, embeddings = tables(tree)
    found, found_items = as_found(topic_tree, item_topics)
    lasting, items, lineage = build_lasting_tree(embeddings, found, found_items, before=before, log=log)
    return {
        "found_topics": found,
        "found_item_topics": found_items,
        "topic_tree": lasting,
        "item_topics": items,
        "topic_lineage": lineage,
    }


def after(made: dict[str, pa.Table], commit: int = 1) -> Before:
    return read_before(commit, made["item_topics"], made["found_item_topics"], made["topic_lineage"])


def proposed(topic_tree: pa.Table) -> pa.Table:
    ids = topic_tree["topic_id"].to_pylist()
    rows = [{"topic_id": key, "name": NAMES.get(key, f"Topic {key[1:]}"), "keywords": []} for key in ids]
    filled = [{"summary": "", "centroid": [1.0], "namer": "test"} | row for row in rows]
    return pa.Table.from_pylist(filled, TABLES["proposed_names"].schema())


NONE_WRITTEN = TABLES["written_names"].empty()


def written(**names: str | None) -> pa.Table:
    """Return what a language model called topics, by id; None where it gave no name that can be used."""
    rows = [
        {
            "topic_id": topic_id,
            "name": name,
            "summary": name and f"All about {name}.",
            "category": name and "life",
            "evidence_ids": ["x1"] if name else [],
            "reason": None if name else "the model refused to answer",
            "model": "m",
            "prompt": "topic 1",
            "centroid": [1.0],
        }
        for topic_id, name in names.items()
    ]
    return pa.Table.from_pylist(rows, TABLES["written_names"].schema())


def named(made: dict[str, pa.Table], log: list[Decision], written: pa.Table | None = None) -> dict[str, dict[str, Any]]:
    table = build_topic_names(proposed(made["topic_tree"]), written or NONE_WRITTEN, made["topic_tree"], log)
    assert table.schema == TABLES["topic_names"].schema()
    return {row["topic_id"]: row for row in table.to_pylist()}


def states(made: dict[str, pa.Table], log: list[Decision]) -> list[tuple[str, str | None]]:
    table = build_curation(log, known_topics(made["found_topics"], made["topic_lineage"]))
    assert table.schema == TABLES["curation"].schema()
    return list(zip(table["state"].to_pylist(), table["reason"].to_pylist(), strict=True))


def test_without_decisions_names_are_those_proposed_and_every_topic_is_active() -> None:
    rows = named(fitted(FIRST, []), [])
    assert {key: row["name"] for key, row in rows.items()} == NAMES
    assert {(row["source"], row["status"], *row["notes"]) for row in rows.values()} == {("offline", "active")}


def test_of_several_names_that_of_a_person_stands_then_that_of_the_model_then_the_proposed_one() -> None:
    log = decisions(("rename", "t1", "Ball games"))
    rows = named(fitted(FIRST, []), log, written(t1="Team sports", t2="Loud music", t3=None))
    said = {key: (row["name"], row["source"], row["category"], row["reason"]) for key, row in rows.items()}
    assert said["t1"][:2] == ("Ball games", "human")
    assert said["t2"] == ("Loud music", "llm", "life", None)
    assert said["t3"] == (NAMES["t3"], "offline", rows["t0"]["name"], "the model refused to answer")
    assert rows["t2"]["summary"] == "All about Loud music."
    assert rows["t0"]["category"] is None


def test_the_model_and_people_may_call_siblings_the_same_and_the_later_gets_a_number() -> None:
    rows = named(fitted(FIRST, []), [], written(t1="Same words", t2="Same Words"))
    assert (rows["t1"]["name"], rows["t2"]["name"]) == ("Same words", "Same Words (2)")


@pytest.mark.parametrize(
    ("cohesion", "stability", "expected"), [(1, 1, 10), (0, 1, 1), (-0.2, None, 1), (0.5, None, 5), (0.5, 0.5, 5)]
)
def test_strength_is_one_to_ten_from_cohesion_and_stability(
    cohesion: float, stability: float | None, expected: int
) -> None:
    assert strength(cohesion, stability) == expected


def test_a_name_holds_over_refits_for_as_long_as_its_topic_does() -> None:
    log = decisions(("rename", "t1", "Ball games"))
    first = fitted(FIRST, [])
    grown: Tree = {"t0": {"t1": {"t2": SPORT, "t3": ["x1", "x2", "x3"]}, "t4": MUSIC, "t5": FOOD}}
    second = fitted(grown, log, after(first))
    rows = named(second, log)
    assert (rows["t1"]["name"], rows["t1"]["source"]) == ("Ball games", "human")
    assert second["topic_tree"]["path"].to_pylist()[2] == ["t0", "t6", "t1"]
    assert states(second, log) == [("applied", None)]


def test_the_last_name_holds_and_when_it_is_undone_the_one_before() -> None:
    log = decisions(("rename", "t1", "Games"), ("rename", "t1", "Play"), ("undo", "t1", "2"), ("undo", "t1", "3"))
    made = fitted(FIRST, [])
    assert [named(made, log[:stop])["t1"]["name"] for stop in range(5)] == ["Sport", "Games", "Play", "Games", "Play"]
    assert states(made, log[:2]) == [("superseded", "by decision 2"), ("applied", None)]
    assert states(made, log[:3]) == [("applied", None), ("undone", "by decision 3"), ("applied", None)]
    assert [state for state, _ in states(made, log)] == ["superseded", "applied", "undone", "applied"]


def test_a_topic_is_unusable_with_all_below_it_unless_something_nearer_says_otherwise() -> None:
    log = decisions(("unusable", "t3", None), ("usable", "t5", None), ("unusable", "t1", None), ("usable", "t1", None))
    made = fitted(FIRST, [])
    rows = named(made, log)
    assert [key for key, row in rows.items() if row["status"] == "unusable"] == ["t3", "t4"]
    assert [state for state, _ in states(made, log)] == ["applied", "applied", "superseded", "applied"]


def test_notes_add_up() -> None:
    log = decisions(
        ("note", "t1", "first\nline"), ("note", "t1", "second"), ("note", "t1", "third"), ("undo", "t1", "2")
    )
    assert named(fitted(FIRST, []), log)["t1"]["notes"] == ["first\nline", "third"]


def test_a_proposed_name_gives_way_to_the_same_name_given_by_people_beside_it() -> None:
    log = decisions(("rename", "t1", "music"), ("rename", "t4", "Music"))
    rows = named(fitted(FIRST, []), log)
    assert (rows["t1"]["name"], rows["t2"]["name"], rows["t4"]["name"]) == ("music", "Music (2)", "Music")


def test_a_merge_is_done_again_on_every_later_tree() -> None:
    log = decisions(("merge", "t1", "t2"))
    first = fitted(FIRST, [])
    second = fitted(FIRST, log, after(first))
    assert second["topic_tree"]["topic_id"].to_pylist() == ["t0", "t2", "t3", "t4", "t5"]
    again: Tree = {"t0": {"t1": FOOD, "t2": [*SPORT, "x1"], "t3": MUSIC[1:]}}
    third = fitted(again, log, after(second, 2))
    assert dict(zip(third["topic_tree"]["topic_id"].to_pylist(), third["topic_tree"]["size"].to_pylist(), strict=True))[
        "t2"
    ] == len([*SPORT, "x1", *MUSIC[1:]])
    assert states(third, log) == [("applied", None)]


def test_the_history_tells_of_a_merge_by_people_and_of_its_end() -> None:
    log = decisions(("merge", "t1", "t2"), ("undo", "t1", "1"))
    first = fitted(FIRST, [])
    second = fitted(FIRST, log[:1], after(first))
    third = fitted(FIRST, log, after(second, 2))
    told = {row["topic_id"]: row for row in second["topic_lineage"].to_pylist()}
    assert (told["t2"]["status"], told["t2"]["previous_ids"]) == ("merged", ["t2", "t1"])
    assert (told["t1"]["status"], told["t1"]["next_ids"], told["t1"]["found_id"]) == ("retired", ["t2"], "f1")
    told = {row["topic_id"]: row for row in third["topic_lineage"].to_pylist()}
    assert (told["t1"]["status"], told["t1"]["previous_ids"]) == ("split", ["t2"])
    assert third["topic_tree"].equals(first["topic_tree"])
    assert third["item_topics"].equals(first["item_topics"])


def test_a_decision_is_never_carried_over_to_another_topic() -> None:
    log = decisions(("rename", "t1", "Games"), ("unusable", "t1", None), ("merge", "t1", "t2"))
    made = fitted(FIRST, log, after(fitted(FIRST, [])))
    assert {(row["name"], row["status"]) for row in named(made, log).values()} & {("Games", "unusable")} == set()
    assert states(made, log)[:2] == [("dormant", "t1 is part of t2")] * 2


def test_a_decision_about_a_retired_topic_is_dormant_and_applied_again_when_a_refit_finds_the_topic_again() -> None:
    log = decisions(("rename", "t1", "Games"), ("merge", "t4", "t1"))
    first = fitted(FIRST, [])
    mixed: Tree = {"t0": {"t1": [*SPORT[:4], *MUSIC[:4], *FOOD[:4]], "t2": [*SPORT[4:], *MUSIC[4:], *FOOD[4:]]}}
    second = fitted(mixed, log, after(first))
    assert [state for state, _ in states(second, log)] == ["dormant", "dormant"]
    assert "t1 is retired" in str(states(second, log)[0][1])
    third = fitted(mixed, log, after(second, 2))
    fourth = fitted(FIRST, log, after(third, 3))
    assert [state for state, _ in states(fourth, log)] == ["applied", "applied"]
    rows = {row["name"] for row in named(fourth, log).values()}
    assert "Games" in rows


def test_a_merge_that_a_refit_made_impossible_is_told_and_changes_nothing() -> None:
    log = decisions(("merge", "t1", "t2"))
    first = fitted(FIRST, [])
    nested = fitted({"t0": {"t1": {"t2": MUSIC, "t3": SPORT}, "t4": FOOD}}, log, after(first))
    assert states(nested, log) == [("applied", None)]
    gone = fitted({"t0": {"t1": SPORT, "t2": FOOD}}, log, after(first))
    assert states(gone, log) == [("dormant", "t2 is retired")]
    assert gone["topic_tree"]["topic_id"].to_pylist() == ["t0", "t1", "t3"]


def test_a_number_that_a_decision_names_is_given_to_no_topic_even_when_the_commits_got_lost() -> None:
    log = decisions(("rename", "t2", "Mine"), ("merge", "t1", "t7"))
    assert fitted(FIRST, log)["topic_tree"]["topic_id"].to_pylist() == ["t0", "t8", "t9", "t10", "t11", "t12"]


def test_a_merge_into_a_topic_that_is_below_by_now_is_dormant() -> None:
    log = decisions(("merge", "t1", "t2"))
    topics = KnownTopics({"t0": None, "t1": "t0", "t2": "t1", "t3": "t1"}, {"t2": 4, "t3": 4}, {})
    assert replay(log, topics) == {1: Standing("dormant", "t2 is below t1")}


@given(before=drawn_trees(), again=drawn_trees(), data=st.data())
def test_no_decision_is_ever_lost(before: Tree, again: Tree, data: st.DataObject) -> None:
    ids = st.sampled_from([f"t{number}" for number in range(6)])
    actions = st.one_of(
        st.tuples(st.just("rename"), ids, st.sampled_from(["One", "Two"])),
        st.tuples(st.just("merge"), ids, ids).filter(lambda written: written[1] != written[2]),
        st.tuples(st.sampled_from(["unusable", "usable"]), ids, st.none()),
        st.tuples(st.just("note"), ids, st.just("hm")),
    )
    log = decisions(*data.draw(st.lists(actions, max_size=6)))
    first = fitted(before, [])
    second = fitted(again, log, after(first))
    third = fitted(before, log, after(second, 2))
    for made in (second, third):
        found = states(made, log)
        assert len(found) == len(log)
        present = set(made["topic_tree"]["topic_id"].to_pylist())
        rows = named(made, log)
        for decision, (state, reason) in zip(log, found, strict=True):
            assert (reason is None) <= (state == "applied")
            if state == "applied" and decision.action == "rename":
                assert rows[decision.topic_id]["name"] == decision.value
            if state == "applied" and decision.action == "merge":
                assert decision.topic_id not in present
            if state == "dormant" and decision.action != "merge":
                assert decision.topic_id not in present
    once_more = fitted(again, log, after(second, 2))
    assert once_more["topic_tree"].equals(second["topic_tree"])
    assert once_more["item_topics"].equals(second["item_topics"])


def curated(*written: Written, published: int = 0) -> CuratedTopics:
    made, log = fitted(FIRST, []), decisions(*written)
    names = build_topic_names(proposed(made["topic_tree"]), NONE_WRITTEN, made["topic_tree"], [])
    return curated_topics("talk", made["found_topics"], made["topic_lineage"], names, log, published)


def test_a_topic_is_found_by_id_and_by_its_name_as_it_will_be() -> None:
    topics = curated(("rename", "t1", "Ball games"))
    assert topics.find("t2") == topics.find(" music ") == "t2"
    assert topics.find("Ball games") == "t1"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Musik", "no topic is called 'Musik'; did you mean t2, 'Music'?"),
        ("Zzz", "there are 6 topics, see `clustering show talk`"),
        ("Food", "2 topics are called 'Food': t3, t4; say which by its id"),
    ],
)
def test_a_name_that_means_none_or_several_is_told(name: str, said: str) -> None:
    with pytest.raises(CurationError) as told:
        curated(("rename", "t4", "Food")).find(name)
    assert said in str(told.value)


@pytest.mark.parametrize(
    ("action", "topic_id", "value", "said"),
    [
        ("rename", "t44", "X", "there never was a topic t44; did you mean t4, 'Bread'?"),
        ("rename", "t2", "X", "t2 is part of t1"),
        ("rename", "t1", "Food", "t3 beside it is called 'Food'; rename that one first, or merge the two"),
        ("rename", "t1", "a\tb", "value: it holds the character U+0009, which controls how text is shown"),
        ("rename", "t1", "a\u202eb", "U+202E"),
        ("rename", "t1", " ", "value: it is empty"),
        ("rename", "t1", "x" * 121, "it has 121 characters; at most 120 are allowed"),
        ("merge", "t3", "t4", "t4 is below t3"),
        ("merge", "t1", "t1", "a topic cannot be merged into itself"),
        ("merge", "t1", "t2", "t1 would be merged into a part of itself"),
        ("merge", "t2", "t3", "t2 is part of t1 already"),
        ("merge", "t0", "t3", "t0 holds every item"),
        ("unusable", "t99", None, "there never was a topic t99"),
        ("undo", "t1", "9", "'9' is not the number of an earlier decision"),
        ("undo", "t1", "2", "decision 2 is undone by decision 3 already"),
    ],
)
def test_what_cannot_be_decided_is_refused_with_the_reason(
    action: Action, topic_id: str, value: str | None, said: str
) -> None:
    topics = curated(("merge", "t2", "t1"), ("note", "t1", "hm"), ("undo", "t1", "2"))
    with pytest.raises(CurationError) as told:
        topics.check(action, topic_id, value)
    assert said in str(told.value)


@pytest.mark.parametrize(
    ("action", "topic_id", "value"),
    [
        ("rename", "t1", "[b]Ball[/b] & <i>games</i>"),
        ("rename", "t5", "Sport"),
        ("merge", "t3", "t1"),
        ("undo", "t2", "1"),
        ("note", "t1", "two\nlines"),
    ],
)
def test_what_can_be_decided_is_let_through(action: Action, topic_id: str, value: str | None) -> None:
    curated(("merge", "t2", "t1")).check(action, topic_id, value)
