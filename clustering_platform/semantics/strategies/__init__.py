"""The strategies by name: from a `Space` and the settings to a `Tree`.

How a strategy works belongs in its own module.
"""

from clustering_platform.semantics.strategies import auto, flat, levels, recursive
from clustering_platform.semantics.tree import Space, Tree
from clustering_platform.topics_config import TopicsConfig


def grow_tree(space: Space, config: TopicsConfig) -> Tree:
    """Return the tree of topics by the strategy that the settings name."""
    match config.strategy:
        case "auto":
            return auto.grow(
                space,
                resolution=config.auto.resolution,
                smallest=config.min_topic_size,
                max_depth=config.max_depth,
            )
        case "recursive":
            return recursive.grow(space, settings=config.recursive, max_depth=config.max_depth)
        case "levels":
            return levels.grow(space, max_depth=config.max_depth)
        case "flat":
            return flat.grow(space, settings=config.flat, smallest=config.min_topic_size, max_depth=config.max_depth)
