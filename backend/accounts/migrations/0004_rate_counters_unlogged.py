"""Counting a try must not cost a flush to disk. After a crash of the server the counts start over."""

from __future__ import annotations

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("accounts", "0003_password_resets_and_sign_outs")]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE accounts_ratecounter SET UNLOGGED",
            "ALTER TABLE accounts_ratecounter SET LOGGED",
        )
    ]
