"""What ingest raises. Rows that cannot be accepted are no error: they go to the quarantine."""


class IngestError(ValueError):
    """An input file cannot be used at all; the message says which, where, what is wrong and what to do."""


class AccountingError(RuntimeError):
    """Rows of a file got lost or were counted twice: a fault of this program, not of the file."""
