"""What can go wrong when something is given out."""

from clustering_platform.store.errors import StoreError


class ExportError(StoreError):
    """What was asked for cannot be given out; the message says why and what to do."""
