"""What a patient lets somebody see: signed, read, taken back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response

from backend import errors
from backend.accounts import consent_texts, services
from backend.accounts.access import access_own_patient
from backend.accounts.actor import Role
from backend.accounts.api.pages import PAGE_PARAMETERS, position
from backend.accounts.authentication import actor_of, language_of
from backend.accounts.consent_scopes import ConsentScope, registered
from backend.accounts.models import Consent, ExpiryEvent, Purpose, RecipientKind
from backend.accounts.recipients import Recipient
from backend.accounts.selectors import consents_page
from backend.accounts.services.consents import ConsentDraft
from backend.openapi import problems
from backend.rest import HandrailView, page, page_size, read_body

PATIENT_ONLY = frozenset({Role.PATIENT})
Name = Annotated[str, Meta(min_length=1, max_length=200, pattern=r"\S")]
Kind = Literal["person", "organisation", "support_contact", "recipient_class"]
PurposeName = Literal[
    "treatment", "coordination", "support", "payment", "employment", "housing", "legal",
    "own_request",
]  # fmt: skip
SituationName = Literal["asked", "strong_craving", "use_reported", "not_safe", "silence"]


SITUATIONS = OpenApiParameter(
    "situations", OpenApiTypes.STR, description="With commas between them; none unless told."
)


class RecipientBody(Struct, forbid_unknown_fields=True):
    """`contact_id` names a support contact, and nobody else."""

    kind: Kind
    name: Name
    affiliation: Annotated[str, Meta(max_length=200)] = ""
    contact_id: UUID | None = None

    def as_recipient(self) -> Recipient:
        return Recipient(self.kind, self.name, self.affiliation, self.contact_id)


class ConsentBody(Struct, forbid_unknown_fields=True):
    """`id` is made by the app. Ends on `expires_on` (the last day) or with `expires_event`.

    `text_*` are of the words that were shown, from `GET /consent-texts`. `situations` are those in
    which a support contact may be told, and of nobody else; the words list them. All but `asked`
    need `check_ins` among the scopes.
    """

    id: UUID
    recipient: RecipientBody
    scopes: Annotated[list[ConsentScope], Meta(min_length=1, max_length=20)]
    purpose: PurposeName
    text_version: Annotated[int, Meta(ge=1, le=10_000)]
    text_language: Literal["en", "es"]
    text_sha256: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
    signature_name: Name
    signature_method: Literal["typed_in_app", "typed_on_web"]
    expires_on: date | None = None
    expires_event: Literal["discharge"] | None = None
    situations: Annotated[list[SituationName], Meta(max_length=5)] = []


class RecipientAnswer(Struct):
    kind: str
    name: str
    affiliation: str
    contact_id: UUID | None


class ConsentAnswer(Struct):
    """`is_live` says whether it holds now: signed, not revoked, not past its day or event."""

    id: UUID
    discloser: str
    recipient: RecipientAnswer
    scopes: list[str]
    situations: list[str]
    purpose: str
    expires_on: date | None
    expires_event: str | None
    text_version: int
    text_language: str
    text_sha256: str
    signature_name: str
    signature_method: str
    signed_at: datetime
    revoked_at: datetime | None
    is_live: bool


class ConsentPage(Struct):
    results: list[ConsentAnswer]
    next_cursor: str | None


class ConsentTextAnswer(Struct):
    """`sha256` of the text in UTF-8, in hexadecimal. `reviewed_by` is empty until signed."""

    version: int
    language: str
    text: str
    sha256: str
    reviewed_by: str


class Choice(Struct):
    name: str
    words: str


class ConsentTextsAnswer(Struct):
    """The words to sign today in each language; the choices in the caller's."""

    texts: list[ConsentTextAnswer]
    scopes: list[Choice]
    purposes: list[Choice]
    events: list[Choice]
    kinds: list[Choice]
    situations: list[Choice]


def show_consent(consent: Consent) -> ConsentAnswer:
    """`consent` as `selectors.consents_of` reads it."""
    revocation = getattr(consent, "revocation", None)
    return ConsentAnswer(
        id=consent.pk,
        discloser=consent.discloser_name,
        recipient=RecipientAnswer(
            kind=consent.recipient_kind,
            name=consent.recipient_name,
            affiliation=consent.recipient_affiliation,
            contact_id=consent.contact_id,
        ),
        scopes=consent.scopes,
        situations=consent.situations,
        purpose=consent.purpose,
        expires_on=consent.expires_on,
        expires_event=consent.expires_event or None,
        text_version=consent.text_version,
        text_language=consent.text_language,
        text_sha256=consent.text_sha256,
        signature_name=consent.signature_name,
        signature_method=consent.signature_method,
        signed_at=consent.signed_at,
        revoked_at=revocation.revoked_at if revocation else None,
        is_live=getattr(consent, "is_live"),  # noqa: B009 - annotated by the selector
    )


def situations_asked(request: Request) -> list[str]:
    """Those that the words to sign shall list; none unless told. Raises `Invalid`."""
    given = request.query_params.get("situations", "")
    named = given.split(",") if given else []
    if not set(named) <= set(consent_texts.situations()):
        raise errors.Invalid("invalid_situations", _("There is no such situation."))
    return named


def _cursor_of(consent: Consent) -> tuple[str, str]:
    return consent.signed_at.isoformat(), str(consent.pk)


def _draft(body: ConsentBody) -> ConsentDraft:
    return ConsentDraft(
        id=body.id,
        recipient=body.recipient.as_recipient(),
        scopes=body.scopes,
        situations=body.situations,
        purpose=body.purpose,
        expires_on=body.expires_on,
        expires_event=body.expires_event or "",
        text_version=body.text_version,
        text_language=body.text_language,
        text_sha256=body.text_sha256,
        signature_name=body.signature_name,
        signature_method=body.signature_method,
    )


class OwnConsentsView(HandrailView):
    allowed_roles = {"GET": PATIENT_ONLY, "POST": PATIENT_ONLY}

    def extend_problem(self, request: Request, problem: dict[str, Any]) -> None:
        if isinstance(problem.get("stored"), Consent):
            problem["stored"] = show_consent(problem["stored"])

    @extend_schema(
        operation_id="list_consents",
        tags=["privacy"],
        parameters=PAGE_PARAMETERS,
        responses={200: ConsentPage, **problems(400, 401, 403)},
    )
    def get(self, request: Request) -> Response:
        """Everything one signed, the newest first: what holds, what ended, what was taken back."""
        size, before = page_size(request), position(request)
        patient = access_own_patient(actor_of(request))
        rows = consents_page(patient.pk, at=timezone.now(), size=size, before=before)
        return Response(page(rows, size=size, show=show_consent, cursor_of=_cursor_of))

    @extend_schema(
        operation_id="sign_consent",
        tags=["privacy"],
        request=ConsentBody,
        responses={
            200: ConsentAnswer,
            201: ConsentAnswer,
            **problems(400, 401, 403, 409, 413, 415),
        },
    )
    def post(self, request: Request) -> Response:
        """Lets somebody see a part of one's record. The same body again answers the same row."""
        body = read_body(request, ConsentBody)
        consent, is_new = services.sign_consent(
            actor=actor_of(request), draft=_draft(body), now=timezone.now()
        )
        return Response(show_consent(consent), status=201 if is_new else 200)


class RevokeConsentView(HandrailView):
    allowed_roles = {"POST": PATIENT_ONLY}

    @extend_schema(
        operation_id="revoke_consent",
        tags=["privacy"],
        request=None,
        responses={200: ConsentAnswer, **problems(401, 403, 404)},
    )
    def post(self, request: Request, consent_id: UUID) -> Response:
        """Takes it back: it opens nothing from the next request on. Safe to repeat."""
        consent = services.revoke_consent(
            actor=actor_of(request), consent_id=consent_id, now=timezone.now()
        )
        return Response(show_consent(consent))


class ConsentTextsView(HandrailView):
    allowed_roles = {"GET": frozenset({Role.PATIENT, Role.CLINICIAN})}

    @extend_schema(
        operation_id="consent_texts",
        tags=["privacy"],
        parameters=[SITUATIONS],
        responses={200: ConsentTextsAnswer, **problems(400, 401, 403)},
    )
    def get(self, request: Request) -> Response:
        """The words to sign, with their digests, and the choices to make.

        For a support contact `situations` are those to be signed: the words end by listing them.
        """
        language, named = language_of(request), situations_asked(request)
        groups: Mapping[str, list[str]] = {
            "scopes": [scope.value for scope in registered()],
            "purposes": Purpose.values,
            "events": ExpiryEvent.values,
            "kinds": RecipientKind.values,
        }
        choices = {
            group: [
                Choice(name, consent_texts.say(group, name, language=language)) for name in all_
            ]
            for group, all_ in groups.items()
        }
        texts = [
            ConsentTextAnswer(text.version, text.language, text.text, text.sha256, text.reviewed_by)
            for text in (one.naming(named) for one in consent_texts.current_texts())
        ]
        situations = [
            Choice(name, consent_texts.say_situation(name, language=language))
            for name in consent_texts.situations()
        ]
        return Response(ConsentTextsAnswer(texts=texts, situations=situations, **choices))


class PatientConsentsView(HandrailView):
    allowed_roles = {"GET": frozenset({Role.CLINICIAN})}

    @extend_schema(
        operation_id="list_patient_consents",
        tags=["care team"],
        parameters=PAGE_PARAMETERS,
        responses={200: ConsentPage, **problems(400, 401, 403, 404)},
    )
    def get(self, request: Request, patient_id: UUID) -> Response:
        """What a patient signed, the newest first."""
        size, before = page_size(request), position(request)
        rows = services.read_consents(
            actor=actor_of(request),
            patient_id=patient_id,
            size=size,
            before=before,
            now=timezone.now(),
        )
        return Response(page(rows, size=size, show=show_consent, cursor_of=_cursor_of))
