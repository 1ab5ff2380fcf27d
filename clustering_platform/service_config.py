"""Services that are paid by the call: how settings name them, and where their keys come from.

Keys come from the environment and go nowhere but into the clients that are opened here.
"""

import os
import re
from typing import TYPE_CHECKING, Annotated, Protocol
from urllib.parse import urlsplit

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from clustering_platform.config_section import SettingError
from clustering_platform.settings import Settings

if TYPE_CHECKING:
    from openai import OpenAI

_OPENAI = "https://api.openai.com/v1"
_CONNECT_SECONDS = 10.0
OURS = "CLUSTERING_OPENAI_API_KEY"
COMMON = "OPENAI_API_KEY"


def _plain_address(value: str) -> str:
    """Refuse what is no address, and what may carry a key."""
    address = urlsplit(value)
    if address.scheme not in ("http", "https") or not address.hostname:
        raise PydanticCustomError("no_address", "is no address like https://host/v1")
    if "@" in address.netloc or address.query or address.fragment:
        raise PydanticCustomError("secret", "has room for a key; write scheme, host and path only")
    return value.rstrip("/")


def _key_variable(value: str) -> str:
    """Refuse a key in place of its name, and variables that hold other secrets."""
    if not re.fullmatch(r"[A-Z][A-Z0-9_]*_API_KEY", value):
        raise PydanticCustomError("secret", "is the name of a variable, like OTHER_API_KEY, never the key itself")
    return value


Address = Annotated[str, AfterValidator(_plain_address)]
KeyVariable = Annotated[str, AfterValidator(_key_variable)]


class Service(Protocol):
    """The settings of a service."""

    @property
    def model_name(self) -> str:
        """The model that is asked."""

    @property
    def base_url(self) -> str | None:
        """Where it is; None for OpenAI itself."""

    @property
    def api_key_variable(self) -> str | None:
        """The environment variable that holds its key; None for the usual ones."""

    @property
    def timeout_seconds(self) -> float:
        """How long to wait for an answer."""


def address_of(service: Service) -> str:
    """Return where a service is, without ``https://``."""
    return (service.base_url or _OPENAI).partition("://")[2].rstrip("/")


def open_client(service: Service) -> "tuple[OpenAI, tuple[str, ...]]":
    """Return a client of a service that tries nothing again by itself, and the secrets that no message may hold.

    Raises
    ------
    ValueError
        There is no key, as in `read_key`.
    """
    from openai import OpenAI, Timeout

    key, seconds = read_key(service), service.timeout_seconds
    client = OpenAI(
        api_key=key or "none",
        base_url=service.base_url or _OPENAI,
        timeout=Timeout(seconds, connect=min(seconds, _CONNECT_SECONDS)),
        max_retries=0,
    )
    return client, (key,) if key else ()


def read_key(service: Service) -> str | None:
    """Return the key for a service; None for a service of one's own that is asked without one.

    It stands in the variable that the settings name; else in CLUSTERING_OPENAI_API_KEY; else, for OpenAI itself only,
    in OPENAI_API_KEY: a key that other programs use as well is not sent to another address unless it is named.

    Raises
    ------
    ValueError
        There is none, or it cannot be one; the message does not show it.
    """
    if service.api_key_variable:
        variables = {service.api_key_variable: os.environ.get(service.api_key_variable)}
    else:
        ours = Settings().openai_api_key
        variables = {OURS: ours.get_secret_value() if ours else None}
        if service.base_url is None:
            variables[COMMON] = os.environ.get(COMMON)
    for variable, value in variables.items():
        if key := (value or "").strip():
            if not (key.isascii() and key.isprintable()) or " " in key:
                raise SettingError(f"the environment variable {variable} holds characters that no key has")
            return key
    if service.base_url and not service.api_key_variable:
        return None
    raise SettingError(f"no API key for {service.model_name}: set the environment variable {' or '.join(variables)}")
