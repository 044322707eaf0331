"""Each patient's own key: what they wrote is sealed under it, and unreadable once it is destroyed.

The key is made with the first text that needs it and stands in `accounts_patientkey`, wrapped by a
key of `PATIENT_KEYS`. Whoever seals for a patient holds that patient's row, so that nothing is
sealed under a key that somebody destroys at that moment.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from functools import lru_cache
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction

from backend import sealing
from backend.rows import one
from backend.sealing import KeyRing, UnreadableError, Wrapped, place_of

Text = tuple[str, str, object, str]
"""Table, column, row id, and what is to stand there."""
Sealed = tuple[str, str, object, bytes]
"""Table, column, row id, and what stands there."""

KEPT_S = 30.0
MOST_KEPT = 2000
"""Keys a process remembers for reading. One that was destroyed is forgotten everywhere after
`KEPT_S`; what it sealed is gone by then."""


@lru_cache(maxsize=4)
def _parsed(text: str) -> KeyRing:
    return KeyRing.parse(text)


def key_ring() -> KeyRing:
    """The keys of this process. Raises `KeyRingError` where it has none."""
    return _parsed(settings.PATIENT_KEYS)


class _Remembered:
    """The keys read last, for a short time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._keys: OrderedDict[UUID, tuple[float, bytes]] = OrderedDict()

    def get(self, patient_id: UUID) -> bytes | None:
        with self._lock:
            read_at, key = self._keys.get(patient_id, (0.0, b""))
            return key if key and time.monotonic() - read_at < KEPT_S else None

    def put(self, patient_id: UUID, key: bytes) -> None:
        with self._lock:
            self._keys[patient_id] = (time.monotonic(), key)
            self._keys.move_to_end(patient_id)
            while len(self._keys) > MOST_KEPT:
                self._keys.popitem(last=False)

    def forget(self, patient_id: UUID) -> None:
        with self._lock:
            self._keys.pop(patient_id, None)


_remembered = _Remembered()


def forget(patient_id: UUID) -> None:
    """This process reads the key anew when it needs it next."""
    _remembered.forget(patient_id)


def seal(patient_id: UUID, table: str, column: str, row_id: object, text: str) -> bytes:
    """What to store for this text; nothing for an empty one, which needs no key."""
    (sealed,) = seal_all(patient_id, [(table, column, row_id, text)])
    return sealed


def seal_all(patient_id: UUID, texts: Iterable[Text]) -> list[bytes]:
    """The same for many texts of one patient: one key is read, or made, where any needs it."""
    given = list(texts)
    if not any(text for *_place, text in given):
        return [b""] * len(given)
    return seal_under(_read(patient_id) or _make(patient_id), given)


def opened(patient_id: UUID, wrapped: Wrapped) -> bytes:
    """This patient's key, as it was read before. Raises `UnreadableError`."""
    return key_ring().unwrap(wrapped.content, key_id=wrapped.key_id, owner=patient_id.bytes)


def seal_under(key: bytes, texts: Iterable[Text]) -> list[bytes]:
    """What to store for each of these texts, under a key that is known to stand."""
    return [
        sealing.seal(key, text.encode(), place=place_of(table, column, row_id)) if text else b""
        for table, column, row_id, text in texts
    ]


def seal_bytes(patient_id: UUID, table: str, column: str, row_id: object, content: bytes) -> bytes:
    """The same for what is no text."""
    key = _read(patient_id) or _make(patient_id)
    return sealing.seal(key, content, place=place_of(table, column, row_id))


def unseal(patient_id: UUID, table: str, column: str, row_id: object, sealed: bytes) -> str:
    """Raises `UnreadableError`."""
    return unseal_bytes(patient_id, table, column, row_id, sealed).decode() if sealed else ""


def unseal_all(patient_id: UUID, sealed: Sequence[Sealed]) -> list[str]:
    """The same for many; one key is read at the most. Raises `UnreadableError`."""
    return [unseal(patient_id, *each) for each in sealed]


def unseal_bytes(patient_id: UUID, table: str, column: str, row_id: object, sealed: bytes) -> bytes:
    """Raises `UnreadableError`: for a destroyed key, another place, or a key of no ring of ours."""
    place = place_of(table, column, row_id)
    known = _remembered.get(patient_id)
    if known is not None:
        try:
            return sealing.unseal(known, sealed, place=place)
        except UnreadableError:
            # Made in a transaction that was rolled back, or destroyed and made anew.
            forget(patient_id)
    key = _read(patient_id)
    if key is None:
        raise UnreadableError
    opened = sealing.unseal(key, sealed, place=place)
    _remembered.put(patient_id, key)
    return opened


def destroy(patient_id: UUID) -> bool:
    """What was sealed under this patient's key is unreadable from now on; whether there was one.

    In the caller's transaction, which holds the patient's row.
    """
    forget(patient_id)
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM accounts_patientkey WHERE patient_id = %s", [patient_id])
        return bool(cursor.rowcount)


def rewrap(*, most: int) -> int:
    """Wraps up to `most` keys anew that another than the current key wraps; returns how many.

    One short transaction. Rows that somebody else works on are passed over, so that any number may
    go on at once, and each begins where the last one ended. Raises `UnreadableError` for a key
    that no key of the ring has wrapped.
    """
    ring = key_ring()
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT patient_id, key_id, wrapped FROM accounts_patientkey WHERE key_id <> %s"
            " ORDER BY patient_id LIMIT %s FOR UPDATE SKIP LOCKED",
            [ring.current, most],
        )
        rows = cursor.fetchall()
        for patient_id, key_id, wrapped in rows:
            key = ring.unwrap(bytes(wrapped), key_id=key_id, owner=patient_id.bytes)
            cursor.execute(
                "UPDATE accounts_patientkey SET key_id = %s, wrapped = %s WHERE patient_id = %s",
                [ring.current, ring.wrap(key, owner=patient_id.bytes), patient_id],
            )
    return len(rows)


def count_by_key() -> dict[str, int]:
    """How many patients' keys each key wraps."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT key_id, count(*) FROM accounts_patientkey GROUP BY key_id")
        return dict(cursor.fetchall())


def _read(patient_id: UUID) -> bytes | None:
    row = one("SELECT key_id, wrapped FROM accounts_patientkey WHERE patient_id = %s", [patient_id])
    if row is None:
        return None
    return opened(patient_id, Wrapped(row[0], bytes(row[1])))


def _make(patient_id: UUID) -> bytes:
    """A new key, or the one that somebody else has made at this moment."""
    ring, key = key_ring(), sealing.new_key()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO accounts_patientkey (patient_id, key_id, wrapped, made_at)"
            " VALUES (%s, %s, %s, now()) ON CONFLICT (patient_id) DO NOTHING",
            [patient_id, ring.current, ring.wrap(key, owner=patient_id.bytes)],
        )
        if cursor.rowcount:
            return key
    made = _read(patient_id)
    assert made is not None
    return made
