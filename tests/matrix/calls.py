"""A well-formed request for each row of the table, so that a refusal is about who asks."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import unquote_plus, urlencode
from uuid import UUID, uuid4

import msgspec
from django.test import Client

from tests.accounts.consenting import consent_body
from tests.matrix.callers import Caller, code_of, sign_in_body
from tests.matrix.ladders import LADDER_PAGES, ladder_body, shift_body
from tests.matrix.programme import PROGRAMME_BODIES
from tests.matrix.world import (
    BORN_ON,
    CODE,
    CODE_ELSEWHERE,
    NOBODY,
    RESET_CODE,
    Belongings,
    World,
)
from tests.people import PASSWORD
from tests.phones import check_in_body

PARAMETER = re.compile(r"\{(\w+)\}")
MIXED = re.compile(r"(.+) with the (alert|clinician|consent|episode|session|test) of (.+)")
CONSENTING = re.compile(r"(.+) with an? (revoked|expired|narrower|missing) consent")
SIGN_IN_PAGE = "/desk/sign-in"
NEW_PASSWORD = "three-herons-on-a-jetty"


@dataclass(frozen=True)
class Ask:
    """One cell's question: who asks what about whose."""

    method: str
    route: str
    whose: str
    world: World
    caller: Caller

    @property
    def named(self) -> Belongings:
        """The one whose row it is. Raises `KeyError` where the row names nobody."""
        return self.world.patients[self.whose]

    def path(self) -> str:
        return PARAMETER.sub(lambda found: str(self._id_of(found[1])), self.route)

    def _id_of(self, parameter: str) -> UUID | str:
        if parameter == "point_id":
            return self.world.points.get(self.whose, NOBODY)
        if parameter == "shift_id":
            return self.world.shift_id if self.whose == "on call" else NOBODY
        if self.whose in self.world.messages:
            return self.world.messages[self.whose]
        if parameter == "consent_id":
            return self.consent_id()
        belongings = self.world.patients.get(self.owner_of(parameter))
        return NOBODY if belongings is None else OWNED[parameter](belongings)

    def owner_of(self, parameter: str) -> str:
        """Whose this part of the address is: of a mixed one, the parts are different people's."""
        consenting = CONSENTING.fullmatch(self.whose)
        if consenting is not None:
            return consenting[1]
        mixed = MIXED.fullmatch(self.whose)
        if mixed is None:
            return self.whose
        return mixed[3] if parameter == f"{mixed[2]}_id" else mixed[1]

    def consent_id(self) -> UUID:
        """The consent that the row is about: the live one, unless it names another state."""
        consenting = CONSENTING.fullmatch(self.whose)
        state = consenting[2] if consenting else "live"
        belongings = self.world.patients.get(self.owner_of("consent_id"))
        consent = belongings.consents.get(state) if belongings else None
        return consent.pk if consent else NOBODY


OWNED: Mapping[str, Callable[[Belongings], UUID | str]] = {
    "patient_id": lambda of: of.patient.pk,
    "check_in_id": lambda of: of.calm.pk if of.calm else NOBODY,
    "export_id": lambda of: of.export.pk if of.export else NOBODY,
    "link": lambda _of: NOBODY,
    "alert_id": lambda of: of.alert.pk if of.alert else NOBODY,
    "notification_id": lambda of: of.message.pk if of.message else NOBODY,
    "clinician_id": lambda of: of.clinician.pk if of.clinician else NOBODY,
    "installation_id": lambda of: of.device.installation_id if of.device else NOBODY,
    "observation_id": lambda of: f"{of.calm.pk}-mood" if of.calm else NOBODY,
    "assessment_id": lambda of: of.assessment.pk if of.assessment else NOBODY,
    "nudge_id": lambda of: of.nudge.pk if of.nudge else NOBODY,
    "emergency_access_id": lambda of: of.emergency_access.pk if of.emergency_access else NOBODY,
    "step_id": lambda of: of.step.pk if of.step else NOBODY,
    "episode_id": lambda of: of.treatment.episode.pk if of.treatment else NOBODY,
    "session_id": lambda of: of.treatment.coming.pk if of.treatment else NOBODY,
    "test_id": lambda of: of.treatment.test.pk if of.treatment else NOBODY,
    "contact_id": lambda of: of.contact.pk if of.contact else NOBODY,
}


def _check_in(ask: Ask) -> dict[str, Any]:
    """A new one; or word for word the one that a patient has sent already."""
    if ask.whose == "new":
        return check_in_body(mood=6)
    row = ask.named.calm
    assert row is not None
    recorded_at = row.recorded_at.astimezone(UTC).replace(microsecond=0)
    day = row.local_date.isoformat()
    items = {"recorded_at": recorded_at.isoformat(), "local_date": day}
    return check_in_body(id=str(row.pk), mood=row.mood, note=row.note, **items)


def _sync(ask: Ask) -> dict[str, Any]:
    if ask.whose == "new":
        change: dict[str, Any] = {"op": "create", "item": check_in_body(mood=6)}
    elif ask.whose == "nobody":
        change = {"op": "withdraw", "id": str(NOBODY)}
    else:
        assert ask.named.calm is not None
        amended = {"base_revision": 1, "changes": {"mood": 5}}
        change = {"op": "amend", "id": str(ask.named.calm.pk), **amended}
    return {"changes": [{"type": "check_in", **change}], "cursor": None}


def _enrol(ask: Ask) -> dict[str, Any]:
    elsewhere = ask.whose == "patient to enrol elsewhere"
    return {
        "code": CODE_ELSEWHERE if elsewhere else CODE,
        "email": f"new-{uuid4().hex}@example.org",
        "password": NEW_PASSWORD,
        "born_on": BORN_ON.isoformat(),
    }


def _receipts(ask: Ask) -> dict[str, Any]:
    belongings = ask.world.patients.get(ask.whose)
    message = belongings.message.pk if belongings and belongings.message else NOBODY
    message = ask.world.messages.get(ask.whose, message)
    at = datetime.now(UTC).isoformat()
    return {"receipts": [{"id": str(message), "event": "opened", "at": at}]}


def _confirm(ask: Ask) -> dict[str, Any]:
    caller = ask.world.callers.get(ask.whose)
    email = caller.email if caller else f"nobody-{uuid4().hex}@example.org"
    return {"email": email, "code": RESET_CODE, "password": NEW_PASSWORD}


def _patient(ask: Ask) -> dict[str, Any]:
    """A new one; or other words under the id of one whom an organisation has already."""
    is_new = ask.whose == "new"
    return {"id": str(uuid4() if is_new else ask.named.patient.pk), "given_name": "Fabian"}


def _clinician(ask: Ask) -> dict[str, Any]:
    known = None if ask.whose == "new" else ask.named.clinician
    return {
        "id": str(known.pk if known else uuid4()),
        "email": f"new-{uuid4().hex}@example.org",
        "display_name": "Gwen",
        "roles": ["therapist"],
    }


def _step(ask: Ask) -> dict[str, Any]:
    """A new one; or word for word the one that a patient has sent already."""
    known = None if ask.whose == "new" else ask.named.step
    return {
        "id": str(known.pk if known else uuid4()),
        "words": known.words if known else "Breathe",
        "cues": ["payday"],
        "order": 1,
    }


def _contact(ask: Ask) -> dict[str, Any]:
    """The same of a person they chose."""
    known = None if ask.whose == "new" else ask.named.contact
    return {
        "id": str(known.pk if known else uuid4()),
        "name": known.name if known else "Gwen",
        "relation": "sponsor",
        "situations": ["asked"],
        "words": known.words if known else "",
        "order": 1,
    }


def _snooze(_ask: Ask) -> dict[str, Any]:
    return {"until": (datetime.now(UTC) + timedelta(hours=2)).isoformat()}


def _export(ask: Ask) -> dict[str, Any]:
    """A new one; or the id of one that a patient has asked for already."""
    known = None if ask.whose == "new" else ask.named.export
    return {"id": str(known.pk if known else uuid4())}


def _device(_ask: Ask) -> dict[str, Any]:
    return {"push_target": f"target-{uuid4().hex}"}


def _act(**more: str) -> Callable[[Ask], dict[str, Any]]:
    return lambda _ask: {"id": str(uuid4()), **more}


def _form(**more: str) -> Callable[[Ask], dict[str, Any]]:
    def form(ask: Ask) -> dict[str, Any]:
        owner = ask.world.patients.get(ask.owner_of("alert_id"))
        return {"id": str(uuid4()), "seen": owner.seen if owner else "1.1", **more}

    return form


def _disclosure(ask: Ask) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "consent_id": str(ask.consent_id()),
        "scopes": ["check_ins"],
        "purpose": "support",
    }


def _emergency_disclosure(_ask: Ask) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "recipient": {"name": "Kim Osei", "affiliation": "County General"},
        "nature": "Found unconscious.",
        "scopes": ["check_ins", "contact_details"],
    }


def _emergency_access(ask: Ask) -> dict[str, Any]:
    return {"id": str(uuid4()), "reason": "Brought in by ambulance.", "code": code_of(ask.caller)}


BODIES: Mapping[str, Callable[[Ask], Any]] = {
    "POST /api/v1/sign-in": lambda ask: sign_in_body(ask.caller),
    "POST /api/v1/sign-in/mfa": lambda ask: {
        "mfa_token": ask.caller.token or "nobody's",
        "code": code_of(ask.caller),
    },
    "POST /api/v1/sign-in/mfa/enrolment": lambda ask: {"mfa_token": ask.caller.token or "nobody's"},
    "POST /api/v1/mfa/recovery-codes": lambda ask: {"code": code_of(ask.caller)},
    "POST /desk/second-step": lambda ask: {"code": code_of(ask.caller)},
    "POST /api/v1/enrol": _enrol,
    "POST /api/v1/password": lambda _ask: {"current_password": PASSWORD, "password": NEW_PASSWORD},
    "POST /api/v1/password-reset": lambda ask: {"email": ask.caller.email},
    "POST /api/v1/password-reset/confirm": _confirm,
    "PUT /api/v1/devices/{installation_id}": _device,
    "PATCH /api/v1/devices/{installation_id}": lambda _ask: {"is_private": False},
    "POST /api/v1/me/notifications/receipts": _receipts,
    "POST /api/v1/patients": _patient,
    "POST /api/v1/clinicians": _clinician,
    "PUT /api/v1/patients/{patient_id}/care-team/{clinician_id}": lambda _ask: {
        "role": "therapist"
    },
    "POST /api/v1/check-ins": _check_in,
    "PATCH /api/v1/check-ins/{check_in_id}": lambda _ask: {"mood": 5},
    "POST /api/v1/me/coping-steps": _step,
    "PATCH /api/v1/me/coping-steps/{step_id}": lambda _ask: {"order": 5},
    "POST /api/v1/me/support-contacts": _contact,
    "PATCH /api/v1/me/support-contacts/{contact_id}": lambda _ask: {"order": 5},
    "POST /api/v1/me/support-contacts/{contact_id}/invitation": lambda _ask: {
        "channel": "sms",
        "only_preview": True,
    },
    "POST /api/v1/me/support-contacts/{contact_id}/call": _act(),
    "POST /contact/{link}": lambda _ask: {"answer": "yes"},
    "POST /api/v1/me/nudges/{nudge_id}/snooze": _snooze,
    "POST /api/v1/me/nudges/{nudge_id}/rate": lambda _ask: {"helped": True},
    "PUT /api/v1/me/prompt-settings": lambda _ask: {"schedules": [{"kind": "check_in"}]},
    "PUT /api/v1/holidays": lambda _ask: {
        "holidays": [{"on": "2026-12-25", "name": "Christmas Day"}]
    },
    "PUT /api/v1/escalation-ladder": lambda _ask: ladder_body(),
    "POST /api/v1/on-call-shifts": lambda ask: shift_body(ask.world.on_call_id),
    "POST /api/v1/sync": _sync,
    "POST /api/v1/me/erasure": lambda _ask: {"password": PASSWORD},
    "POST /api/v1/me/exports": _export,
    "PUT /api/v1/patients/{patient_id}/legal-hold": lambda _ask: {
        "reason": "A court has asked for it."
    },
    "POST /api/v1/patients/{patient_id}/alerts/{alert_id}/acknowledge": _act(),
    "POST /api/v1/patients/{patient_id}/alerts/{alert_id}/act": _act(note="Called; will meet."),
    "POST /api/v1/patients/{patient_id}/alerts/{alert_id}/resolve": _act(outcome="reached"),
    "POST /api/v1/patients/{patient_id}/baselines": _act(
        from_on="2025-06-01", reason="New medication since June."
    ),
    **PROGRAMME_BODIES,
    "POST /api/v1/me/consents": lambda _ask: consent_body(),
    "POST /api/v1/patients/{patient_id}/disclosures": _disclosure,
    "POST /api/v1/patients/{patient_id}/emergency-disclosures": _emergency_disclosure,
    "POST /api/v1/patients/{patient_id}/emergency-access": _emergency_access,
    "POST /api/v1/clinicians/{clinician_id}/remove-second-step": lambda ask: {
        "code": code_of(ask.caller),
        "reason": "lost_phone",
    },
    "POST /api/v1/emergency-accesses/{emergency_access_id}/review": lambda _ask: {
        "finding": "justified"
    },
    "POST /api/v1/me/contact-points": lambda _ask: {
        "channel": "email",
        "address": "therapist@example.org",
    },
    "POST /api/v1/me/contact-points/{point_id}/verify": lambda _ask: {"code": RESET_CODE},
    "POST /desk/sign-in": lambda ask: sign_in_body(ask.caller),
    "POST /desk/security": lambda _ask: {"passkey": "{}", "name": "made up"},
    "POST /administrator/": lambda _ask: {"wanted": "quill"},
    **LADDER_PAGES,
    "POST /desk/": lambda _ask: {"wanted": ""},
    "POST /desk/refresh": lambda _ask: {"wanted": ""},
    "POST /desk/language": lambda _ask: {"language": "es"},
    "POST /desk/patients/{patient_id}/alerts/{alert_id}/acknowledge": _form(),
    "POST /desk/patients/{patient_id}/alerts/{alert_id}/act": _form(note="Called; will meet."),
    "POST /desk/patients/{patient_id}/alerts/{alert_id}/resolve": _form(outcome="reached"),
}
HEADERS: Mapping[str, dict[str, str]] = {
    "PATCH /api/v1/check-ins/{check_in_id}": {"if-match": '"1"'},
    "PUT /api/v1/escalation-ladder": {"if-match": '"0"'},
    "PATCH /api/v1/me/coping-steps/{step_id}": {"if-match": '"1"'},
    "PATCH /api/v1/me/support-contacts/{contact_id}": {"if-match": '"1"'},
}


def _whose(name: str) -> Callable[[Ask], dict[str, str]]:
    """Names the patient in a search; nobody where the row says "own"."""

    def query(ask: Ask) -> dict[str, str]:
        belongings = ask.world.patients.get(ask.whose)
        found = str(belongings.patient.pk if belongings else NOBODY)
        return {} if ask.whose == "own" else {name: found}

    return query


QUERIES: Mapping[str, Callable[[Ask], dict[str, str]]] = {
    "/desk/patients/{patient_id}/news": lambda _ask: {"since": f"{datetime.now(UTC).timestamp()}"},
    "/fhir/Patient": _whose("_id"),
    "/fhir/CareTeam": _whose("patient"),
    "/fhir/Flag": _whose("patient"),
    "/fhir/DetectedIssue": _whose("patient"),
    "/fhir/Observation": _whose("patient"),
    "/fhir/Communication": _whose("patient"),
    "/fhir/Consent": _whose("patient"),
}


@cache
def client() -> Client:
    """One for all questions: making another starts the whole stack of middleware again."""
    return Client(raise_request_exception=False)


def ask_server(ask: Ask) -> tuple[str, Any]:
    """Sends it as this caller would: a token to the API, a session to the pages.

    Returns what was sent as well: an answer may repeat it.
    """
    call = f"{ask.method} {ask.route}"
    client().cookies.clear()
    body = BODIES[call](ask) if call in BODIES else None
    path, headers = ask.path(), dict(HEADERS.get(call, {}))
    if ask.route in QUERIES:
        path += f"?{urlencode(QUERIES[ask.route](ask))}"
    if ask.route.startswith(("/api/", "/fhir/")):
        if ask.caller.token:
            headers["authorization"] = f"Bearer {ask.caller.token}"
        raw, kind = b"" if body is None else msgspec.json.encode(body), "application/json"
    else:
        if ask.caller.session:
            client().cookies["sessionid"] = ask.caller.session
        raw, kind = urlencode(body or {}).encode(), "application/x-www-form-urlencoded"
    answer = client().generic(ask.method, path, raw, content_type=kind, headers=headers)
    return path + unquote_plus(raw.decode()), answer


def verdict(ask: Ask, answer: Any) -> str:
    """What the table writes for this answer: the status, with three reasons to look closer.

    A sync and receipts answer 200 and say inside what became of each thing sent; a page that
    sends people to sign in says so by its address.
    """
    if answer.status_code == 302 and answer["Location"].startswith(SIGN_IN_PAGE):
        return "in"
    if ask.route == "/api/v1/sync" and answer.status_code == 200:
        (result,) = answer.json()["results"]
        return str(result["problem"]["status"] if result["problem"] else 200)
    if ask.route.endswith("/receipts") and answer.status_code == 200:
        return "404" if answer.json()["unknown"] else "200"
    return str(answer.status_code)
