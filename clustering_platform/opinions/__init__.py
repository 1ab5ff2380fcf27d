"""Votes to groups: pure functions from arrays and Arrow tables to arrays and Arrow tables.

Each stage takes tables of the stages before it and returns its own:

=============================  =================================================================  =========
Tables keep the order in which they were built: rows of voters and items are matched by place. ``compute`` runs all
stages in a row; with ``continuity: warm``, stages go on from tables of an earlier day too (see ``warm``). A stage can
be entered with the output of another program instead: make the opinion space of given means and components with
``space.opinion_space``; fill the tables `base_clusters` and `groups` with given clusters, whose ids may be any distinct
numbers. Reading, storing and scheduling belong elsewhere.
"""
