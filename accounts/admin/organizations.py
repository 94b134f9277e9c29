"""Organizations with the way to everything of theirs, their members, and the user groups that price and limit them."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from unfold.admin import TabularInline
from unfold.decorators import action, display
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminSelectWidget

from accounts import members, organizations
from accounts.admin.actions import Done, Given, ReasonForm, reasoned
from accounts.admin.keys import NewKey, make
from accounts.admin.pages import Editable, ReadOnly, link, list_link
from accounts.models import Membership, Organization, Role, UserGroup


class MemberForm(ReasonForm):
    email = forms.EmailField(widget=UnfoldAdminEmailInputWidget)
    role = forms.ChoiceField(choices=Role, initial=Role.DEVELOPER, widget=UnfoldAdminSelectWidget)


class NotifyForm(ReasonForm):
    notify = forms.ChoiceField(
        choices=(("", "As the role says"), ("yes", "Yes"), ("no", "No")),
        required=False,
        widget=UnfoldAdminSelectWidget,
        help_text="E-mails about credits and keys. By their role, owners and admins get them.",
    )


class RoleForm(ReasonForm):
    role = forms.ChoiceField(choices=Role, widget=UnfoldAdminSelectWidget)


class Members(TabularInline):
    model = Membership
    fields = ("member", "role", "created_at")
    readonly_fields = ("member", "role", "created_at")
    extra = 0
    can_delete = False
    show_change_link = True

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("user")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def member(self, membership: Membership) -> SafeString:
        return link("accounts_user", membership.user_id, membership.user.email)


@admin.register(Organization)
class OrganizationAdmin(Editable):
    list_display = ("name", "public_id", "user_group", "kind", "standing", "created_at")
    list_filter = (
        "user_group",
        ("sandbox_of", admin.EmptyFieldListFilter),
        ("suspended_at", admin.EmptyFieldListFilter),
    )
    list_select_related = ("user_group",)
    search_fields = ("name", "members__email")
    public_ids: ClassVar[dict[str, str]] = {"org_": "pk"}
    fields = (
        "public_id",
        "everything",
        "name",
        "user_group",
        "result_retention_hours",
        "running_limit",
        "queued_limit",
        "sandbox_of",
        "suspended_at",
        "suspended_reason",
        "created_at",
    )
    readonly_fields = ("public_id", "everything", "sandbox_of", "suspended_at", "suspended_reason", "created_at")
    inlines = (Members,)
    actions_list = ("open",)
    actions_detail = ("add_member", "new_key", "suspend", "resume")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def hidden_actions(self, row: Organization) -> set[str]:
        hidden = {"resume"} if row.suspended_at is None else {"suspend"}
        return hidden | ({"add_member"} if row.is_sandbox else set())

    @display(description="serves", label={"live": "success", "sandbox": "info"})
    def kind(self, organization: Organization) -> str:
        return "sandbox" if organization.is_sandbox else "live"

    @display(description="standing", label={"active": "success", "suspended": "danger"})
    def standing(self, organization: Organization) -> str:
        return "suspended" if organization.suspended_at else "active"

    @display(description="everything of theirs")
    def everything(self, organization: Organization) -> SafeString:
        key = organization.pk
        links = [
            link("billing_wallet", key, "Wallet"),
            list_link("billing_transfer", f"wallet__exact={key}", "Transfers"),
            list_link("generations_task", f"organization__id__exact={key}", "Tasks"),
            list_link("billing_priceoverride", f"organization__id__exact={key}", "Prices"),
            list_link("accounts_apikey", f"organization__id__exact={key}", "API keys"),
            list_link("accounts_membership", f"organization__id__exact={key}", "Members"),
            list_link("generations_element", f"organization__id__exact={key}", "Elements"),
            list_link("generations_storedfile", f"organization__id__exact={key}", "Files"),
            list_link("generations_delivery", f"organization__id__exact={key}", "Deliveries"),
            list_link("accounts_auditentry", f"organization={organization.public_id}", "Audit log"),
        ]
        twin = organization.sandbox_of or Organization.objects.filter(sandbox_of=organization).first()
        if twin is not None:
            links.append(link("accounts_organization", twin.pk, "Live twin" if organization.is_sandbox else "Sandbox"))
        return format_html_join(" · ", "{}", ((one,) for one in links))

    @action(description="Open an organization", permissions=["operate"], icon="add", variant=ActionVariant.PRIMARY)
    def open(self, request: HttpRequest) -> HttpResponse:
        """It gets a wallet too, so that page stands with the books."""
        return HttpResponseRedirect(reverse("admin:billing_wallet_open_organization"))

    @reasoned("Add member", form=MemberForm, icon="person_add", text="A login is made when there is none.")
    def add_member(self, organization: Organization, given: Given) -> Done:
        member = members.add(organization, given["email"], Role(given["role"]))
        return Done(f"{member.user.email} is now {member.role} of {organization}.")

    @reasoned("New API key", form=NewKey, icon="key", text="The key is made in the name of the organization's owner.")
    def new_key(self, organization: Organization, given: Given) -> Done:
        return make(organization, given)

    @reasoned(
        "Suspend",
        icon="block",
        variant=ActionVariant.DANGER,
        text="Every call of the organization and of its sandbox twin is refused; work under way goes on.",
    )
    def suspend(self, organization: Organization, given: Given) -> Done:
        organizations.suspend(organization, given["reason"])
        return Done(f"{organization} is suspended.")

    @reasoned("Resume", icon="play_arrow")
    def resume(self, organization: Organization, given: Given) -> Done:
        organizations.resume(organization)
        return Done(f"{organization} may work again.")


@admin.register(Membership)
class MembershipAdmin(ReadOnly):
    list_display = ("user", "organization", "role", "notify", "created_at")
    list_filter = ("role",)
    list_select_related = ("user", "organization")
    search_fields = ("user__email", "organization__name")
    public_ids: ClassVar[dict[str, str]] = {"org_": "organization"}
    actions_detail = ("change_role", "set_notify", "remove")

    @reasoned("Change role", form=RoleForm, icon="badge")
    def change_role(self, membership: Membership, given: Given) -> Done:
        members.change_role(membership, Role(given["role"]))
        return Done(f"{membership.user.email} is now {given['role']}.")

    @reasoned("E-mails", form=NotifyForm, icon="mail")
    def set_notify(self, membership: Membership, given: Given) -> Done:
        wanted = {"yes": True, "no": False}.get(given["notify"])
        members.set_notify(membership, wanted)
        return Done(f"{membership.user.email}: {'as the role says' if wanted is None else given['notify']}.")

    @reasoned("Remove", icon="person_remove", variant=ActionVariant.DANGER)
    def remove(self, membership: Membership, given: Given) -> Done:
        organization = membership.organization
        members.remove(membership)
        return Done(f"{membership.user.email} has left {organization}.", about=organization)


@admin.register(UserGroup)
class UserGroupAdmin(Editable):
    list_display = ("name", "label", "prices", "max_files", "running_limit", "queued_limit")
    search_fields = ("name", "label")
    fields = ("name", "label", "prices", "max_files", "running_limit", "queued_limit")
    ordering = ("name",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("name", "prices") if obj else ("prices",)

    def prices(self, group: UserGroup) -> SafeString | str:
        return list_link("billing_priceoverride", f"user_group__id__exact={group.pk}", "Prices") if group.pk else ""
