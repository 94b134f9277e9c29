"""The web server's entry point: `granian --interface wsgi evolink_saas.wsgi:application`."""

import gc
import os

from django.core.management.base import BaseCommand
from django.core.wsgi import get_wsgi_application
from django.db import connections

from evolink_saas import die_with_parent, environment, postgres

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "evolink_saas.settings")
if os.environ.get("DIE_WITH_PARENT"):  # set by stack.py: the server's processes must not outlive it and keep its port
    die_with_parent.bind(os.getppid())
environment.load()
postgres.provide()

application = get_wsgi_application()
BaseCommand().check(tags=["database"], databases=["default"])  # refuses a simulator account that serves live keys
connections.close_all()
gc.collect()
gc.freeze()  # what is loaded stays, so no collection in the middle of a request looks at it again
