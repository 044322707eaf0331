"""What staff prove themselves with besides the password, and the sign-ins that wait for it."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

from django.db import models
from django.db.models import Q


class FactorKind(models.TextChoices):
    TOTP = "totp"
    PASSKEY = "passkey"


class SecondFactor(models.Model):
    """An authenticator app or a passkey of one account.

    `sealed_secret` is an app's key, encrypted; `last_step` the half minute of the last code that
    was taken, so that none works twice. `credential` is a passkey's public part.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    user = models.ForeignKey("accounts.User", models.CASCADE, related_name="second_factors")
    kind = models.CharField(max_length=8, choices=FactorKind.choices)
    name = models.CharField(max_length=60, blank=True)
    sealed_secret = models.BinaryField(default=b"")
    last_step = models.BigIntegerField(default=0)
    credential_key = models.CharField(max_length=64, blank=True)
    credential = models.BinaryField(default=b"")
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["user"], condition=Q(kind="totp"), name="second_factor_one_totp"
            ),
            models.UniqueConstraint(
                fields=["credential_key"],
                condition=Q(kind="passkey"),
                name="second_factor_passkey_unique",
            ),
            models.CheckConstraint(
                condition=Q(kind="totp", credential_key="")
                | (Q(kind="passkey") & ~Q(credential_key="")),
                name="second_factor_kind_whole",
            ),
        ]


class RecoveryCode(models.Model):
    """Opens the second step once, for who lost their phone. Only the keyed hash is stored."""

    user = models.ForeignKey("accounts.User", models.CASCADE, related_name="recovery_codes")
    code_hash = models.CharField(max_length=64)
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "code_hash"], name="recovery_code_unique")
        ]


class MfaChallenge(models.Model):
    """A sign-in whose password was right and whose second step is still to come.

    Its token opens nothing else. `sign_in_state` ties it to the password of that moment, and
    `sealed_secret` is the key that was shown to who sets up an app now.
    """

    LIFE = timedelta(minutes=15)

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    user = models.ForeignKey("accounts.User", models.CASCADE, related_name="mfa_challenges")
    token_hash = models.BinaryField(unique=True)
    sign_in_state = models.CharField(max_length=64)
    sealed_secret = models.BinaryField(default=b"")
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
