"""The ingest works run from end to end, small: each way stores what it acknowledges."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.ingest import Counted, Miscounted, Turn, figures, ratio
from local.programs import ROOT, without_secrets

SMALL = ("--rounds", "1", "--seconds", "1", "--people", "40", "--clients", "2")


def run_bench(work: str, out: Path) -> tuple[str, dict[str, Any]]:
    finished = subprocess.run(
        [sys.executable, "-m", "bench", work, *SMALL, "--figures", str(out)],
        cwd=ROOT,
        env=without_secrets(os.environ),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    # 1 also says that a floor was missed, which a run this short may do.
    assert finished.returncode in (0, 1), finished.stderr
    assert out.exists(), finished.stdout + finished.stderr
    return finished.stdout, json.loads(out.read_text())[work]


@pytest.mark.parametrize(
    ("work", "ways", "statements"),
    [
        ("check_in", {"ours", "stock", "pgbench"}, 2),
        ("sync30", {"ours", "stock", "stock_batch", "pgbench"}, 2),
    ],
)
def test_a_work_stores_rows_every_way_and_writes_its_ratios(
    work: str, ways: set[str], statements: int, tmp_path: Path
) -> None:
    printed, found = run_bench(work, tmp_path / "bench.json")
    for way in ways:
        assert found[way]["rows"] > 0
        assert found[way]["postgres_cpu_s"] > 0
        assert len(found["rounds"][way]) == 1
        assert f"  {way}" in printed
    assert found["pgbench"]["web_cpu_s"] == 0
    assert found["ours"]["web_cpu_s"] > 0
    assert len(found["statements"]) == statements
    for way in ways - {"ours"}:
        expected = found["ours"]["rows_per_cpu_s"] / found[way]["rows_per_cpu_s"]
        assert found[f"vs_{way}"] == pytest.approx(expected, rel=0.02)
    assert f"{found['vs_stock']} x stock" in printed
    assert f"{found['vs_pgbench']} x pgbench" in printed


def turn(rows: int, cpu_s: float) -> Turn:
    return Turn(rows=rows, web_cpu_s=cpu_s / 2, postgres_cpu_s=cpu_s / 2, elapsed_s=1.0)


def test_the_ratio_is_of_rows_a_cpu_second_round_by_round() -> None:
    ours, theirs = [turn(100, 1), turn(300, 1), turn(200, 1)], [turn(100, 2)] * 3
    assert ratio(ours, theirs) == (4, 2, 6)


def test_figures_hold_one_ratio_for_each_other_way_and_none_for_ours() -> None:
    found = figures({"ours": [turn(8, 1)], "stock": [turn(2, 1)]}, floors={"stock": 4.0}, people=3)
    assert found["vs_stock"] == 4
    assert "vs_ours" not in found
    assert (found["floor"], found["people"]) == (4.0, 3)


class Fixed(Counted):
    def now(self) -> list[int]:
        return [15, 14]


def test_a_row_that_is_missing_ends_the_bench() -> None:
    counted = Fixed("", ("rows", "audit rows"))
    counted.require([5, 4], 10)
    with pytest.raises(Miscounted, match="10 were acknowledged"):
        counted.require([5, 5], 10)
