"""Outcomes: read from a results file or from columns of the items, and what is refused."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from clustering_platform.datasets import DatasetError
from clustering_platform.ingest.errors import IngestError
from clustering_platform.ingest.ingest import Ingested
from clustering_platform.ingest.outcomes import find_errors
from clustering_platform.tables import TABLES
from clustering_platform_tests.ingest.folders import findings, ingest, refused
from clustering_platform_tests.ingest.test_accounting import check_accounting
from clustering_platform_tests.ingest.writers import as_csv, as_jsonl, as_parquet

ITEMS = "id,text\ns1,First\ns2,Second\ns3,Third\n"
RESULTS: dict[str, Any] = {"outcomes": {"file": "results.csv"}}


def read(folder: Path, results: str, **settings: object) -> Ingested:
    """Read three items and a results file."""
    config = {"outcomes": {"file": "results.csv"} | settings}
    ingested = ingest(folder, {"items.csv": ITEMS, "results.csv": results}, config)
    check_accounting(ingested)
    return ingested


def rows(ingested: Ingested) -> list[tuple[object, ...]]:
    assert ingested.outcomes.schema == TABLES["outcomes"].schema()
    return [tuple(row.values()) for row in ingested.outcomes.to_pylist()]


def counts(ingested: Ingested, file: str) -> tuple[int, ...]:
    (row,) = [row for row in ingested.report.to_pylist() if row["file"] == file]
    return row["read"], row["accepted"], row["quarantined"], row["superseded"]


def test_a_results_file_gives_each_item_its_label(tmp_path: Path) -> None:
    ingested = read(tmp_path, "item_id,label\ns1,correct\ns2, Wrong \n")
    assert rows(ingested) == [("s1", "correct", False, None), ("s2", "Wrong", True, None)]
    assert counts(ingested, "results.csv") == (2, 2, 0, 0)
    assert ingested.items.num_rows == 3
    assert set(ingested.report["content"].to_pylist()) == {"items", "outcomes"}


def test_a_dataset_that_names_no_outcomes_has_none(tmp_path: Path) -> None:
    assert rows(ingest(tmp_path, {"items.csv": "id,text,label\ns1,First,wrong\n"})) == []


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_every_format_is_read(tmp_path: Path, ending: str) -> None:
    table = pa.table({"id": ["s1", "s2"], "ok": [True, False], "gold": [None, "s3"]})
    content = {"csv": as_csv, "jsonl": as_jsonl, "parquet": as_parquet}[ending](table)
    files = {"items.csv": ITEMS, f"eval/results.{ending}": content}
    config = {"outcomes": {"file": f"eval/results.{ending}", "label": "ok", "truth": "gold"}}
    found = [(item, label.lower(), error, pair) for item, label, error, pair in rows(ingest(tmp_path, files, config))]
    assert found == [("s1", "true", False, None), ("s2", "false", True, "s3")]


def test_rows_that_cannot_be_used_are_refused_with_a_reason(tmp_path: Path) -> None:
    lines = ["s1,wrong,", "s9,wrong,", ",wrong,", "s2,,", "s2,wrong,s8", "s2,wrong,s2", "s2,a\x07b,", "s3,right,s1"]
    ingested = read(tmp_path, "item_id,label,truth\n" + "\n".join(lines) + "\n", truth="truth")
    assert refused(ingested) == [
        (3, "item_unknown"),
        (4, "item_id_missing"),
        (5, "label_missing"),
        (6, "truth_unknown"),
        (7, "truth_is_itself"),
        (8, "label_unusable"),
    ]
    assert rows(ingested) == [("s1", "wrong", True, None), ("s3", "right", False, "s1")]
    assert counts(ingested, "results.csv") == (8, 2, 6, 0)
    refusal = ingested.refusal(0.05)
    assert refusal
    assert "no item of this dataset has that id" in refusal


def test_of_several_outcomes_of_an_item_the_last_counts(tmp_path: Path) -> None:
    ingested = read(tmp_path, "item_id,label\ns1,wrong\ns2,wrong\ns1,correct\ns2,wrong\n")
    assert rows(ingested) == [("s1", "correct", False, None), ("s2", "wrong", True, None)]
    assert counts(ingested, "results.csv") == (4, 2, 0, 2)
    assert "outcomes that come again later with another label, which was taken: 1" in findings(ingested)


def test_an_item_that_only_votes_name_may_have_an_outcome(tmp_path: Path) -> None:
    votes = "voter_id,item_id,vote,voted_at\na,s7,1,2026-10-01T00:00:00Z\n"
    files = {"items.csv": ITEMS, "votes.csv": votes, "results.csv": "item_id,label\ns7,wrong\n"}
    assert rows(ingest(tmp_path, files, RESULTS)) == [("s7", "wrong", True, None)]


def test_labels_may_stand_in_a_column_of_the_items(tmp_path: Path) -> None:
    items = "id,text,verdict,gold\ns1,First,wrong,s3\ns2,Second,,\ns3,Third,correct,s3\ns4,Fourth,correct,s9\n"
    ingested = ingest(tmp_path, {"items.csv": items}, {"outcomes": {"label": "verdict", "truth": "gold"}})
    check_accounting(ingested)
    assert rows(ingested) == [
        ("s1", "wrong", True, "s3"),
        ("s3", "correct", False, None),
        ("s4", "correct", False, None),
    ]
    assert "items without an outcome: 1" in findings(ingested)
    assert "pairs with an item that is not there or is the same, left out: 2" in findings(ingested)


def test_a_results_file_is_not_read_as_items_even_if_it_has_texts(tmp_path: Path) -> None:
    ingested = read(tmp_path, "item_id,text,label\ns1,Something else,wrong\n")
    assert ingested.items["text"].to_pylist() == ["First", "Second", "Third"]


def test_semicolons_are_found(tmp_path: Path) -> None:
    assert len(rows(read(tmp_path, "item_id;label;note\ns1;wrong;a, b, c\n"))) == 1


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"file": "result.csv"}, "outcomes.file: there is no file 'result.csv'; did you mean 'results.csv'?"),
        ({"file": "results.csv", "label": "verdikt"}, "did you mean 'verdict'?"),
        ({"file": "results.csv"}, "outcomes.label: there is no column 'label'; found item_id, verdict, pid"),
        ({"file": "results.csv", "label": "verdict", "id": "tid"}, "outcomes.id: there is no column 'tid'"),
        ({"file": "results.csv", "label": "verdict", "truth": "gold"}, "outcomes.truth: there is no column 'gold'"),
        ({"file": "results.csv", "label": "pid"}, "column 'pid' holds ids of people"),
        ({"file": "results.csv", "label": "item_id", "id": "item_id"}, "name the same column"),
        ({"label": "moderatd"}, "no item file has a column 'moderatd'; did you mean 'moderated'?"),
        ({"label": "moderated"}, "column 'moderated' of items.csv is read as moderation"),
    ],
)
def test_faults_in_the_settings_say_what_to_change(tmp_path: Path, config: dict[str, str], said: str) -> None:
    files = {"items.csv": "id,text,moderated\ns1,First,0\n", "results.csv": "item_id,verdict,pid\ns1,wrong,a\n"}
    with pytest.raises(IngestError) as raised:
        ingest(tmp_path, files, {"outcomes": config})
    assert said in str(raised.value)


def test_a_setting_of_outcomes_without_labels_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"outcomes: .*needs `file`, or `label`"):
        ingest(tmp_path, {"items.csv": ITEMS}, {"outcomes": {"truth": "gold"}})


@pytest.mark.parametrize(
    ("labels", "wrong", "expected"),
    [
        (["Wrong", "correct", "unclear"], None, [True, False, False]),
        (["0", "1", "0"], None, [True, False, True]),
        (["correct", "right"], None, [False, False]),
        (["cat", "dog"], None, [None, None]),
        ([], None, []),
        (["cat", "Dog"], ["dog"], [False, True]),
        (["wrong", "poor"], ["poor"], [False, True]),
        (["wrong"], [], [False]),
    ],
)
def test_labels_are_errors_by_words_or_as_told(
    labels: list[str], wrong: list[str] | None, expected: list[bool | None]
) -> None:
    assert find_errors(pa.array(labels, pa.string()), wrong).to_pylist() == expected
