"""Made-up requests from the published document, as each kind of caller.

Nothing may break the server, answer what the document does not say, or let anybody in without
asking who they are. `HANDRAIL_TESTS=long` tries much more.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    ignored_auth,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from backend.accounts.models import Device, User
from backend.aftercare.models import Alert
from backend.notifications.models import Notification
from backend.tracking.models import CheckIn
from tests.people import People, make_device
from tests.phones import Phone, check_in_body, make_token

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "openapi.json"
IS_LONG = os.environ.get("HANDRAIL_TESTS") == "long"
SETTINGS = settings(
    max_examples=400 if IS_LONG else 8,
    derandomize=not IS_LONG,
    database=None,
    deadline=None,
    phases=[Phase.generate, Phase.shrink] if IS_LONG else [Phase.generate],
    suppress_health_check=list(HealthCheck),
)
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# Called in this process, what is packed is not unpacked.
UNPACKED = {"Accept-Encoding": "identity"}
ROLES = ("anyone", "patient", "therapist", "administrator")
Ids = dict[str, UUID]


@cache
def document() -> Any:
    schema = schemathesis.openapi.from_dict(json.loads(DOCUMENT.read_text()))
    schema.app = get_wsgi_application()
    return schema


def operations() -> list[Any]:
    return [found.ok() for found in document().get_all_operations()]


@contextmanager
def one_connection() -> Iterator[None]:
    """The real WSGI application gives its connection back after each request; ours is shared."""
    for signal in (request_started, request_finished):
        assert signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def users(people: People) -> dict[str, User]:
    return {
        "patient": people.patient_user,
        "therapist": people.therapist.user,
        "administrator": people.administrator.user,
    }


@pytest.fixture
def ids(people: People, users: dict[str, User]) -> Ids:
    """What is really there, so that not every address is of nobody."""
    for user in (users["patient"], users["therapist"]):
        make_device(user)
    phone = Phone.of(people.patient_user)
    assert phone.post("/check-ins", check_in_body(mood=6)).status_code == 201
    assert phone.post("/check-ins", check_in_body(craving=9)).status_code == 201
    return {
        "patient_id": people.patient.pk,
        "clinician_id": people.therapist.pk,
        "check_in_id": CheckIn.objects.order_by("craving").values_list("pk", flat=True)[0],
        "alert_id": Alert.objects.get().pk,
        "notification_id": Notification.objects.get(recipient=users["patient"]).pk,
        "installation_id": Device.objects.get(user=users["patient"]).installation_id,
    }


def cases(operation: Any) -> st.SearchStrategy[Any]:
    """Requests that keep to the document, and ones that do not."""
    modes = (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    return st.one_of([operation.as_strategy(generation_mode=mode) for mode in modes])


@pytest.mark.parametrize("operation", operations(), ids=lambda found: found.label.replace(" ", "_"))
@pytest.mark.parametrize("role", ROLES)
def test_the_server_keeps_to_its_document(
    role: str, operation: Any, ids: Ids, users: dict[str, User]
) -> None:
    headers = dict(UNPACKED)
    if role in users:
        headers["Authorization"] = f"Bearer {make_token(users[role])}"
    checks = [*CHECKS, ignored_auth] if role in users else CHECKS

    @SETTINGS
    @given(case=cases(operation), is_there=st.booleans())
    def keeps(case: Any, is_there: bool) -> None:
        if is_there:
            case.path_parameters |= {
                name: str(ids[name]) for name in case.path_parameters if name in ids
            }
        case.headers.pop("Authorization", None)
        with transaction.atomic():
            case.call_and_validate(headers=headers, checks=checks)
            transaction.set_rollback(True)

    with one_connection():
        keeps()


def test_a_break_of_the_document_would_be_seen(ids: Ids, users: dict[str, User]) -> None:
    """The same checks, with a document that promises something else."""
    promised = json.loads(DOCUMENT.read_text())
    answer = promised["components"]["schemas"]["HelpAnswer"]
    answer["required"] = [*answer["required"], "promised"]
    schema: Any = schemathesis.openapi.from_dict(promised)
    schema.app = get_wsgi_application()
    case = schema["/api/v1/help"]["GET"].Case()
    with one_connection(), pytest.raises(FailureGroup, match="promised"):
        case.call_and_validate(headers=UNPACKED, checks=CHECKS)
