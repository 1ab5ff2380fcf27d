"""The prompts: files in ``prompts/``, each with its version in the first line."""

import functools
from dataclasses import dataclass
from importlib import resources


@dataclass(frozen=True)
class Prompt:
    """What the model is told before it gets the data.

    Attributes
    ----------
    name
        Name of its file.
    version
        Number that is raised when its meaning changes.
    text
        What the model is told.
    """

    name: str
    version: int
    text: str


@functools.cache
def read_prompt(name: str) -> Prompt:
    """Return a prompt.

    Raises
    ------
    ValueError
        Its first line is not ``version: N``.
    """
    content = resources.files("clustering_platform.naming").joinpath("prompts", f"{name}.md").read_text("utf-8")
    first, _, rest = content.partition("\n")
    key, _, version = first.partition(":")
    if key != "version" or not version.strip().isdecimal():
        raise ValueError(f"prompts/{name}.md: the first line is not `version: N`")
    return Prompt(name, int(version), rest.strip())
