"""Every text: both languages, the same facts, right plurals, nothing promised that is not true."""

from __future__ import annotations

import re
from decimal import Decimal
from string import Formatter

import pytest

from backend.aftercare import texts
from backend.aftercare.texts import (
    LANGUAGES,
    Text,
    TextError,
    alert_message,
    all_texts,
    data_version,
    placeholders,
    render,
    support_for,
    unreviewed,
)

ACUTE_RULES = (
    "not_safe",
    "suicide_item_now",
    "suicide_item",
    "withdrawal_dangerous",
    "withdrawal",
    "craving",
    "low_mood",
    "use_reported",
    "confidence",
    "short_sleep",
)
CONDITIONS = "safety withdrawal use craving mood confidence sleep worsening absence left_monitoring"
SEVERITIES = ("critical", "high", "medium")


def all_forms(text: Text) -> list[tuple[str, str, str]]:
    return [
        (language, form, words)
        for language, forms in text.forms.items()
        for form, words in forms.items()
    ]


def each_text(*prefixes: str) -> list[Text]:
    return [text for text in all_texts() if not prefixes or text.id.startswith(prefixes)]


# `promise.who_*` are the words for {who} inside a promise, not promises.


@pytest.mark.parametrize("text", each_text(), ids=lambda text: text.id)
def test_a_text_is_whole_in_both_languages(text: Text) -> None:
    assert set(text.forms) == set(LANGUAGES)
    for language in LANGUAGES:
        assert set(text.forms[language]) == ({"one", "other"} if text.plural else {"other"})
    for _, _, words in all_forms(text):
        assert words == words.strip()
        assert words
        assert "  " not in words
    assert text.version >= 1


@pytest.mark.parametrize("text", each_text(), ids=lambda text: text.id)
def test_both_languages_and_forms_use_the_same_plain_facts(text: Text) -> None:
    facts = {placeholders(words) for _, _, words in all_forms(text)}
    assert len(facts) == 1
    for _, _, words in all_forms(text):
        for _, name, form, conversion in Formatter().parse(words):
            if name is not None:
                assert name.isidentifier()
                assert (form, conversion) == ("", None)
    # A unit stands beside a number that is written elsewhere.
    if text.plural and not text.id.startswith("unit."):
        assert "count" in next(iter(facts))


@pytest.mark.parametrize("text", each_text(), ids=lambda text: text.id)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("count", [0, 1, 2, 21])
def test_a_text_renders_with_its_facts_and_leaves_no_brace(
    text: Text, language: str, count: int
) -> None:
    needed = placeholders(text.forms[language]["other"]) - {"count"}
    facts = {name: f"<{name}>" for name in needed}
    shown = render(text.id, language=language, count=count, **facts)
    assert not re.search(r"[{}]", shown)
    assert all(value in shown for value in facts.values())


def test_one_and_many_differ_wherever_a_count_changes_the_words() -> None:
    plural = [text for text in all_texts() if text.plural]
    assert plural
    for text in plural:
        for language in LANGUAGES:
            assert text.forms[language]["one"] != text.forms[language]["other"], text.id


@pytest.mark.parametrize(
    ("count", "english", "spanish"),
    [
        (0, "No check-in for 0 days.", "Sin registros desde hace 0 días."),
        (1, "No check-in for 1 day.", "Sin registros desde hace 1 día."),
        (2, "No check-in for 2 days.", "Sin registros desde hace 2 días."),
    ],
)
def test_plural_forms_follow_the_count(count: int, english: str, spanish: str) -> None:
    assert render("reason.absence", language="en", count=count) == english
    assert render("reason.absence", language="es", count=count) == spanish


def test_a_reason_states_its_facts_in_one_sentence() -> None:
    four_hours = render("duration.hours", language="en", count=4)
    assert render("reason.craving", language="en", value=9) == "Reported craving 9 of 10."
    assert render("reason.not_safe", language="en") == "Reported not being safe now."
    assert (
        render("reason.short_sleep", language="en", count=2, duration=four_hours)
        == "Slept under 4 hours 2 nights running."
    )
    for text in each_text("reason."):
        if text.id.startswith("reason.signal."):  # a part of a sentence
            continue
        for _, _, words in all_forms(text):
            assert words.endswith(".")
            assert words.count(".") == 1, words


@pytest.mark.parametrize(
    ("value", "shown"), [(9, "9"), (9.0, "9"), (9.5, "9.5"), (Decimal("9.00"), "9"), ("9", "9")]
)
def test_whole_numbers_are_written_without_a_decimal_part(value: texts.Fact, shown: str) -> None:
    assert (
        render("reason.craving", language="en", value=value) == f"Reported craving {shown} of 10."
    )


def test_a_fact_is_shown_as_it_is_and_never_read_as_a_template() -> None:
    step = "{who} {0} {step.__class__}"
    assert render("support.own_step", language="en", step=step) == f"From your own plan: {step}"


def test_a_missing_fact_id_or_count_is_named_in_the_error() -> None:
    with pytest.raises(TextError, match=r"promise\.alert_sent.*time, who"):
        render("promise.alert_sent", language="en")
    with pytest.raises(TextError, match=r"no text 'promise\.everything'"):
        render("promise.everything", language="en")
    with pytest.raises(TextError, match=r"reason\.absence.*count"):
        render("reason.absence", language="en")


def test_a_fact_the_text_does_not_use_is_ignored() -> None:
    assert render("reason.not_safe", language="en", value=9) == "Reported not being safe now."


@pytest.mark.parametrize("language", ["es", "es-MX", "es_US", "ES", "es-419"])
def test_any_spanish_is_spanish(language: str) -> None:
    assert render("lockscreen.body", language=language) == "Tienes un mensaje nuevo."


@pytest.mark.parametrize("language", ["en", "en-GB", "fr", "", "xx", "espanol"])
def test_any_other_language_falls_back_to_english(language: str) -> None:
    assert render("lockscreen.body", language=language) == "You have a new message."


@pytest.mark.parametrize("rule", ACUTE_RULES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_acute_rule_has_support_and_a_reason(rule: str, language: str) -> None:
    assert all(support_for(rule, language=language))
    assert f"reason.{rule}" in {text.id for text in all_texts()}


def test_support_for_an_unknown_rule_is_refused() -> None:
    with pytest.raises(TextError):
        support_for("sunshine", language="en")


def test_low_mood_asks_about_suicidal_thoughts_before_anything_else() -> None:
    assert "thoughts of ending your life?" in support_for("low_mood", language="en")[0]
    assert "¿Estás pensando en quitarte la vida?" in support_for("low_mood", language="es")[0]
    assert not any("?" in part for part in support_for("craving", language="en"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_dangerous_withdrawal_names_the_emergency_number_first(language: str) -> None:
    first_sentence = support_for("withdrawal_dangerous", language=language)[0].split(".")[0]
    assert first_sentence in {
        "Call the emergency number now",
        "Llama ahora al número de emergencias",
    }


@pytest.mark.parametrize("rule", ["withdrawal_dangerous", "withdrawal"])
def test_withdrawal_says_not_to_stop_suddenly_or_detox_alone(rule: str) -> None:
    assert "Do not stop suddenly or detox alone." in support_for(rule, language="en")[0]
    spanish = support_for(rule, language="es")[0]
    assert "No dejes de golpe la sustancia ni te desintoxiques a solas." in spanish


@pytest.mark.parametrize(
    ("language", "needed"),
    [
        ("en", ["After a break", "too much", "do not use alone", "naloxone"]),
        ("es", ["Tras una pausa", "demasiado", "no lo hagas a solas", "naloxona"]),
    ],
)
def test_reported_use_speaks_of_tolerance_company_and_naloxone(
    language: str, needed: list[str]
) -> None:
    (shown,) = support_for("use_reported", language=language)
    assert [part for part in needed if part not in shown] == []


@pytest.mark.parametrize(
    ("substance", "needed"),
    [
        ("opioids", "buprenorphine or methadone"),
        ("alcohol", "do not stop suddenly"),
        ("benzodiazepines", "do not stop suddenly"),
    ],
)
def test_reported_use_adds_what_its_substance_needs_and_nothing_of_others(
    substance: str, needed: str
) -> None:
    main, *specific = support_for("use_reported", language="en", substances=[substance])
    assert (main,) == support_for("use_reported", language="en")
    assert len(specific) == 1
    assert needed in specific[0]
    assert substance[:6] in specific[0] or "drinking" in specific[0]


def test_several_substances_add_a_paragraph_each_and_others_none() -> None:
    named = ["opioids", "alcohol", "alcohol", "cannabis", "question"]
    assert len(support_for("use_reported", language="es", substances=named)) == 3


@pytest.mark.parametrize("condition", CONDITIONS.split())
@pytest.mark.parametrize("severity", SEVERITIES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_an_alert_message_is_a_title_and_one_sentence(
    condition: str, severity: str, language: str
) -> None:
    message = alert_message(
        condition=condition, severity=severity, patient="Ana", language=language
    )
    assert re.fullmatch(r"\w+: [\w ]+", message.title)
    assert "Ana" not in message.title
    assert "Ana" in message.body
    assert message.body.count(".") == 1


def test_severity_changes_what_an_alert_asks_for() -> None:
    def body(condition: str, severity: str) -> str:
        return alert_message(
            condition=condition, severity=severity, patient="A.", language="en"
        ).body

    assert "at once" in body("safety", "critical")
    assert "today" in body("safety", "high")
    assert "at once" in body("withdrawal", "critical")
    assert "today" in body("use", "high")
    assert "today" not in body("use", "medium")


@pytest.mark.parametrize(("condition", "severity"), [("weather", "high"), ("safety", "mild")])
def test_an_unknown_condition_or_severity_is_refused(condition: str, severity: str) -> None:
    with pytest.raises(TextError):
        alert_message(condition=condition, severity=severity, patient="Ana", language="en")


@pytest.mark.parametrize("kind", ["worsening", "craving", "confidence", "short_sleep"])
def test_a_nudge_offers_the_persons_own_step_or_does_without(kind: str) -> None:
    with_step = render(f"nudge.{kind}.body", language="en", step="walk round the park")
    without = render(f"nudge.{kind}.body_no_step", language="en")
    assert "walk round the park" in with_step
    assert "step you chose yourself" not in without
    assert "alert" not in (with_step + without).lower()
    assert render(f"nudge.{kind}.title", language="es")


def test_texts_nobody_has_signed_are_listed() -> None:
    unsigned = {text.id for text in all_texts() if not text.reviewed_by}
    assert set(unreviewed()) == unsigned
    assert list(unreviewed()) == sorted(unreviewed())


def test_a_signed_text_leaves_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = {"id": "a", "version": 1, "reviewed_by": "Dr Example", "en": "A", "es": "A"}
    signed = texts._parsed(entry)
    unsigned = texts._parsed(entry | {"id": "b", "reviewed_by": ""})
    monkeypatch.setattr(texts, "_texts", lambda: {"a": signed, "b": unsigned})
    assert unreviewed() == ("b",)


def test_the_version_is_a_short_digest_of_the_data() -> None:
    assert re.fullmatch(r"[0-9a-f]{12}", data_version())
