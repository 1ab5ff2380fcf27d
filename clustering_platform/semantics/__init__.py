"""Items to a named tree of topics.

Vectors of texts, the map, the tree and offline names belong here. Pure: no Dagster and no store; embedders stand
behind the protocol `clustering_platform.semantics.embedders.protocol.Embedder`.
"""
