"""The tables of generations, one file a noun."""

from generations.models.deliveries import Delivery, DeliveryTry, WebhookSecret
from generations.models.elements import Element, ElementCopy, ElementSource, Voice
from generations.models.files import StoredFile, TaskMedia
from generations.models.health import HealthMark, ModelHour, ModelHourTime
from generations.models.operations import Alert, LoopLease, OrphanSpend, WorkerPulse
from generations.models.outcomes import OutcomeDay, OutcomeMark, OutcomeRollUp
from generations.models.providers import ProviderAccount
from generations.models.quotes import Quote
from generations.models.reconciliation import Reconciliation, ReconciliationItem, UpstreamCharge
from generations.models.routing import Breaker, DayLoss, KillSwitch, MarginGuard
from generations.models.tasks import Attempt, IdempotencyRecord, Task
from generations.models.uploads import DownloadPlace

__all__ = [
    "Alert",
    "Attempt",
    "Breaker",
    "DayLoss",
    "Delivery",
    "DeliveryTry",
    "DownloadPlace",
    "Element",
    "ElementCopy",
    "ElementSource",
    "HealthMark",
    "IdempotencyRecord",
    "KillSwitch",
    "LoopLease",
    "MarginGuard",
    "ModelHour",
    "ModelHourTime",
    "OrphanSpend",
    "OutcomeDay",
    "OutcomeMark",
    "OutcomeRollUp",
    "ProviderAccount",
    "Quote",
    "Reconciliation",
    "ReconciliationItem",
    "StoredFile",
    "Task",
    "TaskMedia",
    "UpstreamCharge",
    "Voice",
    "WebhookSecret",
    "WorkerPulse",
]
