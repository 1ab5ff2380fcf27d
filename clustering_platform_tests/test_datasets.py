"""A dataset: its name, its settings, the fingerprint of its input."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from clustering_platform.dataset_config import DatasetConfig
from clustering_platform.datasets import (
    NAME_PATTERN,
    Dataset,
    DatasetError,
    find_dataset,
    input_files,
    list_datasets,
    read_config,
    suggest_name,
    validate_name,
)


@pytest.mark.parametrize("name", ["a", "0", "town-plans", "vtaiwan_2016", "a--b", "x" * 63])
def test_a_valid_name_is_kept(name: str) -> None:
    assert validate_name(name) == name
    assert suggest_name("a--b") == "a-b"


@pytest.mark.parametrize(
    "name",
    ["", "A", "a b", "-a", "_a", "a.b", "a/b", "../a", "a|b", "a,b", "a\n", "é", "x" * 64, "\uff12", "a\0", "CON", "."],
)
def test_an_invalid_name_is_refused(name: str) -> None:
    with pytest.raises(DatasetError, match="cannot name a dataset: lower-case letters, digits"):
        validate_name(name)
    with pytest.raises(DatasetError):
        Dataset(name, Path())


@pytest.mark.parametrize(
    ("name", "offer"),
    [
        ("vtaiwan.uberx", "vtaiwan-uberx"),
        ("Town Plans (2026)", "town-plans-2026"),
        ("_private_", "private"),
        ("x" * 70, "x" * 63),
        ("../../etc", "etc"),
        ("x" * 62 + "--y", "x" * 62),
    ],
)
def test_a_refusal_offers_the_nearest_valid_name(name: str, offer: str) -> None:
    with pytest.raises(DatasetError, match=f"use '{offer}'$"):
        validate_name(name)


def test_nothing_is_offered_where_nothing_is_usable() -> None:
    with pytest.raises(DatasetError, match=r"at most 63 characters$"):
        validate_name("對話")


@given(st.text())
def test_what_is_offered_is_valid_or_empty_and_offered_again_for_itself(text: str) -> None:
    offer = suggest_name(text)
    assert not offer or validate_name(offer) == offer
    assert suggest_name(offer) == offer


@given(st.from_regex(NAME_PATTERN, fullmatch=True))
def test_every_name_of_the_pattern_is_one_folder_of_its_own(name: str) -> None:
    assert Path("inbox", validate_name(name)).parts == ("inbox", name)


def config_of(folder: Path, text: str) -> DatasetConfig:
    (folder / "dataset.yaml").write_text(text, encoding="utf-8")
    return read_config(folder / "dataset.yaml")


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "---\n", "opinions:\n  # min_voters: 3\n"])
def test_no_settings_mean_the_defaults(tmp_path: Path, text: str) -> None:
    assert read_config(tmp_path / "dataset.yaml") == DatasetConfig()
    assert config_of(tmp_path, text) == DatasetConfig()


def test_settings_are_read_and_the_rest_keeps_its_default(tmp_path: Path) -> None:
    config = config_of(
        tmp_path,
        "\ufefftitle: Bürger reden\nopinions: {window: 30, max_groups: 3}\nsource: {vote_values: {ja: 1, nein: -1}}",
    )
    assert config.title == "Bürger reden"
    assert (config.opinions.window, config.opinions.max_groups, config.opinions.min_voters) == (30, 3, 50)
    assert config.source.vote_values == {"ja": 1, "nein": -1}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("titel: Town", "unknown key 'titel'; did you mean 'title'?"),
        ("opinions: {max_group: 3}", "unknown key 'opinions.max_group'; did you mean 'max_groups'?"),
        ("colour: red", "unknown key 'colour'; known: title, description, archived, source,"),
        ("opinions: {min_voters: 1}", "opinions.min_voters: Input should be greater than or equal to 2, got 1"),
        ("opinions: {min_voters: many}", "opinions.min_voters: Input should be a valid integer"),
        ("opinions: {window: week}", "opinions.window: Input should be 'all', got 'week'"),
        ("opinions: {window: 0}", "opinions.window: Input should be greater than or equal to 1, got 0"),
        ("opinions: 3", "opinions: Input should be a valid dictionary"),
        ("source: {votes: votes.csv}", "source.votes: Input should be a valid list, got 'votes.csv'"),
        ("source: {vote_values: {ja: 2}}", "source.vote_values.ja: Input should be -1, 0 or 1, got 2"),
        ("source: {vote_values: {yes: 1}}", "the word True is not text in YAML; put it in quotes"),
        ("opinions: {window: true}", "opinions.window: Input should be a valid integer, got True"),
        ("title: 2026-13-45", "is not valid YAML: month must be in 1..12"),
        ("title: Town\ntitle: City", "the key 'title' stands twice"),
        ("[" * 5000, "is not valid YAML"),
        ("privacy: {voter_ids: none}", "privacy.voter_ids: Input should be 'pseudonym' or 'plain', got 'none'"),
        *(
            (f"topics: {{embedding: {{{text}}}}}", f"topics.embedding.{fault}")
            for text, fault in [
                ("base_url: 'http://host/v1'", "base_url: is for the provider 'openai', got 'http://host/v1'"),
                ("api_key_variable: MY_API_KEY", "api_key_variable: is for the provider 'openai'"),
                ("provider: openai, revision: main", "revision: is for the provider 'sentence-transformers'"),
                ("provider: openai, base_url: host/v1", "base_url: is no address like https://host/v1"),
                ("provider: openai, base_url: 'https://me:secret@host'", "base_url: has room for a key"),
                ("provider: openai, base_url: 'https://host/v1?key=1'", "base_url: has room for a key"),
                ("provider: openai, api_key_variable: sk-123", "api_key_variable: is the name of a variable"),
                ("provider: openai, api_key_variable: CLUSTERING_POSTGRES_URL", "api_key_variable: is the name of a"),
                ("provider: open-ai", "provider: Input should be 'sentence-transformers' or 'openai'"),
                ("template: '{txt}'", "template: unknown field {txt}; did you mean {text}?"),
                ("template: '{author_id}'", "template: {author_id} is personal and cannot be embedded"),
                ("dimensions: 0", "dimensions: Input should be greater than or equal to 2"),
                ("requests_per_minute: 0", "requests_per_minute: Input should be greater than 0"),
            ]
        ),
        ("topics: {embedding: {api_key: sk-1}}", "unknown key 'topics.embedding.api_key'; did you mean 'api_key_var"),
        ("- title: Town", "holds a list, not keys and values"),
        ("Town", "holds a str, not keys and values"),
        ("title: Town\nopinions: {max_groups: 3", "line 2, column 11"),
        ("title: a: b", "line 1, column 9"),
        ("title: !!python/object/apply:os.system [ls]", "could not determine a constructor"),
    ],
)
def test_a_fault_is_told_with_file_key_and_what_to_do(tmp_path: Path, text: str, fault: str) -> None:
    with pytest.raises(DatasetError) as error:
        config_of(tmp_path, text)
    assert str(error.value).startswith(f"{tmp_path / 'dataset.yaml'}: ")
    assert fault in str(error.value)


@pytest.mark.parametrize(
    "setting",
    [
        "base_url: 'https://me:canary@host/v1'",
        "base_url: 'https://host?key=canary'",
        "api_key: canary",
        "api_key_variable: sk-canary",
    ],
)
def test_a_key_that_stands_where_it_must_not_is_not_shown(tmp_path: Path, setting: str) -> None:
    with pytest.raises(DatasetError) as error:
        config_of(tmp_path, f"topics: {{embedding: {{provider: openai, {setting}}}}}")
    assert "canary" not in str(error.value)


def test_every_fault_has_a_line_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(DatasetError) as error:
        config_of(tmp_path, "titel: x\ntopics: {max_depth: 11, seed: -1}")
    assert len(str(error.value).splitlines()) == 3


def test_settings_that_are_not_text_are_refused_with_the_place(tmp_path: Path) -> None:
    (tmp_path / "dataset.yaml").write_bytes(b"title: \xff")
    with pytest.raises(DatasetError, match=r"is not UTF-8 text \(byte 7\)"):
        read_config(tmp_path / "dataset.yaml")


def keys(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, str | None]]:
    """Yield every key of a model and of the models in it, with its description."""
    for name, field in model.model_fields.items():
        yield prefix + name, field.description
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from keys(field.annotation, f"{prefix}{name}.")


def test_every_key_has_a_default_and_a_description() -> None:
    described = dict(keys(DatasetConfig))
    assert len(described) > 20
    assert [key for key, text in described.items() if not text or not text.endswith(".")] == []
    DatasetConfig()


def test_settings_cannot_be_changed_by_accident() -> None:
    with pytest.raises(ValueError, match="frozen"):
        DatasetConfig().title = "other"


def test_the_title_is_the_name_where_none_is_given(tmp_path: Path) -> None:
    assert Dataset("talk", tmp_path).title == "talk"
    (tmp_path / "dataset.yaml").write_text("title: Talk of the town")
    assert Dataset("talk", tmp_path).title == "Talk of the town"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A dataset of two files."""
    (tmp_path / "talk" / "parts").mkdir(parents=True)
    (tmp_path / "talk" / "votes.csv").write_text("v,i,1")
    (tmp_path / "talk" / "parts" / "items.csv").write_text("i,text")
    return tmp_path / "talk"


def test_input_is_every_file_but_hidden_and_partial_ones(folder: Path) -> None:
    before = Dataset("talk", folder).fingerprint()
    (folder / ".git").mkdir()
    for name in (".DS_Store", "~lock.votes.csv", "votes.csv.part", ".git/config", ".link"):
        (folder / name).touch()
    assert [path.relative_to(folder).as_posix() for path in input_files(folder)] == ["parts/items.csv", "votes.csv"]
    assert Dataset("talk", folder).fingerprint() == before


@pytest.mark.parametrize("target", ["/etc/hostname", "votes.csv", "nowhere", "parts", ".."])
def test_a_link_is_refused(folder: Path, target: str) -> None:
    (folder / "parts" / "link").symlink_to(target)
    for use in (lambda: input_files(folder), Dataset("talk", folder).fingerprint):
        with pytest.raises(DatasetError, match="link: is a link; put the file itself"):
            use()


def test_the_fingerprint_is_that_of_names_and_content_and_not_of_time_or_place(folder: Path, tmp_path: Path) -> None:
    before = Dataset("talk", folder).fingerprint()
    os.utime(folder / "votes.csv", (0, 0))
    assert Dataset("talk", folder).fingerprint() == before
    moved = folder.rename(tmp_path / "walk")
    assert Dataset("walk", moved).fingerprint() == before


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "votes.csv").write_text("v,i,0"),
        lambda folder: (folder / "votes.csv").rename(folder / "more.csv"),
        lambda folder: (folder / "votes.csv").rename(folder / "parts" / "votes.csv"),
        lambda folder: (folder / "votes.csv").unlink(),
        lambda folder: (folder / "empty.csv").touch(),
        lambda folder: (folder / "dataset.yaml").write_text("title: Talk"),
        lambda folder: (folder / "votes.csv").replace(folder / "parts" / "items.csv"),
    ],
    ids=["content", "name", "place", "removed", "added", "settings", "replaced"],
)
def test_the_fingerprint_changes_with_the_input(folder: Path, change: Callable[[Path], object]) -> None:
    before = Dataset("talk", folder).fingerprint()
    change(folder)
    assert Dataset("talk", folder).fingerprint() != before


@given(st.dictionaries(st.sampled_from(["a", "b", "ab", "ba"]), st.binary(max_size=3), min_size=1))
def test_one_more_byte_is_another_fingerprint(
    tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes]
) -> None:
    root = tmp_path_factory.mktemp("fingerprints")
    for name, content in files.items():
        (root / name).write_bytes(content)
    first = Dataset("talk", root).fingerprint()
    name = min(files)
    (root / name).write_bytes(files[name] + b"x")
    assert Dataset("talk", root).fingerprint() != first
    (root / name).write_bytes(files[name])
    assert Dataset("talk", root).fingerprint() == first


def test_datasets_are_the_folders_with_valid_names_in_order(tmp_path: Path) -> None:
    for name in ("walk", "talk", "Not Valid", ".hidden"):
        (tmp_path / name).mkdir()
    (tmp_path / "file").touch()
    assert [dataset.name for dataset in list_datasets(tmp_path)] == ["talk", "walk"]
    assert find_dataset(tmp_path, "talk") == Dataset("talk", tmp_path / "talk")


def test_an_inbox_that_is_not_there_holds_no_dataset(tmp_path: Path) -> None:
    assert list_datasets(tmp_path / "inbox") == []
    with pytest.raises(DatasetError, match=r"no dataset called 'talk' in .*; known: none yet"):
        find_dataset(tmp_path / "inbox", "talk")


@pytest.mark.parametrize(
    ("name", "hint"),
    [("town-plan", "did you mean 'town-plans'\\?"), ("qqq", "known: talk, town-plans"), ("Talk", "use 'talk'")],
)
def test_a_dataset_that_is_not_there_is_told_with_the_nearest_one(tmp_path: Path, name: str, hint: str) -> None:
    for known in ("talk", "town-plans"):
        (tmp_path / known).mkdir()
    with pytest.raises(DatasetError, match=hint):
        find_dataset(tmp_path, name)
