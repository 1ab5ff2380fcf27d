"""Names of columns: which names mean what, what a file holds by its columns, and what to say when one is missing.

Reading names from a file belongs in the readers; which files are read in ``sources``.
"""

import difflib
from collections.abc import Mapping, Sequence
from typing import Literal

from clustering_platform.ingest.errors import IngestError
from clustering_platform.ingest.escaping import escaped

Content = Literal["votes", "items"]
"""What a file of rows may hold."""

ALIASES: dict[Content, dict[str, tuple[str, ...]]] = {
    "votes": {
        "voter_id": ("voter_id", "voter", "participant", "participant_id", "user_id", "pid"),
        "item_id": ("item_id", "comment-id", "statement_id", "tid", "item"),
        "vote": ("vote",),
        "voted_at": ("voted_at", "timestamp", "created", "created_at", "modified"),
        "voter_type": ("voter_type",),
    },
    "items": {
        "item_id": ("id", "item_id", "comment-id", "statement_id", "tid"),
        "text": ("text", "comment-body", "txt", "body"),
        "created_at": ("created_at", "timestamp", "created"),
        "author_id": ("author_id", "author", "pid", "participant_id"),
        "moderation": ("moderation", "moderated", "mod"),
        "is_meta": ("is_meta",),
        "is_seed": ("is_seed",),
        "file": (),
    },
}
"""For each of our columns the names it may have in a file, most particular first; see `normalise`."""

REQUIRED: dict[Content, tuple[str, ...]] = {
    "votes": ("voter_id", "item_id", "vote", "voted_at"),
    "items": ("item_id", "text"),
}
TELLING: dict[Content, tuple[str, ...]] = {"votes": ("voter_id", "item_id", "vote"), "items": ("item_id", "text")}
"""Columns by which a file is recognised."""

_SHOWN_NAMES = 20
_SHOWN_CHARACTERS = 40


def normalise(name: str) -> str:
    """Return a name without differences of case, of ``_``, ``-`` and space, and of surrounding space."""
    return name.strip().casefold().replace("_", "-").replace(" ", "-")


_PERSONAL = frozenset(
    normalise(name) for name in (*ALIASES["votes"]["voter_id"], *ALIASES["items"]["author_id"], "xid", "email")
)


def is_personal(name: str) -> bool:
    """Tell whether a column of this name holds ids of people, and so may appear only as pseudonyms."""
    return normalise(name) in _PERSONAL


def check_configured(configured: Mapping[str, str]) -> None:
    """Raise `IngestError` if ``source.columns`` names a column that we do not have."""
    known = sorted({*ALIASES["votes"], *ALIASES["items"]})
    for name in configured:
        if name not in known:
            near = difflib.get_close_matches(name, known, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
            raise IngestError(f"source.columns: unknown column {name!r}; {hint}")


def resolve(names: Sequence[str], content: Content, configured: Mapping[str, str]) -> dict[str, str]:
    """Return which column of a file is which of ours: our name to the file's name."""
    by_name = {normalise(name): name for name in reversed(names) if name}
    found: dict[str, str] = {}
    for ours, aliases in ALIASES[content].items():
        if configured.get(ours) in names:
            found[ours] = configured[ours]
            continue
        match = next((by_name[key] for alias in aliases if (key := normalise(alias)) in by_name), None)
        if match is not None and match not in configured.values():
            found[ours] = match
    return found


def recognise(names: Sequence[str], configured: Mapping[str, str]) -> Content | None:
    """Return what a file with these columns holds, or None."""
    for content, telling in TELLING.items():
        if set(telling) <= set(resolve(names, content, configured)):
            return content
    return None


def check_names(file: str, names: Sequence[str]) -> None:
    """Raise `IngestError` if two columns of a file have the same name."""
    given = [name for name in names if name]
    known = _known_names()
    seen: set[str] = set()
    for name in given:
        key = normalise(name) if normalise(name) in known else name
        if key in seen:
            what = repr(shown(name)) if looks_like_header(names) else f"number {given.index(name) + 1}"
            raise IngestError(f"{file}: two columns are called like column {what}; rename or remove one")
        seen.add(key)


def looks_like_header(names: Sequence[str]) -> bool:
    """Tell whether the names are safe to show: one is known, or near a known one and none has digits in it.

    Otherwise they may be the first row of a file without header, and one of them the id of a voter.
    """
    known, given = _known_names(), [normalise(name) for name in names if name]
    if not known.isdisjoint(given):
        return True
    has_digits = any(any(character.isdigit() for character in name) for name in given)
    return not has_digits and any(difflib.get_close_matches(name, known, n=1, cutoff=0.8) for name in given)


def describe_unknown(names: Sequence[str], configured: Mapping[str, str]) -> str:
    """Return what is missing from a file to be read as what it comes nearest to."""

    def count_found(content: Content) -> int:
        return len(set(REQUIRED[content]) & set(resolve(names, content, configured)))

    return describe_missing(names, max(REQUIRED, key=count_found), configured)


def describe_missing(names: Sequence[str], content: Content, configured: Mapping[str, str]) -> str:
    """Return what is missing from a file to be read as `content`, what it has instead, and what may be meant."""
    found = resolve(names, content, configured)
    missing = [name for name in REQUIRED[content] if name not in found]
    needs = f"{content} need {', '.join(REQUIRED[content])}; no column for {', '.join(missing)}"
    if not names:
        return f"{needs}; it has no columns at all"
    if len(names) == 1 and not found:
        return f"{needs}; there is one column only; in CSV, separate values by commas, semicolons or tabs"
    if not found and not looks_like_header(names):
        return (
            f"{needs}; none of its {len(names)} columns has a known name; is the header line missing? "
            "Names of your own go into source.columns in dataset.yaml"
        )
    free = [name for name in names if name and name not in found.values()]
    return f"{needs}; found {list_names(names)}; {_hint(missing, content, free)}"


def _hint(missing: Sequence[str], content: Content, free: Sequence[str]) -> str:
    by_name = {normalise(name): name for name in free}
    for ours in missing:
        for alias in ALIASES[content][ours]:
            if near := difflib.get_close_matches(normalise(alias), list(by_name), n=1, cutoff=0.7):
                name = shown(by_name[near[0]])
                return f"did you mean {name!r}? Then set source.columns: {{{ours}: {name}}} in dataset.yaml"
    return "rename a column, or set source.columns in dataset.yaml"


def _known_names() -> frozenset[str]:
    return frozenset(normalise(name) for fields in ALIASES.values() for names in fields.values() for name in names)


def list_names(names: Sequence[str]) -> str:
    """Return names in a row, as many as a message can take."""
    return ", ".join(shown(name) for name in names[:_SHOWN_NAMES]) + (", …" if len(names) > _SHOWN_NAMES else "")


def shown(name: str) -> str:
    """Return a name as it may stand in a message."""
    return escaped(name, _SHOWN_CHARACTERS)
