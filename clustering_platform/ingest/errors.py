"""What ingest raises. Rows that cannot be accepted are no error: they go to the quarantine."""


class IngestError(ValueError):
    """An input file cannot be used at all; the message says which, where, what is wrong and what to do."""


class EmptyFileError(IngestError):
    """There is nothing in a file."""


class UndecodableError(IngestError):
    """A byte of a text file does not fit its encoding.

    Attributes
    ----------
    line
        Line of the byte, from 1.
    where
        Its column, its value and its place in the file.
    """

    def __init__(self, message: str, *, line: int, where: str) -> None:
        super().__init__(message)
        self.line, self.where = line, where


class AccountingError(RuntimeError):
    """Rows of a file got lost or were counted twice: a fault of this program, not of the file."""
