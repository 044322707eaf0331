"""What people write and how they are reached is in no log, no broker, no push, no mail, no dump.

The whole system runs as `make run` starts it. Every field that takes a text is sent a word of its
own, also in requests that are refused; then everything that leaves a process is searched for them.
"""

from __future__ import annotations

import base64
import json
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import psycopg
import pytest
import redis

from local.postgres import SUPERUSER
from tests.journeys.running import Running, check_in, running, within

MARK = "canary"
PORT = "8900"


@dataclass
class Canaries:
    """A word for each field, by the field's name. `sealed` ones may not even be in the tables."""

    words: dict[str, str] = field(default_factory=dict)
    sealed: set[str] = field(default_factory=set)

    def of(self, name: str, *, sealed: bool = False) -> str:
        if sealed:
            self.sealed.add(name)
        return self.words.setdefault(name, f"{MARK}{uuid4().hex[:12]}")

    def found_in(self, text: str, names: set[str] | None = None) -> set[str]:
        """The fields whose word stands in this text, as it was sent, in hexadecimal or base64."""
        return {
            name
            for name, word in self.words.items()
            if (names is None or name in names) and any(form in text for form in forms(word))
        }


def forms(word: str) -> list[str]:
    """As it may stand somewhere. Base64 depends on what stands in front: all three ways."""
    coded = [
        base64.b64encode(b"x" * shift + word.encode()).decode()[4 * bool(shift) : -4]
        for shift in range(3)
    ]
    return [word, word.encode().hex(), word.upper(), *coded]


class Monitor:
    """Everything that anybody sends to the broker."""

    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(url)
        self.lines: list[str] = []
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        with self._client.monitor() as monitor:  # type: ignore[no-untyped-call]
            while not self._stopping.is_set():
                self.lines.append(str(monitor.next_command()["command"]))

    def stop(self) -> None:
        """Its own last command is what wakes the one that waits."""
        self._stopping.set()
        self._client.ping()
        self._thread.join(5)
        self._client.close()
        assert not self._thread.is_alive()


@dataclass
class Left:
    """What the run left behind, by where it was found."""

    canaries: Canaries
    places: dict[str, str]
    tables: dict[str, str]


def send_everything(system: Running, canaries: Canaries) -> None:
    """Each field that takes a text, in requests that are taken and in requests that are not."""
    word = canaries.of
    note = word("note", sealed=True)
    items = {
        "note": note,
        "cues": [word("cue")],
        "helped": [word("helped")],
        "note_shared": True,
    }
    body = check_in(craving=9, **items)
    assert system.call("POST", "/check-ins", who="patient", body=body).status_code == 201
    other = {**body, "note": word("another note", sealed=True)}
    assert system.call("POST", "/check-ins", who="patient", body=other).status_code == 409
    changed = word("changed note", sealed=True)
    headers = {"Authorization": f"Bearer {system.token('patient')}", "If-Match": '"1"'}
    url = f"{system.facts['web']}/api/v1/check-ins/{body['id']}"
    answer = httpx.patch(url, json={"note": changed}, headers=headers, timeout=10)
    assert answer.status_code == 200
    contact = {
        "id": str(uuid4()),
        "name": word("contact's name", sealed=True),
        "phone": "+1555" + str(uuid4().int)[:7],
        "email": f"{word('contact address', sealed=True)}@example.org",
        "relation": "friend",
        "words": word("contact's words", sealed=True),
    }
    canaries.words["contact's phone"] = contact["phone"]
    canaries.sealed.add("contact's phone")
    assert system.call("POST", "/me/support-contacts", who="patient", body=contact).is_success
    step = {"id": str(uuid4()), "words": word("coping step", sealed=True)}
    assert system.call("POST", "/me/coping-steps", who="patient", body=step).is_success
    act_on_alert(system, canaries)
    administer(system, canaries)
    be_refused(system, canaries)
    system.call("POST", "/me/exports", who="patient", body={"id": str(uuid4())})
    system.call("POST", "/sync", who="patient", body=broken_sync(canaries))


def act_on_alert(system: Running, canaries: Canaries) -> None:
    patient_id = own_patient_id(system)
    path = f"/patients/{patient_id}/alerts"
    alerts = system.call("GET", path, who="therapist").json()["results"]
    alert = next(alert for alert in alerts if alert["status"] == "open")
    acted = {"id": str(uuid4()), "note": canaries.of("act", sealed=True)}
    address = f"{path}/{alert['id']}"
    assert system.call("POST", f"{address}/act", who="therapist", body=acted).status_code == 200
    resolved = {
        "id": str(uuid4()),
        "outcome": "reached",
        "note": canaries.of("resolved", sealed=True),
    }
    answer = system.call("POST", f"{address}/resolve", who="therapist", body=resolved)
    assert answer.status_code == 200
    reason = {"id": str(uuid4()), "from_on": "2026-01-01", "reason": canaries.of("baseline reason")}
    system.call("POST", f"/patients/{patient_id}/baselines", who="therapist", body=reason)
    hold = {"reason": canaries.of("legal hold reason")}
    system.call("PUT", f"/patients/{patient_id}/legal-hold", who="admin", body=hold)


def own_patient_id(system: Running) -> str:
    """No answer of the API says it to the patient."""
    email = system.facts["sign_ins"]["patient"]["email"]
    with psycopg.connect(as_superuser(system.state)) as connection:
        row = connection.execute(
            "SELECT p.id FROM accounts_patient p JOIN accounts_user u ON u.id = p.user_id"
            " WHERE u.email = %s",
            [email],
        ).fetchone()
    assert row is not None
    return str(row[0])


def addresses(state: Path) -> dict[str, str]:
    """What `manage.py` is told by a running system."""
    told: dict[str, str] = json.loads((state / "manage.json").read_text())
    return told


def administer(system: Running, canaries: Canaries) -> None:
    word = canaries.of
    patient = {
        "id": str(uuid4()),
        "given_name": word("given name"),
        "family_name": word("family name"),
        "born_on": "1990-05-17",
    }
    assert system.call("POST", "/patients", who="admin", body=patient).status_code == 201
    made = system.call("POST", f"/patients/{patient['id']}/enrolment-codes", who="admin").json()
    address = f"{word('address')}@example.org"
    enrol = {"email": address, "password": word("password") + "-by-the-river",
             "born_on": "1990-05-17", "code": made["code"]}  # fmt: skip
    assert system.call("POST", "/enrol", body=enrol).status_code == 201
    # The same address once more: the database itself refuses it, and writes a line about that.
    second = {**patient, "id": str(uuid4())}
    system.call("POST", "/patients", who="admin", body=second)
    code = system.call("POST", f"/patients/{second['id']}/enrolment-codes", who="admin").json()
    again = system.call("POST", "/enrol", body={**enrol, "code": code["code"]})
    assert again.status_code == 409
    clinician = {
        "id": str(uuid4()),
        "email": f"{word('clinician address')}@example.org",
        "display_name": word("clinician name"),
        "roles": ["therapist"],
    }
    system.call("POST", "/clinicians", who="admin", body=clinician)
    system.call("POST", "/sign-in", body={"email": address, "password": word("wrong password")})
    nobodys = {"email": f"{word('forgotten address')}@example.org"}
    assert system.call("POST", "/password-reset", body=nobodys).status_code == 202


def be_refused(system: Running, canaries: Canaries) -> None:
    """Where errors are made: unknown fields, wrong types, no JSON, no HTTP, strange addresses."""
    word, web = canaries.of, system.facts["web"]
    bad = [
        check_in(mood=word("wrong type")),
        {**check_in(mood=5), word("unknown field"): word("unknown value")},
        check_in(note=word("note that is too long") * 400),
        check_in(mood=5, time_zone=word("time zone")),
        check_in(not_safe=True, mood=99, note=word("note of a refused cry for help")),
        check_in(note=word("note with a NUL") + "\0"),
    ]
    for body in bad:
        assert system.call("POST", "/check-ins", who="patient", body=body).status_code >= 400
    token = {
        "Authorization": f"Bearer {system.token('patient')}",
        "Content-Type": "application/json",
    }
    cut = b'{"note": "' + word("note that is cut off").encode()
    httpx.post(f"{web}/api/v1/check-ins", content=cut, headers=token, timeout=10)
    httpx.get(f"{web}/api/v1/{word('address of nothing')}", timeout=10)
    httpx.get(f"{web}/api/v1/help", params={"country": word("parameter")}, timeout=10)
    told = {"User-Agent": word("agent"), "X-Request-ID": word("request id"),
            "Authorization": f"Bearer {word('token')}"}  # fmt: skip
    httpx.get(f"{web}/api/v1/check-ins", headers=told, timeout=10)
    httpx.get(f"{web}/fhir/Observation", params={"code": word("search")}, headers=token, timeout=10)
    httpx.get(f"{web}/desk/sign-in", params={"next": word("page parameter")}, timeout=10)
    httpx.post(f"{web}/desk/sign-in", data={"email": word("desk address")}, timeout=10)
    for raw in (
        f"{word('no HTTP')}\r\n\r\n",
        f"GET /{word('wrong version')} HTTP/9.9\r\n\r\n",
        f"GET / HTTP/1.1\r\n{word('broken header')}\r\n\r\n",
        f"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: {word('length')}\r\n\r\n",
    ):
        speak(web, raw)


def speak(web: str, raw: str) -> None:
    parts = urlsplit(web)
    with socket.create_connection((parts.hostname, parts.port), timeout=5) as connection:
        connection.sendall(raw.encode())
        try:
            connection.recv(4096)
        except OSError:
            return


def broken_sync(canaries: Canaries) -> dict[str, Any]:
    item = check_in(mood=4, note=canaries.of("synced note", sealed=True))
    odd = check_in(mood=77, note=canaries.of("note of a refused change"))
    made = {"type": "check_in", "op": "create"}
    return {
        "changes": [
            {**made, "item": item},
            {**made, "item": odd},
            {"type": canaries.of("unknown type"), "op": "create", "item": {}},
        ],
        "cursor": None,
    }


def as_superuser(state: Path) -> str:
    """Whoever has a dump: past every policy that hides rows."""
    parts = urlsplit(addresses(state)["DATABASE_OWNER_URL"])
    password = (state / "postgres" / "secrets" / SUPERUSER).read_text().strip()
    return parts._replace(netloc=f"{SUPERUSER}:{password}@127.0.0.1:{parts.port}").geturl()


def dumped(url: str) -> dict[str, str]:
    """Every row of every table, as text."""
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        names = [name for (name,) in found.fetchall()]
        return {
            name: "\n".join(
                row for (row,) in connection.execute(f'SELECT t::text FROM "{name}" t').fetchall()
            )
            for name in names
        }


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Left]:
    canaries = Canaries()
    state = tmp_path_factory.mktemp("canaries") / "state"
    with running(state, HANDRAIL_PORT=PORT, LOG_LEVEL="DEBUG") as system:
        monitor = Monitor(addresses(state)["REDIS_URL"])
        phones = [system.register_phone(who) for who in ("patient", "therapist")]
        send_everything(system, canaries)
        assert within(30, lambda: all(system.messages(phone) for phone in phones))
        reset = {"email": system.facts["sign_ins"]["patient"]["email"]}
        system.call("POST", "/password-reset", body=reset)
        assert within(30, lambda: mails(state))
        time.sleep(3)  # what is swept every few seconds is swept once more
        pushes = httpx.get(f"{system.facts['fcm']}/messages", timeout=10).text
        monitor.stop()
        tables = dumped(as_superuser(state))
    places = {
        **{f"logs/{log.name}": log.read_text(errors="replace") for log in logs(state)},
        "broker": "\n".join(monitor.lines),
        "pushes": pushes,
        "mails": "\n".join(without_recipients(mail.read_text()) for mail in mails(state)),
        "run's own output": (state.parent / "run.log").read_text(),
    }
    yield Left(canaries, places, tables)


def logs(state: Path) -> list[Path]:
    return sorted((state / "logs").iterdir())


def mails(state: Path) -> list[Path]:
    folder = state / "mail"
    return sorted(folder.iterdir()) if folder.exists() else []


def without_recipients(mail: str) -> str:
    """A mail may say whom it is for, and it may say so there alone."""
    return "\n".join(line for line in mail.splitlines() if not line.startswith("To: "))


def test_the_places_searched_hold_what_such_a_run_leaves(left: Left):
    assert {"logs/web.log", "logs/worker.log", "logs/relay.log", "logs/postgres.log"} <= set(
        left.places
    )
    assert "deliver_due" in left.places["broker"]
    assert "You have a new message." in left.places["pushes"]
    assert "Subject:" in left.places["mails"]
    assert '"event"' in left.places["logs/web.log"] or "event" in left.places["logs/relay.log"]
    assert "accounts_user" in left.places["logs/postgres.log"]  # it did refuse an address
    assert len(left.canaries.words) > 40


def test_no_word_that_anybody_wrote_has_left(left: Left):
    found = {place: left.canaries.found_in(text) for place, text in left.places.items()}
    assert {place: names for place, names in found.items() if names} == {}


def test_what_is_sealed_is_in_no_table_in_any_form(left: Left):
    assert len(left.canaries.sealed) >= 9
    found = {
        name: left.canaries.found_in(text, left.canaries.sealed)
        for name, text in left.tables.items()
    }
    assert {name: names for name, names in found.items() if names} == {}


def test_what_is_not_sealed_is_found_where_it_stands(left: Left):
    """The dump is a real one: what is stored in the clear is seen in it."""
    assert "cue" in left.canaries.found_in(left.tables["tracking_checkin"])
    assert "given name" in left.canaries.found_in(left.tables["accounts_patient"])


@pytest.mark.parametrize(
    "line",
    [
        '{{"event": "oops", "note": "{word}"}}',
        "DETAIL:  Key (email)=({word}@example.org) already exists.",
        "STATEMENT:  UPDATE t SET note = '\\x{hexed}'",
        '"SET" "key" "{coded}"',
    ],
    ids=["log", "database", "bytes", "base64"],
)
def test_the_search_would_find_one(line: str, left: Left):
    word = left.canaries.words["note"]
    coded = base64.b64encode(f'{{"a": "{word}"}}'.encode()).decode()
    text = left.places["logs/web.log"] + line.format(
        word=word, hexed=word.encode().hex(), coded=coded
    )
    assert left.canaries.found_in(text) == {"note"}
