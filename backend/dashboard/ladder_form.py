"""A ladder as somebody is changing it: a form that keeps everything while rungs come and go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date

from django.http import QueryDict
from django.utils.translation import gettext as _

from backend import errors
from backend.aftercare.ladder_rules import STANDARD, Rung, Way, Who, rung_of
from backend.aftercare.ladder_selectors import RotaView
from backend.aftercare.models import EscalationLadder
from backend.aftercare.services import LadderDraft, ladder_problems
from backend.dashboard.ladder_page import WAY_WORDS, WHO_WORDS
from backend.errors import FieldProblem

MOST_RUNGS, MOST_NAMED, MOST_MINUTES = 8, 20, 10_000
LONGEST_REASON, LONGEST_NAME = 500, 120
SEVERITIES = ("critical", "high")
FIELDS = ("who", "critical", "high", "channels", "named")


@dataclass(frozen=True, slots=True)
class RungFields:
    """One rung as it was written; `problems` by the name of the field."""

    who: str = Who.ON_CALL.value
    critical: str = "10"
    high: str = "120"
    channels: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    problems: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LadderForm:
    """`base_version` is the version that it was written over. `problems` by the name of the field;
    that of the whole ladder is `rungs`."""

    rungs: tuple[RungFields, ...]
    base_version: int
    reason: str = ""
    decided_by: str = ""
    review_on: str = ""
    problems: Mapping[str, str] = field(default_factory=dict)


def form_of(row: EscalationLadder | None) -> LadderForm:
    """The ladder that stands, to be changed: why, by whom and until when is to be said anew."""
    rungs = [rung_of(one) for one in row.rungs] if row else STANDARD
    fields = tuple(
        RungFields(
            who=rung.who.value,
            critical=str(rung.silent["critical"]),
            high=str(rung.silent["high"]),
            channels=tuple(rung.ways),
            named=tuple(rung.clinician_ids),
        )
        for rung in rungs
    )
    return LadderForm(rungs=fields, base_version=row.version if row else 0)


def read_form(sent: QueryDict) -> LadderForm:
    """What was sent, word for word. Raises `Invalid` for what this page never sends."""
    try:
        count, base_version = int(sent.get("rungs", "")), int(sent.get("base_version", ""))
    except ValueError:
        words = _("This form was not complete. Please load the page again.")
        raise errors.invalid_field("/rungs", "invalid_value", words) from None
    rungs = tuple(
        RungFields(
            who=_text(sent, f"who-{index}"),
            critical=_text(sent, f"critical-{index}"),
            high=_text(sent, f"high-{index}"),
            channels=tuple(sent.getlist(f"channels-{index}")),
            named=tuple(sent.getlist(f"named-{index}")[: MOST_NAMED + 1]),
        )
        for index in range(min(max(count, 0), MOST_RUNGS))
    )
    return LadderForm(
        rungs=rungs,
        base_version=min(max(base_version, 0), 2**31 - 1),
        reason=_text(sent, "reason"),
        decided_by=_text(sent, "decided_by"),
        review_on=_text(sent, "review_on"),
    )


def _text(sent: QueryDict, name: str) -> str:
    return sent.get(name, "").replace("\0", "").strip()


def rearranged(form: LadderForm, change: str) -> LadderForm:
    """One rung more before the last, one less, or one moved: `add`, `remove-2`, `up-2`, `down-2`.

    Anything else changes nothing.
    """
    rungs = list(form.rungs)
    verb, _dash, place = change.partition("-")
    at = int(place) if place.isascii() and place.isdigit() and len(place) < 3 else -1
    if verb == "add" and len(rungs) < MOST_RUNGS:
        rungs.insert(max(len(rungs) - 1, 0), RungFields())
    elif verb == "remove" and 0 <= at < len(rungs) and len(rungs) > 1:
        del rungs[at]
    elif verb == "up" and 0 < at < len(rungs):
        rungs[at - 1], rungs[at] = rungs[at], rungs[at - 1]
    elif verb == "down" and 0 <= at < len(rungs) - 1:
        rungs[at], rungs[at + 1] = rungs[at + 1], rungs[at]
    return replace(form, rungs=tuple(rungs))


def draft_of(form: LadderForm) -> LadderDraft:
    """What is to be stored. Raises `Invalid` with a problem for each field that cannot be meant."""
    wrong: list[FieldProblem] = []
    rungs = [_rung(one, index, wrong) for index, one in enumerate(form.rungs)]
    reason = _written(form.reason, "reason", LONGEST_REASON, wrong)
    decided_by = _written(form.decided_by, "decided_by", LONGEST_NAME, wrong)
    review_on = _day(form.review_on, wrong)
    if wrong or review_on is None:
        # What the rungs would be refused for is said at once, too, where it is not said already.
        said = {one.pointer for one in wrong}
        wrong += [one for one in ladder_problems(rungs) if one.pointer not in said]
        raise errors.Invalid("invalid_body", _("This ladder cannot be used."), problems=wrong)
    return LadderDraft(rungs=rungs, reason=reason, decided_by=decided_by, review_on=review_on)


def _rung(fields: RungFields, index: int, wrong: list[FieldProblem]) -> Rung:
    where = f"/rungs/{index}"
    if fields.who not in WHO_WORDS:
        wrong.append(FieldProblem(f"{where}/who", "invalid_value", _("Please say who.")))
    silent = {}
    for severity in SEVERITIES:
        written = getattr(fields, severity)
        is_number = written.isascii() and written.isdigit() and int(written[:6]) <= MOST_MINUTES
        if not is_number:
            words = _("Please write a number of minutes.")
            pointer = f"{where}/silent_minutes/{severity}"
            wrong.append(FieldProblem(pointer, "invalid_value", words))
        silent[severity] = int(written[:6]) if is_number else 0
    if not set(fields.channels) <= set(WAY_WORDS) or len(fields.named) > MOST_NAMED:
        words = _("This form was not complete. Please load the page again.")
        wrong.append(FieldProblem(f"{where}/channels", "invalid_value", words))
    is_named = fields.who == Who.NAMED
    return Rung(
        who=Who(fields.who) if fields.who in WHO_WORDS else Who.CARE_TEAM,
        silent=silent,
        ways=tuple(way.value for way in Way if way.value in fields.channels),
        # Ticked before somebody chose another kind of rung: they are kept on the page alone.
        clinician_ids=fields.named if is_named else (),
    )


def _written(text: str, name: str, longest: int, wrong: list[FieldProblem]) -> str:
    if not text:
        wrong.append(FieldProblem(f"/{name}", "empty", _("Please fill this in.")))
    elif len(text) > longest:
        words = _("This is too long to keep. Please shorten it.")
        wrong.append(FieldProblem(f"/{name}", "too_long", words))
    return text


def _day(written: str, wrong: list[FieldProblem]) -> date | None:
    try:
        return date.fromisoformat(written)
    except ValueError:
        wrong.append(FieldProblem("/review_on", "invalid_value", _("Please choose a day.")))
        return None


def with_problems(form: LadderForm, problems: Sequence[FieldProblem]) -> LadderForm:
    """The same, with what is wrong beside the field that it is about."""
    of_form: dict[str, str] = {}
    of_rung: list[dict[str, str]] = [{} for _rung in form.rungs]
    for one in problems:
        parts = one.pointer.strip("/").split("/")
        if len(parts) < 3 or not parts[1].isdigit() or int(parts[1]) >= len(of_rung):
            _add(of_form, parts[0], one.detail)
            continue
        name = parts[3] if parts[2] == "silent_minutes" else parts[2]
        name = "named" if name == "clinician_ids" else name
        _add(of_rung[int(parts[1])], name, one.detail)
    rungs = tuple(
        replace(rung, problems=found) for rung, found in zip(form.rungs, of_rung, strict=True)
    )
    return replace(form, rungs=rungs, problems=of_form)


def _add(found: dict[str, str], name: str, detail: str) -> None:
    if detail not in found.get(name, ""):
        found[name] = f"{found[name]} {detail}" if name in found else detail


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    words: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class RungChoices:
    """One rung with what may be chosen in it."""

    index: int
    fields: RungFields
    who: list[Choice]
    channels: list[Choice]
    people: list[Choice]
    is_first: bool
    is_last: bool

    @property
    def number(self) -> int:
        return self.index + 1


def show_rungs(form: LadderForm, rota: RotaView) -> list[RungChoices]:
    """Each rung with the choices there are; people are those who may be named."""
    return [
        RungChoices(
            index=index,
            fields=rung,
            who=[Choice(name, str(said), name == rung.who) for name, said in WHO_WORDS.items()],
            channels=[
                Choice(way, str(said), way in rung.channels) for way, said in WAY_WORDS.items()
            ],
            people=[
                Choice(str(one.pk), one.display_name, str(one.pk) in rung.named)
                for one in rota.staff
            ],
            is_first=index == 0,
            is_last=index == len(form.rungs) - 1,
        )
        for index, rung in enumerate(form.rungs)
    ]
