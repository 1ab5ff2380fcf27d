"""Names by a language model, on a real HTTP server."""
