"""Small trees of topics to be named."""

from collections.abc import Sequence

import numpy as np

from clustering_platform.names_config import NamesConfig
from clustering_platform.naming.answer_cache import AnswerCache
from clustering_platform.naming.asking import Asker
from clustering_platform.naming.chat import Chat
from clustering_platform.naming.material import Material
from clustering_platform.naming.topics import Naming
from clustering_platform_tests.calls.clocks import FakeClock
from clustering_platform_tests.naming.server import ChatServer

ABOUT = ["parking downtown", "night buses", "bicycle lanes", "school meals", "library hours", "public toilets"]


def _word(number: int) -> str:
    """Return a word of six letters for a number, another one for each."""
    return "".join(f"{'bcdfghjklm'[int(digit)]}a" for digit in f"{number:03}")


def leaf(number: int, parent: int | None, about: str | None = None) -> Material:
    """Return a topic without subtopics."""
    about = about or f"{ABOUT[number % len(ABOUT)]} {_word(number)}"
    return Material(
        topic_id=f"t{number}",
        size=20,
        parent=parent,
        children=[],
        offline=f"Offline {number}",
        phrases=[about],
        items=[(f"item-{number}-{place}", f"Text {place} on {about}") for place in range(3)],
        others=["Something else"],
        centroid=np.array([1, 0], np.float32),
    )


def tree(*children_of_middle: int) -> list[Material]:
    """Return a root, topics below it, and so many leaves below each of these."""
    middles = list(range(1, len(children_of_middle) + 1))
    topics = [inner(0, None, middles)]
    number = len(middles) + 1
    leaves: list[Material] = []
    for middle, count in zip(middles, children_of_middle, strict=True):
        topics.append(inner(middle, 0, list(range(number, number + count))))
        leaves += [leaf(place, middle) for place in range(number, number + count)]
        number += count
    return [*topics, *leaves]


def inner(number: int, parent: int | None, children: Sequence[int]) -> Material:
    """Return a topic with subtopics."""
    return Material(
        topic_id=f"t{number}",
        size=100,
        parent=parent,
        children=list(children),
        offline=f"Offline {number}",
        phrases=[],
        items=[(f"item-{number}", f"Matters {_word(number)}")],
        others=[],
        centroid=np.array([1, 0], np.float32),
    )


def chat_with(server: ChatServer, **settings: object) -> Chat:
    """Return a chat with a server whose pauses between tries take no time."""
    config = NamesConfig(provider="openai", base_url=server.base_url, **settings)
    return Chat(config, clock=FakeClock(), draw=lambda: 0.5)


def naming_of(topics: Sequence[Material], chat: Chat, cache: AnswerCache, **settings: object) -> Naming:
    """Return the naming of topics that are compared with nothing."""
    return Naming(topics, Asker(chat, cache, None), most_words=5, **settings)
