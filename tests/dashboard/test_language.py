"""Every page in English and in Spanish, by one's own choice."""

from __future__ import annotations

import re
from pathlib import Path

from babel.messages.pofile import read_po
from django.conf import settings
from django.test import Client

from backend.accounts.models import User
from backend.management.commands.extract_messages import said_catalogue, untranslated
from tests.dashboard.browsing import import_days, raise_alert, shown, today_of
from tests.people import People

CATALOGUE = Path(settings.LOCALE_PATHS[0]) / "es" / "LC_MESSAGES" / "django.po"
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]")


def spanish_texts() -> dict[tuple[str | None, object], tuple[str, ...]]:
    with CATALOGUE.open("rb") as stream:
        messages = [message for message in read_po(stream, locale="es") if message.id]
    return {
        (m.context, m.id): m.string if isinstance(m.string, tuple) else (str(m.string),)
        for m in messages
    }


def test_everything_said_has_a_spanish_text() -> None:
    known = spanish_texts()
    said = [message for message in said_catalogue() if message.id]
    assert len(said) > 100
    assert [m.id for m in said if (m.context, m.id) not in known] == []
    with CATALOGUE.open("rb") as stream:
        assert untranslated(read_po(stream, locale="es")) == []


def test_a_translation_names_the_same_facts() -> None:
    for (_context, said), forms in spanish_texts().items():
        first = said[0] if isinstance(said, tuple) else str(said)
        wanted = set(PLACEHOLDER.findall(first))
        for form in forms:
            assert set(PLACEHOLDER.findall(form)) == wanted, form


def test_the_sign_in_page_speaks_the_browsers_language() -> None:
    page = shown(Client().get("/desk/sign-in", headers={"Accept-Language": "es-MX"}))
    assert '<html lang="es">' in page
    assert "Iniciar sesión" in page
    assert "Sign in" not in page


def test_switching_the_language_holds_for_the_account_and_the_browser(
    people: People, desk: Client
) -> None:
    raise_alert(people.patient)
    response = desk.post("/desk/language", {"language": "es", "next": "/desk/"})
    assert response["Location"] == "/desk/"
    page = shown(desk.get("/desk/"))
    assert "Personas a cargo" in page
    assert "Comunicó un deseo de consumir de 9 sobre 10." in page
    assert User.objects.get(pk=people.therapist.user.pk).language == "es"
    desk.post("/desk/sign-out")
    assert "Iniciar sesión" in shown(desk.get("/desk/sign-in"))


def test_an_unknown_language_is_english_and_switching_leads_nowhere_else(desk: Client) -> None:
    response = desk.post("/desk/language", {"language": "xx", "next": "https://evil.example/"})
    assert response["Location"] == "/desk/"
    assert "Caseload" in shown(desk.get("/desk/"))


def test_a_patients_page_in_spanish_holds_no_english(people: People, desk: Client) -> None:
    import_days(people.patient, days=20, last=today_of(people.patient))
    alert = raise_alert(people.patient)
    desk.post("/desk/language", {"language": "es"})
    page = shown(desk.get(f"/desk/patients/{people.patient.pk}"))
    assert f"alert-{alert.pk}" in page
    for word in ("Mood", "Craving", "Resolve with", "Check-ins", "usual for", "seen it", "Alerts"):
        assert word not in page
    for word in ("Ánimo", "Lo he visto", "Registros", "habitual", "Avisos abiertos"):
        assert word in page
