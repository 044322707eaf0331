"""What unlocks the words of one patient."""

from __future__ import annotations

from django.db import models


class PatientKey(models.Model):
    """A patient's own key, wrapped by the key of `PATIENT_KEYS` that `key_id` names.

    Read and written by `accounts.patient_keys` alone.
    """

    patient = models.OneToOneField(
        "accounts.Patient", models.CASCADE, primary_key=True, related_name="+"
    )
    key_id = models.CharField(max_length=32, db_index=True)
    wrapped = models.BinaryField()
    made_at = models.DateTimeField()
