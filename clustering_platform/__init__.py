"""Clustering Platform: votes and texts become named, explorable groups and topics."""
