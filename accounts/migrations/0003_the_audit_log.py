"""The audit log, append-only, with what the operators' log has held until now."""

import django.utils.timezone
import pgtrigger.compiler
import pgtrigger.migrations
from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def take_over_the_operators_log(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    entries = apps.get_model("accounts", "AuditEntry").objects
    logged = apps.get_model("admin", "LogEntry").objects.select_related("user", "content_type").order_by("pk")
    for one in logged.iterator():
        kind = one.content_type
        entries.create(
            at=one.action_time,
            actor_kind="operator",
            actor_id=str(one.user_id),
            actor=one.user.email[:300],
            action="operator.acted",
            target_type=f"{kind.app_label}.{kind.model}"[:60] if kind else "",
            target_id=(one.object_id or "")[:80],
            target=one.object_repr[:300],
            reason=one.change_message[:300],
        )


class Migration(migrations.Migration):

    dependencies = [
        ('accounts', '0002_the_default_user_group'),
        ('admin', '0003_logentry_add_action_flag_choices'),
    ]

    operations = [
        migrations.CreateModel(
            name='AuditEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('actor_kind', models.CharField(choices=[('operator', 'operator'), ('member', 'member'), ('api_key', 'api_key'), ('visitor', 'visitor'), ('system', 'system')], max_length=8)),
                ('actor_id', models.CharField(blank=True, help_text="A user's number, or a key's id.", max_length=40)),
                ('actor', models.CharField(blank=True, max_length=300)),
                ('action', models.CharField(max_length=60)),
                ('organization_id', models.UUIDField(blank=True, null=True)),
                ('organization_name', models.CharField(blank=True, max_length=120)),
                ('target_type', models.CharField(blank=True, max_length=60)),
                ('target_id', models.CharField(blank=True, max_length=80)),
                ('target', models.CharField(blank=True, max_length=300)),
                ('changes', models.JSONField(blank=True, default=dict, help_text='{name: [before, after]}, never secrets.')),
                ('reason', models.CharField(blank=True, max_length=300)),
                ('request_id', models.CharField(blank=True, max_length=64)),
                ('address', models.GenericIPAddressField(blank=True, null=True)),
            ],
            options={
                'verbose_name_plural': 'audit entries',
                'indexes': [models.Index(fields=['organization_id', '-id'], name='audit_of_an_organization'), models.Index(fields=['actor', '-id'], name='audit_of_an_actor'), models.Index(fields=['action', '-id'], name='audit_of_an_action'), models.Index(fields=['target_type', 'target_id', '-id'], name='audit_of_a_target'), models.Index(fields=['at'], name='audit_by_time')],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name='auditentry',
            trigger=pgtrigger.compiler.Trigger(name='audit_entries_are_append_only', sql=pgtrigger.compiler.UpsertTriggerSql(func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;", hash='95ebd513ca9affa71e46ebe45181130fddc13839', operation='UPDATE OR DELETE', pgid='pgtrigger_audit_entries_are_append_only_6a4bf', table='accounts_auditentry', when='BEFORE')),
        ),
        # pgtrigger writes row triggers; TRUNCATE fires statement triggers only.
        migrations.RunSQL(
            sql="""
                CREATE FUNCTION audit_entries_are_never_truncated() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    RAISE EXCEPTION 'Audit entries are append-only: % is refused.', TG_OP;
                END $$;
                CREATE TRIGGER audit_entries_are_never_truncated BEFORE TRUNCATE ON accounts_auditentry
                    FOR EACH STATEMENT EXECUTE FUNCTION audit_entries_are_never_truncated();
            """,
            reverse_sql="""
                DROP TRIGGER audit_entries_are_never_truncated ON accounts_auditentry;
                DROP FUNCTION audit_entries_are_never_truncated();
            """,
        ),
        migrations.RunPython(take_over_the_operators_log, migrations.RunPython.noop),
    ]
