"""The admin's title and its side bar (settings of django-unfold)."""

from typing import Any

from django.templatetags.static import static
from django.urls import reverse_lazy


def _page(title: str, icon: str, name: str, **more: str) -> dict[str, Any]:
    """`rows`: whose page it is; `evolink_saas.side_bar` hides it from those who may not see them."""
    return {"title": title, "icon": icon, "link": reverse_lazy(f"admin:{name}_changelist"), "rows": name, **more}


def _report(title: str, icon: str, name: str) -> dict[str, Any]:
    """The address of the first report is where those of the others begin, so here is here only."""
    link = reverse_lazy(f"reports:{name}")
    return {
        "title": title,
        "icon": icon,
        "link": link,
        "permission": "evolink_saas.reports.pages.may_read",
        "active": lambda request: request.path == str(link),
    }


def _group(title: str, *items: dict[str, Any]) -> dict[str, Any]:
    return {"title": title, "separator": True, "items": list(items)}


NAVIGATION = [
    {"title": "", "items": [{"title": "Today", "icon": "dashboard", "link": reverse_lazy("admin:index")}]},
    _group(
        "Work",
        _page("Tasks", "movie", "generations_task"),
        _page("Attempts", "send", "generations_attempt"),
        _page("Deliveries", "webhook", "generations_delivery"),
        _page("Files", "folder", "generations_storedfile"),
        _page("Elements", "face", "generations_element"),
        _page("Voices", "record_voice_over", "generations_voice"),
    ),
    _group(
        "Customers",
        _page("Organizations", "apartment", "accounts_organization"),
        _page("People", "person", "accounts_user"),
        _page("Invitations", "outgoing_mail", "accounts_invitation"),
        _page("Second factors", "phonelink_lock", "mfa_authenticator"),
        _page("API keys", "key", "accounts_apikey"),
        _page("User groups", "group", "accounts_usergroup"),
        _page("Announcements", "campaign", "accounts_announcement"),
    ),
    _group(
        "Books",
        _page("Wallets", "account_balance_wallet", "billing_wallet"),
        _page("Transfers", "swap_horiz", "billing_transfer"),
        _page("Reservations", "lock_clock", "billing_reservation"),
        _page("Lots", "toll", "billing_creditlot"),
        _page("Adjustments", "balance", "billing_adjustment"),
        _page("Top-ups", "payments", "billing_topup"),
        _page("Auto-recharge", "autorenew", "billing_autorecharge"),
        _page("Grants", "add_card", "billing_grantrequest", badge="billing.admin.grants.waiting"),
        _page("Vouchers", "confirmation_number", "billing_voucherbatch"),
        _page("Redemptions", "redeem", "billing_voucherredemption"),
        _page("Prices", "sell", "billing_priceversion"),
        _page("Price drafts", "edit_note", "billing_pricedraft"),
        _page("Price overrides", "loyalty", "billing_priceoverride"),
        _page("Quotes", "request_quote", "generations_quote"),
        _page("Thresholds", "notifications_active", "billing_balancethreshold"),
        _page("Paused keys", "pause_circle", "billing_keypause"),
        _page("E-mails", "mail", "billing_noticemail"),
        _page("Audits", "fact_check", "billing_auditrun"),
    ),
    _group(
        "Reports",
        _report("Revenue and margin", "monitoring", "sales"),
        _report("Top customers", "leaderboard", "customers"),
        _report("Liabilities", "account_balance", "liabilities"),
        _report("Failures and refunds", "undo", "outcomes"),
    ),
    _group(
        "Upstream",
        _page("Alerts", "notifications", "generations_alert", badge="generations.admin.operations.open_alerts"),
        _page("Provider accounts", "cloud", "generations_provideraccount"),
        _page("Breakers", "electric_bolt", "generations_breaker"),
        _page("Kill switches", "power_settings_new", "generations_killswitch"),
        _page("Margin guard", "shield", "generations_marginguard"),
        _page("Daily losses", "trending_down", "generations_dayloss"),
        _page("Orphan spend", "money_off", "generations_orphanspend"),
        _page("Provider costs", "receipt_long", "billing_providercost"),
        _page("Reconciliations", "rule", "generations_reconciliation"),
        _page(
            "Differences",
            "difference",
            "generations_reconciliationitem",
            badge="generations.admin.reconciliation.open_items",
        ),
        _page("Models by the hour", "monitoring", "generations_modelhour"),
    ),
    _group(
        "Machine room",
        _page("Audit log", "history", "accounts_auditentry"),
        _page("Schedules", "schedule", "django_q_schedule"),
        _page("Failed jobs", "error", "django_q_failure"),
        _page("Workers", "memory", "generations_workerpulse"),
    ),
]
UNFOLD = {
    "SITE_TITLE": "AI video gateway",
    "SITE_HEADER": "AI video gateway",
    "SITE_SUBHEADER": "Operators",
    "SITE_SYMBOL": "movie",
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": lambda request: static("console/mark.svg")},
    ],
    "SHOW_VIEW_ON_SITE": False,
    "DASHBOARD_CALLBACK": "evolink_saas.dashboard.page.fill",
    "STYLES": [
        lambda request: static("accounts/admin.css"),
        lambda request: static("reports/reports.css"),
        lambda request: static("dashboard/dashboard.css"),
    ],
    "ACCOUNT": {"navigation": [{"title": "Two-factor sign-in", "link": reverse_lazy("mfa_index")}]},
    "SIDEBAR": {"show_search": True, "show_all_applications": True, "navigation": "evolink_saas.side_bar.navigation"},
}
