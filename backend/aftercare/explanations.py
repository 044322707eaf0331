"""Sentences for people, rendered from stored facts in the reader's language.

Facts are numbers and names; the words are data (`data/texts`), so that each reader gets their
own language and a corrected word needs no new evaluation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from django.utils import formats, translation

from backend.aftercare.decision_rules import Severity
from backend.aftercare.texts import TextError, render

MOST_SIGNALS = 3
_SIGNAL_TEXT = {
    "mood": "signal.mood",
    "craving": "signal.craving",
    "sleep_hours": "signal.sleep",
    "exercise_minutes": "signal.exercise",
    "confidence": "signal.confidence",
}


def explain_reasons(
    reasons: Sequence[Mapping[str, Any]], *, language: str, today: date
) -> list[str]:
    """One sentence a reason, each once: the most severe first, then the newest.

    `today` is the date where the patient is.
    """
    newest_first = list(reversed(reasons))
    ordered = sorted(newest_first, key=lambda reason: -Severity(reason["severity"]).rank)
    sentences = [explain_reason(reason, language=language, today=today) for reason in ordered]
    return list(dict.fromkeys(sentences))


def explain_reason(reason: Mapping[str, Any], *, language: str, today: date) -> str:
    """The sentence of one rule with its facts."""
    facts: Mapping[str, Any] = reason.get("facts", {})
    rule = str(reason["rule"])
    if rule == "worsening":
        return explain_worsening(facts, language=language, today=today)
    if rule in ("withdrawal", "withdrawal_dangerous"):
        return _withdrawal(rule, facts, language)
    if rule == "use_reported":
        return _use(facts, language)
    if rule == "low_mood":
        return _low_mood(facts, language)
    if rule == "short_sleep":
        return _short_sleep(facts, language)
    if rule == "missed_session":
        return explain_missed_sessions(
            count=facts["sessions"],
            last_on=date.fromisoformat(facts["session_on"]),
            silent_days=facts["count"],
            language=language,
            today=today,
        )
    return render(f"reason.{rule}", language=language, **facts)


def explain_worsening(facts: Mapping[str, Any], *, language: str, today: date) -> str:
    """For example "Since Tuesday: craving is above the usual 2 to 3; sleep is down by 1 hour"."""
    parts = [_signal(signal, language) for signal in facts["signals"][:MOST_SIGNALS]]
    since = facts.get("began_on")
    joined = "; ".join(parts)
    if not joined:
        return render("reason.worsening.general", language=language)
    if since is None:
        return render("reason.worsening.signals", language=language, signals=joined)
    day = spoken_day(date.fromisoformat(since), language=language, today=today)
    return render("reason.worsening.since", language=language, signals=joined, day=day)


def explain_missed_sessions(
    *, count: int, last_on: date, silent_days: int, language: str, today: date
) -> str:
    """For example "Missed 1 session, on Tuesday; no check-in for 2 days."."""
    day = spoken_day(last_on, language=language, today=today)
    if silent_days < 1:
        return render("reason.missed_session", language=language, count=count, day=day)
    duration = render("duration.days", language=language, count=silent_days)
    return render(
        "reason.missed_session.silent", language=language, count=count, day=day, duration=duration
    )


def _signal(signal: Mapping[str, Any], language: str) -> str:
    name, base = signal["signal"], signal["baseline"]
    side = "below" if signal["worse_is"] == "lower" else "above"
    with translation.override(language):
        low, high = (_number(base[end], signal["unit"]) for end in ("low", "high"))
    text_id = f"reason.signal.{side}" if low != high else f"reason.signal.{side}_one"
    return render(
        text_id,
        language=language,
        signal=render(_SIGNAL_TEXT[name], language=language),
        low=low,
        high=high,
        unit=render(f"unit.{signal['unit']}", language=language, count=1 if high == "1" else 2),
    ).strip()


def _number(value: float, unit: str) -> str:
    places = {"hours": 1, "minutes": 0}.get(unit, 0)
    rounded = round(value * 2) / 2 if unit == "hours" else round(value, places)
    places = 0 if rounded == int(rounded) else 1
    return str(formats.number_format(rounded, decimal_pos=places))


def spoken_day(day: date, *, language: str, today: date) -> str:
    """The weekday within the last six days, else the date in words."""
    recent = timedelta(0) <= today - day < timedelta(days=7)
    with translation.override(language):
        if recent:
            return formats.date_format(day, "l")
        return formats.date_format(day, "MONTH_DAY_FORMAT")


def _named(prefix: str, names: Sequence[str], language: str) -> str:
    words = []
    for name in names:
        try:
            words.append(render(f"{prefix}.{name}", language=language))
        except TextError:
            words.append(render(f"{prefix}.other", language=language))
    return ", ".join(words)


def _withdrawal(rule: str, facts: Mapping[str, Any], language: str) -> str:
    symptoms, substances = facts.get("symptoms", ()), facts.get("substances", ())
    if rule == "withdrawal_dangerous" and symptoms:
        named = _named("symptom", symptoms, language)
        return render("reason.withdrawal_dangerous.symptom", language=language, symptom=named)
    if substances:
        named = _named("substance", substances, language)
        return render(f"reason.{rule}.substance", language=language, substance=named)
    return render(f"reason.{rule}", language=language)


def _use(facts: Mapping[str, Any], language: str) -> str:
    days = facts.get("abstinent_days")
    substance = _named("substance", facts.get("substances", ()), language)
    kind = "substance_after_abstinence" if substance else "after_abstinence"
    if days is not None:
        return render(
            f"reason.use_reported.{kind}", language=language, count=days, substance=substance
        )
    if substance:
        return render("reason.use_reported.substance", language=language, substance=substance)
    return render("reason.use_reported", language=language)


def _low_mood(facts: Mapping[str, Any], language: str) -> str:
    if "days" not in facts:
        return render("reason.low_mood", language=language, value=facts["value"])
    return render(
        "reason.low_mood.days", language=language, count=facts["days"], value=facts["value"]
    )


def _short_sleep(facts: Mapping[str, Any], language: str) -> str:
    duration = render("duration.hours", language=language, count=facts["hours"])
    return render("reason.short_sleep", language=language, count=facts["nights"], duration=duration)
