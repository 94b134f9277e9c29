"""Whose each voice is, and what has become of an element's copies at the providers. The first voices are Kling's."""

from django.db import migrations, models
from django.utils import timezone

VOICES = {
    "829824295735410756": "钓系女友",
    "829826751244537879": "温柔女声",
    "829826792415842333": "播报男声",
    "829826834144964676": "盐系少年",
    "829826884271091753": "撒娇女友",
}


def name_the_provider(apps, schema_editor):
    Voice = apps.get_model("generations", "Voice")
    for voice_id, name in VOICES.items():
        Voice.objects.filter(voice_id=voice_id, provider="").update(provider="kling", upstream_name=name)


def delete_what_was_deleted_before(apps, schema_editor):
    copies = apps.get_model("generations", "ElementCopy").objects.filter(element__deleted_at__isnull=False)
    copies.update(state="deleting", due_at=timezone.now())


class Migration(migrations.Migration):
    dependencies = [("generations", "0005_attempts_judge_accounts")]

    operations = [
        migrations.AddField(
            model_name="elementcopy",
            name="claims",
            field=models.PositiveIntegerField(
                db_default=0, default=0, help_text="Claims in a row that ended in nothing."
            ),
        ),
        migrations.AddField(
            model_name="elementcopy",
            name="delete_tries",
            field=models.PositiveSmallIntegerField(
                db_default=0, default=0, help_text="Tries to delete it that failed."
            ),
        ),
        migrations.AddField(
            model_name="elementcopy",
            name="deleted_at",
            field=models.DateTimeField(blank=True, help_text="When it was gone at the provider.", null=True),
        ),
        migrations.AddField(
            model_name="elementcopy",
            name="due_at",
            field=models.DateTimeField(
                blank=True, help_text="When a worker should look at it; empty: never.", null=True
            ),
        ),
        migrations.AddField(
            model_name="elementcopy",
            name="last_problem",
            field=models.CharField(
                blank=True, db_default="", default="", help_text="Why the last of them failed.", max_length=300
            ),
        ),
        migrations.AddField(
            model_name="elementcopy",
            name="lease_token",
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name="elementcopy",
            name="leased_by",
            field=models.CharField(blank=True, db_default="", default="", max_length=80),
        ),
        migrations.AddField(
            model_name="elementcopy",
            name="leased_until",
            field=models.DateTimeField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="elementcopy",
            name="rung_until",
            field=models.DateTimeField(blank=True, help_text="Until then the queue is trusted with it.", null=True),
        ),
        migrations.AddField(
            model_name="elementcopy",
            name="state",
            field=models.CharField(
                choices=[
                    ("present", "Present"),
                    ("deleting", "Deleting"),
                    ("deleted", "Deleted"),
                    ("failed", "could not be deleted"),
                    ("kept", "the provider cannot delete"),
                ],
                db_default="present",
                default="present",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="voice",
            name="provider",
            field=models.CharField(
                blank=True, db_default="", default="", help_text="Who told us of it; empty: an operator.", max_length=40
            ),
        ),
        migrations.AddField(
            model_name="voice",
            name="upstream_name",
            field=models.CharField(
                blank=True, db_default="", default="", help_text="What the provider calls it.", max_length=60
            ),
        ),
        migrations.AddField(
            model_name="voice",
            name="withdrawn_at",
            field=models.DateTimeField(
                blank=True, help_text="When it was disabled because the provider lists it no more.", null=True
            ),
        ),
        migrations.AddConstraint(
            model_name="elementcopy",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", ["present", "deleting", "deleted", "failed", "kept"])),
                name="element_copy_state_is_known",
            ),
        ),
        migrations.AddConstraint(
            model_name="elementcopy",
            constraint=models.CheckConstraint(
                condition=models.Q(("state", "deleting"), ("due_at__isnull", True), _connector="OR"),
                name="only_a_copy_to_delete_is_due",
            ),
        ),
        migrations.RunPython(name_the_provider, migrations.RunPython.noop),
        migrations.RunPython(delete_what_was_deleted_before, migrations.RunPython.noop),
    ]
