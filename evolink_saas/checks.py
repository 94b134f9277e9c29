"""Wrong combinations of settings, each with an id and a hint. `check --deploy` asks for what production needs.

evolink.E001  PUBLIC_URL is not https                    evolink.E005  DEBUG is on
evolink.E002  safe_http may reach extra networks         evolink.E006  a simulator account serves live keys
evolink.E003  a development secret is in use             evolink.E007  an encryption key cannot be read
evolink.E004  the run-time role is the owner             evolink.E008  Stripe without a webhook secret
evolink.E010  the translations are not compiled          evolink.E009  Stripe is not Stripe
"""

from collections.abc import Callable
from typing import Any

from cryptography.fernet import Fernet
from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.db import DatabaseError

from evolink_saas import translations
from generations.models import ProviderAccount

Check = Callable[..., list[CheckMessage]]
STRIPE = "https://api.stripe.com"


def public_url(**_: Any) -> list[CheckMessage]:
    if settings.PUBLIC_URL.startswith("https://"):
        return []
    hint = "Set PUBLIC_URL to the https address that customers and upstreams reach; links to files begin with it."
    return [Error(f"PUBLIC_URL is {settings.PUBLIC_URL}, which is not https.", hint=hint, id="evolink.E001")]


def extra_networks(**_: Any) -> list[CheckMessage]:
    hint = "It opens internal addresses to customers; leave it empty outside development."
    names = [name for name in ("SAFE_HTTP_EXTRA_NETWORKS", "SAFE_HTTP_CA_FILE") if getattr(settings, name)]
    return [Error(f"{name} is set.", hint=hint, id="evolink.E002") for name in names]


def development_secrets(**_: Any) -> list[CheckMessage]:
    hint = "Set a random value of your own; docs/configuration.md says how to make one."
    used = [name for name, value in settings.DEVELOPMENT_SECRETS.items() if value in _values(getattr(settings, name))]
    return [Error(f"{name} is the one for development.", hint=hint, id="evolink.E003") for name in used]


def database_roles(**_: Any) -> list[CheckMessage]:
    if settings.DATABASE_OWNER_URL != settings.DATABASE_URL:
        return []
    hint = "Give DATABASE_URL a role that owns nothing, so that the append-only tables are safe from the application."
    return [Error("DATABASE_OWNER_URL and DATABASE_URL name the same role.", hint=hint, id="evolink.E004")]


def debug(**_: Any) -> list[CheckMessage]:
    if not settings.DEBUG:
        return []
    return [Error("DEBUG is on.", hint="Set DEBUG=off: it shows internals to strangers.", id="evolink.E005")]


def live_simulator(databases: list[str] | None = None, **_: Any) -> list[CheckMessage]:
    if settings.DEBUG or not databases:
        return []
    hint = "Disable the account in the admin: its videos are not real, and live keys would pay for them."
    try:
        names = _live_simulators()
    except DatabaseError:  # down, or not migrated yet
        return []
    return [Error(f"The simulator account {name} serves live keys.", hint=hint, id="evolink.E006") for name in names]


def encryption_keys(**_: Any) -> list[CheckMessage]:
    hint = "Make one: python -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())'"
    if not settings.ENCRYPTION_KEYS:
        return [Error("ENCRYPTION_KEYS is empty.", hint=hint, id="evolink.E007")]
    unreadable = [position for position, key in enumerate(settings.ENCRYPTION_KEYS, 1) if not _is_fernet_key(key)]
    message = "Number {} of ENCRYPTION_KEYS is not a Fernet key."
    return [Error(message.format(position), hint=hint, id="evolink.E007") for position in unreadable]


def stripe_secrets(**_: Any) -> list[CheckMessage]:
    if not settings.STRIPE_API_KEY or settings.STRIPE_WEBHOOK_SECRETS:
        return []
    hint = "Set STRIPE_WEBHOOK_SECRETS to the signing secret of the webhook; docs/top-ups.md says how to make one."
    return [Error("STRIPE_API_KEY is set, and no webhook secret.", hint=hint, id="evolink.E008")]


def stripe_address(**_: Any) -> list[CheckMessage]:
    if settings.STRIPE_API_BASE == STRIPE:
        return []
    hint = "Leave STRIPE_API_BASE empty outside development: whoever answers there decides who has paid."
    return [Error(f"STRIPE_API_BASE is {settings.STRIPE_API_BASE}.", hint=hint, id="evolink.E009")]


def translations_compiled(**_: Any) -> list[CheckMessage]:
    if translations.MO.exists():
        return []
    hint = "Run python -m evolink_saas.translations compile where the code is installed."
    return [Error(f"{translations.MO.name} is missing: every page is English.", hint=hint, id="evolink.E010")]


ALWAYS: tuple[Check, ...] = (encryption_keys, stripe_secrets)
BEFORE_DEPLOYMENT: tuple[Check, ...] = (
    public_url,
    extra_networks,
    development_secrets,
    database_roles,
    debug,
    stripe_address,
    translations_compiled,
)


def _live_simulators() -> list[str]:
    accounts = ProviderAccount.objects.filter(simulator=True, serves=ProviderAccount.Serves.LIVE, enabled=True)
    return list(accounts.order_by("name").values_list("name", flat=True))


def _is_fernet_key(text: str) -> bool:
    try:
        Fernet(text)
    except ValueError:
        return False
    return True


def _values(setting: str | list[str]) -> list[str]:
    return [setting] if isinstance(setting, str) else setting
