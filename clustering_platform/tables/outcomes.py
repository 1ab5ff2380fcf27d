"""Contracts of what topics have to do with the outcomes of items; the formulas stand in ``docs/outcomes.md``."""

from clustering_platform.tables.contract import Column, Table

_TOPIC_ID = Column("topic_id", "string", "Id of the topic.")
_DEPTH = Column("depth", "int32", "Levels below the root.", minimum=0)
_CUT_DEPTH = Column(
    "depth", "int32", "Depth at which the tree is cut; items whose topic lies higher count there.", minimum=1
)
_FAMILIES = ("error", "label")
_TESTS = ("chi2", "fisher", "permutation")


def _share(name: str, description: str, *, nullable: bool = False) -> Column:
    return Column(name, "float64", description, nullable=nullable, minimum=0, maximum=1)


OUTCOME_TABLES = (
    Table(
        "topic_outcomes",
        "topics",
        "dataset",
        "a topic with an outcome in it",
        "How often items of each topic are errors, and whether more or less often than all others.",
        ("topic_id",),
        (
            _TOPIC_ID,
            _DEPTH,
            Column("items_with_outcome", "int32", "Its items that have an outcome.", minimum=1),
            Column("errors", "int32", "How many are errors; null where labels are categories.", True, minimum=0),
            _share("error_rate", "errors / items_with_outcome.", nullable=True),
            _share("error_rate_low", "Lower end of its 95 % interval (Wilson).", nullable=True),
            _share("error_rate_high", "Upper end of its 95 % interval (Wilson).", nullable=True),
            _share("rate_elsewhere", "Error rate of all items outside of the topic; null for the root.", nullable=True),
            Column("difference", "float64", "error_rate - rate_elsewhere.", True, minimum=-1, maximum=1),
            Column(
                "odds_ratio",
                "float64",
                "Odds of an error in the topic over those elsewhere, with one half added to each of the four counts.",
                nullable=True,
                minimum=0,
            ),
            Column(
                "phi",
                "float64",
                "Correlation of being in the topic with being an error.",
                nullable=True,
                minimum=-1,
                maximum=1,
            ),
            Column(
                "test",
                "string",
                "How p_value was found: chi-squared, or Fisher's exact test where an expected count is below 5.",
                nullable=True,
                values=("chi2", "fisher"),
            ),
            _share("p_value", "How likely such a difference is if errors have nothing to do with it.", nullable=True),
            _share("q_value", "p_value after Benjamini and Hochberg, over the topics of one depth.", nullable=True),
            Column("is_worse", "bool", "More errors than elsewhere, with a q_value below .05."),
            Column("is_better", "bool", "Fewer errors than elsewhere, with a q_value below .05."),
            Column("rank", "int32", "Place among the topics of its depth by phi, from 1, the worst.", True, minimum=1),
            Column(
                "label_test",
                "string",
                "How label_p_value was found; null where there are but two labels, of which one is the errors.",
                nullable=True,
                values=_TESTS,
            ),
            _share(
                "label_p_value", "As p_value, of all labels: whether they are others than elsewhere.", nullable=True
            ),
            _share("label_q_value", "label_p_value after Benjamini and Hochberg, as q_value.", nullable=True),
            _share("label_v", "Cramer's V of label and being in the topic, corrected for bias.", nullable=True),
            Column("note", "string", "Why there is no test.", nullable=True),
        ),
    ),
    Table(
        "topic_outcome_labels",
        "topics",
        "dataset",
        "a topic and a label that occurs in it",
        "How many items of each topic have each label; the rarest of many labels are put together.",
        ("topic_id", "label"),
        (
            _TOPIC_ID,
            _DEPTH,
            Column(
                "label", "string", "The label; of more than twenty, `(other)` for all but the nineteen most frequent."
            ),
            Column("items", "int32", "Items of the topic with the label.", minimum=1),
            _share("share", "Share of its items with an outcome."),
            _share("share_low", "Lower end of its 95 % interval (Wilson)."),
            _share("share_high", "Upper end of its 95 % interval (Wilson)."),
            _share("share_elsewhere", "Share of the label outside of the topic; null for the root.", nullable=True),
            Column(
                "residual",
                "float64",
                "Adjusted residual: standard deviations above what is expected; beyond 2 is unusual, "
                "beyond 3 very much so.",
                nullable=True,
            ),
        ),
    ),
    Table(
        "outcome_tests",
        "topics",
        "dataset",
        "a question that was tested",
        "Whether the outcome depends on the topic at each depth, and on the distance to the topic.",
        ("question", "family", "depth"),
        (
            Column(
                "question",
                "string",
                "What the outcome may depend on: the topic, or the similarity to it.",
                values=("topic", "similarity"),
            ),
            Column("family", "string", "What is looked at: errors, or all labels.", values=_FAMILIES),
            Column("depth", "int32", "Depth at which the tree is cut; null for the similarity.", True, minimum=1),
            Column("items", "int32", "Items with an outcome.", minimum=0),
            Column("topics", "int32", "Topics of the cut with such items; null for the similarity.", True, minimum=0),
            Column("labels", "int32", "Labels that are told apart.", minimum=0),
            Column(
                "test",
                "string",
                "How p_value was found; null where nothing can be tested.",
                nullable=True,
                values=(*_TESTS, "mann_whitney", "kruskal_wallis"),
            ),
            Column("statistic", "float64", "Chi-squared, Mann and Whitney's U, or Kruskal and Wallis's H.", True),
            Column("degrees_of_freedom", "int32", "Degrees of freedom of it; null for U.", True, minimum=1),
            _share("p_value", "How likely such a statistic is if there is no dependence.", nullable=True),
            Column("draws", "int32", "Tables drawn at random for a permutation test.", True, minimum=1),
            Column("smallest_expected", "float64", "The smallest expected count.", True, minimum=0),
            _share("cramers_v", "Cramer's V, corrected for bias (Bergsma 2013): 0 none, 1 complete.", nullable=True),
            _share(
                "auc",
                "How often an error is less similar to its topic than an item that is none; a half where there is no "
                "dependence.",
                nullable=True,
            ),
            Column(
                "correlation",
                "float64",
                "Point-biserial correlation of similarity and error.",
                nullable=True,
                minimum=-1,
                maximum=1,
            ),
            Column("note", "string", "How to read it."),
        ),
    ),
    Table(
        "outcome_similarity",
        "topics",
        "dataset",
        "a fifth of the items with an outcome",
        "Error rate by similarity of items to their topic; equal similarities stay together.",
        ("quintile",),
        (
            Column("quintile", "int32", "1 for the items least similar to their topic, 5 for the most.", minimum=1),
            Column("lowest", "float64", "Smallest similarity."),
            Column("highest", "float64", "Largest similarity."),
            Column("items", "int32", "Items with an outcome.", minimum=1),
            Column("errors", "int32", "How many are errors.", minimum=0),
            _share("error_rate", "errors / items."),
            _share("error_rate_low", "Lower end of its 95 % interval (Wilson)."),
            _share("error_rate_high", "Upper end of its 95 % interval (Wilson)."),
        ),
    ),
    Table(
        "outcome_flows",
        "topics",
        "dataset",
        "two topics that pairs of items join",
        "From which topic to which paired items lead, an item to its truth.",
        ("depth", "from_topic_id", "to_topic_id"),
        (
            _CUT_DEPTH,
            Column("from_topic_id", "string", "Topic of the items."),
            Column("to_topic_id", "string", "Topic of the items that they are paired with."),
            Column("pairs", "int32", "Pairs that lead from the one to the other.", minimum=1),
            _share("share", "Share of all pairs."),
            _share("share_of_from", "Share of the pairs that start in the first topic."),
            Column("expected", "float64", "Pairs to be expected if truths were dealt out at random.", minimum=0),
        ),
    ),
    Table(
        "outcome_pairs",
        "topics",
        "dataset",
        "a depth of the tree",
        "How often paired items, an item and its truth, are in different topics.",
        ("depth",),
        (
            _CUT_DEPTH,
            Column("pairs", "int32", "Pairs of which both items have a topic.", minimum=1),
            Column("different", "int32", "Pairs in two topics.", minimum=0),
            _share("different_share", "different / pairs."),
            _share("different_low", "Lower end of its 95 % interval (Wilson)."),
            _share("different_high", "Upper end of its 95 % interval (Wilson)."),
            _share("expected_share", "Share to be expected if truths were dealt out at random."),
            Column(
                "kappa",
                "float64",
                "1 - different_share / expected_share: 0 as at random, 1 always in one topic; null where all are.",
                nullable=True,
                maximum=1,
            ),
            _share("errors_different", "Share in two topics among pairs whose item is an error.", nullable=True),
            _share("others_different", "Share in two topics among pairs whose item is none.", nullable=True),
            _share("p_value", "How likely such a difference between the two shares is by chance.", nullable=True),
        ),
    ),
)
