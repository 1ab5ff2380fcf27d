"""Letters and colours of groups that last over days."""

from dataclasses import dataclass, field

from clustering_platform.opinions.drift.matching import NOWHERE, Transition
from clustering_platform.opinions.groups import letters

PALETTE = 8
"""Number of colours of the maps."""


@dataclass(frozen=True)
class Badge:
    """The letter and the colour of a group: a place in the palette, from 0."""

    letter: str
    colour: int


@dataclass
class Badges:
    """Gives out letters, none of them twice, and colours, none of them twice at a time as long as there are any."""

    given: int = 0
    _alive: list[Badge] = field(default_factory=list)

    def begin(self, groups: int) -> list[Badge]:
        """Return the badges of the groups of the first day."""
        self._alive = []
        for _ in range(groups):
            self._alive.append(self._new(self._alive))
        return self._alive

    def go_on(self, transition: Transition) -> list[Badge]:
        """Return the badges of the groups of the next day."""
        kept = [None if place == NOWHERE else self._alive[place] for place in transition.keeps.tolist()]
        alive = [badge for badge in kept if badge]
        badges = []
        for badge in kept:
            if badge is None:
                badge = self._new(alive)
                alive.append(badge)
            badges.append(badge)
        self._alive = badges
        return badges

    def _new(self, alive: list[Badge]) -> Badge:
        taken = {badge.colour for badge in alive}
        colour = next((place for place in range(PALETTE) if place not in taken), self.given % PALETTE)
        badge = Badge(letters(self.given), colour)
        self.given += 1
        return badge
