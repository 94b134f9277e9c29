"""The table of the cache (settings.CACHES): every host counts wrong tries to sign in together."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("accounts", "0006_people_choose_and_are_invited")]

    operations = [
        migrations.RunSQL(
            sql="""
                CREATE TABLE accounts_cache (
                    cache_key varchar(255) PRIMARY KEY, value text NOT NULL, expires timestamptz NOT NULL
                );
                CREATE INDEX accounts_cache_expires ON accounts_cache (expires);
            """,
            reverse_sql="DROP TABLE accounts_cache",
        )
    ]
