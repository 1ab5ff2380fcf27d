"""Process settings, read from the environment.

Here belongs what one process needs to know about the machine it runs on: where data lies, which key makes pseudonyms,
which database holds Dagster's state. What belongs to one dataset stands in its ``dataset.yaml`` (see ``datasets.py``).
"""

from datetime import date
from functools import cached_property
from pathlib import Path

from pydantic import ByteSize, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


def find_home(start: Path) -> Path:
    """Return the nearest folder at or above `start` that holds a ``dagster.yaml``, or `start` itself."""
    start = start.resolve()
    return next((folder for folder in (start, *start.parents) if (folder / "dagster.yaml").is_file()), start)


class Settings(BaseSettings):
    """Settings of this process; each is set by the environment variable ``CLUSTERING_<NAME>``."""

    model_config = SettingsConfigDict(env_prefix="CLUSTERING_", frozen=True, ignored_types=(cached_property,))

    home: Path = Field(
        default_factory=lambda: find_home(Path.cwd()),
        description="The project folder: the one with dagster.yaml. Default: the nearest one at or above the "
        "current folder.",
    )
    data: Path | None = Field(default=None, description="Where everything is stored. Default: `data` in the home.")
    start_day: date = Field(default=date(2026, 1, 1), description="First day of the day axis of opinion snapshots.")
    pseudonym_key: SecretStr | None = Field(
        default=None,
        description="Secret that keys voter pseudonyms. Default: generated once into `private/pseudonym.key`.",
    )
    postgres_url: SecretStr | None = Field(
        default=None,
        description="PostgreSQL database for Dagster's own state. Default: SQLite in `dagster` under the data folder.",
    )
    openai_api_key: SecretStr | None = Field(
        default=None,
        description="Key for embeddings by OpenAI or a service that speaks its API. Default: OPENAI_API_KEY, for "
        "OpenAI itself.",
    )
    cache_max_bytes: ByteSize = Field(
        default=ByteSize(10_000_000_000),
        description="Largest size of the cache of embeddings, in bytes or as `10GB`. Where it is passed, what was used "
        "least recently goes.",
    )
    cache_max_age_days: int = Field(
        default=180, ge=1, description="Days after their last use for which embeddings stay in the cache."
    )
    cache_partial_days: int = Field(
        default=7,
        ge=1,
        description="Days for which the cache keeps the embeddings of a run that was killed or failed before all "
        "were made.",
    )

    def check_home(self) -> None:
        """Make sure that this is the project.

        Raises
        ------
        FileNotFoundError
            There is no ``dagster.yaml`` in the project folder.
        """
        if not (self.home / "dagster.yaml").is_file():
            raise FileNotFoundError(
                f"no dagster.yaml in {self.home} or above; run this in the project folder, or set CLUSTERING_HOME to it"
            )

    @cached_property
    def data_folder(self) -> Path:
        """The folder under which everything is stored, absolute."""
        folder = self.data or Path("data")
        return (self.home / folder).resolve()

    @property
    def lock_database(self) -> str | None:
        """The database by which runs on several machines hold each other off; None where one machine has them all."""
        return self.postgres_url.get_secret_value() if self.postgres_url else None

    @property
    def inbox(self) -> Path:
        """Folder of datasets: one sub-folder for each."""
        return self.data_folder / "inbox"

    @property
    def warehouse(self) -> Path:
        """Folder of published tables and commits."""
        return self.data_folder / "warehouse"

    @property
    def catalog(self) -> Path:
        """The DuckDB file of views over the newest commits."""
        return self.data_folder / "catalog.duckdb"

    @property
    def exports(self) -> Path:
        """Folder of what was given out in the formats of others."""
        return self.data_folder / "exports"

    @property
    def cache(self) -> Path:
        """Folder of what can be made again, such as embeddings."""
        return self.data_folder / "cache"

    @property
    def embedding_cache(self) -> Path:
        """Folder of the embeddings made before."""
        return self.cache / "embeddings"

    @property
    def private(self) -> Path:
        """Folder of secrets; readable by its owner only, and outside the warehouse."""
        return self.data_folder / "private"

    @property
    def dagster(self) -> Path:
        """Folder of Dagster's own state."""
        return self.data_folder / "dagster"
