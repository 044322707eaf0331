from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("aftercare", "0001_alerts_and_nudges"),
    ]

    operations = [
        migrations.AlterField(
            model_name="alert",
            name="outcome",
            field=models.CharField(
                blank=True,
                choices=[
                    ("reached", "Reached"),
                    ("not_reached", "Not Reached"),
                    ("welfare_check", "Welfare Check"),
                    ("no_action_needed", "No Action Needed"),
                    ("recovered", "Recovered"),
                    ("historical", "Historical"),
                ],
                max_length=20,
            ),
        ),
        migrations.AlterField(
            model_name="alertact",
            name="kind",
            field=models.CharField(
                choices=[
                    ("acknowledged", "Acknowledged"),
                    ("acted", "Acted"),
                    ("resolved", "Resolved"),
                    ("escalated", "Escalated"),
                    ("renewed", "Renewed"),
                    ("revised", "Revised"),
                    ("recovered", "Recovered"),
                    ("exhausted", "Exhausted"),
                ],
                max_length=14,
            ),
        ),
    ]
