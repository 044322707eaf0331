"""Reading, searching, and everything of a patient. Patients read their own, clinicians theirs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from rest_framework.request import Request
from rest_framework.response import Response

from backend.accounts.access import not_found
from backend.accounts.actor import Role
from backend.accounts.authentication import actor_of, language_of
from backend.fhir import services
from backend.fhir.api import parameters
from backend.fhir.api.outcomes import outcome_response
from backend.fhir.api.rendering import FHIR_JSON, FhirAsJsonRenderer, FhirRenderer
from backend.fhir.bundles import searchset
from backend.fhir.capabilities import capability_statement
from backend.fhir.kinds import Kind
from backend.fhir.registry import KINDS
from backend.permissions import ANONYMOUS
from backend.rest import HandrailView, encode_cursor

READERS = {"GET": frozenset({Role.PATIENT, Role.CLINICIAN})}


class FhirView(HandrailView):
    """Base of the FHIR routes. Their document is the CapabilityStatement, not OpenAPI."""

    renderer_classes = (FhirRenderer, FhirAsJsonRenderer)
    schema = None

    def get_exception_handler(self) -> Callable[..., Response]:
        return outcome_response

    def answer(self, resource: Any) -> Response:
        return Response(resource, content_type=FHIR_JSON)

    def base(self, request: Request) -> str:
        return str(request.build_absolute_uri("/fhir"))

    def bundle(self, request: Request, page: services.Page) -> Response:
        following = None
        if page.next_position is not None:
            query = request.query_params.copy()
            query[parameters.CURSOR] = encode_cursor(page.next_position)
            following = request.build_absolute_uri(f"{request.path}?{query.urlencode()}")
        bundle = searchset(
            page.resources,
            base=self.base(request),
            self_link=request.build_absolute_uri(),
            next_link=following,
        )
        return self.answer(bundle)


class ReadView(FhirView):
    allowed_roles = READERS
    kind: Kind = KINDS[0]

    def get(self, request: Request, **ids: object) -> Response:
        """One resource by its id, whatever its route calls that."""
        parameters.refuse_unknown(request)
        (resource_id,) = ids.values()
        found = services.read_one(
            actor=actor_of(request),
            kind=self.kind,
            resource_id=str(resource_id),
            language=language_of(request),
        )
        return self.answer(found)


class SearchView(FhirView):
    allowed_roles = READERS
    kind: Kind = KINDS[0]

    def get(self, request: Request) -> Response:
        """A page of one type, the newest first."""
        page = services.search(
            actor=actor_of(request),
            kind=self.kind,
            asked=parameters.asked(request, self.kind),
            language=language_of(request),
        )
        return self.bundle(request, page)


class EverythingView(FhirView):
    allowed_roles = READERS
    kinds: Sequence[Kind] = KINDS

    def get(self, request: Request, patient_id: UUID) -> Response:
        """A page of all that is served of one patient."""
        parameters.refuse_unknown(request)
        page = services.everything(
            actor=actor_of(request),
            kinds=self.kinds,
            patient_id=patient_id,
            after=parameters.cursor(request),
            size=parameters.count(request),
            language=language_of(request),
        )
        return self.bundle(request, page)


class MetadataView(FhirView):
    authentication_classes = ()
    allowed_roles = {"GET": frozenset({ANONYMOUS})}

    def get(self, request: Request) -> Response:
        """What this server can be asked, for anyone."""
        return self.answer(capability_statement(KINDS, base=self.base(request)))


class UnknownView(FhirView):
    """Every other address: a type that is not served, or an id that cannot be one."""

    allowed_roles = READERS

    def get(self, request: Request, address: str) -> Response:
        raise not_found()
