"""`python -m bench.evaluate [--data FOLDER]`: three evaluations, a table, two plots, a report.

Writes evaluation.json, evaluation.md and the plots to `--out`. With the data, docs/evaluation.md
and its plots are rewritten as well; without, the simulation runs alone and says so.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from backend.tracking.trends.results import RULESET

from . import ctn0094, jang, jang_report, outlook_report, simulated_report
from .charts import Axis, line_chart
from .protocol import DETECTION_DAYS
from .scenarios import LOADS
from .scorers import SCORERS, fused
from .written import write

SIGNALS = 3
DOCS = Path(__file__).resolve().parents[2] / "docs"
CALIBRATION_SEED = 71


def evaluate(data: Path | None, *, people: int, seeds: Sequence[int]) -> dict[str, Any]:
    """All figures; the real data only if there are any."""
    found: dict[str, Any] = {
        "ruleset": RULESET,
        "settings": {"people": people, "signals": SIGNALS, "seeds": len(seeds)},
    }
    _say("simulated people")
    for key, signals in (("simulated", SIGNALS), ("simulated_one_signal", 1)):
        found[key] = simulated_report.report(fused, signals=signals, people=people, seeds=seeds)
    found["detectors"] = {"handrail": found["simulated"]} | {
        name: simulated_report.report(scorer, signals=SIGNALS, people=people, seeds=seeds[:1])
        for name, scorer in SCORERS.items()
        if scorer is not fused
    }
    found["by_answers"] = simulated_report.by_answers(signals=SIGNALS, people=people, seed=seeds[0])
    found["with_absence"] = simulated_report.with_absence(
        signals=SIGNALS, people=people, seed=seeds[0]
    )
    found["calibration"] = _calibration(people)
    found["curves"] = simulated_report.curves(signals=SIGNALS, people=people, seed=seeds[0])
    if data is not None:
        _say("real ratings")
        diaries = jang.read(data)
        found["jang"] = jang_report.report(diaries, fused)
        found["jang_shipped_limits"] = jang_report.shipped_load(diaries)
        _say("trials")
        found["ctn0094"] = outlook_report.report(ctn0094.read(data))
    return found


def _calibration(people: int) -> dict[str, Any]:
    realised = simulated_report.calibration(people=people, seed=CALIBRATION_SEED)
    differences = [
        abs(row[f"far_{load:g}"] / load - 1) for row in realised.values() for load in LOADS
    ]
    return {"realised": realised, "largest_difference": round(max(differences), 4)}


def plots(curves: Mapping[str, Any]) -> dict[str, str]:
    """File name to SVG."""
    found = curves["scenarios"]["2sd"]
    loads = curves["loads"]
    by_load = {
        name: list(zip(loads, each["sensitivity"], strict=True)) for name, each in found.items()
    }
    by_day = {name: list(enumerate(each["found_by_day"])) for name, each in found.items()}
    share = Axis("share found", 0.5, 1.0)
    return {
        "found-by-load.svg": line_chart(
            "2 SD over 14 days, simulated", Axis("alerts a patient-month", 0, 2), share, by_load
        ),
        "found-by-day.svg": line_chart(
            "2 SD over 14 days, simulated, 0.5 alerts a patient-month",
            Axis("days since the onset", 0, DETECTION_DAYS),
            Axis("share found", 0, 1),
            by_day,
        ),
    }


def save(found: Mapping[str, Any], report: Path) -> None:
    """The report and its plots beside it."""
    pictures = report.parent / "evaluation"
    pictures.mkdir(parents=True, exist_ok=True)
    report.write_text(write(found), encoding="utf-8")
    for name, svg in plots(found["curves"]).items():
        (pictures / name).write_text(svg, encoding="utf-8")


def main() -> None:
    """Run and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, help="folder with jang2024/ and ctn0094/")
    parser.add_argument("--out", type=Path, default=Path("out"))
    parser.add_argument("--people", type=int, default=4000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    given = parser.parse_args()
    found = evaluate(given.data, people=given.people, seeds=given.seeds)
    given.out.mkdir(parents=True, exist_ok=True)
    text = json.dumps(found, indent=1) + "\n"
    (given.out / "evaluation.json").write_text(text, encoding="utf-8")
    save(found, given.out / "evaluation.md")
    if given.data is None:
        _say("no data folder given: the simulation alone, docs/evaluation.md left as it is")
    else:
        save(found, DOCS / "evaluation.md")
    _say((given.out / "evaluation.md").read_text(encoding="utf-8").split("## Simulated")[0])


def _say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    main()
