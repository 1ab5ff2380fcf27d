"""Text files as bytes: opening, encoding, line ends, and what must be known before a line of them is parsed.

What the lines mean belongs in ``csv_files`` and ``jsonl_files``.
"""

import codecs
import contextlib
import io
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from clustering_platform.ingest.errors import EmptyFileError, IngestError, UndecodableError

LONGEST_LINE = 16 * 2**20
"""Characters; longer lines, and quoted values, are taken for a missing line end or quote."""

_BLOCK = 2**20
_BYTE_ORDER_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_MAGIC = (
    (b"PAR1", "a Parquet file"),
    (b"PARE", "an encrypted Parquet file"),
    (b"PK\x03\x04", "an archive or a spreadsheet"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xfd7zXZ", "an xz archive"),
    (b"\x28\xb5\x2f\xfd", "a zstd archive"),
    (b"\xd0\xcf\x11\xe0", "a spreadsheet"),
    (b"SQLite format 3", "an SQLite database"),
    (b"\x93NUMPY", "a NumPy file"),
    (b"%PDF", "a PDF"),
    (b"\x89PNG", "an image"),
)
_NO_FILE_ENCODINGS = {"idna", "punycode", "raw-unicode-escape", "unicode-escape", "utf-7"}
_PICKLE_PROTOCOLS = range(2, 6)


@dataclass(frozen=True)
class Stamp:
    """What tells one state of a file from another without reading it."""

    device: int
    inode: int
    size: int
    modified: int

    @classmethod
    def of(cls, path: Path) -> "Stamp":
        """Return the stamp of a file as it is now, or raise `IngestError` if it is gone."""
        try:
            status = path.stat(follow_symlinks=False)
        except OSError as error:
            raise IngestError(f"{path.name}: cannot be opened: {error.strerror}") from error
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


@dataclass(frozen=True)
class Scan:
    """What a pass over the whole file found: number of lines, and whether there are NUL characters."""

    lines: int
    has_nul: bool


def open_regular(path: Path, name: str) -> io.BufferedReader:
    """Open a file for reading, following no link and waiting for no pipe.

    Raises
    ------
    IngestError
        It cannot be opened, or is no regular file.
    """
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        descriptor = os.open(path, flags)
    except OSError as error:
        raise IngestError(f"{name}: cannot be opened: {error.strerror}") from error
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise IngestError(f"{name}: is not a regular file")
    return os.fdopen(descriptor, "rb")


def describe_magic(head: bytes) -> str | None:
    """Return what the first bytes of a file betray it to be, or None for what may be text."""
    if head[:1] == b"\x80" and len(head) > 1 and head[1] in _PICKLE_PROTOCOLS:
        return "a pickle, which can run code when opened"
    return next((what for magic, what in _MAGIC if head.startswith(magic)), None)


@contextlib.contextmanager
def unchanged(path: Path, name: str, stamp: Stamp) -> Iterator[None]:
    """Raise `IngestError` at the end if the file is not what it was when `stamp` was taken."""
    yield
    if Stamp.of(path) != stamp:
        raise changed(name)


def changed(name: str) -> IngestError:
    """Return the error to raise where a file is not what it was when reading it began."""
    return IngestError(f"{name}: changed while it was read; try again when it is complete")


class TextFile:
    """A text file whose encoding is known.

    Parameters
    ----------
    name
        What to call it in messages: its path within the dataset.
    encoding
        Encoding to read it with, unless it begins with a byte order mark.

    Raises
    ------
    IngestError
        It is empty, is no text, or its encoding is not to be known.
    """

    def __init__(self, path: Path, name: str, *, encoding: str) -> None:
        self.path, self.name = path, name
        self.stamp = Stamp.of(path)
        with open_regular(path, name) as file:
            head = file.read(4096)
        if self.stamp.size == len(head) and not head.strip(b"\xef\xbb\xbf\r\n\t "):
            raise self.empty()
        if what := describe_magic(head):
            raise IngestError(f"{name}: is {what}, not text; export it as CSV, JSONL or Parquet")
        self.encoding = _encoding(head, name, encoding)

    def empty(self) -> EmptyFileError:
        """Return the error to raise where there is nothing in the file."""
        return EmptyFileError(f"{self.name}: is empty; put rows into it, or take it out of the folder")

    @contextlib.contextmanager
    def lines(self) -> Iterator[io.TextIOWrapper]:
        """Open the file for reading line by line; every line end becomes a line feed.

        Raises
        ------
        IngestError
            A byte does not fit the encoding, or the file changes meanwhile.
        """
        with (
            unchanged(self.path, self.name, self.stamp),
            open_regular(self.path, self.name) as raw,
            io.TextIOWrapper(raw, encoding=self.encoding, newline=None) as text,
        ):
            try:
                yield text
            except UnicodeDecodeError:
                self.scan()
                raise changed(self.name) from None

    def first_lines(self) -> Iterator[str]:
        """Yield lines from the start of the file, raising `IngestError` at one that is too long."""
        with self.lines() as text:
            while line := text.readline(LONGEST_LINE + 1):
                if len(line) > LONGEST_LINE:
                    raise IngestError(f"{self.name}: a line is longer than {LONGEST_LINE:,} characters")
                yield line

    def scan(self) -> Scan:
        """Decode the whole file and count its lines.

        Raises
        ------
        IngestError
            A byte does not fit the encoding, or a line is too long.
        """
        decoder = codecs.getincrementaldecoder(self.encoding)()
        newlines = io.IncrementalNewlineDecoder(decoder, translate=True)
        ends, tail, seen, has_nul = 0, 0, 0, False
        with open_regular(self.path, self.name) as file:
            while True:
                block = file.read(_BLOCK)
                seen += len(block)
                try:
                    text = newlines.decode(block, final=not block)
                except UnicodeDecodeError as error:
                    raise self._undecodable(error, seen, ends, tail) from None
                ends += text.count("\n")
                tail = len(text) - 1 - text.rfind("\n") if "\n" in text else tail + len(text)
                has_nul = has_nul or "\0" in text
                if tail > LONGEST_LINE:
                    raise IngestError(f"{self.name}: line {ends + 1} is longer than {LONGEST_LINE:,} characters")
                if not block:
                    return Scan(ends + (tail > 0), has_nul)

    def _undecodable(self, error: UnicodeDecodeError, seen: int, ends: int, tail: int) -> UndecodableError:
        """Return the error that names line, column and byte of what cannot be decoded."""
        before = error.object[: error.start].decode(error.encoding, errors="replace")
        before = before.replace("\r\n", "\n").replace("\r", "\n")
        line = ends + before.count("\n") + 1
        column = len(before) - before.rfind("\n") if "\n" in before else tail + len(before) + 1
        position = seen - len(error.object) + error.start
        where = f"column {column}: the byte 0x{error.object[error.start]:02x} (byte {position} of the file)"
        return UndecodableError(
            f"{self.name}: line {line}, {where} is not {self.encoding.removesuffix('-sig')}; save the file as UTF-8, "
            "or name its encoding as source.encoding in dataset.yaml (often cp1252)",
            line=line,
            where=where,
        )


def _encoding(head: bytes, name: str, configured: str) -> str:
    for mark, encoding in _BYTE_ORDER_MARKS:
        if head.startswith(mark):
            return encoding
    encoding = _codec_name(configured)
    if encoding in ("utf-16", "utf-32"):
        raise IngestError(f"{name}: has no byte order mark; set source.encoding to {encoding}-le or {encoding}-be")
    nul = b"\0"
    is_wide = max(head[0::2].count(nul), head[1::2].count(nul)) > len(head) // 5
    if is_wide and not encoding.startswith(("utf-16", "utf-32")):
        raise IngestError(f"{name}: looks like UTF-16 without a byte order mark, not {encoding}; save it as UTF-8")
    return encoding


def _codec_name(configured: str) -> str:
    with contextlib.suppress(LookupError, UnicodeError):
        "".encode(configured)
        name = codecs.lookup(configured).name
        if name not in _NO_FILE_ENCODINGS:
            return name
    raise IngestError(f"source.encoding: {configured!r} is no encoding of text files; use utf-8, or for example cp1252")
