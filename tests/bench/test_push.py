"""Both ways deliver every message to the stand-in, and what is measured is the sender alone."""

from __future__ import annotations

from bench.push import NOT_COUNTED, run


def test_both_ways_deliver_and_are_measured() -> None:
    figures = run(count=5, rounds=1)
    assert figures["vs_stock"] > 0
    assert set(figures["cpu_ms_a_message"]) == {"stock", "ours"}
    assert figures["rounds"]["ours"][0]["server_ms"] == NOT_COUNTED.cpu_s() == 0
