"""Ridge logistic regression by Newton's method, and the area under the ROC curve."""

from __future__ import annotations

import numpy as np

from backend.tracking.trends.arrays import Bools, Floats, Ints
from backend.tracking.trends.outlook import Model

RIDGE = 3.0
STEPS = 12


def fit(inputs: Floats, happened: Bools) -> Model:
    """A model of `happened` (one a row) from `inputs` (rows x features)."""
    mean, scale = inputs.mean(axis=0), np.maximum(inputs.std(axis=0), 1e-9)
    design = np.column_stack([np.ones(len(inputs)), (inputs - mean) / scale])
    penalty = np.diag([0.0] + [RIDGE] * inputs.shape[1])
    weights = np.zeros(design.shape[1])
    for _ in range(STEPS):
        chance = 1 / (1 + np.exp(-design @ weights))
        slope = design.T @ (happened - chance) - penalty @ weights
        curve = (design * (chance * (1 - chance))[:, None]).T @ design + penalty
        weights = weights + np.linalg.solve(curve, slope)
    low, high = np.quantile(1 / (1 + np.exp(-design @ weights)), [1 / 3, 2 / 3])
    return Model(mean, scale, weights[1:], float(weights[0]), (float(low), float(high)))


def auroc(chance: Floats, happened: Bools) -> float:
    """Share of (happened, did not) pairs in the right order, ties counting half; NaN without."""
    cases = int(happened.sum())
    others = len(happened) - cases
    if not cases or not others:
        return float("nan")
    ranks = _mean_ranks(chance)
    return float((ranks[happened].sum() - cases * (cases + 1) / 2) / (cases * others))


def within_person(chance: Floats, happened: Bools, person: Ints) -> float:
    """Mean of each person's own area, over those who have both outcomes."""
    order = np.argsort(person, kind="stable")
    starts = np.flatnonzero(np.diff(person[order])) + 1
    own = [auroc(chance[rows], happened[rows]) for rows in np.split(order, starts)]
    return float(np.nanmean(own))


def _mean_ranks(values: Floats) -> Floats:
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(count)
    ranks: Floats = (last - (count - 1) / 2)[place]
    return ranks
