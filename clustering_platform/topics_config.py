"""What the section ``topics`` of ``dataset.yaml`` can say."""

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from clustering_platform.config_section import Section
from clustering_platform.item_template import TemplateError, parse_template
from clustering_platform.service_config import Address, KeyVariable

DEFAULT_MODELS = {"sentence-transformers": "packaged-minilm", "openai": "text-embedding-3-large"}


class EmbeddingConfig(Section):
    """What turns items into vectors."""

    provider: Literal["sentence-transformers", "openai"] = Field(
        default="sentence-transformers",
        description="`sentence-transformers`: a model on this machine. `openai`: OpenAI, or a service that speaks its "
        "`/v1/embeddings`; texts are sent there.",
    )
    model: str | None = Field(
        default=None,
        min_length=1,
        description="Sentence-transformers: a folder or a name on the Hugging Face hub, for example "
        "`Snowflake/snowflake-arctic-embed-l`; default `packaged-minilm`, which is all-MiniLM-L6-v2 as it comes with "
        "the installation and works offline. OpenAI: the name of a model; default `text-embedding-3-large`.",
    )
    revision: str | None = Field(
        default=None,
        pattern=r"^[\w./-]+$",
        description="Branch, tag or commit of a model on the Hugging Face hub. Default: the local copy, or the newest.",
    )
    base_url: Address | None = Field(
        default=None,
        description="Address of a service that speaks OpenAI's API, up to and with `/v1`. Default: OpenAI itself.",
    )
    api_key_variable: KeyVariable | None = Field(
        default=None,
        description="Name of the environment variable that holds the key; it ends in `_API_KEY`. Default: "
        "`CLUSTERING_OPENAI_API_KEY` or, for OpenAI itself, `OPENAI_API_KEY`. The key never stands here.",
    )
    dimensions: int | None = Field(
        default=None, ge=2, le=16_384, description="Length of the vectors, for models that can shorten theirs."
    )
    max_tokens: int | None = Field(
        default=None,
        ge=16,
        le=1_000_000,
        description="Where texts are cut. Default: what the model reads; 8192 for OpenAI, where tokens are estimated "
        "on the safe side from letters and bytes.",
    )
    template: str = Field(
        default="{text}",
        description="What is embedded of an item: text with the fields `{text}`, `{item_id}`, `{created_at}`, and "
        "`{metadata[name]}` for a further column of the source; `{{` and `}}` are braces. A missing field is empty; "
        "an item whose fields are all empty takes no part.",
    )
    batch_size: int = Field(
        default=64,
        ge=1,
        le=4096,
        description="Texts embedded at a time, or sent in one request (2048 at most). What is killed loses the "
        "batches under way.",
    )
    concurrency: int = Field(default=4, ge=1, le=64, description="Requests under way at once; halved when refused.")
    requests_per_minute: float | None = Field(
        default=None, gt=0, allow_inf_nan=False, description="Limit of the service, if known."
    )
    tokens_per_minute: float | None = Field(
        default=None, gt=0, allow_inf_nan=False, description="Limit of the service, if known."
    )
    timeout_seconds: float = Field(default=60, gt=0, le=600, description="How long to wait for an answer.")
    attempts: int = Field(default=6, ge=1, le=20, description="How often a request is sent before the run fails.")
    price_per_million_tokens: float | None = Field(
        default=None,
        ge=0,
        allow_inf_nan=False,
        description="US dollars for a million tokens. Default: the price of OpenAI, where it is known.",
    )
    max_cost: float | None = Field(
        default=None,
        ge=0,
        allow_inf_nan=False,
        description="US dollars that embedding in one run of a step may cost by estimate; above it nothing is sent.",
    )

    @property
    def model_name(self) -> str:
        """The model, or that of the provider where none is named."""
        return self.model or DEFAULT_MODELS[self.provider]

    @field_validator("revision", "base_url", "api_key_variable")
    @classmethod
    def _belongs_to_the_provider(cls, value: str | None, info: ValidationInfo) -> str | None:
        owner = "sentence-transformers" if info.field_name == "revision" else "openai"
        if value is not None and info.data.get("provider", owner) != owner:
            raise PydanticCustomError("other_provider", "is for the provider {owner}", {"owner": repr(owner)})
        return value

    @field_validator("template")
    @classmethod
    def _can_be_read(cls, value: str) -> str:
        try:
            parse_template(value)
        except TemplateError as error:
            raise PydanticCustomError("template", "{reason}", {"reason": str(error)}) from error
        return value


class AutoConfig(Section):
    """The strategy `auto`: what ways of clustering agree on."""

    resolution: float | None = Field(
        default=None, gt=0, le=100, description="Larger finds more and smaller topics. Default: by the number of items."
    )


class RecursiveConfig(Section):
    """The strategy `recursive`: density clusters within density clusters."""

    share: float = Field(
        default=0.01,
        ge=0,
        le=0.5,
        description="Smallest topic as a share of the items of the topic that is divided: "
        "max(floor / 2^depth, 10, items x share x decay^depth).",
    )
    decay: float = Field(default=0.5, gt=0, le=1, description="What the share is multiplied with at each depth.")
    floor: int = Field(default=50, ge=2, description="Smallest topic in the root; halved at each depth, at least 10.")
    least_silhouette: float = Field(
        default=0.1, ge=-1, le=1, description="Silhouette in the layout that a division must reach."
    )
    least_gain: float = Field(
        default=0.05, ge=0, le=2, description="By how much a division must raise the silhouette of the vectors."
    )
    lays_out_anew: bool = Field(
        default=False, description="Whether each topic is laid out by UMAP anew before it is divided."
    )


class FlatConfig(Section):
    """The strategy `flat`: one clustering."""

    algorithm: Literal["hdbscan", "kmeans", "minibatch", "agglomerative"] = Field(
        default="hdbscan", description="The algorithm; it works in five dimensions made by UMAP."
    )
    clusters: int | None = Field(
        default=None,
        ge=2,
        description="Number of topics, but for `hdbscan`. Default: that of largest silhouette.",
    )
    max_clusters: int = Field(default=100, ge=2, le=2000, description="Largest number tried where none is given.")
    linkage: Literal["ward", "complete", "average", "single"] = Field(
        default="ward", description="Linkage of `agglomerative`."
    )
    max_memory_mb: int = Field(
        default=4096, ge=1, description="Memory above which `agglomerative` is refused; it grows with the square."
    )
    decay_days: float | None = Field(
        default=None,
        gt=0,
        description="Days after which an item counts 1/e of a new one, for `kmeans` and `minibatch`; 7 is usual. "
        "Default: all count the same.",
    )

    @model_validator(mode="after")
    def _only_means_are_weighted(self) -> "FlatConfig":
        if self.decay_days is not None and self.algorithm not in ("kmeans", "minibatch"):
            raise ValueError(f"decay_days: {self.algorithm} cannot weigh items; use kmeans or minibatch")
        return self


DEFAULT_IMAGE_MODEL = "facebook/dinov2-small"


class ImagesConfig(Section):
    """What turns pictures into vectors."""

    model: str = Field(
        default=DEFAULT_IMAGE_MODEL,
        description="Vision transformer: a name on the Hugging Face hub, or a folder with `config.json`, "
        "`preprocessor_config.json` and `model.safetensors`.",
    )
    revision: Annotated[str, Field(pattern=r"^[0-9a-f]{40}$")] | None = Field(
        default=None,
        description="Commit of the model on the hub, in 40 hexadecimal digits; only the default model has one already.",
    )
    batch_size: int = Field(default=32, ge=1, le=4096, description="Pictures embedded at a time.")


class ChunksConfig(Section):
    """How texts are cut that are longer than the model reads."""

    tokens: Literal["auto"] | Annotated[int, Field(ge=16, le=100_000, strict=True)] = Field(
        default="auto",
        description="Largest number of tokens of a piece, never more than the model reads. `auto`: 512.",
    )
    overlap: float = Field(default=0.15, ge=0, le=0.5, description="Share of a piece that the next one repeats.")


class OnlyConfig(Section):
    """Which items take part in topics, where not all do."""

    metadata: dict[str, Annotated[list[bool | int | float | str], Field(min_length=1)]] = Field(
        default_factory=dict,
        description="Further column of the source to the values with which an item takes part, for example "
        "{domain: [travel, banking]}; every column named must have one of its values.",
    )
    since: date | None = Field(
        default=None, description="First day (UTC), as 2026-03-01; items without a time then take no part."
    )
    until: date | None = Field(
        default=None, description="Last day (UTC), as 2026-03-31; items without a time then take no part."
    )

    @model_validator(mode="after")
    def _begins_before_it_ends(self) -> "OnlyConfig":
        if self.since and self.until and self.since > self.until:
            raise ValueError(f"since: {self.since} is after until, {self.until}")
        return self


class TopicsConfig(Section):
    """How items become a tree of topics."""

    strategy: Literal["auto", "recursive", "levels", "flat"] = Field(
        default="auto",
        description="`auto`: what ways of clustering agree on, gathered from the bottom up. `recursive`: density "
        "clusters within density clusters. `levels`: three levels of density clusters of stated sizes. `flat`: one "
        "clustering.",
    )

    include_rejected: bool = Field(
        default=False, description="Whether items that moderation rejected take part in topics."
    )
    only: OnlyConfig = Field(default_factory=OnlyConfig, description="Which items take part, where not all do.")
    embedding: EmbeddingConfig = Field(default_factory=EmbeddingConfig, description="What turns items into vectors.")
    images: ImagesConfig = Field(default_factory=ImagesConfig, description="What turns pictures into vectors.")
    chunks: ChunksConfig = Field(default_factory=ChunksConfig, description="How long texts are cut.")
    auto: AutoConfig = Field(default_factory=AutoConfig, description="The strategy `auto`.")
    recursive: RecursiveConfig = Field(default_factory=RecursiveConfig, description="The strategy `recursive`.")
    flat: FlatConfig = Field(default_factory=FlatConfig, description="The strategy `flat`.")
    min_topic_size: int | None = Field(
        default=None,
        ge=2,
        description="Smallest topic of `auto`, and of `flat` by `hdbscan`. Default: the cube root of the number of "
        "items, at least 4.",
    )
    refit: Literal["when_needed", "ask", "always"] = Field(
        default="when_needed",
        description="When the tree is made anew though its settings are the same; else new items are placed in it. "
        "`when_needed`: when one of the shares below is passed. `ask`: never by itself; that a refit is due is told, "
        "and `clustering run NAME --refit` does it. `always`: with every change of the items.",
    )
    max_placed_share: float = Field(
        default=0.2,
        ge=0,
        description="Items that came, changed or went since, as a share of those the tree was made with, above which "
        "a refit is due.",
    )
    max_nowhere_share: float = Field(
        default=0.05, ge=0, le=1, description="Share of items that belong to no topic above which a refit is due."
    )
    max_depth: int = Field(default=3, ge=0, le=10, description="Levels below the root.")
    seed: int = Field(default=42, ge=0, description="Seed of every random step.")
    name_words: int = Field(default=5, ge=1, le=12, description="Largest number of words in a name.")

    @property
    def decay_days(self) -> float | None:
        """Days after which an item counts 1/e of a new one; None where all count the same."""
        return self.flat.decay_days if self.strategy == "flat" else None
