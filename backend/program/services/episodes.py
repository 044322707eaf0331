"""Beginning an episode of care, its next phase, and its end."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils.translation import gettext as _

from backend import errors
from backend.accounts.access import access_patient
from backend.accounts.actor import Actor
from backend.accounts.models import Patient
from backend.program.models import EpisodeOfCare, Phase
from backend.program.selectors import find_episode
from backend.program.services.storing import Stored, audit_act, find_replay, insert

# Programmes plan ahead; a year further on is a slip of the pen.
FURTHEST_AHEAD = timedelta(days=366)


@transaction.atomic
def start_episode(
    *,
    actor: Actor,
    patient_id: UUID,
    episode_id: UUID,
    started_on: date,
    phase: str,
    treated_substances: Sequence[str],
    now: datetime,
) -> Stored[EpisodeOfCare]:
    """A new episode with its first phase, which has the same id. The same again changes nothing.

    Raises `NotFound`, `Invalid` for a day too far ahead, `Conflict` for an id that is taken and
    where an episode is open.
    """
    patient = access_patient(actor, patient_id, lock=True)
    substances = sorted(set(treated_substances))
    said = {"started_on": started_on, "treated_substances": substances}
    known = find_replay(EpisodeOfCare, episode_id, patient=patient, said=said)
    if known is not None:
        first = {"kind": phase, "started_on": started_on}
        find_replay(Phase, episode_id, patient=patient, said=first, of="episode")
        return Stored(known, is_new=False)
    _not_too_far("/started_on", started_on, patient, now)
    if EpisodeOfCare.objects.filter(patient=patient, ended_on__isnull=True).exists():
        raise errors.Conflict("episode_open", _("An episode of care is open. End it first."))
    row = EpisodeOfCare(
        id=episode_id,
        patient=patient,
        started_on=started_on,
        treated_substances=substances,
    )
    insert(row)
    insert(Phase(id=episode_id, episode=row, kind=phase, started_on=started_on))
    audit_act(actor, "episode_of_care.start", patient_id=patient.pk, row=row)
    return Stored(row, is_new=True)


@transaction.atomic
def start_phase(
    *,
    actor: Actor,
    patient_id: UUID,
    episode_id: UUID,
    phase_id: UUID,
    kind: str,
    started_on: date,
    now: datetime,
) -> Stored[EpisodeOfCare]:
    """The next phase; the one before it ends there. The same again changes nothing.

    Raises `NotFound`; `Invalid` for a day that is not after the start of the phase before, or too
    far ahead; `Conflict` for an id that is taken and for an episode that has ended.
    """
    patient = access_patient(actor, patient_id, lock=True)
    episode = find_episode(patient.pk, episode_id)
    said = {"episode_id": episode.pk, "kind": kind, "started_on": started_on}
    if find_replay(Phase, phase_id, patient=patient, said=said, of="episode") is not None:
        return Stored(episode, is_new=False)
    if episode.ended_on is not None:
        raise _ended(episode)
    _not_too_far("/started_on", started_on, patient, now)
    if episode.phases.filter(started_on__gte=started_on).exists():
        words = _("A phase starts after the one before it.")
        raise errors.invalid_field("/started_on", "contradiction", words)
    phase = Phase(id=phase_id, episode=episode, kind=kind, started_on=started_on)
    insert(phase)
    audit_act(actor, "episode_of_care.next_phase", patient_id=patient.pk, row=episode)
    return Stored(episode, is_new=True)


@transaction.atomic
def end_episode(
    *, actor: Actor, patient_id: UUID, episode_id: UUID, ended_on: date, now: datetime
) -> EpisodeOfCare:
    """The last day of it. The same day again changes nothing; sessions after it are cancelled.

    Raises `NotFound`, `Invalid` for a day before its last phase began or one that has not come,
    `Conflict` where it ended on another day.
    """
    patient = access_patient(actor, patient_id, lock=True)
    episode = find_episode(patient.pk, episode_id)
    if episode.ended_on == ended_on:
        return episode
    if episode.ended_on is not None:
        raise _ended(episode)
    if ended_on > now.astimezone(ZoneInfo(patient.time_zone)).date():
        raise errors.invalid_field("/ended_on", "in_the_future", _("This day has not come yet."))
    if episode.phases.filter(started_on__gt=ended_on).exists():
        words = _("It cannot end before its last phase began.")
        raise errors.invalid_field("/ended_on", "contradiction", words)
    episode.ended_on = ended_on
    episode.save(update_fields=["ended_on"])
    cancelled = episode.sessions.filter(
        starts_at__gt=now, cancelled_at__isnull=True, attendance__isnull=True
    ).update(cancelled_at=now)
    audit_act(actor, "episode_of_care.end", patient_id=patient.pk, row=episode, cancelled=cancelled)
    return episode


def _not_too_far(pointer: str, day: date, patient: Patient, now: datetime) -> None:
    if day > now.astimezone(ZoneInfo(patient.time_zone)).date() + FURTHEST_AHEAD:
        raise errors.invalid_field(pointer, "too_far_ahead", _("This is more than a year ahead."))


def _ended(episode: EpisodeOfCare) -> errors.Conflict:
    return errors.Conflict(
        "episode_ended", _("This episode of care has ended."), extra={"stored": episode}
    )
