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
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

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


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _empty_means_defaults(cls, value: Any) -> Any:
        return {} if value is None else value


class SourceConfig(_Section):
    """How the input files are to be read."""

    format: Literal["auto", "polis", "table"] = Field(
        default="auto",
        description="`polis`: an export folder of Polis. `table`: votes and items as CSV, JSONL or Parquet. "
        "`auto`: recognised by the headers.",
    )
    votes: list[str] | None = Field(
        default=None, description="File names or patterns of the vote files. Default: recognised by their columns."
    )
    items: list[str] | None = Field(
        default=None, description="File names or patterns of the item files. Default: recognised by their columns."
    )
    encoding: str = Field(default="utf-8", description="Text encoding of CSV and JSONL files; never guessed.")
    columns: dict[str, str] = Field(
        default_factory=dict,
        description="Our column name to the name in the files, for example {voter_id: user, voted_at: time}.",
    )
    vote_values: dict[str, Literal[-1, 0, 1]] = Field(
        default_factory=dict,
        description="Words that stand for votes, beside agree, pass, disagree, buena, neutral and mala.",
    )
    vote_sign: Literal["auto", "agree_positive", "agree_negative"] = Field(
        default="auto",
        description="Whether agree is +1 or -1 in numeric votes. `auto`: compared with the counts in comments.csv "
        "where there are any, else +1.",
    )
    time_unit: Literal["auto", "s", "ms", "us", "ns"] = Field(
        default="auto", description="Unit of numeric times. `auto`: by magnitude, one unit for a whole file."
    )


class PrivacyConfig(_Section):
    """What is done to protect the people behind the votes."""

    voter_ids: Literal["pseudonym", "plain"] = Field(
        default="pseudonym",
        description="`pseudonym`: ids are replaced by keyed hashes before anything is written. `plain`: kept, for "
        "open data whose ids identify nobody.",
    )


class IngestConfig(_Section):
    """When input is good enough to publish."""

    max_quarantined: float = Field(
        default=0.05, ge=0, le=1, description="Largest share of quarantined rows with which anything is published."
    )


class OpinionsConfig(_Section):
    """How votes become groups."""

    min_voters: int = Field(default=50, ge=2, description="Fewer voters than this and no groups are formed.")
    window: Literal["all"] | Annotated[int, Field(ge=1, strict=True)] = Field(
        default="all", description="Votes that count for a snapshot: `all` up to its day, or of the last N days."
    )
    min_votes: int = Field(
        default=7, ge=1, description="Votes a voter needs to be grouped (or all items, where there are fewer)."
    )
    base_clusters: int = Field(default=100, ge=2, le=1000, description="Largest number of base clusters.")
    voters_per_base_cluster: int = Field(
        default=1,
        ge=1,
        description="Grouped voters to a base cluster, at least: 10 makes them min(100, voters / 10). Groups are "
        "formed of base clusters; few of these leave little choice.",
    )
    voter_weights: Literal["equal", "votes_cast"] = Field(
        default="equal", description="What a voter weighs when clusters are formed: `equal` 1, `votes_cast` its votes."
    )
    max_steps: int = Field(default=100, ge=1, le=10_000, description="Largest number of steps of k-means.")
    max_groups: int = Field(default=5, ge=2, le=20, description="Largest number of groups tried.")
    continuity: Literal["cold", "warm"] = Field(
        default="cold",
        description="`cold`: a day follows from its votes alone. `warm`: it goes on from the nearest earlier day that "
        "is published, as Polis does.",
    )
    smoothing_days: int = Field(
        default=4,
        ge=1,
        le=30,
        description="Days over which the number of groups is smoothed; with `warm`, snapshots in a row in which a new "
        "number has to be best. 1 takes the best number of each day.",
    )
    resamples: int = Field(
        default=50,
        ge=0,
        le=1000,
        description="How often voters are drawn anew to see how sure the groups are; 0: never.",
    )
    resampled_voters: int = Field(
        default=20_000, ge=100, description="Largest number of voters in a resample; of more, a sample is drawn."
    )
    seed: int = Field(default=42, ge=0, description="Seed of every random step.")
    polis_parity: bool = Field(
        default=False,
        description="Copy the quirks of Polis that are known to be mistakes, to compare with its output.",
    )


class TopicsConfig(_Section):
    """How texts become a tree of topics."""

    model: str = Field(
        default="packaged-minilm",
        description="Sentence-transformers model: a name or a folder. `packaged-minilm` is all-MiniLM-L6-v2 as it "
        "comes with the installation and works offline.",
    )
    include_rejected: bool = Field(
        default=False, description="Whether items that moderation rejected take part in topics."
    )
    batch_size: int = Field(default=64, ge=1, le=4096, description="Texts embedded at a time.")
    min_topic_size: int | None = Field(
        default=None, ge=2, description="Smallest topic. Default: by the number of items."
    )
    max_depth: int = Field(default=3, ge=0, le=10, description="Levels below the root.")
    seed: int = Field(default=42, ge=0, description="Seed of every random step.")
    name_words: int = Field(default=5, ge=1, le=12, description="Largest number of words in a name.")


class DatasetConfig(_Section):
    """Everything that ``dataset.yaml`` can say; every key has a default."""

    title: str | None = Field(default=None, description="Title shown to people. Default: the dataset's name.")
    description: str | None = Field(default=None, description="What the dataset is about, in a sentence or two.")
    source: SourceConfig = Field(default_factory=SourceConfig, description="How the input files are to be read.")
    privacy: PrivacyConfig = Field(default_factory=PrivacyConfig, description="Protection of voters.")
    ingest: IngestConfig = Field(default_factory=IngestConfig, description="When input is good enough to publish.")
    opinions: OpinionsConfig = Field(default_factory=OpinionsConfig, description="How votes become groups.")
    topics: TopicsConfig = Field(default_factory=TopicsConfig, description="How texts become topics.")


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
    return f"{key}: {fault['msg']}, got {fault['input']!r}"


def _keys_beside(location: list[str]) -> list[str]:
    model: type[BaseModel] = DatasetConfig
    for part in location[:-1]:
        annotation = model.model_fields[part].annotation
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return []
        model = annotation
    return list(model.model_fields)
