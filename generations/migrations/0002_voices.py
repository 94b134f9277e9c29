"""The voices that exist upstream from the first day. Operators extend the table."""

from django.db import migrations

VOICES = (
    ("829824295735410756", "钓系女友", "flirtatious woman"),
    ("829826751244537879", "温柔女声", "gentle woman"),
    ("829826792415842333", "播报男声", "news man"),
    ("829826834144964676", "盐系少年", "cool young man"),
    ("829826884271091753", "撒娇女友", "coy woman"),
)


def load(apps, schema_editor):
    Voice = apps.get_model("generations", "Voice")
    for position, (voice_id, name, description) in enumerate(VOICES, start=1):
        Voice.objects.get_or_create(
            voice_id=voice_id, defaults={"name": name, "description": description, "position": position}
        )


class Migration(migrations.Migration):
    dependencies = [("generations", "0001_initial")]

    operations = [migrations.RunPython(load, migrations.RunPython.noop)]
