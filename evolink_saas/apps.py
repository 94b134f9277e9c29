"""Makes the system checks known to Django."""

from django.apps import AppConfig
from django.core import checks as django_checks


class EvolinkSaasConfig(AppConfig):
    name = "evolink_saas"

    def ready(self) -> None:
        from evolink_saas import checks  # noqa: PLC0415  models are ready only now

        for check in checks.ALWAYS:
            django_checks.register(check, django_checks.Tags.security)
        for check in checks.BEFORE_DEPLOYMENT:
            django_checks.register(check, django_checks.Tags.security, deploy=True)
        django_checks.register(checks.live_simulator, django_checks.Tags.database)  # type: ignore[call-overload]
