"""What is published, in the formats of others: files of tables, and everything that Polis would give out.

======================  ==============================================================================
module                  what it makes
======================  ==============================================================================
tables                  any table as CSV, JSONL, JSON or Parquet, in batches
conversation            the committed tables of one day, with the numbers that Polis calls ids
polis_math              the JSON of ``math/pca2`` and of ``bidToPid``
polis_csv               the export files of Polis, a function for each
polis_matrix            the widest of them: participants by comments
polis                   all of these in a folder
======================  ==============================================================================

``csv_text`` and ``json_text`` turn columns into text, ``placing`` puts files and folders in place when they are whole.
Nothing here computes results: all of it comes from tables that were committed.
"""
