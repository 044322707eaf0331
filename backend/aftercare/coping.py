"""Which of a patient's own coping steps comes first: for the reported cue, by what helped. Pure.

Whether a step helps this person is a share with few tries behind it, so it is shrunk towards one
half by a Beta prior: one lucky evening does not outrank a step that has helped ten times.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

VERSION = "coping-1"

PRIOR_HELPED, PRIOR_NOT = 1.0, 1.0
LOWEST_RATING, HIGHEST_RATING = 1, 5


@dataclass(frozen=True, slots=True)
class Step:
    """One step in the patient's own words. Without `cues` it is for any of them."""

    id: UUID
    words: str
    cues: frozenset[str]
    order: int


@dataclass(frozen=True, slots=True)
class Rating:
    """What the patient said about a step that was shown: yes or no, or 1 to 5, or both."""

    step_id: UUID
    helped: bool | None = None
    rating: int | None = None

    @property
    def share(self) -> float:
        """From 0 (did not help) to 1 (helped). The finer answer counts where there are two."""
        if self.rating is not None:
            return (self.rating - LOWEST_RATING) / (HIGHEST_RATING - LOWEST_RATING)
        return 1.0 if self.helped else 0.0


@dataclass(frozen=True, slots=True)
class Ranked:
    """A step in its place. `score` is the shrunk share of times that it helped, 0 to 1."""

    step: Step
    serves_cue: bool
    score: float
    times_helped: int


def rank(
    steps: Sequence[Step],
    *,
    cues: Iterable[str],
    helped: Mapping[str, int],
    ratings: Iterable[Rating],
) -> list[Ranked]:
    """The steps for one of these cues first, then those for any, then the rest.

    Within each, by what the patient said helped; where that is equal, in the patient's own order.
    `helped` counts the tags of check-ins: a step's id, or its words in any case. Tags compare
    without regard to case or outer blanks, and so do cues.
    """
    wanted = {plain(cue) for cue in cues}
    counts: dict[str, int] = {}
    for tag, count in helped.items():
        counts[plain(tag)] = counts.get(plain(tag), 0) + count
    shares: dict[UUID, list[float]] = {}
    for rating in ratings:
        shares.setdefault(rating.step_id, []).append(rating.share)
    ranked = [_ranked(step, wanted, counts, shares.get(step.id, [])) for step in steps]
    return sorted(
        ranked,
        key=lambda r: (_group(r, wanted), -r.score, r.step.order, str(r.step.id)),
    )


def plain(text: str) -> str:
    """A tag as it is compared."""
    return " ".join(text.split()).casefold()


def _ranked(
    step: Step, wanted: set[str], counts: Mapping[str, int], shares: Sequence[float]
) -> Ranked:
    named = {plain(str(step.id)), plain(step.words)}
    tagged = sum(counts.get(name, 0) for name in named)
    helped, tries = tagged + sum(shares), tagged + len(shares)
    score = (PRIOR_HELPED + helped) / (PRIOR_HELPED + PRIOR_NOT + tries)
    serves = not wanted.isdisjoint(map(plain, step.cues))
    return Ranked(step, serves, score, tagged + sum(share >= 0.5 for share in shares))


def _group(ranked: Ranked, wanted: set[str]) -> int:
    if not wanted:
        return 0
    if ranked.serves_cue:
        return 0
    return 2 if ranked.step.cues else 1
