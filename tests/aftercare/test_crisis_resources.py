"""The lines anyone may call: right country, emergency first, always a way to reach someone."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from backend.aftercare import crisis_resources
from backend.aftercare.crisis_resources import (
    CrisisResource,
    CrisisResourceKind,
    all_resources,
    data_version,
    help_for,
    known_countries,
    resources_for,
    unverified,
)

# The design's list, written down here apart from the data file: country, ways to reach.
EXPECTED = {
    "US": {"911", "988", "text:988:", "text:741741:HOME", "1-800-662-4357", "988>1"}
    | {"1-800-222-1222", "chat:988lifeline.org"},
    "CA": {"911", "9-8-8", "1-888-688-6677"},
    "GB": {"999", "116 123", "text:85258:SHOUT", "0300 123 6600"},
    "IE": {"112", "116 123"},
    "FR": {"112"},
    "AU": {"000", "13 11 14"},
    "NZ": {"111", "1737"},
}
EU_MEMBERS = "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IE IT LT LU LV MT NL PL PT RO SE SI SK"
WITHOUT_LINES = ["BR", "MX", "IN", "CH", "NO", "ZZ", "", "  ", "EU", "USA", "U", "1!", "XX"]

WRITTEN_NUMBER = re.compile(r"\+?[0-9]+([ -][0-9]+)*")
HOST = re.compile(r"([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}")


def ways_to_reach(resource: CrisisResource) -> set[str]:
    ways = set()
    if resource.call:
        ways.add(f"{resource.call}>{resource.then_press}" if resource.then_press else resource.call)
    if resource.text_to:
        ways.add(f"text:{resource.text_to}:{resource.text_body}")
    if resource.chat:
        ways.add(f"chat:{resource.chat}")
    return ways


def us_numbers() -> set[str]:
    return {
        number
        for resource in resources_for(country="US", language="en")
        for number in (resource.dial, resource.text_to)
        if number
    }


@pytest.mark.parametrize("country", EXPECTED)
def test_each_country_has_exactly_the_lines_of_the_specification(country: str) -> None:
    found = {
        way
        for resource in resources_for(country=country, language="en")
        if resource.kind is not CrisisResourceKind.DOMESTIC_VIOLENCE
        for way in ways_to_reach(resource)
    }
    assert found == EXPECTED[country]


def test_112_answers_in_every_member_state_of_the_european_union_and_nowhere_else() -> None:
    with_112 = {
        country
        for country in known_countries()
        if "112" in {line.call for line in resources_for(country=country, language="en")}
    }
    assert with_112 == set(EU_MEMBERS.split())


@pytest.mark.parametrize("country", sorted(known_countries()))
def test_an_emergency_number_comes_first_and_kinds_keep_their_order(country: str) -> None:
    lines = resources_for(country=country, language="es")
    assert lines[0].kind is CrisisResourceKind.EMERGENCY
    assert lines[0].dial
    order = [list(CrisisResourceKind).index(line.kind) for line in lines]
    assert order == sorted(order)
    assert {line.countries for line in lines} == {(country,)}


@pytest.mark.parametrize("country", WITHOUT_LINES)
@pytest.mark.parametrize("language", ["en", "es", "fr"])
def test_an_unknown_country_gets_advice_and_never_another_countrys_line(
    country: str, language: str
) -> None:
    (only,) = resources_for(country=country, language=language)
    assert only.kind is CrisisResourceKind.EMERGENCY
    assert ways_to_reach(only) == set()
    shown = only.as_json(language)
    assert shown["advice"]
    assert not any(number in str(shown) for number in us_numbers())


def test_the_advice_is_in_the_language_asked_for() -> None:
    (only,) = resources_for(country="BR", language="es")
    assert str(only.as_json("es-MX")["advice"]).startswith("Llama al número de emergencias")
    assert str(only.as_json("en")["advice"]).startswith("Call the emergency number")


def test_every_entry_can_be_reached_and_only_the_advice_has_no_number() -> None:
    for resource in all_resources():
        assert ways_to_reach(resource), resource.id
        assert not resource.advice_en, resource.id


@pytest.mark.parametrize("resource", all_resources(), ids=lambda resource: resource.id)
def test_numbers_and_hosts_have_the_form_a_phone_can_use(resource: CrisisResource) -> None:
    for number in filter(None, (resource.call, resource.text_to)):
        assert WRITTEN_NUMBER.fullmatch(number), number
        assert 3 <= sum(character.isdigit() for character in number) <= 15
    if resource.then_press:
        assert resource.call
        assert resource.then_press.isdigit()
    if resource.text_body:
        assert resource.text_to
    if resource.chat:
        assert HOST.fullmatch(resource.chat)
    assert resource.hours in {"", "24/7"}
    assert resource.name_en
    assert resource.name_es


def test_ids_are_unique_and_carry_their_country() -> None:
    ids = [resource.id for resource in all_resources()]
    assert len(ids) == len(set(ids))
    for resource in all_resources():
        assert [resource.id[:2].upper()] == list(resource.countries)


def test_nothing_claims_to_be_verified_or_reviewed_until_someone_has_done_it() -> None:
    assert set(unverified()) == {line for line in all_resources() if line.verified_at is None}
    for resource in all_resources():
        assert (resource.verified_at is None) or resource.verified_at <= datetime.now(UTC)


def test_a_verified_entry_leaves_the_list_of_unverified_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second, *_ = all_resources()
    entry = {
        "id": "us-example",
        "country": "US",
        "kind": "poison",
        "name": {"en": "Example", "es": "Ejemplo"},
        "call": "1-800-222-1222",
        "verified_at": datetime(2026, 1, 2, 3, tzinfo=timezone(timedelta(hours=1))),
        "reviewed_by": "",
    }
    verified = crisis_resources._parsed(entry)
    monkeypatch.setattr(crisis_resources, "all_resources", lambda: (first, verified, second))
    assert unverified() == (first, second)
    assert verified.as_json("en")["verified_at"] == "2026-01-02T03:00:00+01:00"


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "hotline"},
        {"hotline": "1"},
        {"verified_at": datetime(2026, 1, 2)},  # noqa: DTZ001 - a naive time is the point
    ],
)
def test_a_malformed_entry_is_refused(change: dict[str, object]) -> None:
    entry = {
        "id": "us-example",
        "country": "US",
        "kind": "poison",
        "name": {"en": "Example", "es": "Ejemplo"},
        "call": "1-800-222-1222",
        "verified_at": "",
    }
    with pytest.raises((ValueError, TypeError)):
        crisis_resources._parsed(entry | change)


@pytest.mark.parametrize("code", ["gb", "GB", " gb ", "UK", "uk"])
def test_a_country_is_found_however_it_is_written(code: str) -> None:
    lines = resources_for(country=code, language="en")
    assert [lines[0].call, lines[0].countries] == ["999", ("GB",)]


def test_lines_known_to_speak_the_language_come_first_within_their_kind(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def line(identifier: str, languages: tuple[str, ...]) -> CrisisResource:
        return CrisisResource(
            id=identifier,
            countries=("US",),
            kind=CrisisResourceKind.SUICIDE,
            name_en=identifier,
            name_es=identifier,
            call="988",
            languages=languages,
        )

    lines = (line("us-a", ("en",)), line("us-b", ("es", "en")))
    monkeypatch.setattr(crisis_resources, "all_resources", lambda: lines)
    assert [r.id for r in resources_for(country="US", language="es-US")] == ["us-b", "us-a"]
    assert [r.id for r in resources_for(country="US", language="en")] == ["us-a", "us-b"]


def test_the_public_form_is_in_one_language_and_can_be_dialled() -> None:
    shown = {line.id: line.as_json("es") for line in resources_for(country="US", language="es")}
    assert shown["us-emergency"]["name"] == "Servicios de emergencia"
    assert shown["us-samhsa"]["dial"] == "18006624357"
    assert shown["us-veterans"]["then_press"] == "1"
    assert shown["us-crisis-text-line"]["text_dial"] == "741741"
    assert shown["us-988"]["verified_at"] is None


def test_current_and_home_lines_both_show_with_the_current_country_ahead() -> None:
    lines = help_for(["GB", "US"], "en")
    assert [(line.countries, line.call) for line in lines[:2]] == [
        (("GB",), "999"),
        (("US",), "911"),
    ]
    assert {line.id for line in lines} == {
        line.id for code in ("GB", "US") for line in resources_for(country=code, language="en")
    }


def test_one_number_of_two_countries_shows_once_and_names_both() -> None:
    lines = help_for(["CA", "US"], "en")
    emergency = [line for line in lines if line.kind is CrisisResourceKind.EMERGENCY]
    assert [(line.call, line.countries) for line in emergency] == [("911", ("CA", "US"))]
    veterans = [line for line in lines if line.kind is CrisisResourceKind.VETERANS]
    assert [line.countries for line in veterans] == [("US",)]


@pytest.mark.parametrize("difference", [{"then_press": "1"}, {"name_en": "Other"}, {"call": "111"}])
def test_lines_of_two_countries_that_differ_both_show(
    monkeypatch: pytest.MonkeyPatch, difference: dict[str, str]
) -> None:
    american = CrisisResource(
        id="us-a",
        countries=("US",),
        kind=CrisisResourceKind.SUICIDE,
        name_en="Same",
        name_es="Igual",
        call="988",
    )
    canadian = replace(american, id="ca-a", countries=("CA",))
    monkeypatch.setattr(crisis_resources, "all_resources", lambda: (american, canadian))
    assert [line.id for line in help_for(["US", "CA"], "en")] == ["us-a"]
    lines = (american, replace(canadian, **difference))  # type: ignore[arg-type]  # all are text
    monkeypatch.setattr(crisis_resources, "all_resources", lambda: lines)
    assert [line.id for line in help_for(["US", "CA"], "en")] == ["us-a", "ca-a"]


def test_the_same_country_twice_is_shown_once() -> None:
    assert help_for(["US", "us"], "en") == help_for(["US"], "en")
    assert help_for(["", "US"], "en") == help_for(["US"], "en")


def test_home_lines_stay_beside_the_advice_for_a_country_without_lines() -> None:
    lines = help_for(["BR", "US"], "en")
    assert [line.id for line in lines[:2]] == ["local-emergency", "us-emergency"]
    assert lines[0].countries == ("BR",)


@pytest.mark.parametrize("countries", [[], [""], ["BR"], ["BR", "MX"], ["??"]])
def test_help_is_never_empty_and_never_american_by_default(countries: list[str]) -> None:
    lines = help_for(countries, "en")
    assert {line.id for line in lines} == {"local-emergency"}


def test_the_version_is_a_short_digest_of_the_data() -> None:
    assert re.fullmatch(r"[0-9a-f]{12}", data_version())
