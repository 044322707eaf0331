"""Two phones of one patient and the server, whatever the network and the back-ups do.

Everything runs on the real server and the real database, each example in a transaction that is
undone.
"""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import msgspec
from django.db import connection, transaction
from django.test import Client
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
)

from backend.accounts.models import AuditEvent
from backend.aftercare.models import Alert, AlertEvidence
from backend.tracking.models import CheckIn, CheckInRevision, SyncEpoch
from tests.conftest import owner_connection
from tests.people import make_people
from tests.phones import Phone
from tests.sync_machine.content import (
    SHOWN,
    changes_made,
    copy_of,
    former,
    is_acute,
    is_kept,
    is_said,
    pick,
    plain,
    values_of,
    which,
)
from tests.sync_machine.phone import OfflinePhone, content_of, id_of

MOST_ROUNDS = 6


class Acknowledged(NamedTuple):
    """What the server said it stored: the values of one revision."""

    check_in_id: UUID
    revision: int
    values: dict[str, Any]


class Moment(NamedTuple):
    """What a back-up of the database knows, beside the database itself."""

    savepoint: str
    sequence: tuple[int, bool]
    acknowledged: list[Acknowledged]
    heard: set[UUID]


@cache
def client() -> Client:
    return Client(raise_request_exception=False)


class TwoPhones(RuleBasedStateMachine):
    """The phones are two; `lines` are their connections to the server, with one token each."""

    sent = Bundle("sent")

    def __init__(self) -> None:
        super().__init__()
        self.outer = transaction.atomic()
        self.outer.__enter__()
        self.started_at = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=2)
        people = make_people()
        self.patient_id = people.patient.pk
        self.phones = (OfflinePhone(), OfflinePhone())
        self.lines = tuple(Phone.of(people.patient_user) for _ in self.phones)
        for line in self.lines:
            line.client = client()
        self.made = 0
        self.acknowledged: list[Acknowledged] = []
        self.heard: set[UUID] = set()
        self.revisions: dict[UUID, int] = {}
        self.moment: Moment | None = None

    # What the person does, without a connection ------------------------------------------------

    def _body(self, values: dict[str, Any]) -> dict[str, Any]:
        self.made += 1
        at = self.started_at + timedelta(seconds=self.made)
        filled = {**values} if is_said(values) else {**values, "mood": 6}
        day = at.date().isoformat()
        return {"kind": "daily", "local_date": day, "recorded_at": at.isoformat(), **filled}

    @rule(at=which, values=changes_made)
    def create_offline(self, at: int, values: dict[str, Any]) -> None:
        self.phones[at].create(self._body(values))

    @precondition(lambda self: any(phone.held for phone in self.phones))
    @rule(at=which, values=changes_made, data=st.data())
    def amend_offline(self, at: int, values: dict[str, Any], data: st.DataObject) -> None:
        phone = self.phones[at]
        if (chosen := pick(data, phone)) is not None and is_kept(phone, chosen, values):
            phone.amend(chosen, values)

    @precondition(lambda self: any(phone.held for phone in self.phones))
    @rule(at=which, data=st.data())
    def withdraw_offline(self, at: int, data: st.DataObject) -> None:
        if (chosen := pick(data, self.phones[at])) is not None:
            self.phones[at].withdraw(chosen)

    # Sync, on a good and on a bad connection -----------------------------------------------------

    @rule(at=which)
    def sync(self, at: int) -> None:
        self._sync(at)

    @rule(target=sent, at=which)
    def sync_and_lose_the_answer(self, at: int) -> tuple[int, dict[str, Any]]:
        body = self.phones[at].request()
        self._deliver(at, body)
        return at, body

    @rule(at=which, share=st.floats(0.01, 0.99))
    def sync_and_break_off_in_the_middle(self, at: int, share: float) -> None:
        raw = msgspec.json.encode(self.phones[at].request())
        answer = self.lines[at].post("/sync", raw[: max(1, int(len(raw) * share))])
        assert answer.status_code == 400, answer.content
        assert answer.json()["crisis_resources"]

    @rule(old=sent)
    def an_old_request_arrives_again(self, old: tuple[int, dict[str, Any]]) -> None:
        self._deliver(*old)

    def _sync(self, at: int) -> dict[str, Any]:
        body = self.phones[at].request()
        answer = self._deliver(at, body)
        self.phones[at].take(body, answer)
        return answer

    def _deliver(self, at: int, body: dict[str, Any]) -> dict[str, Any]:
        """The request arrives whole: from here on the server answers for what is in it."""
        answer = self.lines[at].post("/sync", body)
        assert answer.status_code == 200, answer.content
        found: dict[str, Any] = answer.json()
        assert len(found["results"]) == len(body["changes"])
        for change, result in zip(body["changes"], found["results"], strict=True):
            self._note(id_of(change), values_of(change), result["status"], result["revision"])
        return found

    def _note(
        self, check_in_id: UUID, values: dict[str, Any], status: str, revision: int | None
    ) -> None:
        if is_acute(values):
            self.heard.add(check_in_id)
        if status in ("created", "amended"):
            assert revision is not None
            self.acknowledged.append(Acknowledged(check_in_id, revision, values))

    # The same by the routes for one check-in ----------------------------------------------------

    @rule(at=which, values=changes_made, is_answered=st.booleans())
    def post_one(self, at: int, values: dict[str, Any], is_answered: bool) -> None:
        body = {"id": str(uuid4()), **self._body(values)}
        answer = self.lines[at].post("/check-ins", body)
        assert answer.status_code == 201, answer.content
        self._note(UUID(body["id"]), body, "created", 1)
        if is_answered:
            self._take(at, answer)
        else:
            self.phones[at].held[UUID(body["id"])] = copy_of(body)
            self.phones[at].queue.append({"op": "create", "type": "check_in", "item": body})

    @precondition(lambda self: any(phone.held for phone in self.phones))
    @rule(at=which, values=changes_made, data=st.data())
    def patch_one(self, at: int, values: dict[str, Any], data: st.DataObject) -> None:
        phone = self.phones[at]
        chosen = pick(data, phone, is_settled=True)
        if chosen is None or not is_kept(phone, chosen, values):
            return
        match = {"if-match": f'"{phone.held[chosen].revision}"'}
        answer = self.lines[at].request("PATCH", f"/check-ins/{chosen}", values, **match)
        assert answer.status_code in (200, 404, 409, 410), answer.content
        if answer.status_code == 200:
            self._note(chosen, values, "amended", answer.json()["check_in"]["revision"])
        else:
            self._note(chosen, values, "refused", None)
        self._take(at, answer, chosen)

    @precondition(lambda self: any(phone.held for phone in self.phones))
    @rule(at=which, data=st.data())
    def delete_one(self, at: int, data: st.DataObject) -> None:
        chosen = pick(data, self.phones[at], is_settled=True)
        if chosen is not None:
            answer = self.lines[at].request("DELETE", f"/check-ins/{chosen}")
            assert answer.status_code in (200, 404), answer.content
            del self.phones[at].held[chosen]

    def _take(self, at: int, answer: Any, asked: UUID | None = None) -> None:
        body = answer.json()
        item = body.get("check_in") or body.get("stored")
        if item is None:
            assert asked is not None
            del self.phones[at].held[asked]
        else:
            self.phones[at].take_item(UUID(item["id"]), item["revision"], item)

    # The database goes back to an earlier moment -------------------------------------------------

    @rule()
    def back_up(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT last_value, is_called FROM tracking_sync_seq")
            sequence = cursor.fetchone()
        known = deepcopy(self.acknowledged), set(self.heard)
        self.moment = Moment(transaction.savepoint(), sequence, *known)

    @precondition(lambda self: self.moment is not None)
    @rule()
    def restore(self) -> None:
        assert self.moment is not None
        transaction.savepoint_rollback(self.moment.savepoint)
        with owner_connection() as owner:
            owner.execute("SELECT setval('tracking_sync_seq', %s, %s)", self.moment.sequence)
        SyncEpoch.objects.update(epoch=uuid4())
        self.acknowledged, self.heard = deepcopy(self.moment.acknowledged), set(self.moment.heard)
        self.revisions = {}

    # What holds at every moment ----------------------------------------------------------------

    @invariant()
    def revisions_only_grow(self) -> None:
        now = dict(CheckIn.objects.values_list("pk", "revision"))
        for check_in_id, revision in self.revisions.items():
            assert now.get(check_in_id, 0) >= revision
        self.revisions = now

    @invariant()
    def what_is_acute_has_its_alert(self) -> None:
        ties = AlertEvidence.objects.values_list("check_in_id", "acute_report__client_id")
        assert self.heard <= {known for tie in ties for known in tie if known}
        assert not self.heard or Alert.objects.filter(patient_id=self.patient_id).exists()

    # And at the end -----------------------------------------------------------------------------

    def teardown(self) -> None:
        try:
            self._settle()
            self._both_phones_hold_what_the_server_holds()
            self._nothing_acknowledged_is_lost()
            self._nothing_is_doubled()
        finally:
            transaction.set_rollback(True)
            self.outer.__exit__(None, None, None)

    def _settle(self) -> None:
        for _round in range(MOST_ROUNDS):
            answers = [self._sync(at) for at in (0, 1)]
            if not any(answer["changes"] or answer["results"] for answer in answers):
                return
        raise AssertionError("the phones are never done")

    def _both_phones_hold_what_the_server_holds(self) -> None:
        rows = CheckIn.objects.filter(patient_id=self.patient_id, withdrawn_at__isnull=True)
        stored = {row.pk: (row.revision, content_of(plain(row))) for row in rows}
        for phone in self.phones:
            held = {key: (copy.revision, copy.content) for key, copy in phone.held.items()}
            assert held == stored

    def _nothing_acknowledged_is_lost(self) -> None:
        for check_in_id, revision, values in self.acknowledged:
            row = CheckIn.objects.get(pk=check_in_id)
            said = plain(row) if row.revision == revision else former(row, revision)
            assert {name: said[name] for name in values if name in SHOWN} == {
                name: values[name] for name in values if name in SHOWN
            }

    def _nothing_is_doubled(self) -> None:
        stored = AuditEvent.objects.filter(action="check_in.store").values_list("object_id")
        rows = CheckIn.objects.all()
        assert sorted(key for (key,) in stored) == sorted(str(row.pk) for row in rows)
        for row in rows:
            kept = CheckInRevision.objects.filter(check_in=row).order_by("revision")
            assert list(kept.values_list("revision", flat=True)) == list(range(1, row.revision))
            if row.withdrawn_at is None and is_acute(plain(row)):
                assert AlertEvidence.objects.filter(check_in=row).count() == 1
        changed = AuditEvent.objects.filter(action__in=["check_in.amend", "check_in.withdraw"])
        assert changed.count() == sum(row.revision - 1 for row in rows)
