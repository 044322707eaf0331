"""What is compared is CPU, wherever it was spent, and only of equal answers."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import pytest

from bench.measure import Cost, ProcessTree, in_turns, measure, middle, parent_of, ratio

BURN = "import time\nwhile time.process_time() < {seconds}: pass"
HERE = ProcessTree(os.getpid())


def burn(seconds: float) -> None:
    began = time.process_time()
    while time.process_time() - began < seconds:
        pass


def cost(cpu_ms: float) -> Cost:
    return Cost(client_ms=cpu_ms, server_ms=0, wall_ms=0)


def test_work_counts_and_waiting_does_not() -> None:
    before = HERE.cpu_s()
    burn(0.2)
    worked = HERE.cpu_s()
    time.sleep(0.3)
    assert 0.15 < worked - before < 0.4
    assert HERE.cpu_s() - worked < 0.15


def test_a_child_counts_while_it_lives_and_after() -> None:
    before = HERE.cpu_s()
    code = BURN.format(seconds=0.3) + "\ninput()"
    child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE)
    tree = ProcessTree(child.pid)
    deadline = time.monotonic() + 20
    while tree.cpu_s() < 0.3 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert tree.cpu_s() >= 0.3
    assert HERE.cpu_s() - before >= 0.3
    child.communicate(b"\n", timeout=10)
    assert HERE.cpu_s() - before >= 0.28


def test_what_runs_beside_it_does_not_count() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        tree = ProcessTree(child.pid)
        assert parent_of(child.pid) == os.getpid()
        time.sleep(0.3)
        before = tree.cpu_s()
        burn(0.2)
        assert tree.cpu_s() - before < 0.1
    finally:
        child.communicate(b"\n", timeout=10)


def test_a_cost_is_of_one_run() -> None:
    nobody = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        measured = measure(lambda: burn(0.02), ProcessTree(nobody.pid), times=5)
    finally:
        nobody.communicate(b"\n", timeout=10)
    assert measured.client_ms == pytest.approx(20, rel=0.3)


def test_every_way_has_its_turn_in_every_round() -> None:
    order: list[str] = []
    ways = {name: (lambda name=name: order.append(name)) for name in ("stock", "ours")}
    costs = in_turns(ways, HERE, rounds=2, times={"stock": 1, "ours": 2})
    assert order == ["stock", "ours", *["stock", "ours", "ours"] * 2]
    assert {name: len(each) for name, each in costs.items()} == {"stock": 2, "ours": 2}


def test_one_disturbed_round_changes_nothing() -> None:
    stock, ours = [cost(100), cost(900), cost(110)], [cost(10), cost(10), cost(11)]
    assert ratio(stock, ours) == {
        "vs_stock": 10.0,
        "vs_stock_least": 10.0,
        "vs_stock_greatest": 90.0,
    }
    assert middle(stock).cpu_ms == 110
