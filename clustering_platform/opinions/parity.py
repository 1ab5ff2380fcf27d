"""Which quirks of Polis are copied when a dataset asks for parity, and which never are.

Copied with ``polis_parity``:

- Groups are sought with 20 steps of k-means after the first, not 100: Polis reads its setting under a wrong key.

Not copied, because the final votes do not determine them or because they are faults of number formats:

- priorities from the group votes of the tick before: a snapshot has no ticks. Where the last tick of a conversation
  brought no new vote, the two agree;
- voters grouped early in a conversation, when there were few items, staying grouped ever after; the smoothing of the
  number of groups over ticks; base clusters and components carried over from tick to tick;
- distances by a cancelling formula, ties in the order of a hash table, scores rounded to float32;
- rank one collapsing every voter to the centre; an unseeded start of the iteration for components;
- a priority of zero drawn as if it were one: a rule of Polis's server, not of its statistics.
"""

GROUP_STEPS = 100
POLIS_GROUP_STEPS = 20


def group_steps(*, polis_parity: bool) -> int:
    """Return how many steps of k-means may follow the first when groups are sought."""
    return POLIS_GROUP_STEPS if polis_parity else GROUP_STEPS
