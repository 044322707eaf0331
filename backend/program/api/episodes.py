"""`/api/v1/patients/{patient_id}/episodes`: periods under the programme's care."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated, Literal
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from msgspec import Meta, Struct
from rest_framework.request import Request
from rest_framework.response import Response

from backend.accounts.authentication import actor_of
from backend.openapi import problems
from backend.program import selectors, services
from backend.program.api.shared import CLINICIAN_ONLY, ProgramView, SubstanceName, read_patient
from backend.program.models import EpisodeOfCare, Phase
from backend.rest import read_body

PhaseName = Literal["intensive_outpatient", "step_down", "aftercare"]
Substances = Annotated[list[SubstanceName], Meta(max_length=7)]


class EpisodeBody(Struct, forbid_unknown_fields=True):
    """`phase` is its first; `treated_substances` what the programme treats, where that is said."""

    id: UUID
    started_on: date
    phase: PhaseName
    treated_substances: Substances = []


class PhaseBody(Struct, forbid_unknown_fields=True):
    id: UUID
    kind: PhaseName
    started_on: date


class EpisodeEndBody(Struct, forbid_unknown_fields=True):
    """Its last day."""

    ended_on: date


class PhaseAnswer(Struct):
    """`ended_on` is its last day; null while it lasts."""

    id: UUID
    kind: str
    started_on: date
    ended_on: date | None


class EpisodeAnswer(Struct):
    """`ended_on` is null while the episode is open. Phases in their order."""

    id: UUID
    started_on: date
    ended_on: date | None
    treated_substances: list[str]
    phases: list[PhaseAnswer]


class EpisodeList(Struct):
    results: list[EpisodeAnswer]


def show_episode(row: EpisodeOfCare) -> EpisodeAnswer:
    phases = sorted(row.phases.all(), key=lambda phase: phase.started_on)
    ends = [later.started_on - timedelta(days=1) for later in phases[1:]]
    return EpisodeAnswer(
        id=row.pk,
        started_on=row.started_on,
        ended_on=row.ended_on,
        treated_substances=row.treated_substances,
        phases=[
            PhaseAnswer(phase.pk, phase.kind, phase.started_on, end)
            for phase, end in zip(phases, [*ends, row.ended_on], strict=True)
        ],
    )


def show_stored(row: EpisodeOfCare | Phase) -> EpisodeAnswer:
    """What a conflict is about; of a phase, the episode it is part of."""
    return show_episode(row.episode if isinstance(row, Phase) else row)


class EpisodesView(ProgramView):
    allowed_roles = {"GET": CLINICIAN_ONLY, "POST": CLINICIAN_ONLY}
    show = staticmethod(show_stored)

    @extend_schema(
        operation_id="list_episodes",
        tags=["programme"],
        responses={200: EpisodeList, **problems(401, 403, 404)},
    )
    def get(self, request: Request, patient_id: UUID) -> Response:
        """A patient's episodes of care with their phases, the newest first."""
        patient = read_patient(actor_of(request), patient_id, what="episodes")
        rows = selectors.episodes_of(patient.pk)
        return Response(EpisodeList(results=[show_episode(row) for row in rows]))

    @extend_schema(
        operation_id="start_episode",
        tags=["programme"],
        request=EpisodeBody,
        responses={
            200: EpisodeAnswer,
            201: EpisodeAnswer,
            **problems(400, 401, 403, 404, 409, 413, 415),
        },
    )
    def post(self, request: Request, patient_id: UUID) -> Response:
        """Begins an episode with its first phase. The same id again answers the same one."""
        body = read_body(request, EpisodeBody)
        stored = services.start_episode(
            actor=actor_of(request),
            patient_id=patient_id,
            episode_id=body.id,
            started_on=body.started_on,
            phase=body.phase,
            treated_substances=body.treated_substances,
            now=timezone.now(),
        )
        return self.answer(stored.row, is_new=stored.is_new)


class PhasesView(ProgramView):
    allowed_roles = {"POST": CLINICIAN_ONLY}
    show = staticmethod(show_stored)

    @extend_schema(
        operation_id="start_phase",
        tags=["programme"],
        request=PhaseBody,
        responses={
            200: EpisodeAnswer,
            201: EpisodeAnswer,
            **problems(400, 401, 403, 404, 409, 413, 415),
        },
    )
    def post(self, request: Request, patient_id: UUID, episode_id: UUID) -> Response:
        """Begins the next phase; the one before it ends the day before."""
        body = read_body(request, PhaseBody)
        stored = services.start_phase(
            actor=actor_of(request),
            patient_id=patient_id,
            episode_id=episode_id,
            phase_id=body.id,
            kind=body.kind,
            started_on=body.started_on,
            now=timezone.now(),
        )
        return self.answer(stored.row, is_new=stored.is_new)


class EpisodeEndView(ProgramView):
    allowed_roles = {"PUT": CLINICIAN_ONLY}
    show = staticmethod(show_stored)

    @extend_schema(
        operation_id="end_episode",
        tags=["programme"],
        request=EpisodeEndBody,
        responses={200: EpisodeAnswer, **problems(400, 401, 403, 404, 409, 413, 415)},
    )
    def put(self, request: Request, patient_id: UUID, episode_id: UUID) -> Response:
        """Its last day. Sessions still to come are cancelled. The same again changes nothing."""
        body = read_body(request, EpisodeEndBody)
        row = services.end_episode(
            actor=actor_of(request),
            patient_id=patient_id,
            episode_id=episode_id,
            ended_on=body.ended_on,
            now=timezone.now(),
        )
        return self.answer(row, is_new=False)
