# Every target sets up what it needs: Python 3.11 to 3.13 and make are enough. `make help` lists them.

PY := .venv/bin/python
# Where the environment forbids bytecode files, each of the many processes would compile everything anew.
export PYTHONDONTWRITEBYTECODE :=
PRODUCTION := DEBUG=off SECRET_KEY=$$($(PY) -c 'import secrets; print(secrets.token_urlsafe(50))') \
	API_KEY_PEPPER=$$($(PY) -c 'import secrets; print(secrets.token_urlsafe(32))') \
	ENCRYPTION_KEYS=$$($(PY) -c 'from cryptography.fernet import Fernet; print(Fernet.generate_key().decode())') \
	PUBLIC_URL=https://api.example.com ALLOWED_HOSTS=api.example.com \
	SAFE_HTTP_EXTRA_NETWORKS= SAFE_HTTP_CA_FILE=
CODE := accounts billing generations evolink_saas tests

.PHONY: help setup run demo test check system chaos bench requirements

help:
	@grep -E '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 22

setup: ## create .venv and install the pinned requirements
	@for python in $(PYTHON) python3.13 python3.12 python3.11 python3; do \
		if "$$python" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; \
		then exec "$$python" tools/set_up.py; fi; \
	done; echo "Python 3.11, 3.12 or 3.13 is needed and was not found; install it, or say PYTHON=/path/to/python3." >&2; exit 2

run: setup ## start everything in the foreground, on http://127.0.0.1:8000
	@exec $(PY) -W ignore manage.py up

demo: setup ## buy an element and two videos from the simulator, and check the receipt
	@exec $(PY) manage.py demo

test: setup ## every ordinary test
	$(PY) -m pytest -n 3 --dist worksteal -m "not system"

system: setup ## browser, kill and fault tests: real processes, some minutes
	TEST_PATIENCE=3 $(PY) -m pytest -m system -n 3 --dist worksteal

check: setup ## lint, types, migrations, deployment checks
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	DEBUG=on DATABASE_URL=postgres://nobody@127.0.0.1/unused $(PY) -m mypy $(CODE)
	$(PY) manage.py makemigrations --check --dry-run
	DJANGO_SETTINGS_MODULE=tests.settings LOG_LEVEL=WARNING $(PY) -W ignore manage.py lintmigrations --quiet ok ignore \
		--include-apps accounts billing generations
	$(PRODUCTION) $(PY) manage.py check --deploy --fail-level WARNING

chaos: setup ## the kill and fault tests at their large sizes: hours, resumable (ONLY=kills, faults, ..., SEED=7)
	$(PY) -m tests.system.chaos $(ONLY) $(if $(SEED),--seed $(SEED))

bench: setup ## measure speed, polling, memory and reports into docs/figures.md
	$(PY) -m tests.benchmarks
	$(PY) -m tests.benchmarks.health
	$(PY) -m tests.benchmarks.reports
	$(PY) -m tests.benchmarks.year
	$(PY) -m tests.benchmarks.pages

requirements: setup ## pin the newest versions that pyproject.toml allows
	.venv/bin/uv pip compile pyproject.toml --universal --generate-hashes --python-version 3.11 \
		--upgrade --quiet -o requirements.txt
	.venv/bin/uv pip compile pyproject.toml --extra dev --universal --generate-hashes --python-version 3.11 \
		-c requirements.txt --upgrade --quiet -o requirements-dev.txt
