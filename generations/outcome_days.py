"""What became of the tasks of all live organizations together, by day: a year of it is read in a blink.

The roll-ups of `generations.outcomes` are those of every organization. These here are their sums without the sandboxes,
made anew whenever a day of theirs is, in the same transaction.
"""

from datetime import datetime

from django.db import connection

from generations.models import OutcomeDay

GROUP = "model, user_group, account_id, outcome, error_code, refund_bucket"
ADD = f"""
    INSERT INTO generations_outcomeday (starts_at, {GROUP}, tasks)
    SELECT starts_at, {GROUP}, sum(tasks) FROM generations_outcomerollup
    WHERE span = 'day' AND starts_at >= %(since)s AND starts_at < %(until)s
        AND organization_id IN (SELECT o.id FROM accounts_organization o WHERE o.sandbox_of_id IS NULL)
    GROUP BY starts_at, {GROUP}"""


def count(since: datetime, until: datetime) -> None:
    """The rows of these whole UTC days."""
    OutcomeDay.objects.filter(starts_at__gte=since, starts_at__lt=until).delete()
    with connection.cursor() as cursor:
        cursor.execute(ADD, {"since": since, "until": until})
