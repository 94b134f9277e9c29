"""Who made a task in the console; the index that finds such tasks is made while the table is in use."""

import django.db.models.deletion
from django.conf import settings
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
        ("generations", "0015_reconciliation"),
    ]

    operations = [
        migrations.AddField(
            model_name="task",
            name="made_by",
            field=models.ForeignKey(
                blank=True,
                db_index=False,
                help_text="The member who made it in the console; empty: it was made with an API key.",
                null=True,
                on_delete=django.db.models.deletion.SET_NULL,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        AddIndexConcurrently(
            model_name="task",
            index=models.Index(
                condition=models.Q(("made_by__isnull", False)),
                fields=["organization", "-id"],
                name="tasks_made_by_members",
            ),
        ),
    ]
