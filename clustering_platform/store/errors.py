"""What goes wrong in the store."""


class StoreError(RuntimeError):
    """The warehouse does not hold what was asked of it; the message says what and what to do."""
