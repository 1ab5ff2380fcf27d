"""Which quirks of Polis are copied when a dataset asks for parity, and which never are.

Copied with ``polis_parity``:

- Groups are sought with 20 steps of k-means after the first, whatever ``max_steps`` says: Polis reads its setting under
  a wrong key;
- a priority of zero is drawn as if it were one, where next items are drawn for a voter, as Polis's server does.

Copied with ``continuity: warm``, a day standing for a tick, because the final votes do not determine them: voters once
grouped staying grouped, base clusters and groups carried on, the sign of components kept, the number of groups
smoothed by waiting. See ``warm``.

Never copied, because they are faults of number formats or belong to a server:

- priorities from the group votes of the tick before: a snapshot has no ticks. Where the last tick of a conversation
  brought no new vote, the two agree;
- distances by a cancelling formula, ties in the order of a hash table, scores rounded to float32;
- rank one collapsing every voter to the centre; an unseeded start of the iteration for components.
"""

from clustering_platform.dataset_config import OpinionsConfig

POLIS_GROUP_STEPS = 20


def group_steps(config: OpinionsConfig) -> int:
    """Return how many steps of k-means may follow the first when groups are sought."""
    return POLIS_GROUP_STEPS if config.polis_parity else config.max_steps
