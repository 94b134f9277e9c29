"""The web server's entry point: `granian --interface wsgi evolink_saas.wsgi:application`."""

import os

from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.db import connections

from evolink_saas import environment, postgres

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "evolink_saas.settings")
environment.load()
postgres.provide()

application = get_wsgi_application()
call_command("check", databases=["default"])  # a simulator account that serves live keys is refused at start
connections.close_all()
