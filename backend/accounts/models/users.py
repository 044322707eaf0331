"""The account that signs in."""

from __future__ import annotations

from typing import ClassVar
from uuid import uuid4

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils.crypto import salted_hmac

from backend.accounts.actor import Role


class UserManager(BaseUserManager["User"]):
    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=(username or "").strip().lower())


class User(AbstractBaseUser):
    """Signs in with an e-mail address, stored in lower case. `role` says what the account is.

    `notice_due_at`: when to mail that the second step was taken away; None when nothing waits.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    email = models.EmailField(max_length=254, unique=True)
    role = models.CharField(
        max_length=16,
        choices=[(role.value, role.value) for role in Role if role is not Role.SYSTEM],
    )
    language = models.CharField(max_length=5, default="en")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)
    sign_outs_everywhere = models.PositiveIntegerField(default=0)
    notice_due_at = models.DateTimeField(null=True)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(email=Lower("email")), name="user_email_lower_case"
            ),
            models.CheckConstraint(
                condition=models.Q(role__in=["patient", "clinician", "administrator", "operator"]),
                name="user_role_known",
            ),
        ]
        indexes = [
            models.Index(
                fields=["notice_due_at"],
                condition=models.Q(notice_due_at__isnull=False),
                name="user_notice_due",
            )
        ]

    def get_session_auth_hash(self) -> str:
        """What a browser's session is tied to: it ends with the password or a general sign-out."""
        tied_to = f"{self.password}:{self.sign_outs_everywhere}"
        return salted_hmac("accounts.session", tied_to, algorithm="sha256").hexdigest()
