"""Limits on how often something may be tried, counted in PostgreSQL in fixed windows."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import connection
from django.utils.translation import gettext as _

from backend import allowances, errors
from backend.allowances import Allowance
from backend.row_security import acting_as


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `count` tries of one key in each window of `period`."""

    name: str
    count: int
    period: timedelta

    def window_at(self, now: datetime) -> datetime:
        """When the window that `now` lies in began."""
        seconds = int(self.period.total_seconds())
        return datetime.fromtimestamp(int(now.timestamp()) // seconds * seconds, tz=UTC)


SIGN_IN_BY_ACCOUNT = Limit("sign_in_account", 10, timedelta(minutes=15))
SIGN_IN_BY_ADDRESS = Limit("sign_in_address", 100, timedelta(minutes=15))
ENROL_BY_ADDRESS = Limit("enrol_address", 20, timedelta(minutes=15))
ENROL_BY_CODE = Limit("enrol_code", 10, timedelta(minutes=15))
PASSWORD_BY_ACCOUNT = Limit("password_account", 10, timedelta(minutes=15))
RESET_BY_ADDRESS = Limit("password_reset_address", 20, timedelta(minutes=15))
RESET_BY_EMAIL = Limit("password_reset_email", 5, timedelta(hours=1))
CONFIRM_BY_ADDRESS = Limit("password_confirm_address", 30, timedelta(minutes=15))
CONFIRM_BY_EMAIL = Limit("password_confirm_email", 10, timedelta(minutes=15))
MFA_BY_ADDRESS = Limit("mfa_address", 300, timedelta(minutes=15))
MFA_BY_ACCOUNT = Limit("mfa_account", 10, timedelta(minutes=15))
# Three codes in a million are right at any moment, so the tries of a whole day are few.
MFA_BY_ACCOUNT_A_DAY = Limit("mfa_account_day", 100, timedelta(days=1))
EXPORTS_BY_PATIENT = Limit("exports", 10, timedelta(days=1))
SYNCS_BY_PATIENT = Limit("syncs", 120, timedelta(minutes=10))
CHECK_INS_BY_PATIENT = Limit("check_ins", 600, timedelta(minutes=10))


def spend(limit: Limit, key: str, *, now: datetime) -> int:
    """Counts one try and returns how many are left in this window.

    Raises `RateLimited` past the limit, saying when the window ends. The count is committed even
    when the request around it fails, unless called inside a transaction; callers that must count
    failures call it outside one.
    """
    digest = hashlib.sha256(key.encode()).hexdigest()[:48]
    # No patient's row: nobody need be told to act, which would cost as much as the count itself.
    with acting_as(None), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO accounts_ratecounter (key, window_at, count) VALUES (%s, %s, 1)"
            " ON CONFLICT (key, window_at) DO UPDATE SET count = accounts_ratecounter.count + 1"
            " RETURNING count",
            [f"{limit.name}:{digest}", limit.window_at(now)],
        )
        (count,) = cursor.fetchone()
    return judge(limit, int(count), now=now)


def judge(limit: Limit, count: int, *, now: datetime) -> int:
    """How many tries are left after `count`; notes it for the answer. Raises `RateLimited`."""
    left = max(limit.count - count, 0)
    renews_in = limit.window_at(now) + limit.period - now
    allowances.note(Allowance(limit.name, limit.count, limit.period, left, renews_in))
    if count > limit.count:
        raise errors.RateLimited(
            "rate_limited", _("Too many tries. Please wait a little."), retry_after=renews_in
        )
    return left
