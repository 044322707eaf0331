"""What can be done with accounts. Each function is one transaction, audited."""

from __future__ import annotations

from backend.accounts.services.administration import (
    Stored,
    end_care_team_member,
    invite_clinician,
    register_patient,
    set_care_team_member,
)
from backend.accounts.services.devices import (
    RegisteredDevice,
    register_device,
    retire_device,
    revoke_device,
    set_device_privacy,
    sign_out_everywhere,
)
from backend.accounts.services.enrolment import (
    IssuedCode,
    add_patient,
    enrol,
    issue_enrolment_code,
    join_care_team,
    leave_care_team,
)
from backend.accounts.services.organisations import (
    add_administrator,
    add_clinician,
    add_organisation,
    set_up_organisation,
)
from backend.accounts.services.password_codes import (
    PasswordCode,
    claim_password_code,
    hand_back_password_code,
    settle_password_code,
)
from backend.accounts.services.passwords import (
    change_password,
    confirm_password_reset,
    request_password_reset,
)
from backend.accounts.services.signing_in import SignedIn, sign_in, sign_out
from backend.accounts.services.staff_sessions import (
    choose_language,
    sign_in_staff,
    sign_out_staff,
)

__all__ = [
    "IssuedCode",
    "PasswordCode",
    "RegisteredDevice",
    "SignedIn",
    "Stored",
    "add_administrator",
    "add_clinician",
    "add_organisation",
    "add_patient",
    "change_password",
    "choose_language",
    "claim_password_code",
    "confirm_password_reset",
    "end_care_team_member",
    "enrol",
    "hand_back_password_code",
    "invite_clinician",
    "issue_enrolment_code",
    "join_care_team",
    "leave_care_team",
    "register_device",
    "register_patient",
    "request_password_reset",
    "retire_device",
    "revoke_device",
    "set_care_team_member",
    "set_device_privacy",
    "set_up_organisation",
    "settle_password_code",
    "sign_in",
    "sign_in_staff",
    "sign_out",
    "sign_out_everywhere",
    "sign_out_staff",
]
