"""CSV files as records: header, separator and the form of rows.

Encoding and line ends belong in ``text_files``, parsing in ``csv_rows``, the meaning of columns in ``columns``.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pyarrow as pa

from clustering_platform.ingest.columns import check_names
from clustering_platform.ingest.csv_rows import Block, RowParser
from clustering_platform.ingest.errors import AccountingError, IngestError
from clustering_platform.ingest.records import CHUNK_ROWS, Malformed, Records, rest_columns, rest_json
from clustering_platform.ingest.text_files import TextFile

SEPARATORS = {",": "a comma", ";": "a semicolon", "\t": "a tab"}


class CsvFile:
    """A CSV file with a header line.

    Parameters
    ----------
    recognises
        Tells whether columns of given names are understood; decides which separator is meant.

    Raises
    ------
    IngestError
        There is no header, it is broken, or two columns have the same name.
    """

    def __init__(self, text: TextFile, *, recognises: Callable[[Sequence[str]], bool]) -> None:
        self._text, self.path = text, text.path
        self._separator = next((one for one in SEPARATORS if self._has_header(one, recognises)), ",")
        self.columns = tuple(self._read_header(RowParser(text, text.first_lines(), self._separator)))
        check_names(text.name, self.columns)

    @property
    def notes(self) -> tuple[str, ...]:
        """The separator, where it is not a comma."""
        if self._separator == ",":
            return ()
        return (f"values are separated by {SEPARATORS[self._separator]}",)

    def records(self, wanted: Sequence[str], *, without: frozenset[str] | None = None) -> Iterator[Records]:
        """Yield all rows; see `Reader.records`."""
        scan = self._text.scan()
        with self._text.lines() as file:
            parser = RowParser(self._text, file, self._separator)
            self._read_header(parser)
            for block in parser.blocks(CHUNK_ROWS):
                yield self._records(self._well_formed(block, has_nul=scan.has_nul), wanted, without)
        if parser.lines_read != scan.lines:
            raise AccountingError(f"{self._text.name}: {parser.lines_read} of {scan.lines} lines were parsed")

    def _has_header(self, separator: str, recognises: Callable[[Sequence[str]], bool]) -> bool:
        try:
            return recognises(self._read_header(RowParser(self._text, self._text.first_lines(), separator)))
        except IngestError:
            return False

    def _read_header(self, parser: RowParser) -> list[str]:
        for block in parser.blocks(1):
            if block.malformed:
                raise IngestError(f"{self._text.name}: the header line has a quote where none may stand")
            for row in block.rows:
                if any("\0" in name for name in row):
                    raise IngestError(f"{self._text.name}: the header line holds NUL bytes; export the file again")
                if row:
                    return [name.strip() for name in row]
        raise self._text.empty()

    def _well_formed(self, block: Block, *, has_nul: bool) -> Block:
        """Return a block without empty lines, its rows that do not fit the header among the malformed."""
        if not has_nul and set(map(len, block.rows)) == {len(self.columns)}:
            return block
        good = Block(malformed=block.malformed)
        for line, row in zip(block.lines, block.rows, strict=True):
            if not row:
                continue
            if len(row) != len(self.columns):
                good.malformed.append(Malformed(line, "column_count"))
            elif any("\0" in value for value in row):
                good.malformed.append(Malformed(line, "nul_byte"))
            else:
                good.lines.append(line)
                good.rows.append(row)
        return good

    def _records(self, block: Block, wanted: Sequence[str], without: frozenset[str] | None) -> Records:
        place = {name: position for position, name in enumerate(self.columns)}
        others = [(name, place[name]) for name in rest_columns(self.columns, without)]
        return Records(
            np.array(block.lines, np.int64),
            {name: pa.array([row[place[name]] for row in block.rows], pa.string()) for name in wanted},
            [rest_json((name, row[at]) for name, at in others) for row in block.rows] if others else [],
            block.malformed,
        )
