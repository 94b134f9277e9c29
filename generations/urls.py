"""The routes of generations."""

from django.urls import path

from generations.views import elements, files, health, hints, models, pricing, quotes, tasks, usage, webhooks

urlpatterns = [
    path("v1/videos/generations", tasks.Generations.as_view()),
    path("v1/quotes", quotes.Quotes.as_view()),
    path("v1/tasks", tasks.Tasks.as_view()),
    path("v1/tasks/batch", tasks.TaskBatch.as_view()),
    path("v1/tasks/<str:task_id>", tasks.OneTask.as_view()),
    path("v1/tasks/<str:task_id>/cancel", tasks.CancelTask.as_view()),
    path("v1/tasks/<str:task_id>/timeline", tasks.TaskTimeline.as_view()),
    path("v1/usage", usage.UsageReport.as_view()),
    path("v1/elements", elements.Elements.as_view()),
    path("v1/elements/<str:element_id>", elements.OneElement.as_view()),
    path("v1/voices", elements.Voices.as_view()),
    path("v1/models", models.Models.as_view()),
    path("v1/catalog/models", models.CatalogModels.as_view()),
    path("v1/catalog/models/<str:model_id>", models.CatalogModel.as_view()),
    path("v1/catalog/pricing", pricing.CatalogPricing.as_view()),
    path("v1/catalog/health", health.CatalogHealth.as_view(), name="health"),
    path("v1/webhooks/secret", webhooks.Secret.as_view()),
    path("v1/webhooks/secret/rotate", webhooks.RotateSecret.as_view()),
    path("v1/webhooks/deliveries", webhooks.Deliveries.as_view()),
    path("v1/webhooks/deliveries/<str:delivery_id>/redeliver", webhooks.Redeliver.as_view()),
    path("v1/webhooks/test", webhooks.Test.as_view()),
    path("api/v1/files/upload/base64", files.UploadBase64.as_view()),
    path("api/v1/files/upload/stream", files.UploadStream.as_view()),
    path("api/v1/files/upload/url", files.UploadUrl.as_view()),
    path("api/v1/files/list", files.FileList.as_view()),
    path("api/v1/files/quota", files.FileQuota.as_view()),
    path("api/v1/files/download/<str:file_id>", files.DownloadFile.as_view()),
    path("api/v1/files/<str:file_id>", files.OneFile.as_view()),
    path("hints/<str:reference>/<str:token>", hints.receive),
    path("status", health.status, name="status"),
    path("files/<str:name>/<str:file_name>", files.public_file),
    path("files/<str:name>/<str:token>/<str:file_name>", files.signed_file),
]
