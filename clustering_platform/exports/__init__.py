"""What is published, in the formats of others: files of tables, topics for visualisers, and what Polis would give out.

======================  ==============================================================================
module                  what it makes
======================  ==============================================================================
tables                  any table as CSV, JSONL, JSON or Parquet, in batches
conversation            the committed tables of one day, with the numbers that Polis calls ids
polis_math              the JSON of ``math/pca2`` and of ``bidToPid``
polis_csv               the export files of Polis, a function for each
polis_matrix            the widest of them: participants by comments
polis                   all of these in a folder
topics                  the committed topics, and the items with their places among them
topic_files             their files, for programs that draw, search and annotate
======================  ==============================================================================

``csv_text``, ``json_text``, ``cutting`` and ``metadata_columns`` turn columns into text, ``placing`` puts files and
folders in place when they are whole. Everything comes from tables that were committed.
"""
