"""What went wrong with a call, and whether another try can help.

The errors of the `openai` client are told apart here and nowhere else.
"""

import re
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from openai import APIStatusError

_RETRYABLE = {408, 409, 429}
_QUOTA = "insufficient_quota"  # comes as a 429, but the account is empty: no wait fills it
_MORE_THAN_A_MINUTE_HAS = "request too large"
_TOO_LONG = re.compile(
    r"context[ _]length|too long|too many tokens|too large|max(imum)?[ _](input|token|tokens|length|sequence)"
    r"|exceeds? .{0,40}(tokens|length|limit)|string_above_max_length",
    re.IGNORECASE,
)
_LONGEST_MESSAGE = 300
_NEVER_REACHED = {"ConnectError", "ConnectTimeout"}  # of the HTTP library below the client


class MalformedAnswerError(ValueError):
    """The service answered, but not what was asked; it may do so the next time."""


class CallError(RuntimeError):
    """A call failed for good; the message says why and holds no secret.

    Attributes
    ----------
    status
        HTTP status of the last answer; None where there was none or it was malformed.
    is_too_long
        The service refused the input for its length.
    """

    def __init__(self, message: str, *, status: int | None = None, is_too_long: bool = False) -> None:
        super().__init__(message)
        self.status = status
        self.is_too_long = is_too_long

    @property
    def ends_the_run(self) -> bool:
        """Whether every further call would fail as well: no key, a wrong one, no such model, an empty account."""
        return self.status in (401, 402, 403, 404, 429)

    @property
    def can_heal(self) -> bool:
        """Whether the same call may succeed later: nothing was wrong with it, the service did not answer it."""
        return self.status is None or self.status >= 500 or self.status in (408, 409)


@dataclass(frozen=True)
class Failure:
    """What one try came to.

    Attributes
    ----------
    reason
        In words, on one line.
    is_retryable
        Whether the same call may succeed later.
    status
        HTTP status, if there was an answer with one.
    retry_after
        Seconds that the service asks to wait; None if it does not.
    is_too_long
        The service refused the input for its length.
    """

    reason: str
    is_retryable: bool
    status: int | None = None
    retry_after: float | None = None
    is_too_long: bool = False


def judge(error: Exception, now: float) -> Failure | None:
    """Return what an error means for a call; None if it does not come from the call but from our own code.

    Parameters
    ----------
    now
        Seconds since 1970, for a ``retry-after`` that is a date.
    """
    import openai

    match error:
        case MalformedAnswerError():
            return Failure(f"malformed answer: {error}", is_retryable=True)
        case openai.APIResponseValidationError():
            return Failure("malformed answer", is_retryable=True)
        case openai.APIStatusError():
            return _judge_status(error, now)
        case openai.APITimeoutError():
            return Failure("no answer in time", is_retryable=True)
        case openai.APIConnectionError():
            return Failure(f"connection failed: {_line(error.__cause__ or error)}", is_retryable=True)
    return None


def costs_nothing(error: Exception) -> bool:
    """Say whether a call that failed was billed in no case: the service refused it, or was never reached."""
    import openai

    return isinstance(error, openai.APIStatusError) or type(error.__cause__).__name__ in _NEVER_REACHED


def seconds_to_wait(header: str | None, now: float) -> float | None:
    """Return what a ``retry-after`` header says, in seconds from now: it holds seconds or a date."""
    if header is None:
        return None
    try:
        seconds = float(header)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(header).timestamp() - now
        except (TypeError, ValueError):
            return None
    return max(seconds, 0.0) if seconds < float("inf") else None


def without(message: str, secrets: tuple[str, ...]) -> str:
    """Return the message with every secret in it replaced."""
    for secret in secrets:
        message = message.replace(secret, "***")
    return message


def _judge_status(error: "APIStatusError", now: float) -> Failure:
    status: int = error.status_code
    told = f"{error.code or ''} {error.message}"
    is_too_long = (
        status == 413
        or (status in (400, 422) and bool(_TOO_LONG.search(told)))
        or (status == 429 and _MORE_THAN_A_MINUTE_HAS in told.lower())
    )
    is_retryable = (status in _RETRYABLE or status >= 500) and _QUOTA not in (error.code, error.type)
    return Failure(
        f"HTTP {status}: {_line(error.message.removeprefix(f'Error code: {status} - '))}",
        is_retryable=is_retryable and not is_too_long,
        status=status,
        retry_after=seconds_to_wait(error.response.headers.get("retry-after"), now),
        is_too_long=is_too_long,
    )


def _line(text: object) -> str:
    line = " ".join(str(text).split())
    return line if len(line) <= _LONGEST_MESSAGE else line[: _LONGEST_MESSAGE - 1] + "…"
