"""The journal outside of the database: complete, ids alone, and doing it again means the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import structlog
from django.utils import timezone
from pytest_django.fixtures import Settings

from backend.accounts.actor import Actor
from backend.accounts.models import AccessToken, AuditEvent, CareTeamMember, Device
from backend.accounts.services import (
    PushTarget,
    end_care_team_member,
    register_device,
    revoke_device,
    set_device_privacy,
    sign_out,
    sign_out_everywhere,
)
from backend.accounts.tokens import hash_token, new_token
from backend.privacy import journal, journal_lines
from backend.privacy.journal import Entry
from backend.privacy.services import JournalBroken, journalling, replay_journal, write_journal
from tests.people import People, actor_for

pytestmark = pytest.mark.usefixtures("as_worker")
NOW = timezone.now()


@pytest.fixture
def path(tmp_path: Path, settings: Settings) -> Path:
    file = tmp_path / "journal"
    settings.JOURNAL_FILE = str(file)
    return file


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def phone_of(people: People, target: str = "a-phone") -> tuple[Device, AccessToken]:
    user = people.patient_user
    token = AccessToken.objects.create(
        user=user, token_hash=hash_token(new_token()), expires_at=NOW + timedelta(days=9)
    )
    made = register_device(
        actor=actor_for(user),
        token=token,
        installation_id=uuid4(),
        target=PushTarget(kind="fcm", push_target=target, target_kind="token", platform="ios"),
        is_private=True,
        now=NOW,
    )
    token.refresh_from_db()
    return made.device, token


def forget(path: Path, after: int) -> None:
    """Moves the acts after that line to numbers that this database does not know."""
    kept = lines(path)
    for entry in kept[after:]:
        entry["number"] += 1_000_000
    path.write_text("".join(json.dumps(entry) + "\n" for entry in kept))


def test_each_act_is_a_line_of_ids(people: People, path: Path) -> None:
    device, token = phone_of(people)
    sign_out(actor=actor_for(people.patient_user), token=token, now=NOW)
    assert write_journal() == 2
    registered, ended = lines(path)
    assert registered["kind"] == "device.register"
    assert (ended["kind"], ended["object"]) == ("sign_out", str(token.pk))
    assert ended["facts"] == {"device": str(device.pk)}
    assert ended["actor"] == str(people.patient_user.pk)
    assert path.stat().st_mode & 0o777 == 0o600
    written = path.read_text()
    for private in ("a-phone", people.patient.given_name, people.patient_user.email):
        assert private not in written
    assert write_journal() == 0


def test_what_nobody_replays_is_not_in_it(people: People, path: Path) -> None:
    write_journal()
    before = path.read_text() if path.exists() else ""
    AuditEvent.objects.create(action="patient.read", actor_role="clinician")
    AuditEvent.objects.create(action="sign_out", actor_role="patient", was_allowed=False)
    assert write_journal() == 0
    assert path.read_text() == before


def test_a_long_quiet_stretch_is_marked(
    people: People, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journalling, "STRIDE", 3)
    AuditEvent.objects.bulk_create(
        [AuditEvent(action="patient.read", actor_role="clinician") for _ in range(7)]
    )
    assert write_journal() == 0
    assert {line["kind"] for line in lines(path)} == {"mark"}
    assert lines(path)[-1]["number"] > 4
    phone_of(people)
    assert write_journal() == 1


def test_a_torn_line_is_written_again(people: People, path: Path) -> None:
    phone_of(people)
    phone_of(people, "another")
    write_journal()
    whole = path.read_text()
    for cut in (1, 30, len(whole) - 1):
        path.write_text(whole[:cut])
        write_journal()
        assert [entry for entry in journal_lines.read(path) if entry is None] == []
        assert {line["object"] for line in map(json.loads, whole.splitlines())} <= {
            entry.object_id for entry in journal_lines.read(path) if entry
        }


def test_a_file_of_a_later_moment_is_left_alone(people: People, path: Path) -> None:
    phone_of(people)
    write_journal()
    forget(path, 0)
    before = path.read_text()
    phone_of(people, "another")
    with structlog.testing.capture_logs() as logged:
        assert write_journal() == 0
    assert [line["event"] for line in logged] == ["journal_differs"]
    assert path.read_text() == before


def test_without_a_file_nothing_happens(people: People, settings: Settings) -> None:
    settings.JOURNAL_FILE = ""
    phone_of(people)
    assert write_journal() == 0


def test_a_folder_that_is_away_stops_nothing(people: People, settings: Settings) -> None:
    settings.JOURNAL_FILE = "/nowhere/at/all"
    phone_of(people)
    with structlog.testing.capture_logs() as logged:
        assert write_journal() == 0
    assert [line["event"] for line in logged] == ["journal_unwritten"]


def undo(device: Device, token: AccessToken) -> None:
    Device.objects.filter(pk=device.pk).update(unbound_at=None, unbound_reason="", is_private=True)
    AccessToken.objects.filter(pk=token.pk).update(revoked_at=None)


def test_a_phone_and_its_token_end_again(people: People, path: Path) -> None:
    actor = actor_for(people.patient_user)
    device, token = phone_of(people)
    acts: dict[str, Callable[[], object]] = {
        "revoke": lambda: revoke_device(
            actor=actor, installation_id=device.installation_id, now=NOW
        ),
        "sign_out": lambda: sign_out(actor=actor, token=token, now=NOW),
        "everywhere": lambda: sign_out_everywhere(actor=actor, now=NOW),
    }
    for name, act in acts.items():
        write_journal()
        known = len(lines(path))
        act()
        write_journal()
        whole = path.read_text()
        undo(device, token)
        forget(path, known)
        assert replay_journal(paths=[path]).done == 1, name
        device.refresh_from_db()
        token.refresh_from_db()
        assert device.unbound_at is not None, name
        assert token.revoked_at is not None, name
        path.write_text(whole)
        undo(device, token)


def test_what_came_after_an_act_is_left_alone(people: People, path: Path) -> None:
    """Signing out everywhere ended what there was, not the phone that signed in again."""
    sign_out_everywhere(actor=actor_for(people.patient_user), now=NOW - timedelta(hours=1))
    AuditEvent.objects.all()
    write_journal()
    kept = lines(path)
    kept[-1]["at"] = (NOW - timedelta(hours=1)).isoformat()
    path.write_text("".join(json.dumps(entry) + "\n" for entry in kept))
    device, token = phone_of(people)
    forget(path, 0)
    replay_journal(paths=[path])
    device.refresh_from_db()
    token.refresh_from_db()
    assert device.unbound_at is None
    assert token.revoked_at is None


def test_privacy_and_care_teams_end_again(people: People, path: Path) -> None:
    device, _token = phone_of(people)
    write_journal()
    known = len(lines(path))
    set_device_privacy(
        actor=actor_for(people.patient_user),
        installation_id=device.installation_id,
        is_private=False,
    )
    end_care_team_member(
        actor=actor_for(people.administrator.user),
        patient_id=people.patient.pk,
        clinician_id=people.therapist.pk,
        now=NOW,
    )
    write_journal()
    Device.objects.update(is_private=True)
    CareTeamMember.objects.update(ended_on=None)
    forget(path, known)
    assert replay_journal(paths=[path]).done == 2
    device.refresh_from_db()
    assert not device.is_private
    tie = CareTeamMember.objects.get(patient=people.patient)
    assert tie.ended_on is not None
    assert CareTeamMember.objects.filter(ended_on__isnull=True).count() == 1


def test_all_of_it_or_nothing(people: People, path: Path) -> None:
    device, token = phone_of(people)
    write_journal()
    known = len(lines(path))
    sign_out(actor=actor_for(people.patient_user), token=token, now=NOW)
    write_journal()
    undo(device, token)
    forget(path, known)
    for wrong in ("no json\n", '{"v": 2}\n', '{"v": 1, "number": 9}\n'):
        whole = path.read_text()
        path.write_text(whole + wrong + whole.splitlines()[-1] + "\n")
        with pytest.raises(JournalBroken):
            replay_journal(paths=[path])
        path.write_text(whole)
    device.refresh_from_db()
    assert device.unbound_at is None


def test_a_kind_that_nobody_knows_stops_the_replay(people: People, path: Path) -> None:
    unknown = Entry(1, NOW, "something.new", None, None, "", "")
    path.write_text(journal_lines.line_of(unknown) + "\n")
    with pytest.raises(JournalBroken, match=r"something\.new"):
        replay_journal(paths=[path])


def test_only_what_can_be_done_again_may_be_recorded(people: People) -> None:
    system = Actor.system("tests")
    with pytest.raises(ValueError, match="no replayer"):
        journal.record(actor=system, kind="something.new", ids={})
    with pytest.raises(ValueError, match="does not ask for"):
        journal.record(actor=system, kind="sign_out", ids={"somebody": uuid4()})
    with pytest.raises(ValueError, match="already"):
        journal.register("sign_out", lambda _entry, _actor: True)
    journal.record(actor=system, kind="sign_out", ids={"device": None}, object_id=uuid4())
    assert AuditEvent.objects.get(action="sign_out").facts == {"device": None}
