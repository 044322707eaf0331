"""How the servers are doing, in words: what needs somebody first, then the facts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from backend.dashboard.wording import how_long
from backend.operations.selectors import BeatLine, ChannelLine, FindingLine, Status

LANE_WORDS: Mapping[str, Promise] = {
    "acute": gettext_lazy("Urgent"),
    "normal": gettext_lazy("Everything else"),
}
CHANNEL_WORDS: Mapping[str, Promise] = {
    "firebase": gettext_lazy("Push by Firebase"),
    "web_push": gettext_lazy("Push to browsers"),
    "email": gettext_lazy("E-mail"),
    "sms": gettext_lazy("SMS"),
}
PROCESS_WORDS: Mapping[str, Promise] = {
    "relay": gettext_lazy("Relay"),
    "worker": gettext_lazy("Workers"),
    "beat": gettext_lazy("Beat"),
}
TRY_WORDS: Mapping[str, Promise] = {
    "accepted": gettext_lazy("accepted"),
    "target_gone": gettext_lazy("address gone"),
    "our_fault": gettext_lazy("our fault"),
    "rate_limited": gettext_lazy("asked to slow down"),
    "unknown": gettext_lazy("no clear answer"),
    "rejected": gettext_lazy("refused for good"),
}
SETTLED_WORDS: Mapping[str, Promise] = {
    "accepted": gettext_lazy("accepted"),
    "pending": gettext_lazy("still pending"),
    "no_device": gettext_lazy("nowhere to send it"),
    "expired": gettext_lazy("expired"),
    "cancelled": gettext_lazy("cancelled"),
    "dead": gettext_lazy("dead"),
}
KIND_WORDS: Mapping[str, Promise] = {
    "support": gettext_lazy("support"),
    "nudge": gettext_lazy("nudge"),
    "prompt": gettext_lazy("prompt"),
    "alert": gettext_lazy("alert"),
}
INVARIANT_WORDS: Mapping[str, Promise] = {
    "acute_check_in_without_alert": gettext_lazy("Acute check-ins without an alert"),
    "acute_report_without_alert": gettext_lazy("Refused acute bodies without an alert"),
    "alert_without_message": gettext_lazy("Alerts without a message"),
    "urgent_pending": gettext_lazy("Urgent messages pending for over a minute"),
    "lease_long_expired": gettext_lazy("Messages that their sender has left"),
    "evaluation_late": gettext_lazy("Evaluations over ten minutes late"),
}


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing to look at; `severity` as an alert's, for its colour and shape."""

    severity: str
    text: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a card: `state` is good, idle, or a severity, and says how it looks."""

    name: str
    value: str
    detail: str = ""
    state: str = ""


@dataclass(frozen=True, slots=True)
class Tries:
    """One line of the ledger."""

    channel: str
    outcome: str
    last_hour: int
    last_day: int
    is_bad: bool


@dataclass(frozen=True, slots=True)
class OperatorPage:
    """`summary` is what a person reads first, and what a screen reader hears when it changes."""

    summary: str
    is_well: bool
    troubles: list[Trouble]
    processes: list[Row]
    lanes: list[Row]
    channels: list[Row]
    findings: list[Row]
    looked: str
    settled: list[Row]
    ledger: list[Tries]
    dead: list[Row]
    dead_more: str
    content: list[Row]
    seal: list[Row]
    root: str


def show_operations(status: Status) -> OperatorPage:
    """Everything in the language that is active."""
    troubles = [*_urgent(status), *_less_urgent(status)]
    urgent = sum(trouble.severity != "medium" for trouble in troubles)
    return OperatorPage(
        summary=_summary(urgent),
        is_well=not urgent,
        troubles=troubles,
        processes=[_process(line, status.now) for line in status.beats],
        lanes=_lanes(status),
        channels=[_channel(line, status.now) for line in status.channels],
        findings=[_finding(line, status.now) for line in status.findings],
        looked=_("last looked %(ago)s") % {"ago": _ago(status.reconciled_at, status.now)}
        if status.reconciled_at
        else "",
        settled=[
            Row(_word(SETTLED_WORDS, outcome), str(count), state=_settled_state(outcome))
            for outcome, count in status.settled.items()
        ],
        ledger=[
            Tries(
                channel=_word(CHANNEL_WORDS, line.channel),
                outcome=_word(TRY_WORDS, line.outcome),
                last_hour=line.last_hour,
                last_day=line.last_day,
                is_bad=line.outcome == "our_fault",
            )
            for line in status.ledger
        ],
        dead=[
            Row(
                str(line.notification_id),
                _ago(line.settled_at, status.now),
                _word(KIND_WORDS, line.kind),
            )
            for line in status.dead
        ],
        dead_more=_more(status.dead_count - len(status.dead)),
        content=_content(status),
        seal=_seal(status),
        root=status.seal.root if status.seal else "",
    )


def _word(words: Mapping[str, Promise], name: str) -> str:
    return str(words.get(name, name))


def _ago(at: datetime, now: datetime) -> str:
    if now - at < timedelta(minutes=1):
        return _("just now")
    return _("%(span)s ago") % {"span": how_long(now - at)}


def _summary(urgent: int) -> str:
    if not urgent:
        return _("Messages are leaving, and nothing needs you now.")
    return ngettext("%(count)d thing needs you now.", "%(count)d things need you now.", urgent) % {
        "count": urgent
    }


def _urgent(status: Status) -> Iterator[Trouble]:
    now = status.now
    for reason, began_at in status.pauses:
        yield Trouble(
            "critical",
            _("Delivery is paused since %(span)s (%(reason)s): nobody is being told anything.")
            % {"span": how_long(now - began_at), "reason": reason},
            _("Replay the journal: manage.py replay_journal"),
        )
    if not status.is_anything_configured:
        yield Trouble(
            "critical",
            _("No channel is configured, or nothing that sends is running: nobody can be told."),
        )
    for channel in status.channels:
        if channel.stopped_until is not None:
            yield Trouble(
                "critical",
                _("%(channel)s is stopped: our own credentials or settings are refused.")
                % {"channel": _word(CHANNEL_WORDS, channel.channel)},
                channel.last_error,
            )
        if channel.refused_by:
            yield Trouble(
                "high",
                _("%(channel)s: some services refuse us, and nothing is sent there for a while.")
                % {"channel": _word(CHANNEL_WORDS, channel.channel)},
                ", ".join(channel.refused_by),
            )
    delivering = [line for line in status.beats if line.process in ("relay", "worker")]
    if not any(line.is_alive for line in delivering):
        yield Trouble("critical", _("Neither a relay nor a worker is alive: nothing is sent."))
    yield from (_broken(line, now) for line in status.findings if line.count)
    for alert_id, at in status.unanswered:
        yield Trouble(
            "critical",
            _("Nobody on its ladder has answered alert %(id)s: call the organisation.")
            % {"id": alert_id},
            _ago(at, now),
        )
    if status.reconciler_is_late:
        yield Trouble("high", _("The reconciler has not looked for more than three minutes."))
    if any(line.is_alive for line in delivering):
        yield from (_silent(line, now) for line in status.beats if not line.is_alive)


def _broken(line: FindingLine, now: datetime) -> Trouble:
    words = f"{_word(INVARIANT_WORDS, line.invariant)}: {line.count}"
    return Trouble("critical", words, "" if line.since is None else _ago(line.since, now))


def _silent(line: BeatLine, now: datetime) -> Trouble:
    name = _word(PROCESS_WORDS, line.process)
    if line.beat_at is None:
        return Trouble("medium", _("%(process)s: never seen.") % {"process": name})
    span = how_long(now - line.beat_at)
    return Trouble("high", _("%(process)s: silent for %(span)s.") % {"process": name, "span": span})


def _less_urgent(status: Status) -> Iterator[Trouble]:
    if count := status.dead_count:
        yield Trouble(
            "high",
            ngettext(
                "%(count)d message ended as dead within seven days.",
                "%(count)d messages ended as dead within seven days.",
                count,
            )
            % {"count": count},
        )
    if count := status.unreviewed_texts:
        yield Trouble(
            "medium",
            ngettext(
                "%(count)d clinical text has no reviewer.",
                "%(count)d clinical texts have no reviewer.",
                count,
            )
            % {"count": count},
        )
    if count := status.unverified_lines:
        yield Trouble(
            "medium",
            ngettext(
                "%(count)d crisis line is not confirmed at its publisher.",
                "%(count)d crisis lines are not confirmed at their publishers.",
                count,
            )
            % {"count": count},
        )


def _process(line: BeatLine, now: datetime) -> Row:
    name = _word(PROCESS_WORDS, line.process)
    if line.beat_at is None:
        return Row(name, _("never seen"), state="idle")
    state = "good" if line.is_alive else "high"
    return Row(name, _("alive") if line.is_alive else _("silent"), _ago(line.beat_at, now), state)


def _lanes(status: Status) -> list[Row]:
    return [
        Row(
            _word(LANE_WORDS, lane.lane),
            _("%(due)d due, %(pending)d pending") % {"due": lane.due, "pending": lane.pending},
            _("the oldest is %(span)s overdue")
            % {"span": how_long(status.now - lane.oldest_due_at)}
            if lane.oldest_due_at
            else "",
        )
        for lane in status.lanes
    ] + [
        Row(
            _("Evaluations"),
            _("%(count)d waiting") % {"count": status.evaluations_waiting},
            _ago(status.oldest_evaluation_at, status.now) if status.oldest_evaluation_at else "",
        )
    ]


def _channel(line: ChannelLine, now: datetime) -> Row:
    name = _word(CHANNEL_WORDS, line.channel)
    accepted = line.last_accepted_at
    detail = _("last accepted %(ago)s") % {"ago": _ago(accepted, now)} if accepted else ""
    if not line.is_configured:
        return Row(name, _("not configured"), detail, "idle")
    if line.stopped_until is not None:
        return Row(name, _("stopped"), line.last_error, "critical")
    if line.failing_since is not None:
        words = _("failing for %(span)s") % {"span": how_long(now - line.failing_since)}
        return Row(name, words, line.last_error, "high")
    if line.refused_by:
        return Row(name, _("refused by some"), ", ".join(line.refused_by), "high")
    return Row(name, _("ready"), detail, "good")


def _finding(line: FindingLine, now: datetime) -> Row:
    name = _word(INVARIANT_WORDS, line.invariant)
    if line.checked_at is None:
        return Row(name, _("never looked"), state="idle")
    since = _ago(line.since, now) if line.since else ""
    return Row(name, str(line.count), since, "critical" if line.count else "good")


def _settled_state(outcome: str) -> str:
    return "high" if outcome == "dead" else ""


def _more(count: int) -> str:
    if count < 1:
        return ""
    return ngettext("and %(count)d more", "and %(count)d more", count) % {"count": count}


def _content(status: Status) -> list[Row]:
    return [
        Row(_("Texts without a reviewer"), str(status.unreviewed_texts)),
        Row(_("Crisis lines not confirmed"), str(status.unverified_lines)),
    ]


def _seal(status: Status) -> list[Row]:
    if status.seal is None:
        return [Row(_("Last seal"), _("none yet"), state="idle")]
    return [
        Row(_("Last seal"), f"{status.seal.number}", _ago(status.seal.sealed_at, status.now)),
        Row(_("Sealed up to row"), f"{status.seal.last_id}"),
    ]
