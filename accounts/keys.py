"""API keys: make, find, change, roll and revoke them. The only code that writes keys and their budgets.

A key's text is returned by `create` and `roll` and never again. Rolling makes a new key that shares the old one's
budget; the old one keeps working for a grace time. Revoking is final; a disabled key can be enabled again. A paused
key reads on and spends nothing, until it is resumed.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts import audit_log, key_rights, key_text, paging
from accounts.errors import Forbidden, InvalidRequest, NotFound
from accounts.key_rights import Actor
from accounts.models import ApiKey, KeyBudget, Membership, Organization

DEFAULT_GRACE = timedelta(hours=24)
RESUME_SALT, RESUME_LINK_LIVES = "resume-key", timedelta(days=7)
LAST_USED_PRECISION = timedelta(minutes=5)
COPIED = (*(name for name in key_rights.RIGHTS if name not in key_rights.LIMITS), "name")
SHOWN = (*COPIED, "hint")  # of a new key, in the audit log


@transaction.atomic
def create(organization: Organization, *, by: Actor, name: str, **wanted: Any) -> tuple[ApiKey, str]:
    """A new key with the rights `wanted` (names as in `key_rights.RIGHTS`) and its text. Raises Forbidden."""
    _check_belongs(by, organization)
    key_rights.check_manages(by)
    rights = key_rights.default_for(by) | wanted
    if not rights["scopes"]:
        raise InvalidRequest("missing_parameter", "Name the scopes of the new key.", param="scopes")
    key_rights.check_gives_keys(by, rights["scopes"])
    key_rights.check_within(by, rights)
    limits = {limit: rights.pop(limit, None) for limit in key_rights.LIMITS}
    budget = KeyBudget.objects.create(organization=organization, **limits)
    made_by = by.user if isinstance(by, Membership) else by.created_by
    key, text = _insert(organization=organization, budget=budget, created_by=made_by, name=name, **rights)
    changes = audit_log.made(key, SHOWN) | audit_log.made(budget, key_rights.LIMITS)
    audit_log.record(action="key.created", target=key, organization=organization, changes=changes)
    return key, text


def find(text: str) -> ApiKey | None:
    """The key with this text, with organization, user group and budget in one statement; a typo costs none."""
    if not key_text.is_well_formed(text):
        return None
    keys = ApiKey.objects.select_related("organization__user_group", "budget")
    return keys.filter(digest=key_text.digest(text)).first()


def page(organization: Organization, cursor: str | None, size: int) -> tuple[list[ApiKey], str | None]:
    """Up to `size` keys that were not revoked, newest first, after `cursor`; and the cursor of the page after."""
    rows = organization.api_keys.filter(revoked_at=None).select_related("budget")
    found, last = paging.page(rows, size, paging.read(ApiKey.PREFIX, cursor))
    return found, last.public_id if last else None


def remember_use(key: ApiKey, now: datetime) -> None:
    """Write `last_used_at`, at most once in five minutes however many calls come at once."""
    stale = now - LAST_USED_PRECISION
    if key.last_used_at is None or key.last_used_at <= stale:
        never_or_long_ago = Q(last_used_at=None) | Q(last_used_at__lte=stale)
        ApiKey.objects.filter(never_or_long_ago, pk=key.pk).update(last_used_at=now)


def allow_model(key: ApiKey, model_id: str) -> None:
    """Raise Forbidden `key_model_not_allowed` when the key is bound to other models."""
    if key.allowed_models and model_id not in key.allowed_models:
        raise Forbidden("key_model_not_allowed", f"This API key may not use the model `{model_id}`.", param="model")


@transaction.atomic
def change(key: ApiKey, *, by: Actor, **changes: Any) -> ApiKey:
    """Set `name`, `enabled` or rights; only what changes is compared with the actor's. Raises Forbidden, NotFound."""
    key = _lock(key, by)
    before = key_rights.of(key) | {"name": key.name, "enabled": key.enabled}
    raised = {name: value for name, value in changes.items() if name in key_rights.RIGHTS and value != before[name]}
    key_rights.check_gives_keys(by, set(raised.get("scopes", ())) - set(key.scopes))
    key_rights.check_within(by, raised)
    limits = [name for name in changes if name in key_rights.LIMITS]
    for name, value in changes.items():
        setattr(key.budget if name in key_rights.LIMITS else key, name, value)
    key.budget.save(update_fields=limits)
    key.save(update_fields=[name for name in changes if name not in key_rights.LIMITS])
    if changed := audit_log.compared(before, changes):
        audit_log.record(action="key.changed", target=key, organization=key.organization, changes=changed)
    return key


@transaction.atomic
def roll(key: ApiKey, *, by: Actor, grace: timedelta = DEFAULT_GRACE) -> tuple[ApiKey, str]:
    """A new key in place of `key`, which expires after `grace`. Raises Forbidden, NotFound, InvalidRequest."""
    key = _lock(key, by)
    key_rights.check_not_paused(key)
    key_rights.check_within(by, key_rights.of(key))
    if isinstance(by, Membership):
        key_rights.check_gives_keys(by, key.scopes)
    if key.rolled_into.exists():
        raise InvalidRequest("invalid_parameter", "This API key was rolled already; roll the key that replaced it.")
    now = timezone.now()
    if not key.enabled or key.has_expired(now):
        raise InvalidRequest("invalid_parameter", "Only an API key that works can be rolled.")
    copied, before = {name: getattr(key, name) for name in COPIED}, key.expires_at
    rolled, text = _insert(
        organization=key.organization, budget=key.budget, created_by=key.created_by, rolled_from=key, **copied
    )
    key.expires_at = min(now + grace, key.expires_at or now + grace)
    key.save(update_fields=["expires_at"])
    changes = {"expires_at": [before, key.expires_at], "rolled_into": [None, rolled.public_id]}
    audit_log.record(action="key.rolled", target=key, organization=key.organization, changes=changes)
    return rolled, text


@transaction.atomic
def revoke(key: ApiKey, *, by: Actor | None) -> None:
    """End `key` for good; again is the same. `by` is None for an operator. Raises Forbidden."""
    if by is not None:
        _check_belongs(by, key.organization)
        key_rights.check_manages(by)
    now = timezone.now()
    if ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=now):
        changes = {"revoked_at": [None, now]}
        audit_log.record(action="key.revoked", target=key, organization=key.organization, changes=changes)


def lock(key_id: UUID) -> ApiKey | None:
    """The row of a key that was not revoked, locked and read anew."""
    return ApiKey.objects.select_for_update(no_key=True).filter(pk=key_id, revoked_at=None).first()


@transaction.atomic
def pause(key: ApiKey, now: datetime) -> bool:
    """Let `key` spend nothing more; False when it was paused or revoked already."""
    paused = ApiKey.objects.filter(pk=key.pk, paused_at=None, revoked_at=None).update(paused_at=now)
    if paused:
        changes = {"paused_at": [None, now]}
        audit_log.record(action="key.paused", target=key, organization=key.organization, changes=changes)
    return bool(paused)


def resume(key: ApiKey, *, by: Actor) -> ApiKey:
    """Let a paused key spend again; again is the same. Raises Forbidden (a paused key resumes none), NotFound."""
    with transaction.atomic():
        key = _lock(key, by)
        _resume(key)
    return key


def resume_link(key_id: UUID, paused_at: datetime) -> str:
    """An address that resumes the key from this very pause, for whoever gets it by e-mail. Good for a week."""
    text = signing.dumps([str(key_id), paused_at.isoformat()], salt=RESUME_SALT)
    return f"{settings.PUBLIC_URL}/keys/resume?token={text}"


def read_resume_token(text: str) -> tuple[ApiKey, datetime]:
    """The key of a link and the pause that it ends. Raises NotFound when the link is wrong or too old."""
    try:
        key_id, paused_at = signing.loads(text, salt=RESUME_SALT, max_age=RESUME_LINK_LIVES)
    except signing.BadSignature:
        raise NotFound("key_not_found", "This link is wrong, or older than a week.") from None
    found = ApiKey.objects.select_related("organization").filter(pk=key_id, revoked_at=None).first()
    if found is None:
        raise NotFound("key_not_found", "This API key was revoked.")
    return found, datetime.fromisoformat(paused_at)


def resume_by_link(text: str) -> ApiKey:
    """Resume the key of a link, if it is still the same pause; again is the same. Raises NotFound."""
    key, paused_at = read_resume_token(text)
    with transaction.atomic():
        found = (
            ApiKey.objects.select_for_update(no_key=True, of=("self",)).select_related("organization").get(pk=key.pk)
        )
        if found.paused_at == paused_at:
            _resume(found)
    return found


def _resume(key: ApiKey) -> None:
    """In a transaction, with the key's row locked."""
    if key.paused_at is not None:
        changes = {"paused_at": [key.paused_at, None]}
        key.paused_at = None
        key.save(update_fields=["paused_at"])
        audit_log.record(action="key.resumed", target=key, organization=key.organization, changes=changes)


def _insert(**fields: Any) -> tuple[ApiKey, str]:
    text = key_text.generate(sandbox=fields["organization"].is_sandbox)
    return ApiKey.objects.create(digest=key_text.digest(text), hint=key_text.hint(text), **fields), text


def _lock(key: ApiKey, by: Actor) -> ApiKey:
    """The row of a key that is not revoked, locked and read anew, for an actor who may manage it."""
    rows = ApiKey.objects.select_for_update(no_key=True, of=("self", "budget"))
    found = rows.select_related("budget", "organization").filter(pk=key.pk, revoked_at=None).first()
    if found is None:
        raise NotFound("key_not_found", "There is no such API key.")
    _check_belongs(by, found.organization)
    key_rights.check_manages(by)
    return found


def _check_belongs(by: Actor, organization: Organization) -> None:
    """A key acts in its own organization alone; a member also in the sandbox twin."""
    theirs = {organization.pk} | ({organization.sandbox_of_id} if isinstance(by, Membership) else set())
    if by.organization_id not in theirs:
        raise NotFound("key_not_found", "There is no such API key.")
