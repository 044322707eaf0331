"""Where many people stand, as arrays: the numbers behind a trend."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from .arrays import Bools, Floats, Ints
from .ewma import ewma, ewma_score
from .fusion import Evidence, Fitted, fit_window, improving, worsening
from .limits import Limits
from .onset import SHAPE_AGES, WINDOW_DAYS
from .results import TRENDS, Tier, Trend

STALE_DAYS = 7
LONGEST_RUN_DAYS = 20
NOT_ABOVE = -1
# A signal is a reason when it moved by this much, and at least half as much as the one that moved
# most.
REASON_SD = 0.5
REASON_SHARE = 0.5
FULL_BASELINE_VALUES = 28
FULL_RECENT_VALUES = 7
RECENT_DAYS = 14


@dataclass(frozen=True, slots=True)
class SignalReadings:
    """People x signals, in badness points; NaN where the signal has no known baseline.

    `score` is the evidence for a decline of this signal alone (nats), to be held against
    `nudge_limit` and `flag_limit`, the limits of someone with one signal. `smoothed` is the EWMA,
    `smoothed_score` its distance from the baseline in standard errors; `change_sd` the fitted
    change of the likeliest onset, in SDs. `reason` says that the signal carries the person's trend.
    """

    score: Floats
    nudge_limit: Floats
    flag_limit: Floats
    base_mean: Floats
    base_sd: Floats
    base_count: Ints
    smoothed: Floats
    smoothed_score: Floats
    change_sd: Floats
    reason: Bools


@dataclass(frozen=True, slots=True)
class Readings:
    """One entry a person; scores in nats; days are counted back from the last day.

    `trend` indexes TRENDS. `since_nudge` and `since_flag` are the days since the present run above
    that limit began, -1 when not above; `began` the likeliest days since the change began, for an
    improvement as for a decline; `quiet_days` the days since the last value. `confidence`, 0 to 1,
    is how much of the data a full judgement has was there.
    """

    trend: Ints
    score: Floats
    improving_score: Floats
    nudge_limit: Floats
    flag_limit: Floats
    since_nudge: Ints
    since_flag: Ints
    began: Ints
    quiet_days: Ints
    confidence: Floats
    signals: SignalReadings


@dataclass(frozen=True, slots=True)
class Rules:
    """What a judgement needs beside the values."""

    population_sd: Floats
    limits: Limits
    targets: Mapping[Tier, float]

    def limit(self, tier: Tier, live: Ints) -> Floats:
        """The tier's limit for so many live signals."""
        return self.limits.at(self.targets[tier], live)


def read_window(badness: Floats, rules: Rules, *, look_back: int = LONGEST_RUN_DAYS) -> Readings:
    """Judge people x days x signals of badness as of the last day.

    `look_back` is how far a run above a limit is followed: most of the work where many decline.

    A day without a value holds the state, so that each person is judged as of their last answer;
    after a week of silence the trend is unknown.
    """
    by_day, quiet_days = _ending_with_an_answer(badness)
    fitted = fit_window(by_day[-WINDOW_DAYS:], population_sd=rules.population_sd)
    worse, better = worsening(fitted), improving(fitted)
    nudge = rules.limit(Tier.NUDGE, worse.live)
    current = quiet_days < STALE_DAYS
    declining, recovering = current & (worse.fused > nudge), current & (better.fused > nudge)
    recovering &= ~declining | (better.fused > worse.fused)
    declining &= ~recovering
    trend = np.full(len(current), TRENDS.index(Trend.UNKNOWN))
    trend[current & (worse.live > 0)] = TRENDS.index(Trend.STEADY)
    trend[declining] = TRENDS.index(Trend.WORSENING)
    trend[recovering] = TRENDS.index(Trend.IMPROVING)
    since_nudge, since_flag = _runs(
        by_day, quiet_days, declining, worse, rules, look_back=look_back
    )
    shape = np.where(recovering, better.best_shape, worse.best_shape)
    sign = np.where(recovering, -1, 1) * (declining | recovering)
    return Readings(
        trend=trend,
        score=worse.fused,
        improving_score=better.fused,
        nudge_limit=nudge,
        flag_limit=rules.limit(Tier.FLAG, worse.live),
        since_nudge=since_nudge,
        since_flag=since_flag,
        began=SHAPE_AGES[shape] - 1 + quiet_days,
        quiet_days=quiet_days,
        confidence=_confidence(by_day, fitted),
        signals=_signals(by_day, fitted, worse, fitted.size(shape), sign, rules),
    )


def _ending_with_an_answer(badness: Floats) -> tuple[Floats, Ints]:
    """Days first, each person shifted so that the last row is their last day with a value."""
    answered = np.any(~np.isnan(badness), axis=2)
    ever = np.any(answered, axis=1)
    days = badness.shape[1]
    quiet_days = np.where(ever, np.argmax(answered[:, ::-1], axis=1), days)
    last = np.where(ever, days - 1 - quiet_days, days - 1)
    source = np.arange(days)[None, :] - (days - 1 - last)[:, None]
    shifted = np.take_along_axis(badness, np.maximum(source, 0)[:, :, None], axis=1)
    shifted = np.where((source >= 0)[:, :, None], shifted, np.nan)
    return np.ascontiguousarray(shifted.transpose(1, 0, 2)), quiet_days


def _runs(
    by_day: Floats,
    quiet_days: Ints,
    declining: Bools,
    today: Evidence,
    rules: Rules,
    *,
    look_back: int,
) -> tuple[Ints, Ints]:
    """How long each person has been above the limits, looking back day by day."""
    tiers = (Tier.NUDGE, Tier.FLAG)
    running = {tier: declining & (today.fused > rules.limit(tier, today.live)) for tier in tiers}
    since = {tier: np.where(running[tier], quiet_days, NOT_ABOVE) for tier in tiers}
    for back in range(1, min(look_back, len(by_day) - 1) + 1):
        day = len(by_day) - 1 - back
        who = np.flatnonzero(running[Tier.NUDGE] & ~np.isnan(by_day[day]).all(axis=1))
        if not len(who):
            continue
        window = by_day[max(0, day + 1 - WINDOW_DAYS) : day + 1, who]
        then = worsening(fit_window(window, population_sd=rules.population_sd))
        for tier in tiers:
            still = running[tier][who] & (then.fused > rules.limit(tier, then.live))
            running[tier][who] = still
            since[tier][who[still]] = back + quiet_days[who[still]]
    return since[Tier.NUDGE], since[Tier.FLAG]


def _signals(
    by_day: Floats, fitted: Fitted, worse: Evidence, change: Floats, sign: Ints, rules: Rules
) -> SignalReadings:
    base, known = fitted.base, fitted.known
    smoothed = ewma(by_day)
    moved = change * sign[:, None]
    largest = moved.max(axis=1, keepdims=True)
    one = known.astype(np.int64)
    return SignalReadings(
        score=worse.own,
        nudge_limit=rules.limit(Tier.NUDGE, one),
        flag_limit=rules.limit(Tier.FLAG, one),
        base_mean=np.where(known, base.mean, np.nan),
        base_sd=np.where(known, base.sd, np.nan),
        base_count=base.count,
        smoothed=smoothed,
        smoothed_score=ewma_score(smoothed, base),
        change_sd=np.where(known, change, np.nan),
        reason=known & (moved >= REASON_SD) & (moved >= REASON_SHARE * largest),
    )


def _confidence(by_day: Floats, fitted: Fitted) -> Floats:
    recent = (~np.isnan(by_day[-RECENT_DAYS:])).sum(axis=0).max(axis=1)
    base = np.where(fitted.known, fitted.base.count, 0).max(axis=1)
    past = np.minimum(base / FULL_BASELINE_VALUES, 1)
    share: Floats = past * np.minimum(recent / FULL_RECENT_VALUES, 1)
    return share
