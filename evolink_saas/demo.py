"""What a newcomer finds after the first start: a demo organization with credits, its logins, and two keys.

`var/demo.env` remembers the secrets, readable by its owner only. Run again, everything that still works is kept; what
is gone from the database or from the file is made anew.
"""

import secrets
from decimal import Decimal
from pathlib import Path

from allauth.account.models import EmailAddress
from django.conf import settings
from django.db import transaction
from dotenv import dotenv_values

from accounts import keys
from accounts.models import Membership, Organization, Role, Scope, User, UserGroup
from billing import opening

ORGANIZATION = "Demo"
OWNER_EMAIL, ADMIN_EMAIL = "owner@demo.example", "admin@demo.example"
CREDITS, TEST_CREDITS = Decimal(1000), Decimal(100_000)


def file() -> Path:
    return Path(settings.VAR_DIR) / "demo.env"


def create() -> dict[str, str]:
    """The demo's values by name, as they now stand in `var/demo.env`."""
    known = {name: value or "" for name, value in dotenv_values(file()).items()}
    with transaction.atomic():
        UserGroup.objects.select_for_update().get(name="default")  # a second start at the same time waits here
        owner = _organization()
        twin = opening.open_sandbox(owner.organization, TEST_CREDITS)
        values = {
            "EVOLINK_URL": settings.PUBLIC_URL,
            "EVOLINK_API_KEY": _key(owner.organization, owner, known.get("EVOLINK_API_KEY", "")),
            "EVOLINK_SANDBOX_KEY": _key(twin, owner, known.get("EVOLINK_SANDBOX_KEY", "")),
            "EVOLINK_ADMIN_EMAIL": ADMIN_EMAIL,
            "EVOLINK_ADMIN_PASSWORD": _password(ADMIN_EMAIL, known.get("EVOLINK_ADMIN_PASSWORD", ""), operator=True),
            "EVOLINK_OWNER_EMAIL": OWNER_EMAIL,
            "EVOLINK_OWNER_PASSWORD": _password(OWNER_EMAIL, known.get("EVOLINK_OWNER_PASSWORD", ""), operator=False),
        }
        _write(values)
    return values


def _organization() -> Membership:
    """The owner's membership of the demo organization."""
    known = Membership.objects.filter(role=Role.OWNER, user__email=OWNER_EMAIL, organization__name=ORGANIZATION)
    if not known.exists():
        opening.open_organization(ORGANIZATION, OWNER_EMAIL, CREDITS)
    return known.select_related("organization").get()


def _key(organization: Organization, owner: Membership, known: str) -> str:
    """The remembered key while it works, else a new one that may do everything."""
    key = keys.find(known)
    if key is not None and key.organization_id == organization.pk and key.revoked_at is None:
        return known
    return keys.create(organization, by=owner, name="Demo", scopes=list(Scope.values))[1]


def _password(email: str, known: str, *, operator: bool) -> str:
    """The remembered password of a login that exists, else a new random one; the login is made when missing."""
    user = User.objects.filter(email=email).first() or User(email=email, is_staff=operator, is_superuser=operator)
    if known and user.pk and user.has_usable_password():
        return known
    password = known or secrets.token_urlsafe(12)
    user.set_password(password)
    user.save()
    EmailAddress.objects.update_or_create(user=user, email=email, defaults={"verified": True, "primary": True})
    return password


def _write(values: dict[str, str]) -> None:
    """Replace the file whole, never readable by others."""
    file().parent.mkdir(parents=True, exist_ok=True)
    fresh = file().with_suffix(".new")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600, exist_ok=False)
    fresh.write_text("".join(f"{name}={value}\n" for name, value in values.items()))
    fresh.replace(file())
