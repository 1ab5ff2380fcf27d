"""What every section of ``dataset.yaml`` is: unknown keys are refused, and nothing changes once it is read."""

from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator


class SettingError(ValueError):
    """A setting does not fit what it is to be used with; the message names it and says what to do."""


class Section(BaseModel):
    """A section of ``dataset.yaml``; an empty one means the defaults."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _empty_means_defaults(cls, value: Any) -> Any:
        return {} if value is None else value
