from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


def name_the_models(apps, schema_editor):
    """Attempts under way say which model they make, so that their faults count, too. Those that ended never will."""
    Attempt = apps.get_model("generations", "Attempt")
    Task = apps.get_model("generations", "Task")
    of_task = Task.objects.filter(pk=models.OuterRef("task")).values("model")
    Attempt.objects.filter(model="", state__in=["submitting", "running", "fetching"]).update(
        model=models.Subquery(of_task)
    )


class Migration(migrations.Migration):
    """In no transaction, while work goes on: attempts are the busiest table."""

    atomic = False

    dependencies = [
        ("generations", "0004_breakers_switches_and_margin"),
    ]

    operations = [
        migrations.RunPython(name_the_models, migrations.RunPython.noop),
        AddIndexConcurrently(
            model_name="attempt",
            index=models.Index(
                condition=models.Q(("judged_at__isnull", False)),
                fields=["account", "model", "judged_at"],
                name="attempts_that_judge_an_account",
            ),
        ),
    ]
