"""Naming groups of voters: a name and a portrait from how they vote, never from who they are."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from clustering_platform.names_config import NamesConfig
from clustering_platform.naming.answer_cache import AnswerCache
from clustering_platform.naming.asking import Asker, Failed
from clustering_platform.naming.chat import Chat
from clustering_platform.naming.checks import (
    LONGEST_CATEGORY,
    LONGEST_PORTRAIT,
    clean,
    clean_name,
    fault_of_name,
    fault_of_summary,
)
from clustering_platform.naming.material import as_sent
from clustering_platform.naming.prompts import read_prompt
from clustering_platform.naming.questions import Named, Question
from clustering_platform.naming.written import Figures
from clustering_platform.tables import TABLES, conform

_STATEMENTS = 12


def write_group_names(
    offline: pa.Table,
    groups: pa.Table,
    representative_items: pa.Table,
    texts: Mapping[str, str | None],
    *,
    config: NamesConfig,
    cache: AnswerCache,
    about: str | None,
    most_words: int,
    tell: Callable[[str], None] = lambda line: None,
) -> tuple[pa.Table, Figures]:
    """Return the table `group_names` with names by a language model where it gave some, and what that took.

    Raises
    ------
    ValueError
        There is no key.
    CallError
        The service refuses whatever it is asked; answers that came are in the cache.
    """
    shares = dict(zip(groups["group_id"].to_pylist(), groups["share"].to_pylist(), strict=True))
    items = representative_items.sort_by([("group_id", "ascending"), ("rank", "ascending")]).to_pylist()
    rows: list[dict[str, Any]] = []
    with Chat(config, tell=tell) as chat:
        asker = Asker(chat, cache, None)
        for row in offline.to_pylist():
            own = [item for item in items if item["group_id"] == row["group_id"] and texts.get(item["item_id"])]
            own = own[:_STATEMENTS]
            named_before = [other["name"] for other in rows if other["source"] == "llm"]
            question = _question(shares[row["group_id"]], own, texts, named_before, about)
            answer = asker.answer(question) if own else Failed("no statement with a text sets the group apart")
            said = [texts[item["item_id"]] or "" for item in own]
            rows.append(row | _named(answer, own, said, named_before, most_words))
        figures: Figures = {
            "named by the model": sum(row["source"] == "llm" for row in rows),
            "under their offline names": sum(row["source"] == "offline" for row in rows),
            "answers known before": asker.found,
            **chat.budget.figures(),
        }
    contract = TABLES["group_names"]
    return conform(pa.Table.from_pylist(rows, contract.schema()), contract), figures


def _question(
    share: float,
    items: Sequence[Mapping[str, Any]],
    texts: Mapping[str, str | None],
    named_before: Sequence[str],
    about: str | None,
) -> Question[Named]:
    statements = [
        {
            "id": f"s{number}",
            "text": as_sent(texts[item["item_id"]] or ""),
            "votes": item["side"],
            "within": round(item["p_success"], 2),
            "others": round(item["p_success"] / item["repness"], 2) if item["repness"] else None,
        }
        for number, item in enumerate(items, 1)
    ]
    data: dict[str, Any] = {"share": round(share, 2), "statements": statements, "other_groups": list(named_before)}
    return Question(read_prompt("group"), {"collection": about, **data} if about else data, Named, "a group")


def _named(
    answer: Named | Failed,
    items: Sequence[Mapping[str, Any]],
    said: Sequence[str],
    named_before: Sequence[str],
    most_words: int,
) -> dict[str, Any]:
    """Return what changes in the row of a group: its name, or why it stays."""
    if isinstance(answer, Failed):
        return {"reason": answer.reason}
    name, summary = clean_name(answer.name), clean(answer.summary, LONGEST_PORTRAIT)
    sent = {f"s{number}": item["item_id"] for number, item in enumerate(items, 1)}
    if not answer.is_coherent:
        return {"reason": "the model found no position in the votes"}
    if fault := fault_of_name(name, most_words=most_words, texts=said):
        return {"reason": f"the name given {fault}"}
    if fault := fault_of_summary(summary):
        return {"reason": f"the portrait given {fault}"}
    if name.casefold() in {other.casefold() for other in named_before}:
        return {"reason": "the name given is that of another group"}
    if set(answer.evidence) - set(sent):
        return {"reason": "statements were given as evidence that were not sent"}
    return {
        "name": name,
        "summary": summary,
        "category": clean(answer.category, LONGEST_CATEGORY) or None,
        "evidence_ids": [sent[key] for key in dict.fromkeys(answer.evidence)],
        "source": "llm",
    }
