"""The figures as people read them, and whether all of them are as they have to be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

PROMISES = (
    "lost_check_ins",
    "duplicate_rows",
    "acute_without_one_alert",
    "acute_without_push",
    "acute_without_clinician_message",
)
POST_P95_WITHOUT_BROKER_MS = 250.0
PUSH_P99_WITHOUT_FAULTS_S = 1.0
_RUNS = ("no_broker", "no_faults", "sweepers", "firebase")


def is_green(figures: Mapping[str, Any]) -> bool:
    """Whether every run that is in them kept every promise, and every mutant was caught."""
    return not list(complaints(figures))


def complaints(figures: Mapping[str, Any]) -> Iterator[str]:
    """What is not as it has to be, one line each."""
    for run in figures.get("seeds", ()):
        if not run["is_green"]:
            yield f"seed {run['seed']}: {_not_zero(run)}"
    for name in _RUNS:
        run = figures.get(name)
        if run and not run["is_green"]:
            yield f"{name}: {_not_zero(run)}"
    yield from _too_slow(figures)
    for mutant in figures.get("mutants", ()):
        if not mutant["caught"]:
            yield f"mutant {mutant['name']} was not caught"
    for control in figures.get("controls", ()):
        if not control["is_green"]:
            yield f"{control['scene']} is red without any mutant: {control['because']}"


def _too_slow(figures: Mapping[str, Any]) -> Iterator[str]:
    for name, figure, limit in (
        ("no_broker", "post_ms_p95", POST_P95_WITHOUT_BROKER_MS),
        ("no_faults", "push_s_p99", PUSH_P99_WITHOUT_FAULTS_S),
    ):
        found = (figures.get(name) or {}).get(figure)
        if found is not None and found >= limit:
            yield f"{name}: {figure} is {found}, the limit is {limit:g}"


def in_short(run: Mapping[str, Any]) -> str:
    """One run in a line."""
    verdict = "green" if run["is_green"] else f"RED: {_not_zero(run)}"
    return (
        f"{verdict}   {run.get('check_ins', 0):,} check-ins, {run.get('acute', 0)} acute,"
        f" POST p95 {run.get('post_ms_p95')} ms, push p50 {run.get('push_s_p50')} s,"
        f" p99 {run.get('push_s_p99')} s"
    )


def shown(figures: Mapping[str, Any]) -> str:
    """The tables, and then what is wrong, or that nothing is."""
    lines = [""]
    rows = [(f"seed {run['seed']}", run) for run in figures.get("seeds", ())]
    rows += [(name, figures[name]) for name in ("no_broker", "no_faults") if name in figures]
    if "firebase" in figures:
        rows.append(("firebase", figures["firebase"]))
    if rows:
        lines += _table(rows)
    if "sweepers" in figures:
        run = figures["sweepers"]
        lines += [
            "",
            f"{run['sweepers']} sweepers, {run['alerts']:,} alerts, {run['acknowledged']}"
            f" acknowledged meanwhile: {'green' if run['is_green'] else _not_zero(run)}",
        ]
    if "mutants" in figures:
        lines += ["", *_mutants(figures["mutants"])]
    wrong = list(complaints(figures))
    lines += ["", *(wrong or ["Everything that was promised was kept."])]
    return "\n".join(lines)


def _table(rows: Sequence[tuple[str, Mapping[str, Any]]]) -> list[str]:
    heads = (
        "run", "check-ins", "acute", "faults", "lost", "twice", "no alert", "no push",
        "no clinician", "other", "POST p95 ms", "push p50 s", "push p99 s",
    )  # fmt: skip
    cells: list[tuple[str, ...]] = [heads]
    for name, run in rows:
        others = sum(_zeros(run).values()) - sum(run[promise] for promise in PROMISES)
        figures = [run.get("check_ins"), run.get("acute"), run.get("faults", 0)]
        figures += [run[promise] for promise in PROMISES]
        figures += [others, run["post_ms_p95"], run["push_s_p50"], run["push_s_p99"]]
        cells.append((name, *("-" if each is None else f"{each:,}" for each in figures)))
    widths = [max(len(row[column]) for row in cells) for column in range(len(heads))]
    return ["  ".join(c.rjust(w) for c, w in zip(row, widths, strict=True)) for row in cells]


def _mutants(mutants: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    caught = sum(1 for mutant in mutants if mutant["caught"])
    yield f"{caught} of {len(mutants)} mutants caught"
    for mutant in mutants:
        because = ", ".join(f"{name} {count}" for name, count in mutant["because"].items())
        yield f"  {mutant['name']:36} {because or 'NOT CAUGHT'}"


def _zeros(run: Mapping[str, Any]) -> dict[str, int]:
    return dict(run.get("zeros", {}))


def _not_zero(run: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {count}" for name, count in _zeros(run).items() if count)
