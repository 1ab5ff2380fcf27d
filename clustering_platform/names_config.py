"""What the section ``names`` of ``dataset.yaml`` can say."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from clustering_platform.config_section import Section
from clustering_platform.service_config import Address, KeyVariable

Price = Annotated[float, Field(ge=0, allow_inf_nan=False)]

# US dollars for a million tokens sent and received, as published by OpenAI.
PRICES = {
    "gpt-4o-mini": (0.15, 0.60),
    "gpt-4o": (2.50, 10.00),
    "gpt-4.1": (2.00, 8.00),
    "gpt-4.1-mini": (0.40, 1.60),
    "gpt-4.1-nano": (0.10, 0.40),
}


class NamesConfig(Section):
    """Who names topics and groups."""

    provider: Literal["offline", "openai"] = Field(
        default="offline",
        description="`offline`: names are made from the items alone, on this machine. `openai`: those come first, and "
        "`clustering name` then asks a language model of OpenAI, or of a service that speaks its "
        "`/v1/chat/completions`; some texts of each topic are sent there.",
    )
    model: str = Field(default="gpt-4o-mini", min_length=1, description="Name of the language model.")
    base_url: Address | None = Field(
        default=None,
        description="Address of a service that speaks OpenAI's API, up to and with `/v1`. Default: OpenAI itself.",
    )
    api_key_variable: KeyVariable | None = Field(
        default=None,
        description="Name of the environment variable that holds the key; it ends in `_API_KEY`. Default: "
        "`CLUSTERING_OPENAI_API_KEY` or, for OpenAI itself, `OPENAI_API_KEY`. The key never stands here.",
    )
    categories: list[Annotated[str, Field(min_length=1, max_length=40)]] = Field(
        default_factory=list,
        max_length=50,
        description="Categories to choose from. Default: the model finds a word or two.",
    )
    concurrency: int = Field(default=8, ge=1, le=64, description="Calls under way at once; halved when refused.")
    requests_per_minute: float | None = Field(
        default=None, gt=0, allow_inf_nan=False, description="Limit of the service, if known."
    )
    tokens_per_minute: float | None = Field(
        default=None, gt=0, allow_inf_nan=False, description="Limit of the service, if known."
    )
    timeout_seconds: float = Field(default=30, gt=0, le=600, description="How long to wait for an answer.")
    attempts: int = Field(default=6, ge=1, le=20, description="How often a call is made before it counts as failed.")
    price_sent: Price | None = Field(
        default=None, description="US dollars for a million tokens sent. Default: the price of OpenAI, where known."
    )
    price_received: Price | None = Field(
        default=None, description="US dollars for a million tokens received. Default: that of OpenAI, where known."
    )
    max_calls: int | None = Field(
        default=5000, ge=0, description="Calls in one run; what is not named by then keeps its offline name."
    )
    max_tokens: int | None = Field(
        default=None, ge=0, description="Tokens sent and received in one run; as for `max_calls`."
    )
    max_cost: Price | None = Field(
        default=None, description="US dollars that one run may cost; as for `max_calls`. Needs known prices."
    )
    max_drift: float = Field(
        default=0.1,
        ge=0,
        le=2,
        description="How far the centroid of a topic may move (cosine distance) before it is named anew.",
    )

    @property
    def model_name(self) -> str:
        """The model that is asked."""
        return self.model

    @property
    def prices(self) -> tuple[float, float] | None:
        """US dollars for a million tokens sent and received; None where they are not known."""
        if self.price_sent is not None and self.price_received is not None:
            return self.price_sent, self.price_received
        return PRICES.get(self.model) if self.base_url is None else None

    @model_validator(mode="after")
    def _cost_needs_prices(self) -> "NamesConfig":
        if self.max_cost is not None and self.prices is None:
            raise ValueError("max_cost: what tokens cost is not known; set price_sent and price_received")
        return self
