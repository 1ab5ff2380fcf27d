"""What embedding costs: known prices, the estimate before and the bill after."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from clustering_platform.config_section import SettingError

# US dollars for a million tokens, as published by OpenAI.
PRICES = {
    "text-embedding-3-large": 0.13,
    "text-embedding-3-small": 0.02,
    "text-embedding-ada-002": 0.10,
}


def dollars(tokens: int, price: float) -> float:
    """Return the cost of tokens at a price for a million."""
    return tokens * price / 1e6


@dataclass
class Meter:
    """What was estimated, and what was billed for it; safe to use from threads.

    Attributes
    ----------
    price
        US dollars for a million tokens; None where it is not known.
    limit
        Largest cost, in US dollars; None for no limit.
    """

    price: float | None
    limit: float | None
    texts: int = 0
    estimated: int = 0
    billed: int | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def plan(self, texts: int, tokens: int, requests: int, model: str) -> str:
        """Count what is to be embedded and return it in words.

        Raises
        ------
        ValueError
            It would cost more than the limit, together with what was billed or estimated before, or there is a limit
            and no price.
        """
        told = f"{texts:,} texts of about {tokens:,} tokens go to {model} in {requests:,} requests"
        if self.price is None:
            if self.limit is not None:
                raise SettingError(
                    f"topics.embedding.max_cost: the price of {model} is not known; set "
                    "topics.embedding.price_per_million_tokens"
                )
        else:
            cost = dollars(tokens, self.price)
            before = dollars(max(self.estimated, self.billed or 0), self.price)
            told += f": about {_shown(cost)}"
            if self.limit is not None and before + cost > self.limit:
                already = f", after {_shown(before)} before" if before else ""
                raise SettingError(
                    f"topics.embedding.max_cost: {told}{already}; that is above the limit of {_shown(self.limit)}. "
                    "Nothing was sent"
                )
        self.texts += texts
        self.estimated += tokens
        return told

    def bill(self, tokens: int | None) -> None:
        """Count what an answer says was billed."""
        if tokens is not None:
            with self._lock:
                self.billed = (self.billed or 0) + tokens

    def figures(self) -> Mapping[str, int | float]:
        """Return estimate and bill, by name."""
        shown: dict[str, int | float] = {"texts to embed": self.texts, "tokens (estimate)": self.estimated}
        if self.price is not None:
            shown["cost (estimate, USD)"] = round(dollars(self.estimated, self.price), 6)
        if self.billed is not None:
            shown["tokens (billed)"] = self.billed
            if self.price is not None:
                shown["cost (USD)"] = round(dollars(self.billed, self.price), 6)
        return shown


def _shown(cost: float) -> str:
    return f"${cost:,.2f}" if cost >= 1 else f"${cost:.4f}"
