"""The report in words: everything in docs/evaluation.md comes from here and from the figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .goals import GOALS
from .scenarios import LOADS, SCENARIOS, load_key

LABELS = {
    "1sd": "1 SD over 14 days",
    "2sd": "2 SD over 14 days",
    "2sd_step": "2 SD in a step",
    "informative_missing": "2 SD, missingness growing",
}

HEAD = """# How well trends are seen

Written by `python -m bench.evaluate`; do not edit. {data_note}

**What is counted.** An alert is a day above the limit, at most one in 7 days. *Load* (FAR) is
alerts per 30 live patient-days on which nothing was injected. *Found* means a new alert within 21
days of the onset; with 0.5 alerts a month chance alone finds about 0.3. *Delay* is counted among
the found. Limits are fitted on one half of the people and tested on the other, each in turn.

**What is judged.** One score a person and day, the log Bayes factor for "a decline began in the
last three weeks" against "nothing changed, or something did long before that", over all signals
(`backend/tracking/trends/onset.py`, `fusion.py`), from each day's rank among the person's own
baseline days (`ranks.py`). Its method and constants were chosen on simulated people with other
seeds than those below and on declines injected into students' diaries (Flückiger et al. 2014, CC0,
268 series of 32 days) and prompts (Dora et al. 2024, CC BY 4.0, 312 series of 66 prompts). The
ratings of Jang et al. were looked at on the way, but no constant was chosen by them alone: the
weight of an old change was seen to help there and on the prompts.
"""

SIMULATED = """## Simulated people

{people} people, 90 days, {signals} signals that correlate at 0.4, 30 % of the days missing in
runs; half decline. Means over {seeds} seeds, with the standard deviation of the sensitivity between
seeds.
"""

JANG = """## Declines injected into real ratings

Psychiatric out-patients' evening diaries (Jang et al. 2024, CC BY 4.0): 55 windows of 76 days
from 18 people, one signal. Means over 6 seeds; the interval redraws the persons. With 18 people
0.05 more or less is noise.
"""

CTN = """## Outlook

Opioid-treatment trials (NIDA CTN-0094, MIT): {people} randomised people seen at least once;
ten-fold cross-validation, nobody in both parts. The area within persons is the mean over those with
both outcomes: pooled areas mostly tell people apart. Use counts on the day it happened, as a
check-in would report it; the rows "known by the last visit" count only what a clinic had heard by
then. Weeks of missed screens are not foretold and not counted. Dropping out is judged among people
seen in the last four weeks.
"""

MISSED = """Nearly all of the missed are people who hardly answer. Counting missed days as evidence
was tried: it finds a few more under growing missingness and costs more sensitivity and time
elsewhere, so that absence stays a rule of its own. Here trend and rule share 0.5 alerts a month.
Weighing young declines more heavily was tried for the delay: half a day sooner, paid for in
sensitivity.
"""

TRIED = """## What was tried

Share found at 0.5 alerts a month, 1 SD / 2 SD over 14 days, one signal; the same people in every
row. Differences of less than 0.01 (simulated) or 0.02 (the others) are noise. *Mixed people* are
simulated with skew, slow drift, coarse scales and a fifth who hardly vary. Students' diaries leave
ten days after the onset.

| change | simulated | mixed people | prompts | diaries |
| --- | --- | --- | --- | --- |
| distance in SDs, pulled in to 2 (before) | .761 / .953 | .743 / .946 | .702 / .944 | .268 / .557 |
| the same, pulled in to 1.5 | .771 / .955 | .738 / .948 | .734 / .958 | .246 / .565 |
| **ranks, as Wilcoxon scores (taken)** | .763 / .957 | .741 / .950 | .856 / .968 | .290 / .535 |
| ranks, with younger declines more likely | .773 / .955 | .740 / .948 | .851 / .966 | .299 / .554 |
| ranks, noise widened by own slow swings | .761 / .953 | .746 / .948 | .849 / .955 | .304 / .550 |
| ranks, also against "changed long ago" | .775 / .949 | .768 / .946 | .870 / .974 | .294 / .538 |

Ranks gain most where many answers are the best value, and shorten the delay there. Against "changed
long ago" more of the small declines are found, but at 0.25 a month fewer of the large ones (.903
against .925) and of the steps (.947 against .965): not taken. A limit for each person by the
heights their own score reached before found .734 / .955 of the prompts and .759 / .955 of the
simulated without ranks; it needs the score of many past days at each judgement, and was not taken.
Other sizes expected, baselines, shares of ramps and shrinkage of the resemblance of days moved
nothing beyond noise.

On the patients' ratings above, the score before found .761 (interval .63 to .86) and .909; what is
reported now lies within that interval.
"""

LIMITS = """## What this does not show

- No open data set has daily mood and craving together with a return to use. A decline here is one
  that was injected, in a shape that the score knows.
- The simulated people have no slow drift and no life events; real loads will be higher than
  configured until an organisation's limits are refitted on its own data (see the loads on real
  ratings above).
- The outlook comes from opioid treatment a decade or more ago and is an extrapolation elsewhere.
- A person who stops answering gives no ratings to judge: the sensitivity under growing missingness
  is what the ratings alone reach. The rule for absence stands beside it.
- Literature to stand beside: EWMA on one item in remitted depression, sensitivity 68.3 %,
  specificity 73.7 % (Smit and Snippe 2022). Their alerts are before a recurrence, not an injection,
  so that the figures cannot be compared directly.
"""


def write(found: Mapping[str, Any]) -> str:
    """The whole report as Markdown."""
    settings = found["settings"]
    note = "All three evaluations ran." if "jang" in found else "Simulation only: no data given."
    parts = [HEAD.format(data_note=note), _goals(found), SIMULATED.format(**settings)]
    parts += [
        _scenarios(found["simulated"]),
        "One signal alone:\n",
        _scenarios(found["simulated_one_signal"]),
    ]
    parts += ["### Beside textbook detectors\n", _detectors(found["detectors"]), _pictures()]
    parts += ["### Who is missed\n", _answers(found["by_answers"]), MISSED]
    parts += [_absence(found["with_absence"])]
    parts += ["### Realised loads of the limits that ship, on other people\n", _calibration(found)]
    if "jang" in found:
        parts += [JANG, _scenarios(found["jang"]), _jang_load(found)]
    if "ctn0094" in found:
        parts += [CTN.format(people=found["ctn0094"]["people"]), _outlook(found["ctn0094"])]
    return "\n".join([*parts, TRIED, LIMITS])


def table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    rule = ["---"] * len(head)
    return "\n".join("| " + " | ".join(line) + " |" for line in [head, rule, *lines]) + "\n"


def _goals(found: Mapping[str, Any]) -> str:
    lines = []
    for goal in GOALS:
        figure = goal.figure(found)
        if figure is not None:
            met = "yes" if goal.met(figure) else "no"
            lines.append(
                [goal.measure, f"{goal.prototype:g}", f"{goal.goal:g}", f"{figure:.3g}", met]
            )
    return table(["measure", "prototype", "goal", "reached", "goal met"], lines)


def _scenarios(found: Mapping[str, Any]) -> str:
    lines = []
    for name in SCENARIOS:
        for load in LOADS:
            here = found[name][load_key(load)]
            spread = f"± {here['sensitivity_sd']:.3f}"
            if "sensitivity_low" in here:
                spread += f" ({here['sensitivity_low']:.2f} to {here['sensitivity_high']:.2f})"
            lines.append(
                [
                    LABELS[name],
                    f"{load:g}",
                    f"{here['sensitivity']:.3f} {spread}",
                    f"{here['realised_far']:.2f}",
                    f"{here['delay_median']:.1f}",
                    f"{here['delay_p90']:.1f}",
                ]
            )
    head = ["decline", "load wanted", "found", "load realised", "median delay", "90th percentile"]
    return table(head, lines)


def _detectors(found: Mapping[str, Any]) -> str:
    lines = []
    for name, results in found.items():
        cells = [f"{results[each]['far_0.5']['sensitivity']:.3f}" for each in SCENARIOS]
        delay = f"{results['2sd']['far_0.5']['delay_median']:.1f}"
        lines.append([name, *cells, delay])
    head = ["detector, 0.5 a month", *(LABELS[name] for name in SCENARIOS), "median delay, 2 SD"]
    return table(head, lines)


def _pictures() -> str:
    return (
        "![Share found by alerts a month](evaluation/found-by-load.svg)\n\n"
        "![Share found by days since the onset](evaluation/found-by-day.svg)\n"
    )


def _answers(found: Mapping[str, Any]) -> str:
    lines = [
        [LABELS[name], label, f"{here['share_of_people']:.3f}", f"{here['sensitivity']:.3f}"]
        for name, rows in found.items()
        for label, here in rows.items()
    ]
    head = ["decline, 0.5 a month", "days answered in three weeks", "share of people", "found"]
    return table(head, lines)


def _absence(found: Mapping[str, Any]) -> str:
    columns = ("trend", "absence", "either", "trend_load", "absence_load")
    lines = [
        [LABELS[name], *(f"{here[column]:.3f}" for column in columns)]
        for name, here in found.items()
    ]
    head = [
        "decline",
        "found by the trend",
        "by the rule for absence",
        "by either",
        "load of the trend",
        "load of the rule for absence",
    ]
    return table(head, lines)


def _calibration(found: Mapping[str, Any]) -> str:
    rows = found["calibration"]["realised"]
    lines = [
        [name.split("_")[0], *(f"{row[load_key(load)]:.3f}" for load in LOADS)]
        for name, row in rows.items()
    ]
    return table(["signals", *(f"wanted {load:g}" for load in LOADS)], lines)


def _jang_load(found: Mapping[str, Any]) -> str:
    shipped = found["jang_shipped_limits"]
    lines = [[f"{load:g}", f"{shipped[load_key(load)]:.2f}"] for load in LOADS]
    head = ["load wanted", "realised by the limits that ship, nothing fitted here"]
    return table(head, lines)


def _outlook(found: Mapping[str, Any]) -> str:
    areas = {name: figures for name, figures in found.items() if "auroc" in _mapping(figures)}
    lines = [
        [
            name.replace("_", " "),
            f"{here['auroc']:.3f}",
            f"{here['within_person']:.3f}",
            f"{here['share']:.3f}",
            f"{here['person_weeks']:,}",
        ]
        for name, here in areas.items()
    ]
    overall = table(["outcome", "AUROC", "within persons", "share", "person-weeks"], lines)
    return overall + "\n### By group (never an input)\n\n" + _groups(found["groups"])


def _groups(found: Mapping[str, Any]) -> str:
    lines = [
        [
            outcome.replace("_", " "),
            group.removeprefix("is_").replace("_", " "),
            value,
            f"{here['auroc']:.3f}",
            f"{here['mean_outlook']:.3f}",
            f"{here['share']:.3f}",
            f"{here['person_weeks']:,}",
        ]
        for outcome, groups in found.items()
        for group, values in groups.items()
        for value, here in values.items()
    ]
    return table(
        ["outcome", "group", "value", "AUROC", "mean outlook", "observed", "person-weeks"], lines
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
