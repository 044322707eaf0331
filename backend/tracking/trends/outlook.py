"""The outlook from history: use in the next week, and dropping out for the next four.

Two logistic regressions over weekly screens, attendance, reported use and the time since last use.
They were fitted on opioid-treatment trials (CTN-0094) and are an extrapolation for anyone else: for
clinicians, as reasons beside other facts, never to patients, never alone a cause for an alert. Sex,
race and housing are not inputs; results by these groups are in the evaluation report.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from .arrays import Floats, Ints
from .outlook_features import (
    AFTER_MISSED,
    FEATURES,
    THEMES,
    WeeklyHistory,
    features,
    seen_at_all,
)

PATH = Path(__file__).with_name("outlook.json")
# A reason shifts the log odds by this much against the average person-week; less than that is how
# the fit shared out what moves together.
LEAST_SHIFT = 0.3
SOURCE = "CTN-0094"


class Outcome(StrEnum):
    """What is looked out for."""

    USE_NEXT_WEEK = "use_next_week"
    GONE_FOUR_WEEKS = "gone_four_weeks"


class Level(IntEnum):
    """Third of the person-weeks of the trials in which this one would fall."""

    LOWER = 0
    MIDDLE = 1
    HIGHER = 2


@dataclass(frozen=True, slots=True)
class Model:
    """One fitted regression; `cuts` are the thirds of its probabilities in the trials."""

    mean: Floats
    scale: Floats
    weights: Floats
    intercept: float
    cuts: tuple[float, float]

    def shifts(self, inputs: Floats) -> Floats:
        """People x features: what each adds to the log odds of an average person-week."""
        shift: Floats = (inputs - self.mean) / self.scale * self.weights
        return shift

    def probability(self, inputs: Floats) -> Floats:
        """Probability for each person."""
        odds: Floats = np.exp(self.intercept + self.shifts(inputs).sum(axis=1))
        return odds / (1 + odds)


@dataclass(frozen=True, slots=True)
class Outlook:
    """One outcome for many people; NaN and no reasons where no screen was ever seen."""

    outcome: Outcome
    probability: Floats
    level: Ints
    shifts: Floats

    def facts(self, person: int) -> dict[str, Any] | None:
        """Level and reasons (`THEMES`), the strongest first; None where nothing is known, or where
        nothing stands out that a level could rest on.

        The probability stays out: it is not for showing.
        """
        if np.isnan(self.probability[person]):
            return None
        shift = self.theme_shifts(person)
        order = sorted(shift, key=lambda theme: -abs(shift[theme]))
        told = [theme for theme in order if abs(shift[theme]) >= LEAST_SHIFT]
        if not told:
            return None
        return {
            "outcome": self.outcome.value,
            "level": Level(int(self.level[person])).name.lower(),
            "raises": [theme for theme in told if shift[theme] > 0],
            "lowers": [theme for theme in told if shift[theme] < 0],
            "source": SOURCE,
        }

    def theme_shifts(self, person: int) -> dict[str, float]:
        """What each theme adds to the log odds of an average person-week."""
        by_feature = dict(zip(FEATURES, self.shifts[person].tolist(), strict=True))
        shift = {theme: sum(by_feature[name] for name in of) for theme, of in THEMES.items()}
        about = "use" if self.outcome is Outcome.USE_NEXT_WEEK else "weeks"
        shift[about] += sum(by_feature[name] for name in AFTER_MISSED)
        return shift


def outlook(
    history: WeeklyHistory, outcome: Outcome, *, models: Mapping[Outcome, Model] | None = None
) -> Outlook:
    """The outlook of everyone in `history` as of its last week."""
    model = (models or shipped_models())[outcome]
    inputs = features(history)
    known = seen_at_all(history)
    probability = np.where(known, model.probability(inputs), np.nan)
    level = np.digitize(np.nan_to_num(probability), model.cuts)
    return Outlook(outcome, probability, level, model.shifts(inputs))


def parse_models(document: Mapping[str, Any]) -> dict[Outcome, Model]:
    """Models from the structure of `outlook.json`; ValueError if it is for other features."""
    if tuple(document["features"]) != FEATURES:
        raise ValueError("outlook.json was fitted for other features")
    return {
        Outcome(name): Model(
            np.array(fitted["mean"]),
            np.array(fitted["scale"]),
            np.array(fitted["weights"]),
            float(fitted["intercept"]),
            (float(fitted["cuts"][0]), float(fitted["cuts"][1])),
        )
        for name, fitted in document["outcomes"].items()
    }


@cache
def shipped_models() -> dict[Outcome, Model]:
    """The regressions that come with this version."""
    return parse_models(json.loads(PATH.read_text(encoding="utf-8")))
