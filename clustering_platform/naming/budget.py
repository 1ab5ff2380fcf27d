"""Ceilings on calls, tokens and money, and the bill."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field


class CeilingReachedError(RuntimeError):
    """Another call could pass a ceiling; the message says which."""


@dataclass(frozen=True)
class Ceilings:
    """How far a run may go; None for no limit.

    Attributes
    ----------
    calls
        Calls of the service, those tried again included.
    tokens
        Tokens sent and received.
    cost
        US dollars.
    """

    calls: int | None = None
    tokens: int | None = None
    cost: float | None = None


@dataclass
class Budget:
    """What was spent and what may still be; safe to use from threads.

    A call is counted with what it may cost at most before it is made, and with what it did cost afterwards: whatever
    goes on at once, no ceiling is passed by more than the estimate of tokens is wrong.

    Attributes
    ----------
    prices
        US dollars for a million tokens sent, and received; None where they are not known.
    """

    ceilings: Ceilings
    prices: tuple[float, float] | None
    calls: int = 0
    sent: int = 0
    received: int = 0
    _reserved: tuple[int, int] = (0, 0)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def reserve(self, sent: int, received: int) -> None:
        """Set aside what a call may cost at most, in tokens.

        Raises
        ------
        CeilingReachedError
            There is not that much left; nothing is set aside.
        """
        with self._lock:
            before_sent, before_received = self._reserved
            going_out, coming_in = before_sent + sent, before_received + received
            tokens = self.sent + self.received + going_out + coming_in
            cost = self.dollars(self.sent + going_out, self.received + coming_in)
            limits = self.ceilings
            if limits.calls is not None and self.calls + 1 > limits.calls:
                raise CeilingReachedError(f"names.max_calls: {limits.calls:,} calls were made")
            if limits.tokens is not None and tokens > limits.tokens:
                raise CeilingReachedError(f"names.max_tokens: another call could pass {limits.tokens:,} tokens")
            if limits.cost is not None and cost is not None and cost > limits.cost:
                raise CeilingReachedError(f"names.max_cost: another call could pass ${limits.cost:,.4f}")
            self._reserved = (going_out, coming_in)
            self.calls += 1

    def settle(self, reserved: tuple[int, int], spent: tuple[int, int]) -> None:
        """Count what a call did cost in place of what was set aside for it; each is tokens sent and received."""
        with self._lock:
            self._reserved = (self._reserved[0] - reserved[0], self._reserved[1] - reserved[1])
            self.sent += spent[0]
            self.received += spent[1]

    @property
    def cost(self) -> float | None:
        """US dollars spent; None where prices are not known."""
        return self.dollars(self.sent, self.received)

    def figures(self) -> Mapping[str, int | float]:
        """Return what was spent, by name."""
        figures: dict[str, int | float] = {
            "calls": self.calls,
            "tokens sent": self.sent,
            "tokens received": self.received,
        }
        return figures if self.cost is None else {**figures, "cost (USD)": round(self.cost, 6)}

    def dollars(self, sent: int, received: int) -> float | None:
        """Return what tokens cost in US dollars; None where prices are not known."""
        return None if self.prices is None else (sent * self.prices[0] + received * self.prices[1]) / 1e6
