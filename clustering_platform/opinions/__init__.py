"""Votes to groups: pure functions from arrays and Arrow tables to arrays and Arrow tables.

Each stage takes tables of the stages before it and returns its own:

=============================  ================================================================  ================
table                          made from                                                         module
=============================  ================================================================  ================
vote_matrix                    votes, voters, items                                              matrix
voted_items                    votes, voters, items                                              matrix
opinion_space                  vote_matrix, voted_items                                          space
base_clusters                  vote_matrix, opinion_space                                        base_clusters
earlier_groupings              base_clusters; votes, voters, items                               smoothing
groups, groupings              base_clusters, earlier_groupings                                  groups
subgroups, groupings           base_clusters, groups                                             subgroups
voter_groups                   vote_matrix, opinion_space, base_clusters, groups, subgroups      groups
voting_patterns                vote_matrix, voted_items, voter_groups                            patterns
representative_items           voted_items, voting_patterns                                      representative
representative_subgroup_items  voted_items, voting_patterns, subgroups                           representative
consensus_items                voted_items                                                       consensus
item_statistics                voted_items, opinion_space, voting_patterns                       item_statistics
cluster_measures               voter_groups, voting_patterns                                     cluster_measures
voter_measures                 vote_matrix, voted_items, voter_groups, voting_patterns           voter_measures
bridge_voters                  voter_groups, voter_measures, cluster_measures                    bridges
bridge_items                   voted_items, voting_patterns                                      bridges
topic_opinions, *_divisions    voting_patterns, voted_items; item_topics                         topic_opinions
*_stability                    vote_matrix, voted_items, base_clusters, groupings, voter_groups  stability
opinion_snapshot               votes, and tables from vote_matrix to groupings                   snapshot
=============================  ================================================================  ================

Beneath them: ``log`` is how the votes are read; ``gather``, ``increment``, ``packing`` and ``kernels`` make sparse rows
of them, ``passes`` goes over these and ``threads`` shares the work among the cores; ``components`` finds the axes of
the map; ``kmeans``, ``bounds``, ``grid`` and ``silhouette`` cluster; ``statistics`` tests.
``warm`` goes on from an earlier day, ``resampling`` forms groups of drawn voters, ``voters`` answers questions about
one voter, ``parity`` tells what is copied from Polis. The formulas of all measures stand in ``docs/measures.md``.

Tables keep the order in which they were built: rows of voters and items are matched by place. ``compute`` runs all
stages in a row; with ``continuity: warm``, stages go on from tables of an earlier day too (see ``warm``). A stage can
be entered with the output of another program instead: make the opinion space of given means and components with
``space.opinion_space``; fill the tables `base_clusters` and `groups` with given clusters, whose ids may be any distinct
numbers. Reading, storing and scheduling belong elsewhere.
"""
