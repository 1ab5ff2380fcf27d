"""Everything Dagster: instance, partitions, assets, checks, jobs, schedules, sensors.

What an asset computes belongs in ``ingest``, ``opinions`` and ``semantics``; an asset here loads, calls one function
of theirs and returns.
"""
