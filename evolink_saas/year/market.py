"""What there is before the first task: provider accounts with their costs, user groups, customers and their keys."""

import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from django.contrib.auth.hashers import make_password
from django.core.management import call_command
from django.utils import timezone

from accounts import encryption, ids, key_text
from accounts.models import ApiKey, KeyBudget, Membership, Organization, Role, Scope, User, UserGroup
from billing import price_book
from billing.models import PriceCell, PriceOverride
from evolink_saas.year.rows import Rows, numbers, spelled
from generations.margin import CREDITS_PER_DOLLAR
from generations.models import ProviderAccount

GROUPS = (("default", "1"), ("partner", "0.9"), ("enterprise", "0.8"))
ACCOUNTS = (("kling-main", "kling", "0.62", 6), ("fal-one", "fal", "0.70", 2), ("kie-one", "kie", "0.48", 2))
"""Name, provider, share of the list price that it costs us, weight."""
SANDBOX_ACCOUNT = "simulator-sandbox"
FIRST = ("Amber", "Birch", "Cobalt", "Delta", "Ember", "Fjord", "Granite", "Harbor", "Indigo", "Juniper", "Kestrel")
SECOND = ("Studios", "Media", "Labs", "Pictures", "Interactive", "Works", "Films", "Digital", "Creative")
DOLLARS_A_UNIT = Decimal("0.14")
"""What Kling asks for one of its units."""
SANDBOXES = 0.1
MILLISECONDS_BEFORE_THE_RANDOM_BITS = 80


@dataclass(kw_only=True)
class Customer:
    """An organization, live or a sandbox, that will ask for so many tasks."""

    organization: Organization
    group: str
    keys: list[ApiKey] = field(default_factory=list)
    tasks: int = 0


@dataclass(frozen=True, kw_only=True)
class Market:
    groups: dict[str, UserGroup]
    live: list[ProviderAccount]
    sandbox: list[ProviderAccount]
    customers: list[Customer]


def open_market(rng: random.Random, start: datetime, days: int, organizations: int, tasks: int) -> Market:
    """All of it, written. The more an organization is to buy, the earlier it is opened."""
    if price_book.youngest() is None:
        call_command("load_price_book", verbosity=0)
    rows = Rows()
    groups = _groups(rows, start)
    live, sandbox = _accounts(rows)
    customers = _customers(rng, start, days, organizations, list(groups.values()))
    _share(customers, tasks)
    _write(rng, rows, customers)
    return Market(groups=groups, live=live, sandbox=sandbox, customers=customers)


def id_at(rng: random.Random, at: datetime) -> ids.uuid.UUID:
    """An id as it would have been made then."""
    milliseconds = int(at.timestamp() * 1000)
    return ids.uuid.UUID(int=milliseconds << MILLISECONDS_BEFORE_THE_RANDOM_BITS | rng.getrandbits(80))


def _groups(rows: Rows, start: datetime) -> dict[str, UserGroup]:
    found = {group.name: group for group in UserGroup.objects.all()}
    for name, multiplier in GROUPS:
        if name not in found:
            group = found[name] = UserGroup(name=name, label=name.title())
            group.pk = numbers(UserGroup, 1)[0]
            price = PriceOverride(user_group=group, multiplier=Decimal(multiplier), effective_at=start)
            price.created_at, price.reason, price.withdrawn_reason = start, "Made up.", ""
            rows.add(group, price)
    return {name: found[name] for name, _ in GROUPS}


def _accounts(rows: Rows) -> tuple[list[ProviderAccount], list[ProviderAccount]]:
    """Those at providers have no credentials that work and are switched off: nothing is ever sent there."""
    Serves = ProviderAccount.Serves
    live = []
    for name, provider, share, weight in ACCOUNTS:
        account = ProviderAccount(name=name, alias=name, provider=provider, base_url="https://upstream.example")
        account.costs, account.weight, account.enabled = _costs(Decimal(share)), weight, False
        account.rates = {"unit": str(DOLLARS_A_UNIT)}
        live.append(account)
    test = ProviderAccount(name=SANDBOX_ACCOUNT, alias="simulator", provider="kling", base_url="http://127.0.0.1:9")
    test.serves, test.simulator, test.enabled = Serves.SANDBOX, True, False
    known = {account.name: account for account in ProviderAccount.objects.all()}
    for account in (*live, test):
        account.encrypted_credentials = encryption.encrypt("{}")
    new = [account for account in (*live, test) if account.name not in known]
    for number, account in zip(numbers(ProviderAccount, len(new)), new, strict=True):
        account.pk = number
        rows.add(account)
    return [known.get(account.name, account) for account in live], [known.get(test.name, test)]


def _costs(share: Decimal) -> dict[str, dict[str, str]]:
    """US dollars by model and cell: that share of what our own price list asks."""
    costs: dict[str, dict[str, str]] = {}
    for cell in PriceCell.objects.filter(version=price_book.in_effect(timezone.now())):
        dollars = cell.rate * cell.factor * share / CREDITS_PER_DOLLAR
        costs.setdefault(cell.model, {})[cell.cell] = spelled(dollars.quantize(Decimal("0.0001")))
    return costs


def _customers(
    rng: random.Random, start: datetime, days: int, organizations: int, groups: list[UserGroup]
) -> list[Customer]:
    found = []
    for number in range(organizations):
        opened = start + timedelta(days=days * 0.8 * (number / organizations) * rng.random(), seconds=rng.random())
        group = groups[min(len(groups) - 1, number % 7 // 3)]
        name = f"{FIRST[number % len(FIRST)]} {SECOND[number // len(FIRST) % len(SECOND)]}"
        name += f" {number // 99 + 1}" if number >= len(FIRST) * len(SECOND) else ""
        organization = Organization(id=id_at(rng, opened), name=name, user_group=group, created_at=opened)
        found.append(Customer(organization=organization, group=group.name))
        if rng.random() < SANDBOXES or number == 0:
            twin = Organization(
                id=id_at(rng, opened),
                name=f"{name} (sandbox)",
                user_group=group,
                sandbox_of=organization,
                created_at=opened,
            )
            found.append(Customer(organization=twin, group=group.name))
    return found


def _share(customers: list[Customer], tasks: int) -> None:
    """A few buy much, many buy little; a sandbox asks for little."""
    weights = [
        (0.2 if customer.organization.is_sandbox else 1) / (place + 2) ** 0.9
        for place, customer in enumerate(customers)
    ]
    whole, given = sum(weights), 0
    for customer, weight in zip(customers, weights, strict=True):
        customer.tasks = int(tasks * weight / whole)
        given += customer.tasks
    customers[0].tasks += tasks - given


def _write(rng: random.Random, rows: Rows, customers: list[Customer]) -> None:
    live = [customer for customer in customers if not customer.organization.is_sandbox]
    nobody = make_password(None)
    owners = [
        User(
            pk=number,
            email=f"owner-{place}@customer.example",
            password=nobody,
            date_joined=customer.organization.created_at,
        )
        for place, (number, customer) in enumerate(zip(numbers(User, len(live)), live, strict=True), start=1)
    ]
    rows.add(*owners, *(customer.organization for customer in customers))
    members = zip(owners, live, strict=True)
    rows.add(*(Membership(user=who, organization=one.organization, role=Role.OWNER) for who, one in members))
    counts = [min(4, 1 + place % 4) for place, _ in enumerate(customers)]
    budget_numbers = iter(numbers(KeyBudget, sum(counts)))
    for customer, count in zip(customers, counts, strict=True):
        customer.keys = [_key(customer.organization, name, next(budget_numbers)) for name in range(1, count + 1)]
        rows.add(*(key.budget for key in customer.keys))
        rows.add(*customer.keys)
    rows.write()


def _key(organization: Organization, number: int, budget_number: int) -> ApiKey:
    text = key_text.generate(sandbox=organization.is_sandbox)
    return ApiKey(
        organization=organization,
        budget=KeyBudget(pk=budget_number, organization=organization),
        name=f"Key {number}",
        digest=key_text.digest(text),
        hint=key_text.hint(text),
        scopes=[Scope.GENERATE.value, Scope.READ.value],
        created_at=organization.created_at,
    )
