"""Rows of CSV: the parser, the lines on which rows start, and quotes that do not close.

Headers and columns belong in ``csv_files``.
"""

import csv
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from clustering_platform.ingest.errors import IngestError
from clustering_platform.ingest.records import CHUNK_CHARACTERS, Malformed
from clustering_platform.ingest.text_files import LONGEST_LINE, TextFile

_QUOTED = re.compile(r'"(?:[^"]|"")*+"(?!")')


@dataclass
class Block:
    """Rows one after the other: the lines on which they start, their values, and those with a misplaced quote."""

    lines: list[int] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    malformed: list[Malformed] = field(default_factory=list)


class RowParser:
    """Parses the lines of a text file, from the first.

    Parameters
    ----------
    text
        The file, to say where a quote opens that does not close.
    lines
        Its lines.
    """

    def __init__(self, text: TextFile, lines: Iterator[str], separator: str) -> None:
        csv.field_size_limit(2 * LONGEST_LINE)
        self._text, self._separator = text, separator
        self._characters, self._is_ended = 0, False
        self._parser = csv.reader(self._counted(lines), delimiter=separator, strict=True)

    @property
    def lines_read(self) -> int:
        """Number of lines parsed so far."""
        return self._parser.line_num

    def blocks(self, size: int) -> Iterator[Block]:
        """Yield what remains in blocks of about `size` rows, empty lines as empty rows.

        Raises
        ------
        IngestError
            A quote does not close on the line on which its row starts, nor properly on a later one.
        """
        block, parser = Block(), self._parser
        line = parser.line_num + 1
        while True:
            try:
                for row in parser:
                    block.lines.append(line)
                    block.rows.append(row)
                    line = parser.line_num + 1
                    if len(block.rows) >= size or self._characters >= CHUNK_CHARACTERS:
                        yield block
                        block, self._characters = Block(), 0
                break
            except csv.Error:
                if self._is_ended or parser.line_num > line:
                    raise self._unclosed_quote(line, parser.line_num) from None
                block.malformed.append(Malformed(line, "bad_quote"))
                line = parser.line_num + 1
        yield block

    def _counted(self, lines: Iterator[str]) -> Iterator[str]:
        for line in lines:
            self._characters += len(line)
            yield line
        self._is_ended = True

    def _unclosed_quote(self, first: int, last: int) -> IngestError:
        """Return the error that names the line on which the quote opens that does not close in a row."""
        with self._text.lines() as file:
            row = "".join(itertools.islice(file, first - 1, last))
        position = 0
        while position < len(row):
            if row[position] != '"':
                ends = [at for at in (row.find(self._separator, position), row.find("\n", position)) if at >= 0]
                position = min(ends, default=len(row)) + 1
                continue
            closed = _QUOTED.match(row, position)
            if not closed or row[closed.end() : closed.end() + 1] not in (self._separator, "\n"):
                break
            position = closed.end() + 1
        return IngestError(
            f"{self._text.name}: line {first + row.count(chr(10), 0, position)}: a quote opens that is not closed "
            f"properly (the text goes on to line {last}); close it, and double the quotes within quoted values"
        )
