"""What goes wrong around runs. Needs nothing of Dagster."""


class ResumeError(RuntimeError):
    """A run cannot be resumed; the message says why and what to do."""
