"""What holds for every route: closed to strangers, one shape of error, nothing kept by caches."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

import pytest
from django.test import Client
from rest_framework.permissions import AllowAny
from rest_framework.views import APIView

from backend.checks.routes import faults_of, routes_declare_roles
from backend.rest import HandrailView
from tests.contract.calls import NOBODY, Answer, Route, api_routes
from tests.phones import Phone

# The only calls that need no token, and why.
OPEN = {
    ("POST", "/api/v1/sign-in"): "how one gets a token",
    ("POST", "/api/v1/sign-in/mfa"): "how staff get one; needs what the first step gave",
    ("POST", "/api/v1/sign-in/mfa/enrolment"): "needs what the first step gave",
    ("POST", "/api/v1/enrol"): "how one gets an account; needs a code",
    ("POST", "/api/v1/password-reset"): "who asks has lost the way in; the answer tells nothing",
    ("POST", "/api/v1/password-reset/confirm"): "needs the secret that was mailed",
    ("GET", "/api/v1/help"): "crisis lines, for anyone",
    ("GET", "/api/v1/web-push-key"): "the public half of a key",
    ("GET", f"/api/v1/exports/{NOBODY}"): "needs the link that was given once",
    ("GET", "/api/openapi.json"): "the document",
    ("GET", "/api/docs"): "the document, to read",
}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "PROPFIND")
PROBLEM_MEMBERS = {
    "type", "title", "status", "code", "detail", "request_id", "crisis_resources",
}  # fmt: skip
CALLS = [(method, route) for route in api_routes() for method in METHODS]


def call(method: str, path: str, **headers: str) -> Answer:
    client = Client(raise_request_exception=False)
    return client.generic(method, path, content_type="application/json", headers=headers)


def is_open(method: str, route: Route) -> bool:
    asked = "GET" if method in ("HEAD", "OPTIONS") else method
    return (asked, route.path) in OPEN


def expected(method: str, route: Route) -> int:
    """What a stranger is told where nothing is open."""
    if method == "OPTIONS":
        return 401
    return 401 if ("GET" if method == "HEAD" else method) in route.answered else 405


def assert_problem(answer: Answer, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body.keys() >= PROBLEM_MEMBERS
    assert (body["status"], body["code"]) == (status, code)
    assert body["type"] == f"urn:handrail:problem:{code}"
    assert body["request_id"] == answer["X-Request-ID"]
    return body


@pytest.mark.parametrize(("method", "route"), CALLS, ids=lambda v: getattr(v, "path", v))
def test_a_stranger_gets_in_nowhere(db: None, method: str, route: Route) -> None:
    status = call(method, route.path).status_code
    if is_open(method, route):
        assert status in ((200, 405) if method == "OPTIONS" else (200, 400, 404, 415))
    else:
        assert status == expected(method, route)


def test_the_list_of_open_calls_is_true() -> None:
    answered = {(method, route.path) for route in api_routes() for method in route.answered}
    assert set(OPEN) <= answered


@pytest.mark.parametrize("token", ["", "x", "a" * 5000, "Ünïcode", "0" * 43])
def test_a_made_up_token_opens_nothing(db: None, token: str) -> None:
    answer = call("GET", "/api/v1/trends", authorization=f"Bearer {token}")
    assert_problem(answer, 401, "unauthenticated")
    assert answer["WWW-Authenticate"] == "Bearer"


def test_a_session_cookie_is_no_token(phone: Phone) -> None:
    token, phone.token = phone.token, ""
    phone.client.cookies["sessionid"] = token
    assert phone.get("/trends").status_code == 401


def test_options_tells_a_stranger_nothing(db: None) -> None:
    answer = call("OPTIONS", "/api/v1/patients")
    assert_problem(answer, 401, "unauthenticated")
    assert b"clinician" not in answer.content


def test_head_needs_what_get_needs_and_has_no_body(phone: Phone) -> None:
    answer = phone.request("HEAD", "/check-ins")
    assert answer.status_code == 200
    assert answer.content == b""
    assert phone.request("HEAD", "/patients").status_code == 403


def test_an_unknown_method_is_named_as_such(phone: Phone) -> None:
    answer = phone.request("DELETE", "/check-ins")
    assert_problem(answer, 405, "method_not_allowed")
    assert {"GET", "POST"} <= set(re.split(r",\s*", answer["Allow"]))


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/", "/api/v1/check-ins/", "/api/v1"])
def test_an_unknown_address_is_a_problem(path: str) -> None:
    assert_problem(call("GET", path), 404, "not_found")


def test_elsewhere_an_unknown_address_is_plain() -> None:
    answer = call("GET", "/nothing")
    assert answer.status_code == 404
    assert not answer["Content-Type"].startswith("application/json")


@pytest.mark.parametrize("path", ["/api/v1/trends", "/api/v1/check-ins", "/api/v1/me/help"])
def test_no_cache_keeps_what_is_somebodys(phone: Phone, path: str) -> None:
    assert phone.get(path.removeprefix("/api/v1"))["Cache-Control"] == "no-store"


@pytest.mark.parametrize("path", ["/api/v1/trends", "/api/v1/nothing"])
def test_no_cache_keeps_a_refusal(db: None, path: str) -> None:
    assert call("GET", path)["Cache-Control"] == "no-store"


def test_the_request_id_comes_back() -> None:
    answer = call("GET", "/healthz", **{"X-Request-ID": "phone-1234-abcd"})
    assert answer["X-Request-ID"] == "phone-1234-abcd"


@pytest.mark.parametrize("given", ["", "short", "a" * 65, "with space", "line\tbreak", "<script>"])
def test_a_malformed_request_id_is_replaced(given: str) -> None:
    answer = call("GET", "/healthz", **{"X-Request-ID": given})
    assert re.fullmatch(r"[0-9a-f]{32}", answer["X-Request-ID"])


def test_wrong_media_and_malformed_bodies_are_problems(db: None) -> None:
    client = Client()
    form = client.post("/api/v1/sign-in", {"email": "a@b.example"})
    assert_problem(form, 415, "json_only")
    raw = client.generic("POST", "/api/v1/sign-in", b"{", content_type="application/json")
    assert_problem(raw, 400, "malformed_json")


@pytest.mark.urls("tests.contract.failing_urls")
@pytest.mark.parametrize("path", ["/api/v1/fails", "/api/v1/fails-outside"])
def test_a_crash_shows_nothing_of_itself(path: str) -> None:
    answer = call("GET", path)
    body = assert_problem(answer, 500, "internal_error")
    assert "canary" not in answer.content.decode()
    assert set(body) == PROBLEM_MEMBERS


@pytest.mark.urls("tests.contract.failing_urls")
def test_a_crash_logs_its_place_and_not_its_words(capfd: pytest.CaptureFixture[str]) -> None:
    call("GET", "/api/v1/fails")
    logged = capfd.readouterr().err
    assert "canary" not in logged


def test_help_for_anyone_asks_no_database() -> None:
    assert call("GET", "/api/v1/help?country=US").status_code == 200


@pytest.mark.urls("tests.contract.failing_urls")
def test_a_database_that_is_away_asks_to_come_back() -> None:
    answer = call("GET", "/api/v1/unreachable")
    assert_problem(answer, 503, "unavailable")
    assert int(answer["Retry-After"]) > 0


# The check that keeps it so ---------------------------------------------------------------------


class Sound(HandrailView):
    allowed_roles: ClassVar[Mapping[str, frozenset[str]]] = {"GET": frozenset({"patient"})}

    def get(self, request: object) -> None: ...


class Undeclared(HandrailView):
    def get(self, request: object) -> None: ...


class Misspelt(HandrailView):
    allowed_role = {"GET": frozenset({"patient"})}

    def get(self, request: object) -> None: ...


class HalfDeclared(Sound):
    def post(self, request: object) -> None: ...


class DeclaredTooMuch(Sound):
    allowed_roles = {**Sound.allowed_roles, "DELETE": frozenset({"patient"})}


class UnknownRole(Sound):
    allowed_roles = {"GET": frozenset({"therapist"})}


class NobodyMay(Sound):
    allowed_roles = {"GET": frozenset()}


class OpenToAll(Sound):
    permission_classes = [AllowAny]


class Plain(APIView):
    permission_classes = []

    def get(self, request: object) -> None: ...


@pytest.mark.parametrize(
    ("view", "fault"),
    [
        (Undeclared, "names nobody who may call GET"),
        (Misspelt, "names nobody who may call GET"),
        (HalfDeclared, "names nobody who may call POST"),
        (DeclaredTooMuch, "names roles for DELETE, which it does not answer"),
        (UnknownRole, "names unknown roles for GET: therapist"),
        (NobodyMay, "names nobody who may call GET"),
        (OpenToAll, "does not use DeclaredRoles"),
        (Plain, "does not use DeclaredRoles"),
    ],
)
def test_a_slip_in_a_view_is_seen(view: type[APIView], fault: str) -> None:
    assert fault in list(faults_of("api/v1/x", view.as_view()))


def test_a_slip_in_a_route_is_seen() -> None:
    opened = Sound.as_view(permission_classes=[AllowAny])
    assert "does not use DeclaredRoles" in list(faults_of("api/v1/x", opened))


def test_a_plain_function_below_the_api_is_seen() -> None:
    assert list(faults_of("api/v1/x", call)) == ["is below the API and not a REST framework view"]
    assert list(faults_of("elsewhere", call)) == []


def test_a_sound_view_and_all_of_ours_pass() -> None:
    assert list(faults_of("api/v1/x", Sound.as_view())) == []
    assert routes_declare_roles() == []


@pytest.mark.urls("tests.contract.failing_urls")
def test_the_check_looks_at_the_routes_that_are_served() -> None:
    assert [message.id for message in routes_declare_roles()] == ["handrail.E009"]
