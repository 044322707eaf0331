"""What can be done with accounts. Each function is one transaction, audited."""

from __future__ import annotations

from backend.accounts.services.administration import (
    Stored,
    end_care_team_member,
    invite_clinician,
    register_patient,
    set_care_team_member,
)
from backend.accounts.services.colleagues import (
    Notice,
    claim_notice,
    remove_colleagues_second_factors,
    settle_notice,
)
from backend.accounts.services.consents import (
    ConsentDraft,
    read_consents,
    revoke_consent,
    sign_consent,
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
    set_privacy_officer,
    set_up_organisation,
)
from backend.accounts.services.passkeys import (
    Ceremony,
    SignedByPasskey,
    add_passkey,
    begin_adding,
    passkeys_of,
    remove_passkey,
)
from backend.accounts.services.password_codes import (
    PasswordCode,
    claim_password_code,
    hand_back_password_code,
    settle_password_code,
)
from backend.accounts.services.passwords import (
    change_password,
    confirm_password,
    confirm_password_reset,
    request_password_reset,
)
from backend.accounts.services.push_targets import PushTarget, browser_target
from backend.accounts.services.second_factors import (
    remove_second_factors,
    renew_recovery_codes,
)
from backend.accounts.services.second_step import (
    MfaRequired,
    ProposedTotp,
    ask_for_passkey,
    propose_totp,
)
from backend.accounts.services.signing_in import (
    SignedIn,
    sign_in,
    sign_in_with_code,
    sign_out,
)
from backend.accounts.services.staff_sessions import (
    StaffSession,
    choose_language,
    sign_in_staff,
    sign_in_staff_with_code,
    sign_in_staff_with_passkey,
    sign_out_staff,
)

__all__ = [
    "Ceremony",
    "ConsentDraft",
    "IssuedCode",
    "MfaRequired",
    "Notice",
    "PasswordCode",
    "ProposedTotp",
    "PushTarget",
    "RegisteredDevice",
    "SignedByPasskey",
    "SignedIn",
    "StaffSession",
    "Stored",
    "add_administrator",
    "add_clinician",
    "add_organisation",
    "add_passkey",
    "add_patient",
    "ask_for_passkey",
    "begin_adding",
    "browser_target",
    "change_password",
    "choose_language",
    "claim_notice",
    "claim_password_code",
    "confirm_password",
    "confirm_password_reset",
    "end_care_team_member",
    "enrol",
    "hand_back_password_code",
    "invite_clinician",
    "issue_enrolment_code",
    "join_care_team",
    "leave_care_team",
    "passkeys_of",
    "propose_totp",
    "read_consents",
    "register_device",
    "register_patient",
    "remove_colleagues_second_factors",
    "remove_passkey",
    "remove_second_factors",
    "renew_recovery_codes",
    "request_password_reset",
    "retire_device",
    "revoke_consent",
    "revoke_device",
    "set_care_team_member",
    "set_device_privacy",
    "set_privacy_officer",
    "set_up_organisation",
    "settle_notice",
    "settle_password_code",
    "sign_consent",
    "sign_in",
    "sign_in_staff",
    "sign_in_staff_with_code",
    "sign_in_staff_with_passkey",
    "sign_in_with_code",
    "sign_out",
    "sign_out_everywhere",
    "sign_out_staff",
]
