"""Pseudonyms: keyed hashes in place of the ids of voters and authors, and the key behind them.

Which columns hold such ids is known to ``votes`` and ``items``.
"""

import contextlib
import hmac
import os
import re
import secrets
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import pyarrow as pa

from clustering_platform.datasets import Dataset
from clustering_platform.ingest.errors import IngestError
from clustering_platform.settings import Settings

KEY_FILE = "pseudonym.key"
SHORTEST_SECRET = 16
_KEY_PATTERN = re.compile(r"[0-9a-f]{64}")
_HEX_DIGITS = 32


@dataclass(frozen=True)
class Pseudonyms:
    """Turns ids into pseudonyms that are stable within a dataset and cannot be linked across datasets.

    `key` is the dataset's key; without one, ids are kept as they are.
    """

    key: bytes | None = field(default=None, repr=False)

    @classmethod
    def for_dataset(cls, dataset: Dataset, settings: Settings) -> Self:
        """Return what ``privacy.voter_ids`` of the dataset asks for.

        Raises
        ------
        IngestError
            The master key is too short or its file is damaged.
        """
        if dataset.config.privacy.voter_ids == "plain":
            return cls()
        return cls(hmac.digest(master_key(settings), dataset.name.encode(), "sha256"))

    @property
    def is_plain(self) -> bool:
        """Whether ids are kept as they are."""
        return self.key is None

    @property
    def tag(self) -> str:
        """Something that changes with the key and tells nothing of it."""
        return self.of("")

    def of(self, identifier: str) -> str:
        """Return the pseudonym of an id: the first 128 bits of its HMAC-SHA256, as 32 hexadecimal digits."""
        if self.key is None:
            return identifier
        return hmac.digest(self.key, identifier.encode(), "sha256").hex()[:_HEX_DIGITS]

    def apply(self, identifiers: pa.Array) -> pa.Array:
        """Return the pseudonyms of an array of ids, null for null; each distinct id is hashed once."""
        encoded = identifiers.dictionary_encode()
        hashed = pa.array([self.of(identifier) for identifier in encoded.dictionary.to_pylist()], pa.string())
        return hashed.take(encoded.indices)


def master_key(settings: Settings) -> bytes:
    """Return the secret behind all pseudonyms: from the environment, else from the key file, made if missing.

    The same text in the environment and in the file gives the same pseudonyms.

    Raises
    ------
    IngestError
        The secret in the environment is too short, or the file does not hold a key.
    """
    if settings.pseudonym_key is None:
        return _key_file(settings.private / KEY_FILE)
    secret = settings.pseudonym_key.get_secret_value().strip()
    if len(secret) < SHORTEST_SECRET:
        raise IngestError(
            f"CLUSTERING_PSEUDONYM_KEY is shorter than {SHORTEST_SECRET} characters; "
            "make one with: python -c 'import secrets; print(secrets.token_hex(32))'"
        )
    return secret.encode()


def _key_file(path: Path) -> bytes:
    if not path.exists():
        _create_key(path)
    try:
        text = path.read_text(encoding="ascii", errors="replace").strip()
    except OSError as error:
        raise IngestError(f"{path}: the pseudonym key cannot be read: {error.strerror}") from error
    if not _KEY_PATTERN.fullmatch(text):
        raise IngestError(
            f"{path}: the pseudonym key is damaged (64 hexadecimal digits are expected); restore it from a backup. "
            "Deleting it makes a new key, with which the same voters get other pseudonyms"
        )
    return text.encode()


def _create_key(path: Path) -> None:
    """Write a new key and give it its name in one step, so that of two processes both read what one of them wrote."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_hex(32) + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(draft)
    finally:
        draft.unlink()
