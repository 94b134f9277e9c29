"""`create_demo` and `create_organization`: what a newcomer and a new customer start with."""

import stat
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from dotenv import dotenv_values
from pytest_django import Settings

from accounts import keys
from accounts.models import ApiKey, Membership, Organization, Scope, User
from billing.models import Wallet
from generations.models import ProviderAccount

pytestmark = pytest.mark.django_db


def read(file: Path) -> dict[str, str]:
    return {name: value or "" for name, value in dotenv_values(file).items()}


def key_of(secret: str) -> ApiKey:
    key = keys.find(secret)
    assert key is not None
    return key


@pytest.fixture
def demo_file(settings: Settings, tmp_path: Path) -> Path:
    settings.DEBUG, settings.VAR_DIR, settings.PUBLIC_URL = True, tmp_path, "http://127.0.0.1:8123"
    return tmp_path / "demo.env"


def test_the_demo_has_credits_two_keys_and_two_logins(demo_file: Path) -> None:
    call_command("create_demo")
    values = read(demo_file)
    live, sandbox = key_of(values["EVOLINK_API_KEY"]), key_of(values["EVOLINK_SANDBOX_KEY"])
    assert values["EVOLINK_URL"] == "http://127.0.0.1:8123"
    assert sandbox.organization.sandbox_of == live.organization
    assert Wallet.objects.get(organization=live.organization).balance == Decimal(1000)
    assert Wallet.objects.get(organization=sandbox.organization).balance == Decimal(100_000)
    assert set(live.scopes) == set(sandbox.scopes) == set(Scope.values)
    admin, owner = User.objects.get(is_staff=True), User.objects.get(is_staff=False)
    assert admin.email == values["EVOLINK_ADMIN_EMAIL"]
    assert admin.check_password(values["EVOLINK_ADMIN_PASSWORD"])
    assert admin.is_superuser
    assert not admin.memberships.exists()
    assert owner.check_password(values["EVOLINK_OWNER_PASSWORD"])
    assert owner.memberships.get().organization == live.organization
    assert not owner.is_superuser


def test_only_its_owner_reads_the_file(demo_file: Path) -> None:
    call_command("create_demo")
    assert stat.S_IMODE(demo_file.stat().st_mode) == 0o600


def test_a_second_run_keeps_everything(demo_file: Path) -> None:
    call_command("create_demo")
    before = demo_file.read_text()
    call_command("create_demo")
    assert demo_file.read_text() == before
    assert (Organization.objects.count(), ApiKey.objects.count(), User.objects.count()) == (2, 2, 2)
    assert sum(Wallet.objects.values_list("balance", flat=True)) == Decimal(101_000)


def test_a_lost_file_gets_new_secrets_that_work(demo_file: Path) -> None:
    call_command("create_demo")
    before = read(demo_file)
    demo_file.unlink()
    call_command("create_demo")
    after = read(demo_file)
    assert key_of(after["EVOLINK_API_KEY"]).organization == key_of(before["EVOLINK_API_KEY"]).organization
    assert after["EVOLINK_ADMIN_PASSWORD"] != before["EVOLINK_ADMIN_PASSWORD"]
    assert User.objects.get(is_staff=True).check_password(after["EVOLINK_ADMIN_PASSWORD"])


def test_a_file_of_another_database_is_brought_up_to_date(demo_file: Path) -> None:
    demo_file.write_text("EVOLINK_API_KEY=sk-from-elsewhere\nEVOLINK_ADMIN_PASSWORD=remembered\n")
    call_command("create_demo")
    assert key_of(read(demo_file)["EVOLINK_API_KEY"]).name == "Demo"
    assert User.objects.get(is_staff=True).check_password("remembered")


def test_the_demo_gets_its_accounts_at_the_simulator(demo_file: Path) -> None:
    for _ in range(2):
        call_command("create_demo", simulator_url="http://127.0.0.1:9123", simulator_key="k")
    accounts = ProviderAccount.objects.order_by("serves")
    assert [(account.serves, account.simulator, account.base_url) for account in accounts] == [
        ("live", True, "http://127.0.0.1:9123"),
        ("sandbox", True, "http://127.0.0.1:9123"),
    ]


def test_no_demo_is_made_outside_development(demo_file: Path, settings: Settings) -> None:
    settings.DEBUG = False
    with pytest.raises(CommandError, match="DEBUG"):
        call_command("create_demo")
    assert not demo_file.exists()
    assert not Organization.objects.exists()


def test_a_new_organization_gets_its_welcome_credits_and_a_key(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    call_command("create_organization", "Acme", owner="alice@acme.example")
    organization = Organization.objects.get()
    secret = capsys.readouterr().out.split()[-1]
    assert key_of(secret).organization == organization
    assert Wallet.objects.get(organization=organization).balance == Decimal(30)
    membership = Membership.objects.get()
    assert (membership.user.email, membership.role) == ("alice@acme.example", "owner")
    assert not membership.user.has_usable_password()


def test_a_login_that_exists_becomes_the_owner() -> None:
    user = User.objects.create_user("alice@acme.example", "secret-words")
    call_command("create_organization", "Acme", owner="Alice@acme.example", credits=Decimal(0))
    assert Membership.objects.get().user == user
    assert Wallet.objects.get().balance == 0


@pytest.mark.parametrize("owner", ["operator@gateway.example", "no address"])
def test_an_owner_that_cannot_be_one_opens_nothing(owner: str) -> None:
    User.objects.create_superuser("operator@gateway.example", "secret-words")
    with pytest.raises(CommandError):
        call_command("create_organization", "Acme", owner=owner)
    assert not Organization.objects.exists()
