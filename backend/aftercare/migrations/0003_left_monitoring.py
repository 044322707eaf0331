from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("aftercare", "0002_alerts_that_recover"),
    ]

    operations = [
        migrations.AlterField(
            model_name="alert",
            name="condition",
            field=models.CharField(
                choices=[
                    ("safety", "Safety"),
                    ("withdrawal", "Withdrawal"),
                    ("use", "Use"),
                    ("mood", "Mood"),
                    ("craving", "Craving"),
                    ("confidence", "Confidence"),
                    ("sleep", "Sleep"),
                    ("worsening", "Worsening"),
                    ("absence", "Absence"),
                    ("left_monitoring", "Left Monitoring"),
                ],
                max_length=16,
            ),
        ),
    ]
