"""What must always hold between the tables, as SQL that counts the rows for which it does not.

Each statement takes `now` and reads a few index pages, however many rows there are.
"""

from __future__ import annotations

from collections.abc import Mapping

ACUTE_CHECK_IN_WITHOUT_ALERT = """
SELECT count(*) FROM tracking_checkin c
JOIN accounts_patient p ON p.id = c.patient_id
WHERE c.received_at > %(now)s - interval '26 hours' AND c.received_at <= %(now)s
  AND c.source = 'app' AND p.discharged_at IS NULL
  AND (c.not_safe OR c.use_reported OR c.withdrawal_reported OR c.craving = 10 OR c.mood = 0)
  AND NOT EXISTS (SELECT FROM aftercare_alertevidence e WHERE e.check_in_id = c.id)
"""
"""Those items call for an alert whatever the thresholds of a patient are."""

ACUTE_REPORT_WITHOUT_ALERT = """
SELECT count(*) FROM aftercare_acutereport r
WHERE r.received_at > %(now)s - interval '26 hours'
  AND NOT EXISTS (SELECT FROM aftercare_alertevidence e WHERE e.acute_report_id = r.id)
"""

ALERT_WITHOUT_MESSAGE = """
SELECT count(*) FROM aftercare_alert a
WHERE a.status <> 'resolved' AND NOT a.is_historical AND a.severity IN ('high', 'critical')
  AND jsonb_path_exists(a.ladder, '$[*][*]') AND a.evidence_at < %(now)s - interval '60 seconds'
  AND EXISTS (SELECT FROM aftercare_alertevidence e WHERE e.alert_id = a.id)
  AND NOT EXISTS (
    SELECT FROM notifications_notification n
    WHERE n.key = (
        SELECT 'alert:' || a.id || ':' || a.round || ':' || level.nth - 1 || ':' || (who ->> 0)
        FROM jsonb_array_elements(a.ladder) WITH ORDINALITY AS level(who, nth)
        WHERE jsonb_array_length(who) > 0 ORDER BY nth LIMIT 1))
"""
"""Its round's message to the first of the ladder, which is queued in the alert's transaction.

A level by a rota may be without anybody."""

URGENT_PENDING = """
SELECT count(*) FROM notifications_notification n
WHERE n.settled_at IS NULL AND n.priority = 0 AND n.cancelled_at IS NULL
  AND NOT n.obeys_quiet_hours AND n.expires_at > %(now)s
  AND n.created_at < %(now)s - interval '60 seconds'
  AND NOT EXISTS (SELECT FROM notifications_deliverypause p WHERE p.ended_at IS NULL)
  AND (EXISTS (SELECT FROM accounts_device d WHERE d.user_id = n.recipient_id
                 AND d.unbound_at IS NULL AND d.is_private)
    OR EXISTS (SELECT FROM notifications_contactpoint k WHERE k.user_id = n.recipient_id
                 AND k.verified_at IS NOT NULL AND k.retired_at IS NULL))
"""
"""Whom nobody can reach is counted elsewhere: their messages wait for a phone and break nothing."""

LEASE_LONG_EXPIRED = """
SELECT (SELECT count(*) FROM notifications_notification
         WHERE settled_at IS NULL AND lease_expires_at < %(now)s - interval '60 seconds')
     + (SELECT count(*) FROM notifications_notification
         WHERE repeat_due_at IS NOT NULL AND settled_at IS NOT NULL
           AND lease_expires_at < %(now)s - interval '60 seconds')
"""

EVALUATION_LATE = """
SELECT count(*) FROM tracking_assessmentrequest
WHERE requested_at < %(now)s - interval '10 minutes'
"""

INVARIANTS: Mapping[str, str] = {
    "acute_check_in_without_alert": ACUTE_CHECK_IN_WITHOUT_ALERT,
    "acute_report_without_alert": ACUTE_REPORT_WITHOUT_ALERT,
    "alert_without_message": ALERT_WITHOUT_MESSAGE,
    "urgent_pending": URGENT_PENDING,
    "lease_long_expired": LEASE_LONG_EXPIRED,
    "evaluation_late": EVALUATION_LATE,
}
