"""The operators' pages of generations, one file a noun. States move only by the functions that the API calls too."""

from generations.admin import (
    attempts,
    deliveries,
    elements,
    files,
    health,
    operations,
    outcomes,
    price_drafts,
    providers,
    quotes,
    reconciliation,
    routing,
    tasks,
)

__all__ = [
    "attempts",
    "deliveries",
    "elements",
    "files",
    "health",
    "operations",
    "outcomes",
    "price_drafts",
    "providers",
    "quotes",
    "reconciliation",
    "routing",
    "tasks",
]
