# Reservations have carried the model of their task since roll-ups count by it; those made before get it here.

from django.db import migrations


class Migration(migrations.Migration):

    dependencies = [
        ('generations', '0009_tasks_by_their_end'),
        ('billing', '0002_rollups_and_models'),
    ]

    operations = [
        migrations.RunSQL(
            sql="""
                UPDATE billing_reservation AS r SET model = t.model FROM generations_task AS t
                WHERE t.id = r.id AND r.model = ''
            """,
            reverse_sql=migrations.RunSQL.noop,
        ),
    ]
