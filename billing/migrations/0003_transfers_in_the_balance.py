# Without a lock that movements would wait for, so in no transaction.

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('billing', '0002_rollups_and_models'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='transfer',
            index=models.Index(condition=models.Q(('kind__in', ['grant', 'top_up', 'capture', 'refund', 'expire', 'adjust'])), fields=['wallet', 'seq'], name='transfers_in_the_balance'),
        ),
    ]
