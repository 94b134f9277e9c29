"""The index that finds the copies of elements that are due to be deleted, made while the table is in use."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [("generations", "0006_voices_in_step_and_copies_to_delete")]

    operations = [
        AddIndexConcurrently(
            model_name="elementcopy",
            index=models.Index(
                condition=models.Q(("due_at__isnull", False)), fields=["due_at"], name="element_copies_to_delete"
            ),
        ),
    ]
