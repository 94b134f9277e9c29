# Multipliers and exact prices of user groups become dated rows. Their old column and table stay for the processes that
# still read them while a release rolls out; a later release drops them.

import django.db.models.deletion
import django.utils.timezone
import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0005_the_multiplier_moves_to_billing'),
        ('billing', '0009_caps_thresholds_and_guards'),
    ]

    operations = [
        migrations.CreateModel(
            name='PriceDraft',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('note', models.CharField(help_text='What changes. The version will carry it.', max_length=200)),
                ('discarded_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('base', models.ForeignKey(editable=False, on_delete=django.db.models.deletion.PROTECT, related_name='drafts', to='billing.priceversion')),
                ('version', models.OneToOneField(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='draft', to='billing.priceversion')),
            ],
            options={
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('version__isnull', True), ('discarded_at__isnull', True), _connector='OR'), name='a_draft_is_scheduled_or_discarded'),
                ],
            },
        ),
        migrations.CreateModel(
            name='DraftCell',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('model', models.CharField(max_length=80)),
                ('cell', models.CharField(help_text='The variant: 720p_off, 1080p_on, call, …', max_length=40)),
                ('label', models.CharField(help_text='The variant in words, for quotes.', max_length=80)),
                ('unit', models.CharField(choices=[('second', 'Second'), ('call', 'Call')], max_length=6)),
                ('rate', models.DecimalField(decimal_places=4, max_digits=12)),
                ('factor', models.DecimalField(decimal_places=4, max_digits=8)),
                ('minimum_seconds', models.DecimalField(decimal_places=2, default=0, max_digits=8)),
                ('draft', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='cells', to='billing.pricedraft')),
            ],
            options={
                'constraints': [
                    models.UniqueConstraint(fields=('draft', 'model', 'cell'), name='one_price_per_draft_model_and_cell'),
                    models.CheckConstraint(condition=models.Q(('factor__gte', 0), ('minimum_seconds__gte', 0), ('rate__gte', 0)), name='drafted_price_is_not_negative'),
                    models.CheckConstraint(condition=models.Q(('unit__in', ['second', 'call'])), name='drafted_price_unit_is_known'),
                ],
            },
        ),
        migrations.CreateModel(
            name='PriceOverride',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('effective_at', models.DateTimeField()),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('withdrawn_at', models.DateTimeField(blank=True, editable=False, null=True)),
                ('withdrawn_reason', models.CharField(blank=True, db_default='', editable=False, max_length=300)),
                ('model', models.CharField(blank=True, help_text='Empty: a multiplier for all models.', max_length=80)),
                ('multiplier', models.DecimalField(blank=True, decimal_places=4, max_digits=8, null=True)),
                ('rate', models.DecimalField(blank=True, decimal_places=4, help_text='Exact, for a model.', max_digits=12, null=True)),
                ('reason', models.CharField(blank=True, max_length=300)),
                ('organization', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='price_overrides', to='accounts.organization')),
                ('user_group', models.ForeignKey(blank=True, db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='price_overrides', to='accounts.usergroup')),
            ],
            options={
                'constraints': [
                    models.CheckConstraint(condition=models.Q(models.Q(('organization__isnull', False), ('user_group__isnull', True)), models.Q(('organization__isnull', True), ('user_group__isnull', False)), _connector='OR'), name='an_override_is_a_groups_or_an_organizations'),
                    models.CheckConstraint(condition=models.Q(models.Q(('model', ''), ('rate__isnull', True)), models.Q(models.Q(('model', ''), _negated=True), ('multiplier__isnull', True)), _connector='OR'), name='a_multiplier_is_for_all_models_and_a_rate_for_one'),
                    models.CheckConstraint(condition=models.Q(models.Q(('multiplier__isnull', True), ('multiplier__gte', 0), _connector='OR'), models.Q(('rate__isnull', True), ('rate__gte', 0), _connector='OR')), name='override_is_not_negative'),
                ],
            },
        ),
        migrations.AddConstraint(
            model_name='priceoverride',
            constraint=models.UniqueConstraint(condition=models.Q(('withdrawn_at__isnull', True)), fields=('user_group', 'model', 'effective_at'), name='one_override_per_group_model_and_moment'),
        ),
        migrations.AddConstraint(
            model_name='priceoverride',
            constraint=models.UniqueConstraint(condition=models.Q(('withdrawn_at__isnull', True)), fields=('organization', 'model', 'effective_at'), name='one_override_per_organization_model_and_moment'),
        ),
        migrations.AddField(
            model_name='priceversion',
            name='file_digest',
            field=models.CharField(blank=True, db_default='', editable=False, help_text='Of the file it was loaded from, if any.', max_length=64),
        ),
        migrations.AddField(
            model_name='priceversion',
            name='withdrawn_at',
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name='priceversion',
            name='withdrawn_reason',
            field=models.CharField(blank=True, db_default='', editable=False, max_length=300),
        ),
        migrations.AlterField(
            model_name='priceversion',
            name='effective_at',
            field=models.DateTimeField(),
        ),
        migrations.RunSQL(
            sql="UPDATE billing_priceversion SET file_digest = digest",
            reverse_sql=migrations.RunSQL.noop,
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='pricecell',
            trigger=pgtrigger.compiler.Trigger(name='prices_are_never_changed', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='d2e65a1554cf58dac676e32c8db60490e92544e8', operation='UPDATE OR DELETE', pgid='pgtrigger_prices_are_never_changed_b173e', table='billing_pricecell', when='BEFORE')),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='priceversion',
            trigger=pgtrigger.compiler.Trigger(name='price_versions_are_never_changed', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n    IF TG_OP = 'UPDATE' AND OLD.withdrawn_at IS NULL AND NEW.withdrawn_at IS NOT NULL\n        AND OLD.effective_at > clock_timestamp()\n        AND to_jsonb(NEW) - 'withdrawn_at' - 'withdrawn_reason' = to_jsonb(OLD) - 'withdrawn_at' - 'withdrawn_reason'\n    THEN\n        RETURN NEW;\n    END IF;\n    RAISE EXCEPTION 'Rows of % are never changed; before they take effect they can be withdrawn.', TG_TABLE_NAME;\n", hash='d2f99f003a2f13ffc1a7e2953165cd690d5794ac', operation='UPDATE OR DELETE', pgid='pgtrigger_price_versions_are_never_changed_13206', table='billing_priceversion', when='BEFORE')),
        ),
        migrations.AddConstraint(
            model_name='priceversion',
            constraint=models.UniqueConstraint(condition=models.Q(('withdrawn_at__isnull', True)), fields=('effective_at',), name='one_price_version_per_moment'),
        ),
        migrations.SeparateDatabaseAndState(
            state_operations=[
                migrations.RemoveField(model_name='groupprice', name='user_group'),
                migrations.DeleteModel(name='GroupPrice'),
            ],
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='priceoverride',
            trigger=pgtrigger.compiler.Trigger(name='price_overrides_are_never_changed', sql=pgtrigger.compiler.UpsertTriggerSql(func="\n    IF TG_OP = 'UPDATE' AND OLD.withdrawn_at IS NULL AND NEW.withdrawn_at IS NOT NULL\n        AND OLD.effective_at > clock_timestamp()\n        AND to_jsonb(NEW) - 'withdrawn_at' - 'withdrawn_reason' = to_jsonb(OLD) - 'withdrawn_at' - 'withdrawn_reason'\n    THEN\n        RETURN NEW;\n    END IF;\n    RAISE EXCEPTION 'Rows of % are never changed; before they take effect they can be withdrawn.', TG_TABLE_NAME;\n", hash='f2369094d4bfdde814fdbe5121d7e0b9740c8cb8', operation='UPDATE OR DELETE', pgid='pgtrigger_price_overrides_are_never_changed_556c8', table='billing_priceoverride', when='BEFORE')),
        ),
        migrations.RunSQL(
            sql="""
                INSERT INTO billing_priceoverride
                    (user_group_id, model, multiplier, rate, effective_at, created_at, withdrawn_reason, reason)
                SELECT kept.*, coalesce((SELECT min(effective_at) FROM billing_priceversion), now()), now(), '',
                    'Carried over from the user group.'
                FROM (
                    SELECT id, '', multiplier, NULL::numeric FROM accounts_usergroup WHERE multiplier <> 1
                    UNION ALL
                    SELECT user_group_id, model, NULL, rate FROM billing_groupprice
                ) AS kept
            """,
            reverse_sql=migrations.RunSQL.noop,
        ),
    ]
