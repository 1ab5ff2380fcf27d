"""Numbers of bytes as people write and read them."""

import typer
from pydantic import ByteSize, TypeAdapter, ValidationError


def parse_size(text: str) -> int:
    """Return a number of bytes as people write it: `500000`, `500MB`, `2GiB`."""
    try:
        return int(TypeAdapter(ByteSize).validate_python(text))
    except ValidationError as error:
        raise typer.BadParameter(f"{text!r} is no size; write 500MB or 2GB") from error


def size_text(count: int) -> str:
    """Return a number of bytes as people read it."""
    for limit, unit in ((1e9, "GB"), (1e6, "MB")):
        if count >= limit:
            return f"{count / limit:,.1f} {unit}"
    return f"{count / 1e3:,.1f} kB"
