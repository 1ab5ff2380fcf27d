"""What people may be told about topics."""


class CurationError(ValueError):
    """A decision cannot be taken; the message says why and what to do."""
