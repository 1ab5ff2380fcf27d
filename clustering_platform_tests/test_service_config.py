"""Where keys come from, and which services get them."""

import pytest

from clustering_platform.service_config import read_key
from clustering_platform.topics_config import EmbeddingConfig

OPENAI = EmbeddingConfig(provider="openai")
OWN = EmbeddingConfig(provider="openai", base_url="http://localhost:8000/v1")


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CLUSTERING_OPENAI_API_KEY", "OPENAI_API_KEY", "OTHER_API_KEY"):
        monkeypatch.delenv(name, raising=False)


def test_our_variable_goes_before_the_common_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "common")
    assert read_key(OPENAI) == "common"
    monkeypatch.setenv("CLUSTERING_OPENAI_API_KEY", " ours\n")
    assert read_key(OPENAI) == "ours"
    assert read_key(OWN) == "ours"


def test_the_variable_that_the_settings_name_goes_before_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLUSTERING_OPENAI_API_KEY", "ours")
    config = EmbeddingConfig(provider="openai", api_key_variable="OTHER_API_KEY")
    with pytest.raises(ValueError, match=r"set the environment variable OTHER_API_KEY$"):
        read_key(config)
    monkeypatch.setenv("OTHER_API_KEY", "other")
    assert read_key(config) == "other"


def test_the_key_of_openai_is_not_sent_elsewhere_unless_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "common")
    assert read_key(OWN) is None
    named = EmbeddingConfig(provider="openai", base_url="https://proxy/v1", api_key_variable="OPENAI_API_KEY")
    assert read_key(named) == "common"


def test_openai_needs_a_key() -> None:
    message = "no API key for text-embedding-3-large: set .* CLUSTERING_OPENAI_API_KEY or OPENAI_API_KEY$"
    with pytest.raises(ValueError, match=message):
        read_key(OPENAI)


@pytest.mark.parametrize("key", ["two words", "canary\u00e9", "canary\x07"])
def test_what_cannot_be_a_key_is_refused_without_being_shown(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    monkeypatch.setenv("CLUSTERING_OPENAI_API_KEY", key)
    with pytest.raises(ValueError, match="CLUSTERING_OPENAI_API_KEY holds characters that no key has") as error:
        read_key(OPENAI)
    assert key not in str(error.value)
