"""Who is who on the fault bench: ids, tokens and phones follow from a number.

Nothing of Django here: the bench, which never loads the project it breaks, names the same people.
"""

from __future__ import annotations

from uuid import UUID

ORGANISATION, USER, PATIENT, TOKEN, TIE = 0xF0, 0xF1, 0xF2, 0xF3, 0xF4
PHONE, SECOND_PHONE, STAFF, CLINICIAN, STAFF_PHONE = 0xF5, 0xF6, 0xF7, 0xF8, 0xF9
PER_THERAPIST = 25
SECOND_PHONE_EVERY, DEAD_PHONE_EVERY = 4, 20
ON_CALL, SUPERVISOR = 100_001, 100_002
"""Numbers among the staff, past those of any therapist."""


def id_of(kind: int, number: int) -> UUID:
    """The id of the person, phone or tie with that number."""
    return UUID(f"{kind:08x}00004000{0x8000:04x}{number:012x}")


def token_of(number: int) -> str:
    """What that patient's phone signs requests with."""
    return f"faults-token-{number}"


def target_of(kind: int, number: int) -> str:
    """Where a push to that phone goes."""
    return f"faults-{kind:x}-{number}"


def therapists(people: int) -> int:
    return max(people // PER_THERAPIST, 1)


def therapist_of(number: int, people: int) -> int:
    """The number of the therapist whom that patient sees."""
    return number % therapists(people) + 1


def has_second_phone(number: int) -> bool:
    return number % SECOND_PHONE_EVERY == 0


def second_is_dead(number: int) -> bool:
    """Whether the second phone's app is gone: FCM knows, we do not yet."""
    return number % DEAD_PHONE_EVERY == 0


def dead_targets(people: int) -> list[str]:
    return [target_of(SECOND_PHONE, n) for n in range(1, people + 1) if second_is_dead(n)]


def living_targets(number: int) -> list[str]:
    """The phones on which that patient has to be reached."""
    found = [target_of(PHONE, number)]
    if has_second_phone(number) and not second_is_dead(number):
        found.append(target_of(SECOND_PHONE, number))
    return found
