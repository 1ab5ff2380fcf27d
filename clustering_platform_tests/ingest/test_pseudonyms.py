"""Pseudonyms and the key behind them."""

import hashlib
import hmac
import stat
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pyarrow as pa
import pytest
from pydantic import SecretStr

from clustering_platform.datasets import Dataset
from clustering_platform.ingest.errors import IngestError
from clustering_platform.ingest.pseudonyms import Pseudonyms, master_key
from clustering_platform.settings import Settings
from clustering_platform_tests.ingest.folders import KEYED, make_dataset

SECRET = "0123456789abcdef" * 4


def settings(data: Path, secret: str | None = None) -> Settings:
    return Settings(data=data, pseudonym_key=SecretStr(secret) if secret is not None else None)


@pytest.fixture(autouse=True)
def _no_key_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CLUSTERING_PSEUDONYM_KEY", raising=False)


def key_of(data: Path) -> bytes:
    return master_key(settings(data))


def test_pseudonym_is_the_first_half_of_a_keyed_hash_under_the_key_of_the_dataset(tmp_path: Path) -> None:
    pseudonyms = Pseudonyms.for_dataset(Dataset("brexit", tmp_path), settings(tmp_path, SECRET))
    key = hmac.new(SECRET.encode(), b"brexit", hashlib.sha256).digest()
    assert pseudonyms.of("añb") == hmac.new(key, "añb".encode(), hashlib.sha256).hexdigest()[:32]


def test_voters_cannot_be_linked_across_datasets_but_within(tmp_path: Path) -> None:
    first, again, other = (
        Pseudonyms.for_dataset(Dataset(name, tmp_path), settings(tmp_path)) for name in ("one", "one", "two")
    )
    assert first.of("7") == again.of("7") != other.of("7")


def test_plain_ids_are_kept_where_the_dataset_says_so(tmp_path: Path) -> None:
    dataset = make_dataset(tmp_path / "inbox", {}, {"privacy": {"voter_ids": "plain"}})
    pseudonyms = Pseudonyms.for_dataset(dataset, settings(tmp_path))
    assert pseudonyms.is_plain
    assert pseudonyms.of("ann") == "ann"
    assert not (tmp_path / "private").exists()


def test_arrays_are_hashed_value_by_value() -> None:
    assert KEYED.apply(pa.array(["a", None, "b", "a"])).to_pylist() == [
        KEYED.of("a"),
        None,
        KEYED.of("b"),
        KEYED.of("a"),
    ]
    assert KEYED.apply(pa.array([], pa.string())).to_pylist() == []


def test_key_is_not_shown() -> None:
    assert "key of the tests" not in repr(KEYED)


def test_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    first = key_of(tmp_path)
    file = tmp_path / "private" / "pseudonym.key"
    assert first == key_of(tmp_path)
    assert len(bytes.fromhex(first.decode())) == 32
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert [path.name for path in file.parent.iterdir()] == ["pseudonym.key"]


def test_processes_that_race_for_a_key_get_the_same(tmp_path: Path) -> None:
    with ProcessPoolExecutor(4) as pool:
        keys = set(pool.map(key_of, [tmp_path] * 16))
    assert len(keys) == 1


def test_the_same_text_in_the_environment_and_in_the_file_is_the_same_key(tmp_path: Path) -> None:
    from_file = key_of(tmp_path)
    assert master_key(settings(tmp_path / "elsewhere", from_file.decode())) == from_file
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("content", [b"", b"abc", b"g" * 64, SECRET.encode() + b"00", b"\xff" * 64])
def test_damaged_key_file_is_refused_and_left_as_it_is(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "private" / "pseudonym.key"
    file.parent.mkdir()
    file.write_bytes(content)
    with pytest.raises(IngestError, match=r"pseudonym\.key: the pseudonym key is damaged"):
        key_of(tmp_path)
    assert file.read_bytes() == content


def test_key_that_can_be_guessed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(IngestError, match="CLUSTERING_PSEUDONYM_KEY is shorter") as error:
        master_key(settings(tmp_path, "secret"))
    assert "secret'" not in str(error.value)
