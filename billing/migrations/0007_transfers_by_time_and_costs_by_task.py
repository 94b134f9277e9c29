# Without a lock that movements would wait for, so in no transaction.

from django.contrib.postgres.indexes import BrinIndex
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('billing', '0006_report_roll_ups'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='providercost',
            index=models.Index(fields=['task_id'], name='provider_costs_of_a_task'),
        ),
        AddIndexConcurrently(
            model_name='transfer',
            index=BrinIndex(fields=['created_at'], name='transfers_by_time'),
        ),
    ]
