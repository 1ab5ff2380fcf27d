"""Everything that ``dataset.yaml`` can say, section by section.

Each setting has a default and a description; reading the file and telling what is wrong with it belongs in
``datasets``.
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from clustering_platform.config_section import Section
from clustering_platform.names_config import NamesConfig
from clustering_platform.topics_config import TopicsConfig


class VectorsConfig(Section):
    """Vectors made elsewhere; where they are named, no embedder is called for the topics."""

    file: str | None = Field(
        default=None,
        description="File of vectors in the dataset's folder: `.npy` (with `ids`), Parquet (with `column`) or a flat "
        "FAISS index `.faiss` or `.index` (with `metadata` or `ids`). Vectors of items that no other file names make "
        "them items where there are none else.",
    )
    ids: str | None = Field(
        default=None,
        description="Item ids in the order of the vectors: a text file with one a line, CSV, a JSON array or `.npy`.",
    )
    column: str | None = Field(
        default=None, description="Column of lists of numbers: of the Parquet `file`, or of every Parquet item file."
    )
    metadata: str | None = Field(
        default=None,
        description="JSON array of objects in the order of the index, or object of them by its ids; with ids, and "
        "with texts where the dataset has no item file. Pickle is refused.",
    )

    @property
    def is_given(self) -> bool:
        """Whether there are any."""
        return self.file is not None or self.column is not None


class SourceConfig(Section):
    """How the input files are to be read."""

    format: Literal["auto", "polis", "table", "documents", "images"] = Field(
        default="auto",
        description="`polis`: an export folder of Polis. `table`: votes and items as CSV, JSONL or Parquet. "
        "`documents`: every `.txt` and `.md` file, of at most 16 MB, is an item, beside tables. `images`: every "
        "`.jpg`, `.jpeg`, `.png` and `.webp` file is, with captions where a table of items names it in a column "
        "`file`. `auto`: recognised by the headers; documents and images only where there is no other file of data.",
    )
    votes: list[str] | None = Field(
        default=None, description="File names or patterns of the vote files. Default: recognised by their columns."
    )
    items: list[str] | None = Field(
        default=None, description="File names or patterns of the item files. Default: recognised by their columns."
    )
    encoding: str = Field(default="utf-8", description="Text encoding of all files of text; never guessed.")
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
    vectors: VectorsConfig = Field(default_factory=VectorsConfig, description="Vectors made elsewhere.")


class PrivacyConfig(Section):
    """What is done to protect the people behind the votes."""

    voter_ids: Literal["pseudonym", "plain"] = Field(
        default="pseudonym",
        description="`pseudonym`: ids are replaced by keyed hashes before anything is written. `plain`: kept, for "
        "open data whose ids identify nobody.",
    )


class IngestConfig(Section):
    """When input is good enough to publish."""

    max_quarantined: float = Field(
        default=0.05, ge=0, le=1, description="Largest share of quarantined rows with which anything is published."
    )


class OpinionsConfig(Section):
    """How votes become groups."""

    min_voters: int = Field(default=50, ge=2, description="Fewer voters than this and no groups are formed.")
    window: Literal["all"] | Annotated[int, Field(ge=1, strict=True)] = Field(
        default="all",
        description="Votes that count for a snapshot: `all` up to its day, or of the last N days, such as 30.",
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


class OutcomesConfig(Section):
    """What became of items: a verdict or a category of each, with which topics are compared."""

    file: str | None = Field(
        default=None,
        description="Results file (CSV, JSONL or Parquet) in the dataset's folder. Default: labels stand in the item "
        "files, in the column `label`.",
    )
    id: str | None = Field(
        default=None, description="Column of the item ids in `file`. Default: recognised, as in vote and item files."
    )
    label: str | None = Field(
        default=None,
        description="Column of the label: `correct` or `wrong`, or any category. Default: `label` or `outcome` where "
        "there is a `file`; without either there are no outcomes.",
    )
    wrong: list[str] | None = Field(
        default=None,
        description="Labels that count as errors. Default: wrong, incorrect, false, 0 and error, where any of them "
        "occurs; else labels are categories, none of them an error.",
    )
    truth: str | None = Field(
        default=None,
        description="Column that names another item: the one that is this item's truth, or that it is paired with.",
    )

    @model_validator(mode="after")
    def _has_labels(self) -> "OutcomesConfig":
        if self.file is None and self.label is None and (self.id or self.truth or self.wrong is not None):
            raise ValueError("needs `file`, or `label`, the column of the item files in which the labels stand")
        return self


class DatasetConfig(Section):
    """Everything that ``dataset.yaml`` can say; every key has a default."""

    title: str | None = Field(default=None, description="Title shown to people. Default: the dataset's name.")
    description: str | None = Field(default=None, description="What the dataset is about, in a sentence or two.")
    archived: bool = Field(
        default=False,
        description="Nothing is run for it any more and it leaves the axis of datasets; what was published stays.",
    )
    source: SourceConfig = Field(default_factory=SourceConfig, description="How the input files are to be read.")
    privacy: PrivacyConfig = Field(default_factory=PrivacyConfig, description="Protection of voters.")
    ingest: IngestConfig = Field(default_factory=IngestConfig, description="When input is good enough to publish.")
    opinions: OpinionsConfig = Field(default_factory=OpinionsConfig, description="How votes become groups.")
    topics: TopicsConfig = Field(default_factory=TopicsConfig, description="How texts become topics.")
    names: NamesConfig = Field(default_factory=NamesConfig, description="Who names topics.")
    outcomes: OutcomesConfig = Field(
        default_factory=OutcomesConfig, description="What became of items, with which topics are compared."
    )
