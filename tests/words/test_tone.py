"""The tone of what patients read: no judgement, no false promise, no telling lock screen."""

from __future__ import annotations

import re

import pytest

from backend.aftercare.texts import LANGUAGES, Text, all_texts, placeholders, render

PATIENT_FACING = ("support.", "promise.", "message.", "nudge.", "lockscreen.", "notes.", "use.")
ALLOWED_FACTS = {
    "promise.left_monitoring_sent": {"who"},
    "promise.alert_sent": {"who", "time"},
    "promise.outside_hours": {"time"},
    "promise.late": {"who", "time"},
    "promise.routine_weekdays": {"time"},
    "promise.routine_next_session": {"time"},
}
HEALTH_WORDS = {
    "en": "health recovery sober drug alcohol substance use craving mood sleep check-in clinic "
    "therap treatment programme program session medic crisis help safe support plan rehab withdraw "
    "relapse test doctor patient care",
    "es": "salud recupera sobri droga alcohol sustancia consum deseo ánimo sueño dormir registro "
    "clínica terap tratamiento programa sesión medic crisis ayuda salvo apoyo plan abstinencia "
    "recaída prueba médic paciente atención",
}
NOBODY = re.compile(r"nobody|no one|nadie", re.IGNORECASE)
WATCHING = re.compile(
    r"\b(we are here|we will|we'll|we are watching|someone (will|is)"
    r"|your (care )?team (knows|will|is(?! not))|keeping an eye"
    r"|will (call|contact|reach|check on) you"
    r"|estamos aquí|estamos pendientes|te (llamar|contactar|avisar)\w*|alguien te"
    r"|tu equipo (ya )?(sabe|va|está|te))",
    re.IGNORECASE,
)
JUDGEMENT = re.compile(
    r"\b(congratulations|well done|great job|proud|amazing|keep it up|disappoint\w*"
    r"|should have|fault|mistake|gave in|let (us|yourself) down|back to zero|start over"
    r"|felicidades|enhorabuena|muy bien hecho|orgullos\w+|decepci\w+|culpa|error|deberías haber"
    r"|volver a empezar)\b|!",
    re.IGNORECASE,
)


def all_forms(text: Text) -> list[tuple[str, str, str]]:
    return [
        (language, form, words)
        for language, forms in text.forms.items()
        for form, words in forms.items()
    ]


def each_text(*prefixes: str) -> list[Text]:
    return [text for text in all_texts() if not prefixes or text.id.startswith(prefixes)]


# `promise.who_*` are the words for {who} inside a promise, not promises.
PROMISES = [text for text in each_text("promise.") if not text.id.startswith("promise.who_")]


def words_of(text: Text) -> str:
    return " ".join(words for _, _, words in all_forms(text))


@pytest.mark.parametrize("text", each_text("support.", "nudge.", "message."), ids=lambda t: t.id)
def test_support_neither_praises_nor_blames(text: Text) -> None:
    assert JUDGEMENT.findall(words_of(text)) == []


@pytest.mark.parametrize("text", each_text(*PATIENT_FACING), ids=lambda text: text.id)
def test_no_text_implies_that_someone_is_watching(text: Text) -> None:
    for _, _, words in all_forms(text):
        assert WATCHING.search(words) is None, words


@pytest.mark.parametrize("text", PROMISES, ids=lambda text: text.id)
def test_a_promise_names_who_or_says_that_nobody_has_seen_it(text: Text) -> None:
    for _, _, words in all_forms(text):
        facts = placeholders(words)
        assert facts == ALLOWED_FACTS.get(text.id, set())
        assert "who" in facts or NOBODY.search(words)


@pytest.mark.parametrize("text", PROMISES, ids=lambda text: text.id)
def test_every_promise_but_the_calm_ones_points_to_help(text: Text) -> None:
    calm = {"promise.unsent", "promise.routine_weekdays", "promise.routine_next_session"}
    for _, _, words in all_forms(text):
        assert bool(re.search("help|ayuda", words)) is (text.id not in calm)


def test_the_fixed_sentences_are_word_for_word() -> None:
    unsent = "This has not been sent. No one has seen it."
    assert render("promise.unsent", language="en") == unsent
    assert render("notes.not_read", language="en") == "Notes are not read right away."
    assert render("button.not_safe", language="en") == "I'm not safe now"


def test_a_text_that_names_the_button_names_it_as_the_button_does() -> None:
    named = [text for text in each_text("support.") if "press " in words_of(text)]
    assert named
    for text in named:
        for language in LANGUAGES:
            assert render("button.not_safe", language=language) in render(
                text.id, language=language
            )


def test_the_lock_screen_says_only_that_there_is_a_message() -> None:
    shown = {
        (text.id, language): words
        for text in each_text("lockscreen.")
        for language, _, words in all_forms(text)
    }
    assert shown == {
        ("lockscreen.title", "en"): "Handrail",
        ("lockscreen.title", "es"): "Handrail",
        ("lockscreen.body", "en"): "You have a new message.",
        ("lockscreen.body", "es"): "Tienes un mensaje nuevo.",
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_lock_screen_has_no_health_word(language: str) -> None:
    shown = " ".join(render(text.id, language=language) for text in each_text("lockscreen."))
    assert [word for word in HEALTH_WORDS[language].split() if word in shown.lower()] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_health_words_would_catch_a_telling_message(language: str) -> None:
    telling = render("message.check_in_prompt.title", language=language).lower()
    assert any(word in telling for word in HEALTH_WORDS[language].split())


@pytest.mark.parametrize("text", each_text(*PATIENT_FACING), ids=lambda text: text.id)
def test_sentences_for_patients_are_short(text: Text) -> None:
    for _, _, words in all_forms(text):
        for sentence in re.split(r"(?<=[.?:])\s", words):
            assert len(sentence.split()) <= 24, sentence


def test_reading_english_support_takes_no_more_than_six_years_of_school() -> None:
    everything = " ".join(
        render(text.id, language="en", step="walk", who="your therapist", time="noon")
        for text in (*each_text("support.", "message.", "nudge."), *PROMISES)
    )
    assert flesch_kincaid_grade(everything) <= 6.0


def flesch_kincaid_grade(words: str) -> float:
    """School grade by Kincaid and others 1975, syllables counted as groups of vowels."""
    tokens = re.findall(r"[a-z']+", words.lower())
    sentences = len(re.findall(r"[.?]", words))
    syllables = sum(max(1, len(re.findall(r"[aeiouy]+", re.sub("e$", "", t)))) for t in tokens)
    return 0.39 * len(tokens) / sentences + 11.8 * syllables / len(tokens) - 15.59
