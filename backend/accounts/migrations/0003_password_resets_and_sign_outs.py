import uuid

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_roles_and_grants"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="sign_outs_everywhere",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.CreateModel(
            name="PasswordReset",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("email", models.EmailField(max_length=254, unique=True)),
                (
                    "purpose",
                    models.CharField(
                        choices=[("forgotten", "Forgotten"), ("first", "First")], max_length=10
                    ),
                ),
                ("requested_at", models.DateTimeField()),
                ("expires_at", models.DateTimeField()),
                ("due_at", models.DateTimeField()),
                ("attempts", models.PositiveIntegerField(default=0)),
                ("code_hash", models.CharField(blank=True, max_length=64)),
                ("sent_at", models.DateTimeField(null=True)),
                ("lease_token", models.UUIDField(null=True)),
                ("lease_expires_at", models.DateTimeField(null=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("sent_at__isnull", True)),
                        fields=["due_at"],
                        name="password_reset_pending",
                    ),
                    models.Index(fields=["expires_at"], name="password_reset_expiry"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(
                                ("lease_expires_at__isnull", True), ("lease_token__isnull", True)
                            ),
                            models.Q(
                                ("lease_expires_at__isnull", False), ("lease_token__isnull", False)
                            ),
                            _connector="OR",
                        ),
                        name="password_reset_lease_whole",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            ("sent_at__isnull", True),
                            models.Q(("code_hash", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="password_reset_sent_with_code",
                    ),
                ],
            },
        ),
    ]
