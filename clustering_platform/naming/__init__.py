"""Names by a language model: what is sent, what may come back, and in which order topics and groups are named.

Names without a language model belong in ``semantics.naming``; which name stands in the end, in ``semantics.curation``.
What is sent are texts of items and names made from them: no ids of items or voters, no metadata.
"""
