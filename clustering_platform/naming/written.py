"""The table `written_names`: what is kept of it, and how it is made."""

from collections.abc import Callable, Mapping
from typing import Any

import pyarrow as pa

from clustering_platform.names_config import NamesConfig
from clustering_platform.naming.answer_cache import AnswerCache
from clustering_platform.naming.asking import Asker, Embed
from clustering_platform.naming.chat import Chat
from clustering_platform.naming.material import Material
from clustering_platform.naming.prompts import read_prompt
from clustering_platform.naming.topics import Name, Naming
from clustering_platform.semantics.kept_names import kept_names
from clustering_platform.tables import TABLES, conform

Figures = dict[str, int | float | str]


def no_names() -> pa.Table:
    """Return the table where no language model is asked."""
    return TABLES["written_names"].empty()


def kept_written(topic_tree: pa.Table, before: pa.Table | None, *, max_drift: float) -> pa.Table:
    """Return the names of before whose topics are still the same; what failed then is not kept."""
    kept = kept_names(topic_tree, before, max_drift=max_drift)
    rows = [kept[topic_id] for topic_id in topic_tree["topic_id"].to_pylist() if topic_id in kept]
    return _table([row for row in rows if row["name"] is not None])


def write_names(
    topics: list[Material],
    kept: pa.Table,
    *,
    config: NamesConfig,
    cache: AnswerCache,
    embed: Embed,
    compares_centroids: bool,
    about: str | None,
    most_words: int,
    tell: Callable[[str], None] = lambda line: None,
) -> tuple[pa.Table, Figures]:
    """Return the table and what it took; topics that are in `kept` are not asked about.

    Raises
    ------
    ValueError
        There is no key.
    CallError
        The service refuses whatever it is asked; answers that came are in the cache.
    """
    rows = {row["topic_id"]: row for row in kept.to_pylist()}
    with Chat(config, tell=tell) as chat:
        naming = Naming(
            topics,
            Asker(chat, cache, embed),
            most_words=most_words,
            about=about,
            categories=config.categories,
            concurrency=config.concurrency,
            compares_centroids=compares_centroids,
            kept={place: _kept(rows[one.topic_id]) for place, one in enumerate(topics) if one.topic_id in rows},
            done=tell,
        )
        tell(_estimate(naming, chat))
        names = naming.run()
        figures = _figures(names, naming.asker, chat)
    cache.prune()
    prompt = read_prompt("topic")
    made = {"model": chat.model, "prompt": f"{prompt.name} {prompt.version}"}
    table = _table(
        [rows.get(topic.topic_id, _row(topic, name) | made) for topic, name in zip(topics, names, strict=True)]
    )
    tell(
        ", ".join(
            f"{name}: {figure:,}" if isinstance(figure, int) else f"{name}: {figure}"
            for name, figure in figures.items()
        )
    )
    return table, figures


def _kept(row: Mapping[str, Any]) -> Name:
    return Name(row["name"], row["summary"] or "", row["category"] or "", tuple(row["evidence_ids"]), "kept")


def _row(topic: Material, name: Name) -> dict[str, Any]:
    has_failed = name.state == "failed"
    return {
        "topic_id": topic.topic_id,
        "name": None if has_failed else name.name,
        "summary": None if has_failed else name.summary,
        "category": name.category or None,
        "evidence_ids": list(name.evidence),
        "reason": name.reason,
        "centroid": topic.centroid.tolist(),
    }


def _estimate(naming: Naming, chat: Chat) -> str:
    """Say what the run may cost at most, before anything is sent."""
    questions = naming.questions()
    sent, received = (sum(part) for part in zip((0, 0), *map(chat.estimate, questions), strict=True))
    told = f"{len(questions):,} questions to {chat.model}, at most {sent + received:,} tokens"
    cost = chat.budget.dollars(sent, received)
    return told if cost is None else f"{told}, ${cost:,.4f}"


def _figures(names: list[Name], asker: Asker, chat: Chat) -> Figures:
    failed = [name for name in names if name.state == "failed"]
    figures: Figures = {
        "named by the model": sum(name.state in ("named", "inherited") for name in names),
        "kept": sum(name.state == "kept" for name in names),
        "under their offline names": len(failed),
        "answers known before": asker.found,
        **chat.budget.figures(),
        "calls made again": chat.retries,
    }
    return {**figures, "why not": "; ".join(sorted({name.reason or "" for name in failed}))} if failed else figures


def _table(rows: list[Any]) -> pa.Table:
    contract = TABLES["written_names"]
    return conform(pa.Table.from_pylist(rows, contract.schema()), contract)
