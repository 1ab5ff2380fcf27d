"""Embedders: what turns texts into vectors, one module for each kind, all behind `protocol.Embedder`.

Which items are embedded and how vectors are kept belongs in ``item_embeddings`` and ``embedding_cache``.
"""
