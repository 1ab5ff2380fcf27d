"""Readers of every source: input files in, clean Arrow tables and a quarantine out.

Voters' ids become pseudonyms here, before anything is written. Storing the tables belongs in ``store``, what is
computed from them in ``opinions`` and ``semantics``.
"""
