"""The port: what a message keeps to itself, and that it stands alone."""

from __future__ import annotations

import subprocess
import sys
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from backend.notifications.push import Outcome, PushMessage, SendResult, TargetKind
from tests.channels.conftest import NOW, message


def test_the_target_is_not_in_the_repr() -> None:
    assert "secret-target" not in repr(message("secret-target"))
    assert "secret-target" not in str([message("secret-target")])


def test_the_collapse_id_is_the_notification_and_not_the_device() -> None:
    first, second = message("one"), message("two")
    assert first.collapse_id == str(first.notification_id)
    assert first.collapse_id != second.collapse_id


def test_time_to_live_counts_down_and_ends_at_zero() -> None:
    short = message(life=timedelta(minutes=5))
    assert short.time_to_live(NOW) == timedelta(minutes=5)
    assert short.time_to_live(NOW + timedelta(minutes=4)) == timedelta(minutes=1)
    assert short.time_to_live(NOW + timedelta(hours=1)) == timedelta(0)


def test_a_time_without_a_zone_is_refused() -> None:
    naive = datetime(2026, 3, 2, 9, 30)  # noqa: DTZ001
    with pytest.raises(ValueError, match="aware"):
        PushMessage(UUID(int=1), "t", TargetKind.TOKEN, "title", "body", naive, urgent=False)


def test_a_result_names_nothing_unless_told() -> None:
    assert SendResult(Outcome.UNKNOWN) == SendResult(Outcome.UNKNOWN, "", None, "")


def test_the_stored_words_are_these() -> None:
    assert [outcome.value for outcome in Outcome] == [
        "accepted", "target_gone", "our_fault", "rate_limited", "unknown", "rejected",
    ]  # fmt: skip
    assert [kind.value for kind in TargetKind] == ["token", "fid", "browser", "email", "sms"]


def test_the_port_and_the_idle_channel_load_no_framework_and_no_sdk() -> None:
    code = """
import sys
import backend.notifications.push
assert not {"django", "celery", "firebase_admin"} & set(sys.modules)
from worker.channels.push import firebase_sender
firebase_sender(credentials="", endpoint="http://127.0.0.1:9")
assert not {"django", "celery", "firebase_admin", "google.auth", "requests"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
