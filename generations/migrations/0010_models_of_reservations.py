"""Reservations carry the model of their task since roll-ups count by it; those made before get it here, some at a time."""

from django.db import migrations

AT_ONCE = 5000
NEXT = """
    SELECT id FROM billing_reservation WHERE id > %s ORDER BY id LIMIT %s
"""
FILL = """
    UPDATE billing_reservation AS r SET model = t.model FROM generations_task AS t
    WHERE t.id = r.id AND r.model = '' AND r.id > %s AND r.id <= %s
"""
FIRST = "00000000-0000-0000-0000-000000000000"


def fill(apps, schema_editor):
    last = FIRST
    with schema_editor.connection.cursor() as cursor:
        while True:
            cursor.execute(NEXT, [last, AT_ONCE])
            found = cursor.fetchall()
            if not found:
                return
            cursor.execute(FILL, [last, found[-1][0]])
            last = found[-1][0]


class Migration(migrations.Migration):
    """In no transaction: captures must not wait for all of them."""

    atomic = False

    dependencies = [
        ("generations", "0009_tasks_by_their_end"),
        ("billing", "0002_rollups_and_models"),
    ]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
