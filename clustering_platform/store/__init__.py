"""Write-once Parquet files, commits, the DuckDB catalog over them, locks and garbage collection.

Everything here works on folders and Arrow tables; what the tables mean belongs in ``tables``.
"""
