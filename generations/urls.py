"""The routes of generations."""

from django.urls import path

from generations.views import elements, models, tasks

urlpatterns = [
    path("v1/videos/generations", tasks.Generations.as_view()),
    path("v1/tasks", tasks.Tasks.as_view()),
    path("v1/tasks/batch", tasks.TaskBatch.as_view()),
    path("v1/tasks/<str:task_id>", tasks.OneTask.as_view()),
    path("v1/tasks/<str:task_id>/cancel", tasks.CancelTask.as_view()),
    path("v1/elements", elements.Elements.as_view()),
    path("v1/elements/<str:element_id>", elements.OneElement.as_view()),
    path("v1/voices", elements.Voices.as_view()),
    path("v1/models", models.Models.as_view()),
]
