"""An outlook in words, for a clinician's answer or page. Patients never get it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from backend.aftercare.texts import render
from backend.tracking.outlooks import OutlookReading
from backend.tracking.trends.outlook_history import KnownHistory


@dataclass(frozen=True, slots=True)
class OutlookInWords:
    """One outcome: `level` compares with weeks of the trials, and reasons stand for and against.

    `raises` and `lowers` give the strongest first.
    """

    outcome: str
    title: str
    level: str
    raises: list[str]
    lowers: list[str]


def outlook_in_words(reading: OutlookReading, *, language: str) -> list[OutlookInWords]:
    """Each outcome that something can be said of, in the order of the outcomes."""
    said = {theme: say(reading.history, language) for theme, say in _SAY.items()}
    return [
        OutlookInWords(
            outcome=facts["outcome"],
            title=render(f"outlook.outcome.{facts['outcome']}", language=language),
            level=render(f"outlook.level.{facts['level']}", language=language),
            raises=[said[theme] for theme in facts["raises"]],
            lowers=[said[theme] for theme in facts["lowers"]],
        )
        for facts in reading.facts
    ]


def _weeks(known: KnownHistory, language: str) -> str:
    if known.missed_run:
        return render("outlook.weeks.run", language=language, count=known.missed_run)
    if known.missed:
        return render(
            "outlook.weeks.some", language=language, count=known.missed, weeks=known.weeks
        )
    return render("outlook.weeks.none", language=language, count=known.weeks)


def _results(known: KnownHistory, language: str) -> str:
    last = "positive" if known.last_was_positive else "negative"
    return render(
        "outlook.results",
        language=language,
        count=known.tests,
        positive=known.positive,
        result=render(f"outlook.result.{last}", language=language),
    )


def _use(known: KnownHistory, language: str) -> str:
    if known.days_since_use is None:
        return render("outlook.use.none", language=language)
    # Counted from today, as a person does: the week that is looked at ended yesterday.
    ago = render("duration.days", language=language, count=known.days_since_use + 1)
    if known.use_days:
        return render("outlook.use", language=language, count=known.use_days, duration=ago)
    return render("outlook.use.earlier", language=language, duration=ago)


def _other(known: KnownHistory, language: str) -> str:
    return render("outlook.other_substances", language=language, count=known.other_positive)


def _time(known: KnownHistory, language: str) -> str:
    return render("outlook.time_in_care", language=language, count=known.weeks_in_care)


_SAY: Mapping[str, Callable[[KnownHistory, str], str]] = {
    "weeks": _weeks,
    "results": _results,
    "use": _use,
    "other_substances": _other,
    "time_in_care": _time,
}
