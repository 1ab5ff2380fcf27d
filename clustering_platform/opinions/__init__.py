"""Votes to groups: pure functions from arrays and Arrow tables to arrays and Arrow tables.

Each stage takes tables of the stages before it and returns its own:

======================  ========================================================================  =====================
table                   made from                                                                 module
======================  ========================================================================  =====================
vote_matrix             votes, voters, items                                                      matrix
voted_items             votes, voters, items                                                      matrix
opinion_space           vote_matrix, voted_items                                                  space
base_clusters           vote_matrix, opinion_space                                                base_clusters
groups, groupings       base_clusters                                                             groups
voter_groups            vote_matrix, opinion_space, base_clusters, groups                         groups
voting_patterns         vote_matrix, voted_items, voter_groups                                    patterns
representative_items    voted_items, voting_patterns                                              representative
consensus_items         voted_items                                                               consensus
item_statistics         voted_items, opinion_space, voting_patterns                               item_statistics
opinion_snapshot        votes, vote_matrix, voted_items, opinion_space, base_clusters, groupings  snapshot
======================  ========================================================================  =====================

Tables keep the order in which they were built: rows of voters and items are matched by place. ``compute`` runs all
stages in a row. A stage can be entered with the output of another program instead: make the opinion space of given
means and components with ``space.opinion_space``; fill the tables `base_clusters` and `groups` with given clusters,
whose ids may be any distinct numbers. Reading, storing and scheduling belong elsewhere.
"""
