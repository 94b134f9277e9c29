"""The colour of every state, the same on all pages."""

TASK = {
    "pending": "default",
    "processing": "info",
    "completed": "success",
    "failed": "danger",
    "cancelled": "warning",
}
ATTEMPT = {
    "submitting": "default",
    "running": "info",
    "fetching": "info",
    "succeeded": "success",
    "failed": "danger",
    "lost": "warning",
}
ACCOUNT = {"on": "success", "draining": "warning", "off": "danger"}
BREAKER = {"closed": "success", "resting": "warning", "open": "danger", "to be probed": "warning", "probing": "info"}
DELIVERY = {"due": "info", "delivered": "success", "failed": "danger"}
MEDIA = {"waiting": "default", "ready": "success", "unreached": "warning"}
