"""A dataset: a folder of input, its name, its settings and the fingerprint of what it holds.

Reading the input itself belongs in ``ingest``; what becomes of it is published through ``store``.
"""

import difflib
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ValidationError

from clustering_platform.dataset_config import DatasetConfig

CONFIG_FILE = "dataset.yaml"
NAME_PATTERN = re.compile(r"^[a-z0-9][a-z0-9_-]{0,62}$")


class DatasetError(ValueError):
    """A dataset cannot be used as it is; the message says what is wrong, where, and what to do."""


def validate_name(name: str) -> str:
    """Return `name` if it can name a dataset, else raise `DatasetError` with a name that could."""
    if NAME_PATTERN.fullmatch(name):
        return name
    offer = suggest_name(name)
    hint = f"; use {offer!r}" if offer else ""
    raise DatasetError(
        f"{name!r} cannot name a dataset: lower-case letters, digits, '-' and '_' only, a letter or digit first, "
        f"at most 63 characters{hint}"
    )


def suggest_name(text: str) -> str:
    """Return the valid dataset name nearest to `text`; empty when nothing of it is usable."""
    return re.sub(r"[^a-z0-9_]+", "-", text.lower()).strip("-_")[:63].strip("-_")


@dataclass(frozen=True)
class Dataset:
    """A dataset in its folder."""

    name: str
    folder: Path

    def __post_init__(self) -> None:
        validate_name(self.name)

    @cached_property
    def config(self) -> DatasetConfig:
        """The settings in ``dataset.yaml``, or the defaults where there is none."""
        return read_config(self.folder / CONFIG_FILE)

    @property
    def title(self) -> str:
        """What to call the dataset before people."""
        return self.config.title or self.name

    def fingerprint(self, *, settings: bool = True) -> str:
        """Return a hash over the names and bytes of all input files, ``dataset.yaml`` among them if `settings`."""
        digest = hashlib.sha256()
        for path in input_files(self.folder):
            if path == self.folder / CONFIG_FILE and not settings:
                continue
            digest.update(path.relative_to(self.folder).as_posix().encode() + b"\0")
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
        return digest.hexdigest()[:32]


def input_files(folder: Path) -> list[Path]:
    """Return the regular files of a dataset folder in a stable order; hidden and partial files are left out."""
    return sorted(path for path in _walk(folder) if path.suffix != ".part")


def _walk(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name.startswith((".", "~")):
            continue
        if path.is_symlink():
            raise DatasetError(f"{path}: is a link; put the file itself into the dataset folder")
        if path.is_dir():
            yield from _walk(path)
        elif path.is_file():
            yield path


def list_datasets(inbox: Path) -> list[Dataset]:
    """Return the datasets of an inbox, by name; folders whose names cannot be datasets are left out."""
    if not inbox.is_dir():
        return []
    folders = (path for path in inbox.iterdir() if path.is_dir() and NAME_PATTERN.fullmatch(path.name))
    return [Dataset(path.name, path) for path in sorted(folders)]


def live_datasets(inbox: Path) -> list[Dataset]:
    """Return the datasets of an inbox that are not archived; those whose settings cannot be read are among them."""
    return [dataset for dataset in list_datasets(inbox) if not _is_archived(dataset)]


def _is_archived(dataset: Dataset) -> bool:
    try:
        return dataset.config.archived
    except DatasetError:
        return False


def find_dataset(inbox: Path, name: str) -> Dataset:
    """Return the dataset called `name`, or raise `DatasetError` naming the nearest known one."""
    validate_name(name)
    if (inbox / name).is_dir():
        return Dataset(name, inbox / name)
    known = [dataset.name for dataset in list_datasets(inbox)]
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(known) or 'none yet'}"
    raise DatasetError(f"no dataset called {name!r} in {inbox}{hint}")


def read_config(path: Path) -> DatasetConfig:
    """Read a ``dataset.yaml``; a missing file means the defaults.

    Raises
    ------
    DatasetError
        With one line for every fault: an unknown key with the nearest known one, or what is wrong with a value.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return DatasetConfig()
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path}: is not UTF-8 text (byte {error.start}); save it as UTF-8") from error
    try:
        content = yaml.load(text, _UniqueKeys)  # noqa: S506 - a safe loader
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise DatasetError(f"{path}: is not valid YAML: {error}") from error
    if content is None:
        return DatasetConfig()
    if not isinstance(content, dict):
        raise DatasetError(f"{path}: holds a {type(content).__name__}, not keys and values like `title: ...`")
    try:
        return DatasetConfig.model_validate(content)
    except ValidationError as error:
        raise DatasetError("\n".join(f"{path}: {_fault(fault)}" for fault in error.errors())) from error


class _UniqueKeys(yaml.SafeLoader):
    """A safe loader that refuses a key that stands twice, where YAML would take the last one without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if str(key.value) in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key.value!r} stands twice", key.start_mark
                )
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


def _fault(fault: Any) -> str:
    if "[key]" in fault["loc"]:
        return f"{fault['loc'][-3]}: the word {fault['input']!r} is not text in YAML; put it in quotes"
    location = [str(part) for part in fault["loc"] if part not in ("literal['all']", "constrained-int")]
    key = ".".join(location)
    if fault["type"] == "extra_forbidden":
        known = _keys_beside(location)
        near = difflib.get_close_matches(location[-1], known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
        return f"unknown key {key!r}; {hint}"
    if fault["type"] == "secret":  # what was written may be one
        return f"{key}: {fault['msg']}"
    return f"{key}: {fault['msg']}, got {fault['input']!r}"


def _keys_beside(location: list[str]) -> list[str]:
    model: type[BaseModel] = DatasetConfig
    for part in location[:-1]:
        annotation = model.model_fields[part].annotation
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return []
        model = annotation
    return list(model.model_fields)
