from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_the_default_user_group"),
        ("generations", "0007_index_copies_to_delete"),
    ]

    operations = [
        migrations.CreateModel(
            name="HealthMark",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, editable=False, primary_key=True, serialize=False)),
                ("counted_until", models.DateTimeField(help_text="Every hour before it is counted.")),
            ],
        ),
        migrations.CreateModel(
            name="ModelHour",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("model", models.CharField(max_length=80)),
                ("hour", models.DateTimeField(help_text="Its beginning.")),
                ("completed", models.PositiveIntegerField(default=0)),
                (
                    "failed",
                    models.PositiveIntegerField(default=0, help_text="All of them, by the customer's input too."),
                ),
                (
                    "failed_by_input",
                    models.PositiveIntegerField(default=0, help_text="Of the failed, by the customer's own input."),
                ),
                (
                    "looked",
                    models.BigIntegerField(
                        default=0, help_text="Minutes in which we looked whether a request would be taken."
                    ),
                ),
                ("closed", models.BigIntegerField(default=0, help_text="Of these, the minutes in which it would not.")),
                (
                    "refused",
                    models.BigIntegerField(default=0, help_text="Minutes in which a real request was refused."),
                ),
            ],
            options={
                "ordering": ["-hour", "model"],
            },
        ),
        migrations.CreateModel(
            name="ModelHourTime",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("model", models.CharField(max_length=80)),
                ("hour", models.DateTimeField()),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("making", "accepted until finished, of completed tasks"),
                            ("waiting", "created until accepted, of completed tasks"),
                            ("refund", "created until refunded, of failed tasks"),
                        ],
                        max_length=8,
                    ),
                ),
                ("bucket", models.PositiveSmallIntegerField()),
                ("tasks", models.PositiveIntegerField()),
            ],
            options={
                "ordering": ["-hour", "model", "kind", "bucket"],
            },
        ),
        migrations.AddConstraint(
            model_name="healthmark",
            constraint=models.CheckConstraint(condition=models.Q(("id", 1)), name="there_is_one_health_mark"),
        ),
        migrations.AddConstraint(
            model_name="modelhour",
            constraint=models.UniqueConstraint(fields=("hour", "model"), name="one_row_per_hour_and_model"),
        ),
        migrations.AddConstraint(
            model_name="modelhour",
            constraint=models.CheckConstraint(
                condition=models.Q(("failed_by_input__lte", models.F("failed"))),
                name="failed_by_input_is_part_of_failed",
            ),
        ),
        migrations.AddConstraint(
            model_name="modelhourtime",
            constraint=models.UniqueConstraint(
                fields=("hour", "model", "kind", "bucket"), name="one_bucket_per_hour_model_and_kind"
            ),
        ),
        migrations.AddConstraint(
            model_name="modelhourtime",
            constraint=models.CheckConstraint(
                condition=models.Q(("kind__in", ["making", "waiting", "refund"])), name="kind_of_time_is_known"
            ),
        ),
    ]
