# What a user group pays stands in `billing_priceoverride` from now on. The column stays for the processes that still
# read it while a release rolls out; its default lets the new ones leave it out. A later release drops it.

from decimal import Decimal

import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0004_monthly_limits_pauses_and_notices"),
    ]

    operations = [
        migrations.AlterField(
            model_name="usergroup",
            name="multiplier",
            field=models.DecimalField(
                decimal_places=4,
                db_default=Decimal("1"),
                default=Decimal("1"),
                max_digits=8,
                validators=[django.core.validators.MinValueValidator(Decimal("0"))],
            ),
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveConstraint(model_name="usergroup", name="user_group_multiplier_is_not_negative"),
                migrations.RemoveField(model_name="usergroup", name="multiplier"),
            ],
        ),
    ]
