"""The second step of signing in. Tokens that staff got without it end here."""

from __future__ import annotations

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

END_STAFF_TOKENS = """
UPDATE accounts_accesstoken SET revoked_at = now()
WHERE revoked_at IS NULL AND user_id IN (SELECT id FROM accounts_user WHERE role <> 'patient')
"""


def user(related_name: str) -> models.ForeignKey:
    return models.ForeignKey(
        on_delete=django.db.models.deletion.CASCADE,
        related_name=related_name,
        to=settings.AUTH_USER_MODEL,
    )


def uuid_key() -> models.UUIDField:
    return models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0004_rate_counters_unlogged")]

    operations = [
        migrations.CreateModel(
            name="MfaChallenge",
            fields=[
                ("id", uuid_key()),
                ("token_hash", models.BinaryField(unique=True)),
                ("sign_in_state", models.CharField(max_length=64)),
                ("sealed_secret", models.BinaryField(default=b"")),
                ("expires_at", models.DateTimeField()),
                ("used_at", models.DateTimeField(null=True)),
                ("user", user("mfa_challenges")),
            ],
        ),
        migrations.CreateModel(
            name="RecoveryCode",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("code_hash", models.CharField(max_length=64)),
                ("used_at", models.DateTimeField(null=True)),
                ("user", user("recovery_codes")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=("user", "code_hash"), name="recovery_code_unique"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="SecondFactor",
            fields=[
                ("id", uuid_key()),
                (
                    "kind",
                    models.CharField(
                        choices=[("totp", "Totp"), ("passkey", "Passkey")], max_length=8
                    ),
                ),
                ("name", models.CharField(blank=True, max_length=60)),
                ("sealed_secret", models.BinaryField(default=b"")),
                ("last_step", models.BigIntegerField(default=0)),
                ("credential_key", models.CharField(blank=True, max_length=64)),
                ("credential", models.BinaryField(default=b"")),
                ("created_at", models.DateTimeField()),
                ("last_used_at", models.DateTimeField(null=True)),
                ("user", user("second_factors")),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("kind", "totp")),
                        fields=("user",),
                        name="second_factor_one_totp",
                    ),
                    models.UniqueConstraint(
                        condition=models.Q(("kind", "passkey")),
                        fields=("credential_key",),
                        name="second_factor_passkey_unique",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("credential_key", ""), ("kind", "totp")),
                            models.Q(
                                ("kind", "passkey"),
                                models.Q(("credential_key", ""), _negated=True),
                            ),
                            _connector="OR",
                        ),
                        name="second_factor_kind_whole",
                    ),
                ],
            },
        ),
        migrations.RunSQL(END_STAFF_TOKENS, migrations.RunSQL.noop),
    ]
