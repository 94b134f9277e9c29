"""The settings of the benchmarks: the product's own as in production, on a database beside the checkout's."""

import os

from evolink_saas.settings import *  # noqa: F403

DEBUG = False
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "tests.benchmarks.urls"
DATABASES["default"]["NAME"] += "_benchmark" + os.environ.get("BENCHMARK_SUFFIX", "")  # noqa: F405
LOGGING["loggers"]["generations.polling"] = {"level": "DEBUG"}  # noqa: F405  how long a round took
