"""Keys of services: they come from the environment and go nowhere but into the requests."""

import os

from clustering_platform.settings import Settings
from clustering_platform.topics_config import EmbeddingConfig

OURS = "CLUSTERING_OPENAI_API_KEY"
COMMON = "OPENAI_API_KEY"


def read_key(config: EmbeddingConfig) -> str | None:
    """Return the key for the service of the settings; None for a service of one's own that is asked without one.

    It stands in the variable that the settings name; else in CLUSTERING_OPENAI_API_KEY; else, for OpenAI itself only,
    in OPENAI_API_KEY: a key that other programs use as well is not sent to another address unless it is named.

    Raises
    ------
    ValueError
        There is none, or it cannot be one; the message does not show it.
    """
    if config.api_key_variable:
        variables = {config.api_key_variable: os.environ.get(config.api_key_variable)}
    else:
        ours = Settings().openai_api_key
        variables = {OURS: ours.get_secret_value() if ours else None}
        if config.base_url is None:
            variables[COMMON] = os.environ.get(COMMON)
    for variable, value in variables.items():
        if key := (value or "").strip():
            if not (key.isascii() and key.isprintable()) or " " in key:
                raise ValueError(f"the environment variable {variable} holds characters that no key has")
            return key
    if config.base_url and not config.api_key_variable:
        return None
    raise ValueError(f"no API key for {config.model_name}: set the environment variable {' or '.join(variables)}")
