"""A patient takes everything of theirs along: whole, sealed until then, and once."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from html.parser import HTMLParser
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.utils import timezone

from backend.accounts.models import AuditEvent, User
from backend.privacy import services
from backend.privacy.archive import as_csv, sections, words
from backend.privacy.models import Export
from backend.privacy.registry import TABLES
from tests.people import People
from tests.phones import Phone, check_in_body
from tests.privacy.leaving import CANARY, live_a_little, user_of


def ask(phone: Phone, export_id: str = "") -> Any:
    return phone.post("/me/exports", {"id": export_id or str(uuid4())})


def later(**span: float) -> datetime:
    return timezone.now() + timedelta(**span)


@pytest.fixture
def lived(committed_db: None, people: People, as_worker: None) -> Iterator[Phone]:
    """Alice has something in every table; so has Andrea."""
    phone = live_a_little(people.patient)
    live_a_little(people.other_patient)
    Export.objects.all().delete()
    yield phone


def made(phone: Phone) -> str:
    export_id = str(uuid4())
    assert ask(phone, export_id).status_code == 202
    assert services.make_exports(now=timezone.now()) == 1
    return export_id


def link_of(phone: Phone, export_id: str) -> str:
    link = phone.get(f"/me/exports/{export_id}").json()["link"]
    assert link
    return str(link).removeprefix("/api/v1")


def fetched(phone: Phone) -> zipfile.ZipFile:
    answer = Phone().get(link_of(phone, made(phone)))
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/zip")
    return zipfile.ZipFile(io.BytesIO(answer.content))


# What is in it ---------------------------------------------------------------------------------


def test_everything_of_the_persons_is_in_it_and_nobody_elses(lived: Phone, people: People):
    archive = fetched(lived)
    text = b"".join(archive.read(name) for name in archive.namelist()).decode()
    said = json.loads(archive.read("export.json"))
    for table in TABLES:
        rows = table.rows(people.patient.pk).count()
        if table.name and table.name != "who_did_what":  # grows by the export's own acts
            assert len(said["data"][table.name]) == rows, table.name
    notes = {item["note"] for item in said["data"]["check_ins"]}
    assert notes == {CANARY}
    (before,) = said["data"]["check_ins_before_changes"]
    assert (before["content"]["note"], before["content"]["mood"]) == (CANARY, 6)
    assert said["data"]["account"][0]["email"] == people.patient_user.email
    assert said["data"]["support_contacts"][0]["phone"] == CANARY
    other = people.other_patient
    for word in (str(other.pk), user_of(other).email, other.given_name):
        assert word not in text


def test_no_secret_leaves(lived: Phone, people: People):
    archive = fetched(lived)
    text = b"".join(archive.read(name) for name in archive.namelist()).decode()
    user = User.objects.get(pk=people.patient_user.pk)
    assert user.password not in text
    for column in ("token_hash", "password", "push_target", "content_digest", "lease_token"):
        assert f'"{column}"' not in text


def test_each_kind_is_a_csv_with_a_heading(lived: Phone):
    archive = fetched(lived)
    text = archive.read("csv/check_ins.csv").decode("utf-8-sig")
    heading, *rows = csv.reader(io.StringIO(text))
    assert len(rows) == 2 and {len(row) for row in rows} == {len(heading)}
    assert {row[heading.index("note")] for row in rows} == {CANARY}


def test_a_spreadsheet_runs_nothing_that_somebody_wrote():
    text = as_csv([{"note": "=HYPERLINK(1)", "n": -3, "also": "+1"}]).decode("utf-8-sig")
    assert list(csv.reader(io.StringIO(text)))[1] == ["'=HYPERLINK(1)", "-3", "'+1"]


class Page(HTMLParser):
    """What a reader with a screen reader depends on."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def having(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.mark.parametrize(
    ("language", "title"), [("en", "Your data"), ("es", "Sus datos")], ids=["en", "es"]
)
def test_there_is_a_page_to_read_in_ones_own_language(
    language: str, title: str, lived: Phone, people: People
):
    User.objects.filter(pk=people.patient_user.pk).update(language=language)
    lived.post("/check-ins", check_in_body(mood=6, note="<script>alert(1)</script>"))
    page = Page(fetched(lived).read("index.html").decode())
    assert page.having("html") == [{"lang": language}]
    assert title in page.text
    assert page.having("script") == [] and page.having("img") == [] and page.having("link") == []
    assert all(th == {"scope": "col"} for th in page.having("th"))
    ids = {attributes["id"] for attributes in page.having("h2")}
    assert {(a["href"] or "")[1:] for a in page.having("a")} == ids
    assert words()["titles"]["check_ins"][language] in page.text
    assert "<script>alert(1)</script>" in page.text  # as text


def test_every_kind_and_every_field_has_words_in_both_languages():
    said = words()
    for table in TABLES:
        if not table.name:
            continue
        titles = said["titles"][table.name]
        assert titles["en"] and titles["es"] and titles["en"] != titles["es"]
        for field in table.model._meta.concrete_fields:
            name = field.attname
            if name == "id" or name.endswith("_id") or field.name in table.hidden:
                continue
            assert said["fields"][name]["en"] and said["fields"][name]["es"], name


def test_an_empty_column_and_an_id_are_not_on_the_page():
    items = [{"id": "x", "patient_id": "y", "mood": 6, "note": "", "craving": None}]
    (section,) = sections({"check_ins": items}, language="en")
    assert (len(section.columns), section.rows) == (1, [["6"]])


# How it is had ---------------------------------------------------------------------------------


def test_the_same_id_again_is_the_same_export(phone: Phone):
    export_id = str(uuid4())
    first, second = ask(phone, export_id), ask(phone, export_id)
    assert (first.status_code, second.status_code) == (202, 200)
    assert (Export.objects.count(), second.json()["status"]) == (1, "preparing")
    assert AuditEvent.objects.filter(action="export.request").count() == 1


def test_somebody_elses_id_tells_nothing(phone: Phone, people: People):
    export_id = str(uuid4())
    ask(phone, export_id)
    other = Phone.of(user_of(people.other_patient))
    answer = ask(other, export_id)
    assert (answer.status_code, answer.json()["code"]) == (409, "id_in_use")
    assert other.get(f"/me/exports/{export_id}").status_code == 404


def test_only_so_many_in_a_day(phone: Phone):
    statuses = [ask(phone).status_code for _ in range(11)]
    assert statuses == [202] * 10 + [429]
    assert Export.objects.count() == 10


def test_the_link_is_given_once_and_opens_once(lived: Phone):
    export_id = made(lived)
    first = lived.get(f"/me/exports/{export_id}")
    assert (first.json()["status"], first["Cache-Control"]) == ("ready", "no-store")
    assert lived.get(f"/me/exports/{export_id}").json()["link"] is None
    path = first.json()["link"].removeprefix("/api/v1")
    assert [Phone().get(path).status_code for _ in range(3)] == [200, 410, 410]
    assert lived.get(f"/me/exports/{export_id}").json()["status"] == "fetched"
    export = Export.objects.get()
    assert (bytes(export.content), export.fetched_at is not None) == (b"", True)
    assert AuditEvent.objects.filter(action="export.fetch").count() == 1


def test_nobodys_link_opens_nothing(lived: Phone):
    made(lived)
    assert Phone().get(f"/exports/{uuid4()}").status_code == 404


def test_a_link_of_a_quarter_of_an_hour_ago_opens_nothing(lived: Phone):
    link = link_of(lived, made(lived))
    Export.objects.update(link_expires_at=timezone.now())
    answer = Phone().get(link)
    assert (answer.status_code, answer.json()["code"]) == (410, "export_gone")
    assert Export.objects.get().fetched_at is None
    life = AuditEvent.objects.filter(action="export.link").count()
    assert (life, Export.LINK_LIFE) == (1, timedelta(minutes=15))


def test_it_stands_sealed_and_the_link_only_as_a_hash(lived: Phone):
    export_id = made(lived)
    link = link_of(lived, export_id)
    with connection.cursor() as cursor:
        cursor.execute("SELECT t::text, content FROM privacy_export t")
        text, content = cursor.fetchone()
    assert link.rsplit("/", 1)[1] not in text
    assert not bytes(content).startswith(b"PK") and b"index.html" not in bytes(content)


def test_after_a_day_it_is_deleted(lived: Phone):
    export_id = made(lived)
    assert services.make_exports(now=later(hours=23)) == 0
    assert services.make_exports(now=later(hours=25)) == 1
    assert bytes(Export.objects.get().content) == b""
    answer = lived.get(f"/me/exports/{export_id}").json()
    assert (answer["status"], answer["link"]) == ("expired", None)


def test_two_workers_make_it_once(lived: Phone):
    made(lived)
    assert services.make_exports(now=timezone.now()) == 0
    assert AuditEvent.objects.filter(action="export.make").count() == 1


def test_a_therapist_has_none(people: People):
    assert ask(Phone.of(people.therapist.user)).status_code == 403
    assert not Export.objects.exists()
