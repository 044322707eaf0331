"""Every act on a patient's data has words in both languages."""

from __future__ import annotations

import re

from backend.aftercare.models import AlertActKind
from backend.privacy.plain_words import texts
from tests.architecture.source import ROOT, files

# Acts on accounts and installations; no patient is named in their rows.
NOT_OF_A_PATIENT = (
    "administrator.", "clinician.", "contact_point.", "delivery.", "device.",
    "emergency_accesses.", "language.",
    "limits.", "mass_read", "mfa.", "on_call_shift.", "operations.", "organisation.",
    "passkey.", "password",
    "privacy_officer.",
    "sign_in.", "sign_out.", "patient.access_own",
)  # fmt: skip
RECORDED = re.compile(
    r"""(?:action=|_audit\(\w+,\ (?:\w+,\ )?|_changed\(\w+,\ \w+,\ )
        (?:f?"([a-z_]+\.[a-z_]+)"(?:\ if\ .+?\ else\ "([a-z_]+\.[a-z_]+)")?)""",
    re.VERBOSE,
)


def recorded() -> set[str]:
    """What the sources write into the log, as far as they spell it out."""
    source = "\n".join((ROOT / path).read_text() for path in files("backend"))
    found = {name for pair in RECORDED.findall(source) for name in pair if name}
    found |= {f"{what}.read" for what in re.findall(r'what="(\w+)"', source)}
    return found | {f"alert.{kind.value}" for kind in AlertActKind}


def test_every_act_that_is_recorded_has_words() -> None:
    found = {name for name in recorded() if not name.startswith(NOT_OF_A_PATIENT)}
    assert {"check_in.amend", "alert.renew", "alert.open", "trends.read", "fhir.read"} <= found
    assert found - texts()["acts"].keys() == set()


def test_every_text_has_both_languages_and_a_known_kind() -> None:
    for act in texts()["acts"].values():
        assert act["en"] and act["es"]
        assert act["kind"] in texts()["kinds"]
    for group in ("kinds", "who"):
        assert all(text["en"] and text["es"] for text in texts()[group].values())
