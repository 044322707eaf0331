"""Nothing a person reads uses a word that blames, labels or means something else here."""

from __future__ import annotations

import pytest

from .forbidden import IN_NAMES, IN_TEXT, TEXT_EXCEPTIONS, forbidden_in, name_as_words
from .human_text import all_human_text, in_catalogue, in_code, in_data, in_template


def test_nothing_people_read_uses_a_forbidden_word() -> None:
    found = [
        f"{place}: {', '.join(terms)} in {text.strip()!r}"
        for place, text in all_human_text()
        if (terms := forbidden_in(text, IN_TEXT, TEXT_EXCEPTIONS))
    ]
    assert found == []


def test_the_search_reaches_the_texts_and_the_crisis_resources() -> None:
    found = list(all_human_text())
    assert any(text == "You have a new message." for _, text in found)
    assert any(text == "SAMHSA National Helpline" for _, text in found)
    assert not any(text == "us-emergency" for _, text in found)


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("You broke your streak.", ["streak"]),
        ("Two CLIENTS wrote.", ["client"]),
        ("A slip-up is not a failure.", ["slip-up", "failure"]),
        ("Llevas una racha de días limpios.", ["limpio", "racha"]),
        ("It was abuse.", ["abuse"]),
        ("Emergency\n contact", ["emergency contact"]),
    ],
)
def test_a_forbidden_word_is_found_in_any_case_and_number(text: str, terms: list[str]) -> None:
    assert forbidden_in(text, IN_TEXT, TEXT_EXCEPTIONS) == terms


@pytest.mark.parametrize(
    "text",
    [
        "Use the help on this page.",
        "Your care team reads this on weekdays.",
        "Warning signs",
        "Call the National Domestic Abuse Helpline.",
        "Keep this number, just in case.",
        "catalogue, postpone, shopping, encased, cleaner",
    ],
)
def test_parts_of_words_and_reasoned_exceptions_pass(text: str) -> None:
    assert forbidden_in(text, IN_TEXT, TEXT_EXCEPTIONS) == []


def test_an_exception_covers_its_own_phrase_and_nothing_beside_it() -> None:
    assert forbidden_in("care team, another team", IN_TEXT, TEXT_EXCEPTIONS) == ["team"]


def test_every_exception_has_a_reason_and_holds_a_forbidden_word() -> None:
    for phrase, reason in TEXT_EXCEPTIONS.items():
        assert reason
        assert forbidden_in(phrase, IN_TEXT), phrase


def test_template_text_is_read_and_its_code_is_not() -> None:
    template = """
      {# streak #}{% comment %}dirty{% endcomment %}
      <a class="user" href="{% url 'client' %}" title="Your addict">{{ user.case }}Hello</a>
      <style>.team { color: red }</style><script>var log = 1;</script>
      {% translate "Clean" %}{% blocktranslate %}A post{% endblocktranslate %}
    """
    shown = " ".join(in_template(template))
    assert forbidden_in(shown, IN_TEXT) == ["addict", "post", "clean"]


def test_both_sides_of_a_catalogue_and_every_plural_form_are_read() -> None:
    catalogue = """
msgid ""
msgstr "Project-Id-Version: client\\nPlural-Forms: nplurals=2; plural=(n != 1);\\n"

msgid "Good"
msgstr "Fracaso"

msgid "{n} patient"
msgid_plural "{n} addicts"
msgstr[0] "uno"
msgstr[1] "rachas"
"""
    shown = " ".join(in_catalogue(catalogue))
    assert forbidden_in(shown, IN_TEXT) == ["addict", "fracaso", "racha"]


def test_data_values_are_read_and_machine_keys_are_not() -> None:
    data = 'id = "user"\n[[text]]\nid = "client"\nen = "Dirty"\nes = { one = "Sucio" }\n'
    assert list(in_data(data)) == ["Dirty", "Sucio"]


def test_only_literals_given_to_be_translated_are_read_from_code() -> None:
    code = 'a = "user"\nb = _("Client")\nc = translation.gettext("Addict")\nlog("post")\n'
    assert list(in_code(code)) == ["Client", "Addict"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("clientId", "client id"),
        ("ClientID", "client id"),
        ("CLIENT_ID", "client id"),
        ("/check-ins/", "check ins"),
        ("risk_score", "risk score"),
    ],
)
def test_a_name_is_read_as_its_words(name: str, words: str) -> None:
    assert name_as_words(name) == words


def test_names_may_say_user_but_not_average_user() -> None:
    assert forbidden_in(name_as_words("user_id"), IN_NAMES) == []
    assert forbidden_in(name_as_words("AverageUser"), IN_NAMES) == ["average user"]
