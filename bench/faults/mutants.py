"""Small wrong turns in the project, each of which the bench has to notice.

A mutant is some exact text replaced in a copy of the project, and the plan that should expose it.
A text that is not there any more ends the bench: the mutant has to be written anew.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bench.faults import scenes
from bench.faults.copies import Edit, mutated
from bench.faults.ground import Ground
from bench.faults.house import House
from bench.faults.scenes import Scene


@dataclass(frozen=True, slots=True)
class Mutant:
    """What is wrong in it, and the scene that must turn red."""

    name: str
    scene: Scene
    edits: tuple[Edit, ...]


_SETTINGS = "backend/settings.py"
_LEASES = "backend/notifications/services/leases.py"
_DELIVERING = "backend/notifications/services/delivering.py"

_EARLY_ANSWER = """\
def receive_check_in(*, actor: Actor, body: CheckInBody, now: datetime) -> Received:
    def later() -> None:
        time.sleep(0.3)
        _receive_check_in(actor=actor, body=body, now=now)
        connection.close()

    with transaction.atomic():
        received = _receive_check_in(actor=actor, body=body, now=now)
        transaction.set_rollback(True)
    threading.Thread(target=later).start()
    return received


@transaction.atomic
def _receive_check_in(*, actor: Actor, body: CheckInBody, now: datetime) -> Received:
"""
_AFTER_COMMIT = """\
def queue_notifications(*, drafts: Sequence[NotificationDraft], now: datetime) -> int:
    def later() -> None:
        _queue(drafts=drafts, now=now)
        connection.close()

    transaction.on_commit(lambda: threading.Timer(0.5, later).start())
    return len(drafts)


def _queue(*, drafts: Sequence[NotificationDraft], now: datetime) -> int:
"""

MUTANTS = (
    Mutant(
        "asynchronous_commit",
        scenes.database_crashes,
        (Edit(_SETTINGS, "-c synchronous_commit=on", "-c synchronous_commit=off"),),
    ),
    Mutant(
        "answered_before_the_commit",
        scenes.web_crashes,
        (
            Edit(
                "backend/intake/services.py",
                "def receive_check_in(*, actor: Actor, body: CheckInBody, now: datetime)"
                " -> Received:\n",
                _EARLY_ANSWER,
            ),
            Edit(
                "backend/intake/services.py",
                "from django.db import transaction\n",
                "import threading\nimport time\nfrom django.db import connection, transaction\n",
            ),
        ),
    ),
    Mutant(
        "a_repeat_makes_a_new_id",
        scenes.web_crashes,
        (Edit("backend/intake/bodies.py", "        id=body.id,", "        id=uuid4(),"),
         Edit("backend/intake/bodies.py", "from uuid import UUID", "from uuid import UUID, uuid4")),
    ),
    Mutant(
        "messages_stored_after_the_commit",
        scenes.web_crashes,
        (
            Edit(
                "backend/notifications/services/queueing.py",
                "def queue_notifications(*, drafts: Sequence[NotificationDraft], now: datetime)"
                " -> int:\n",
                _AFTER_COMMIT,
            ),
            Edit(
                "backend/notifications/services/queueing.py",
                "import msgspec\n",
                "import threading\n\nimport msgspec\nfrom django.db import transaction\n",
            ),
        ),
    ),
    Mutant(
        "marked_before_it_is_sent",
        scenes.senders_crash,
        (
            Edit(
                _DELIVERING,
                "    outgoing, settled_unsent = _look_again(batch, ways=ways, now=started_at)\n",
                "    outgoing, settled_unsent = _look_again(batch, ways=ways, now=started_at)\n"
                "    for situation, _place in outgoing:\n"
                "        end(situation.row.pk, batch.token, Ending.ACCEPTED, now=started_at)\n",
            ),
        ),
    ),
    Mutant(
        "no_lease_and_no_skip_locked",
        scenes.many_senders,
        (
            Edit(
                _LEASES,
                " AND (lease_expires_at IS NULL OR lease_expires_at <= %(now)s)",
                "",
            ),
            Edit(_LEASES, "    FOR UPDATE SKIP LOCKED\n", ""),
        ),
    ),
    Mutant(
        "no_fence",
        scenes.sender_stalls,
        (
            Edit(
                _LEASES,
                "Notification.objects.filter(state, pk=notification_id, lease_token=token)",
                "Notification.objects.filter(state, pk=notification_id)",
            ),
        ),
    ),
    Mutant(
        "access_not_looked_at_again",
        scenes.somebody_leaves,
        (
            Edit(
                "backend/notifications/services/permission.py",
                "    return _is_own(row) or visible_patients(_actor(row)).filter(",
                "    return True or visible_patients(_actor(row)).filter(",
            ),
        ),
    ),
    Mutant(
        "wake_up_is_the_truth",
        scenes.broker_loses_everything,
        (
            Edit("worker/schedule.py", "SWEEPS = (\n", "SWEEPS = ()\n_UNUSED = (\n"),
            Edit(
                "worker/relay.py",
                'Loop("acute", ACUTE_EVERY, _deliver_acute, self.stopping)',
                'Loop("acute", ACUTE_EVERY, lambda: 0, self.stopping)',
            ),
        ),
    ),
    Mutant(
        "request_waits_for_the_broker",
        scenes.broker_freezes,
        (
            Edit(
                "backend/queue.py",
                "transaction.on_commit(lambda: _waker.wake(job))",
                "transaction.on_commit(lambda: Celery(broker=settings.BROKER_URL).send_task("
                "job.value, queue=QUEUES[job]))",
            ),
        ),
    ),
    Mutant(
        "our_fault_retires_phones",
        scenes.firebase_refuses_us,
        (
            Edit(
                "worker/channels/push.py",
                "(exceptions.PermissionDeniedError, Outcome.OUR_FAULT)",
                "(exceptions.PermissionDeniedError, Outcome.TARGET_GONE)",
            ),
        ),
    ),
    Mutant(
        "escalated_without_a_lock",
        scenes.many_sweepers,
        (
            Edit(
                "backend/aftercare/services/escalation.py",
                '        .select_for_update(of=("self",), no_key=True, skip_locked=True)\n',
                "",
            ),
            Edit(
                "backend/aftercare/services/escalation.py",
                "Alert.objects.select_for_update()\n        .filter(pk=alert_id, level_due_at__lte",
                "Alert.objects.filter(pk=alert_id, level_due_at__lte",
            ),
        ),
    ),
    Mutant(
        "tries_counted_when_they_end",
        scenes.one_message_kills,
        (
            Edit(
                _LEASES,
                "attempts = attempts + 1, unreturned_claims = unreturned_claims + 1",
                "attempts = attempts + 1",
            ),
        ),
    ),
)  # fmt: skip


def named(names: Iterable[str]) -> list[Mutant]:
    """Those mutants, in the order of the list. Raises KeyError for an unknown name."""
    by_name: Mapping[str, Mutant] = {mutant.name: mutant for mutant in MUTANTS}
    wanted = [by_name[name] for name in names]
    return [mutant for mutant in MUTANTS if mutant in wanted]


def hunt(
    ground: Ground, mutants: Iterable[Mutant], *, say: Callable[[str], None]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Each mutant through its scene, and each scene with the project as it is.

    Returns both as they stand in the file of figures. Raises TextNotFoundError.
    """
    caught, controls = [], []
    scenes_played: dict[str, Scene] = {}
    for mutant in mutants:
        scene = mutant.scene
        scene_name = name_of(scene)
        tree = mutated(ground.tree, mutant.edits, into=ground.folder / f"mutant-{mutant.name}")
        red = _play(ground, scene, tree)
        shutil.rmtree(tree)
        say(f"    {mutant.name:36} {scene_name:26} {_words(red, 'caught', 'NOT CAUGHT')}")
        caught.append(
            {"name": mutant.name, "caught": bool(red), "scene": scene_name, "because": red}
        )
        scenes_played[scene_name] = scene
    for scene_name, scene in scenes_played.items():
        red = _play(ground, scene, ground.tree)
        say(f"    {'as it is':36} {scene_name:26} {_words(red, 'RED', 'green')}")
        controls.append({"scene": scene_name, "is_green": not red, "because": red})
    return caught, controls


def name_of(scene: Scene) -> str:
    """As it stands in `scenes`."""
    return next(name for name, value in vars(scenes).items() if value is scene)


def _play(ground: Ground, scene: Scene, tree: Any) -> dict[str, int]:
    house = House(ground, tree=tree)
    try:
        return scene(house).red
    finally:
        house.close()


def _words(red: Mapping[str, int], if_red: str, if_not: str) -> str:
    if not red:
        return if_not
    return f"{if_red}: " + ", ".join(f"{name} {count}" for name, count in red.items())
