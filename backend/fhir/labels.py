"""The marks that everything about a patient carries: restricted, and protected by 42 CFR Part 2."""

from __future__ import annotations

from typing import Any

CONFIDENTIALITY = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality"
ACT_CODE = "http://terminology.hl7.org/CodeSystem/v3-ActCode"

META: dict[str, Any] = {
    "security": [
        {"system": CONFIDENTIALITY, "code": "R", "display": "restricted"},
        {"system": ACT_CODE, "code": "42CFRPart2", "display": "42 CFR Part2"},
        {
            "system": ACT_CODE,
            "code": "SUD",
            "display": "substance use disorder information sensitivity",
        },
    ]
}
