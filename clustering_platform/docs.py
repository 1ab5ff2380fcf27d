"""Generates ``docs/tables.md`` and ``docs/configuration.md``: ``python -m clustering_platform.docs``.

Run it after a change of a contract or a setting. What the pages say of those comes from them; here is only how it is
laid out.
"""

import json
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from clustering_platform.dataset_config import DatasetConfig
from clustering_platform.settings import Settings
from clustering_platform.store.catalog_views import COMMITS_COLUMNS
from clustering_platform.tables import TABLES, Column, Table
from clustering_platform.tables.runs import RUN_COLUMNS, RUNS_GRAIN

DOCS = Path(__file__).parents[1] / "docs"
COMMAND = "python -m clustering_platform.docs"
_MADE = f"<!-- Made by `{COMMAND}`; change {{}} instead. -->"
_ROOMS = {
    "ingest": "What was read from the input, one set for each dataset.",
    "opinions": "What the votes say, one set for each day of a dataset.",
    "topics": "What the texts are about, one set for each dataset.",
    "drift": "What changes from day to day, one set for each dataset, over all of its days.",
}
_TABLES_INTRODUCTION = """
Every run publishes its tables as Parquet files that never change; `catalog.duckdb` in the data folder has a view over
the newest of them. Three lines of Python open it:

```python
import duckdb

catalog = duckdb.connect("data/catalog.duckdb", read_only=True)
print(catalog.sql("SELECT dataset, count(*) FROM votes GROUP BY dataset"))
```

- `<table>` shows the newest commit of each dataset; for tables of `opinions`, its newest day.
- `<table>_history` shows the newest commit of every day, for tables of `opinions`.
- `commits` lists what was published and when, `runs` what was run, by whom and what came of it.
- Every table begins with the column `dataset`, those of `opinions` with `dataset` and `day` (its votes are those up to
  the end of that day, UTC). They are part of every key and not repeated below.
- Times are UTC. Columns marked *personal* may name a person and are left out of previews.
"""
_CONFIGURATION_INTRODUCTION = """
What belongs to one dataset stands in a `dataset.yaml` in its folder; what belongs to one machine, in the environment.
Everything has a default, and a key that is not known is refused with the nearest one that is.
"""


def pages() -> dict[str, str]:
    """Return the generated pages by file name."""
    return {"tables.md": _tables_page(), "configuration.md": _configuration_page()}


def _tables_page() -> str:
    parts = ["# Tables", _MADE.format("`clustering_platform/tables/`"), _TABLES_INTRODUCTION.strip()]
    for room, description in _ROOMS.items():
        parts += [f"## {room}", description]
        parts += [part for table in TABLES.values() if table.room == room for part in _table(table)]
    commits = [f"| `{name}` | {kind.lower()} | {text} |" for name, (kind, text) in COMMITS_COLUMNS.items()]
    parts += ["## commits", "Every publication. One row: a commit.", _grid("column | type | meaning", commits)]
    parts += ["## runs", RUNS_GRAIN, _columns(RUN_COLUMNS)]
    return "\n\n".join(parts) + "\n"


def _table(table: Table) -> Iterator[str]:
    yield f"### {table.name}"
    key = ", ".join(f"`{name}`" for name in table.key)
    yield f"{table.description} One row: {table.grain}. Key: {key}."
    yield _columns(table.columns)


def _columns(columns: Iterable[Column]) -> str:
    rows = [
        f"| `{column.name}` | {column.type} | {'yes' if column.nullable else ''} | {_allowed(column)} "
        f"| {_meaning(column)} |"
        for column in columns
    ]
    return _grid("column | type | null | values | meaning", rows)


def _allowed(column: Column) -> str:
    if column.values:
        return ", ".join(f"`{value}`" for value in column.values)
    return _range(column.minimum, column.maximum)


def _meaning(column: Column) -> str:
    return column.description + (" *Personal.*" if column.is_personal else "")


def _configuration_page() -> str:
    parts = [
        "# Configuration",
        _MADE.format("the models in `dataset_config.py`, `topics_config.py` and `settings.py`"),
        _CONFIGURATION_INTRODUCTION.strip(),
        "## dataset.yaml",
    ]
    parts += list(_section(DatasetConfig))
    parts += _subsections(DatasetConfig)
    example = yaml.safe_dump(DatasetConfig().model_dump(mode="json"), sort_keys=False)
    parts += ["### A complete example", "Every key with its default; keep what you change.", f"```yaml\n{example}```"]
    parts += ["## Environment", "What every process reads when it starts."]
    variables = [
        f"| `CLUSTERING_{name.upper()}` | {_value(field.default)} | {field.description} |"
        for name, field in Settings.model_fields.items()
    ]
    parts.append(_grid("variable | default | meaning", variables))
    return "\n\n".join(parts) + "\n"


def _subsections(model: type[BaseModel], above: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        if section := _model(field.annotation):
            yield f"### {above}{name}"
            yield field.description or ""
            yield from _section(section)
            yield from _subsections(section, f"{above}{name}.")


def _section(model: type[BaseModel]) -> Iterator[str]:
    schemas = model.model_json_schema()["properties"]
    rows = [
        f"| `{name}` | {_kind(schemas[name])} | {_value(field.get_default(call_default_factory=True))} "
        f"| {field.description} |"
        for name, field in model.model_fields.items()
        if not _model(field.annotation)
    ]
    yield _grid("key | values | default | meaning", rows)


def _model(annotation: Any) -> type[BaseModel] | None:
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


def _kind(schema: dict[str, Any]) -> str:
    """Return in words what a JSON schema allows."""
    if "anyOf" in schema:
        return " or ".join(_kind(choice) for choice in schema["anyOf"] if choice.get("type") != "null")
    if values := schema.get("enum", [schema["const"]] if "const" in schema else []):
        return ", ".join(f"`{value}`" for value in values)
    if schema["type"] == "array":
        return f"list of {_kind(schema['items'])}"
    if schema["type"] == "object":
        return f"name to {_kind(schema['additionalProperties'])}"
    words = {"string": "text", "boolean": "`true`, `false`"}
    return f"{words.get(schema['type'], schema['type'])} {_range(schema.get('minimum'), schema.get('maximum'))}".strip()


def _range(minimum: float | None, maximum: float | None) -> str:
    if minimum is None or maximum is None:
        return "" if minimum is None else f"from {minimum:g}"
    return f"{minimum:g} to {maximum:g}"


def _value(value: object) -> str:
    if isinstance(value, str | date):
        return f"`{value}`"
    return f"`{json.dumps(value)}`" if isinstance(value, int | float | dict) else ""


def _grid(head: str, rows: list[str]) -> str:
    return "\n".join([f"| {head} |", "|---" * (head.count("|") + 1) + "|", *rows])


def main() -> None:
    """Write the pages into ``docs/``."""
    for name, text in pages().items():
        (DOCS / name).write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
