"""Names without a language model: the table `proposed_names`.

Choosing and joining phrases into names belongs here; finding them belongs in ``phrases``, scoring them in
``candidates``.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from clustering_platform.semantics.candidates import Candidate, score_candidates
from clustering_platform.semantics.embedders.protocol import Embedder
from clustering_platform.semantics.embedding_cache import EmbeddingCache
from clustering_platform.semantics.item_embeddings import embed_texts
from clustering_platform.semantics.kept_names import NAMER
from clustering_platform.semantics.phrases import Key, find_phrases, first_words, is_part, overlap, word_count
from clustering_platform.semantics.texts import excerpt
from clustering_platform.semantics.topic_texts import TopicTexts, contrast, read_topics
from clustering_platform.tables import TABLES, conform
from clustering_platform.topics_config import TopicsConfig

_SUMMARY_LENGTH = 300
_KEYWORDS = 8
_FROM_CHILDREN = 3
_LEAST_COVERAGE = 0.1
_LEAST_SPREAD = 0.5
_CLEARER = 0.02


Embed = Callable[[list[str]], dict[str, NDArray[np.float32]]]


@dataclass
class _Topic:
    """A topic while it gets its name.

    `head` is the phrase it is named by, if there is one, `longer` a name that goes on with a second one, and
    `is_clearer` whether that tells the topic from its siblings better; `short` is its name within the name of the topic
    above; `base` is its name as long as no sibling has the same.
    """

    seen: TopicTexts
    candidates: list[Candidate]
    parent: "_Topic | None"
    children: list["_Topic"] = field(default_factory=list)
    head: Candidate | None = None
    longer: str = ""
    is_clearer: bool = False
    short: str = ""
    base: str = ""
    name: str = ""


def name_topics(
    items: pa.Table,
    embeddings: pa.Table,
    topic_tree: pa.Table,
    item_topics: pa.Table,
    *,
    embedder: Embedder,
    cache: EmbeddingCache,
    config: TopicsConfig,
) -> pa.Table:
    """Return the table `proposed_names`, from the texts of `items`, or of their pieces, and their vectors alone.

    A topic without subtopics is named by its best phrase. A second one follows where both together are nearer to the
    topic, by .02 of what ``topic_texts.contrast`` returns, or where a sibling has the same: ``Parking / downtown``.
    With true classes as topics the right class label is then nearest to .83 of the names on CLINC150 and .87 on
    Banking77 (with always one phrase .76 and .68, with always two .79 and .87). What a topic above is named by is
    not said again. A topic with subtopics keeps a phrase of its own only where that stands in subtopics that make up
    half of it; else it is named by its largest subtopics: ``Calendar, vacation, set an alarm``. Where there is no
    phrase, the first words of the most telling text stand in.

    Equal texts count once, so that repeating a text does not name a topic. Where the vectors of the items are not
    those of their texts (pictures, vectors given), the texts that are most like their topic get vectors of `embedder`
    to be compared with phrases. A topic without any text is named by a folder in
    which its items lie, or has a number for a name.
    """
    if topic_tree.num_rows == 0:
        return TABLES["proposed_names"].empty()

    def embed(wanted: list[str]) -> dict[str, NDArray[np.float32]]:
        return embed_texts(wanted, embedder, cache, batch_size=config.embedding.batch_size)

    texts, seen = read_topics(items, embeddings, topic_tree, item_topics, model=embedder.model, embed=embed)
    phrases = find_phrases(texts, longest=config.name_words)
    candidates = score_candidates(seen, phrases, embed)
    topics = _topics(seen, candidates)
    for topic in topics:
        topic.head = _head(topic)
    _lengthen(topics, embed, config.name_words)
    for topic in reversed(topics):
        topic.short, topic.base = _name_alone(topic, config.name_words)
    for siblings in ([topics[0]], *(topic.children for topic in topics)):
        _tell_apart(siblings, config.name_words)
    table = pa.table(
        {
            "topic_id": [topic.seen.topic_id for topic in topics],
            "name": [topic.name for topic in topics],
            "summary": [excerpt(topic.seen.telling, _SUMMARY_LENGTH) for topic in topics],
            "keywords": pa.array([_keywords(topic) for topic in topics], pa.list_(pa.string())),
            "centroid": topic_tree["centroid"],
            "namer": [f"{NAMER}, {embedder.model}, {config.name_words} words"] * len(topics),
        }
    )
    return conform(table, TABLES["proposed_names"])


def _topics(seen: Sequence[TopicTexts], candidates: Sequence[list[Candidate]]) -> list[_Topic]:
    topics: list[_Topic] = []
    for view, found in zip(seen, candidates, strict=True):
        parent = None if view.parent is None else topics[view.parent]
        topics.append(_Topic(view, found, parent))
        if parent:
            parent.children.append(topics[-1])
    return topics


def _head(topic: _Topic) -> Candidate | None:
    """Return the phrase that the topic is named by; the topics above have theirs already."""
    above = _said_above(topic)
    return next(
        (
            candidate
            for candidate in topic.candidates
            if not any(is_part(candidate.key, said) for said in above) and _is_spread(candidate, topic)
        ),
        None,
    )


def _said_above(topic: _Topic) -> list[Key]:
    said = []
    parent = topic.parent
    while parent:
        if parent.head:
            said.append(parent.head.key)
        parent = parent.parent
    return said


def _is_spread(candidate: Candidate, topic: _Topic) -> bool:
    """Say whether a phrase names the whole topic: it stands in subtopics that make up half of it."""
    if not topic.children:
        return True
    if candidate.coverage < _LEAST_COVERAGE:
        return False
    sizes = [len(child.seen.texts) for child in topic.children]
    holding = [
        size
        for child, size in zip(topic.children, sizes, strict=True)
        if any(other.key == candidate.key and other.coverage >= _LEAST_COVERAGE for other in child.candidates)
    ]
    return len(holding) > 1 and sum(holding) >= _LEAST_SPREAD * sum(sizes)


def _name_alone(topic: _Topic, most_words: int) -> tuple[str, str]:
    """Return the short name and the name of a topic, as long as no sibling has the same."""
    if topic.head:
        return topic.head.text, topic.longer if topic.is_clearer else topic.head.text
    if topic.children and _is_mixed(topic):
        return topic.children[0].short, _joined([child.short for child in topic.children], most_words)
    start = _start(topic, most_words)
    return start, start


def _is_mixed(topic: _Topic) -> bool:
    """Say whether a topic is named by its subtopics: it has texts, or its items lie in several folders."""
    labels = topic.seen.labels
    return len(topic.seen.texts) > 0 or (len(labels.names) > 1 and labels.share < _LEAST_SPREAD)


def _lengthen(topics: Sequence[_Topic], embed: Embed, most_words: int) -> None:
    """Find for each head the second phrase that brings the name nearest to the topic and away from its siblings."""
    options = [_longer_names(topic, most_words) for topic in topics]
    vectors = embed(sorted({name for names in options for name in names}))
    for topic, names in zip(topics, options, strict=True):
        if topic.head and names:
            found = np.stack([topic.head.vector, *(vectors[name] for name in names)]).astype(np.float64)
            alone, *longer = contrast(found, topic.seen.centroid, topic.seen.beside)
            topic.longer = names[int(np.argmax(longer))]
            topic.is_clearer = max(longer) >= alone + _CLEARER


def _longer_names(topic: _Topic, most_words: int) -> list[str]:
    head = topic.head
    if head is None:
        return []
    below = [child.head.key for child in topic.children if child.head]
    said, left = [head.key, *_said_above(topic), *below], most_words - word_count(head.key)
    return [
        f"{head.text} / {other.text}"
        for other in topic.candidates
        if other.is_apart and word_count(other.key) <= left and not any(overlap(other.key, key) for key in said)
    ]


def _joined(parts: list[str], most_words: int) -> str:
    """Return as many parts as the words allow, at most three; repeated ones are left out."""
    chosen: list[str] = []
    for part in parts:
        words = sum(len(name.split()) for name in [*chosen, part])
        if chosen and (words > most_words or any(part.casefold() == name.casefold() for name in chosen)):
            continue
        chosen.append(part)
        if len(chosen) == _FROM_CHILDREN:
            break
    return ", ".join(chosen)


def _start(topic: _Topic, most_words: int) -> str:
    start = first_words(topic.seen.telling, most_words)
    if any(character.isalpha() for character in start):
        return start
    labels = topic.seen.labels.names if not len(topic.seen.texts) else []
    return first_words(labels[0], most_words) if labels else f"Topic {topic.seen.topic_id[1:]}"


def _tell_apart(siblings: list[_Topic], most_words: int) -> None:
    """Give each sibling the first of its names that none before it has; shared names are extended first."""
    shared = Counter(sibling.base.casefold() for sibling in siblings)
    taken: set[str] = set()
    for sibling in siblings:
        names = _names(sibling, most_words, is_shared=shared[sibling.base.casefold()] > 1)
        name = next(name for name in names if name.casefold() not in taken)
        taken.add(name.casefold())
        sibling.name = name[:1].upper() + name[1:] if name.split()[0].islower() else name


def _names(topic: _Topic, most_words: int, *, is_shared: bool) -> Iterator[str]:
    """Yield names in order of preference, without end."""
    if is_shared and topic.longer:
        yield topic.longer
    yield topic.base
    yield from (candidate.text for candidate in topic.candidates)
    start = _start(topic, most_words)
    yield start
    number = 2
    while True:
        yield f"{start} ({number})"
        number += 1


def _keywords(topic: _Topic) -> list[str]:
    """Return the best phrases, without those that overlap a better one, or folders where there are no texts."""
    if not len(topic.seen.texts):
        return topic.seen.labels.names
    candidates = topic.candidates
    chosen: list[Candidate] = []
    for candidate in candidates:
        if not any(overlap(candidate.key, other.key) for other in chosen):
            chosen.append(candidate)
    return [candidate.text for candidate in chosen[:_KEYWORDS]]
