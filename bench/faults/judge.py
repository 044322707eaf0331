"""The judgement, from the outside: what the phones were promised against what came of it.

Pure. Three accounts go in, none of which can vouch for another: the phones' ledger, the rows of
the database, and what the stand-in for Firebase says that it gave to which phone.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from bench.faults.fcm import Accepted
from bench.faults.ledger import URGENT, Sent


@dataclass(frozen=True, slots=True)
class StoredCheckIn:
    """One row of the check-ins."""

    id: UUID
    patient_id: UUID
    recorded_at: datetime
    received_at: datetime


@dataclass(frozen=True, slots=True)
class Tie:
    """One row of the evidence: `source_id` is the check-in or the acute report behind it.

    `check_in_id` is the phone's own id in both of them.
    """

    check_in_id: UUID
    source_id: UUID
    alert_id: UUID
    round: int


@dataclass(frozen=True, slots=True)
class Rows:
    """What stands in the database after the run. Phones as target and whether they are live."""

    check_ins: Sequence[StoredCheckIn]
    ties: Sequence[Tie]
    notifications: Mapping[str, UUID]
    """The key of each message, and its id."""
    unbound_targets: frozenset[str] = frozenset()
    unassessed: int = 0


@dataclass(frozen=True, slots=True)
class Exempt:
    """What a run has made impossible on purpose: check-ins whose phone or clinician is gone."""

    from_push: frozenset[UUID] = frozenset()
    from_clinician: frozenset[UUID] = frozenset()


@dataclass(slots=True)
class Verdict:
    """Counts that all have to be 0, a few ids for each that is not, and how long things took."""

    zeros: dict[str, int] = field(default_factory=dict)
    examples: dict[str, list[str]] = field(default_factory=dict)
    figures: dict[str, float | int | None] = field(default_factory=dict)

    @property
    def is_green(self) -> bool:
        return not any(self.zeros.values())

    def count(self, name: str, found: Iterable[object]) -> None:
        """Adds one count, with its first few as examples."""
        each = [str(one) for one in found]
        self.zeros[name] = self.zeros.get(name, 0) + len(each)
        if each:
            self.examples[name] = each[:5]

    @property
    def red(self) -> dict[str, int]:
        return {name: count for name, count in self.zeros.items() if count}


def judge(
    *,
    ledger: Sequence[Sent],
    rows: Rows,
    inbox: Sequence[Accepted],
    phones_of: Mapping[int, Sequence[str]],
    dead_targets: Collection[str],
    exempt: Exempt | None = None,
) -> Verdict:
    """`phones_of` names, for each patient's number, the phones on which they must be reached."""
    verdict = Verdict()
    stored = {row.id: row for row in rows.check_ins}
    _judge_rows(verdict, ledger, rows, stored)
    kept = [sent for sent in ledger if sent.severity and (sent.id in stored or sent.heard_at)]
    ties = defaultdict(list)
    for tie in rows.ties:
        ties[tie.check_in_id].append(tie)
    verdict.count(
        "acute_without_one_alert",
        (sent.id for sent in kept if not _has_one_alert(sent, ties[sent.id], sent.id in stored)),
    )
    urgent = [sent for sent in kept if sent.severity in URGENT]
    got = {(each.notification_id, each.target) for each in inbox}
    told = {each.notification_id for each in inbox}
    allowed = exempt or Exempt()
    verdict.count(
        "acute_without_push",
        (
            sent.id
            for sent in urgent
            if sent.id not in allowed.from_push
            and not _was_pushed(sent, ties[sent.id], rows, got, phones_of[sent.patient])
        ),
    )
    keys_by_round = _clinicians_messages(rows.notifications)
    verdict.count(
        "acute_without_clinician_message",
        (
            sent.id
            for sent in urgent
            if sent.id not in allowed.from_clinician
            and not _reached_a_clinician(ties[sent.id], keys_by_round, told)
        ),
    )
    healthy = rows.unbound_targets - set(dead_targets)
    verdict.count("healthy_devices_retired", sorted(healthy))
    verdict.figures["acute"] = sum(1 for sent in ledger if sent.severity)
    return verdict


def sent_twice(inbox: Sequence[Accepted], *, targets: Collection[str] | None = None) -> list[str]:
    """Messages that a phone got more than once, of these phones or of all."""
    each = Counter(
        (one.notification_id, one.target)
        for one in inbox
        if targets is None or one.target in targets
    )
    return [f"{name} {target} x{count}" for (name, target), count in each.items() if count > 1]


def _judge_rows(
    verdict: Verdict, ledger: Sequence[Sent], rows: Rows, stored: Mapping[UUID, StoredCheckIn]
) -> None:
    verdict.count(
        "lost_check_ins", (sent.id for sent in ledger if sent.is_acked and sent.id not in stored)
    )
    same = Counter((row.patient_id, row.recorded_at) for row in rows.check_ins)
    verdict.count("duplicate_rows", (who for who, count in same.items() for _ in range(count - 1)))
    verdict.count("replays_stored", (s.id for s in ledger if 201 in s.replayed))
    verdict.count("refused", (f"{s.id} {s.refused_with}" for s in ledger if s.refused_with))
    verdict.count("never_acknowledged", (s.id for s in ledger if not s.is_acked))
    verdict.count("unassessed_patients", range(rows.unassessed))


def _has_one_alert(sent: Sent, ties: Sequence[Tie], is_stored: bool) -> bool:
    """One tie for the check-in, and one more for a refusal of it, to the same alert."""
    of_check_in = [tie for tie in ties if tie.source_id == sent.id]
    of_report = [tie for tie in ties if tie.source_id != sent.id]
    if len({tie.alert_id for tie in ties}) != 1:
        return False
    return len(of_check_in) == int(is_stored) and len(of_report) == int(sent.heard_at > 0)


def _was_pushed(
    sent: Sent,
    ties: Sequence[Tie],
    rows: Rows,
    got: Collection[tuple[str, str]],
    phones: Sequence[str],
) -> bool:
    """Whether every phone of the person got a message about it, whichever source it names."""
    sources = {sent.id, *(tie.source_id for tie in ties)}
    keys = [f"support:{source}:{severity}" for source in sources for severity in URGENT]
    ids = [str(rows.notifications[key]) for key in keys if key in rows.notifications]
    return all(any((one, phone) in got for one in ids) for phone in phones)


def _clinicians_messages(notifications: Mapping[str, UUID]) -> Mapping[tuple[str, str], list[str]]:
    """Ids of messages to clinicians by alert and round."""
    found = defaultdict(list)
    for key, name in notifications.items():
        kind, _colon, rest = key.partition(":")
        if kind == "alert" and rest.count(":") == 3:
            alert, round_, _level, _who = rest.split(":")
            found[alert, round_].append(str(name))
    return found


def _reached_a_clinician(
    ties: Sequence[Tie],
    messages: Mapping[tuple[str, str], Sequence[str]],
    told: Collection[str],
) -> bool:
    """Whether a clinician's phone got a message of the round that one of its ties opened."""
    return any(
        name in told
        for tie in ties
        for name in messages.get((str(tie.alert_id), str(tie.round)), ())
    )
