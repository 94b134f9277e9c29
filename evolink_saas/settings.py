"""All settings, read once from the environment (and `.env`); docs/configuration.md explains each."""

from pathlib import Path

import dj_database_url

from evolink_saas import admin_theme, logs
from evolink_saas import environment as env

env.load()
BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(env.text("VAR_DIR", BASE_DIR / "var"))

DEBUG = env.boolean("DEBUG", False)
DEVELOPMENT_SECRETS = {
    "SECRET_KEY": "for-development-only-" + "0" * 40,
    "API_KEY_PEPPER": "pepper-for-development-only",
    "ENCRYPTION_KEYS": "ZGV2ZWxvcG1lbnQtb25seS1rZXktMzItYnl0ZXMhISE=",
}
secret_defaults = DEVELOPMENT_SECRETS if DEBUG else dict.fromkeys(DEVELOPMENT_SECRETS, env.REQUIRED)
SECRET_KEY = env.text("SECRET_KEY", secret_defaults["SECRET_KEY"])
EVOLINK_PORT = env.integer("EVOLINK_PORT", 8000, minimum=1)  # of `manage.py up`
PUBLIC_URL = env.text("PUBLIC_URL", f"http://127.0.0.1:{EVOLINK_PORT}").rstrip("/")
ALLOWED_HOSTS = env.words("ALLOWED_HOSTS", "*" if DEBUG else "")

# Secrets of our own: keys are stored as HMACs under the pepper, upstream credentials and callback secrets encrypted
# under the first of ENCRYPTION_KEYS (the others still decrypt, so that they can be rotated).
API_KEY_PEPPER = env.text("API_KEY_PEPPER", secret_defaults["API_KEY_PEPPER"])
ENCRYPTION_KEYS = env.words("ENCRYPTION_KEYS", secret_defaults["ENCRYPTION_KEYS"])

INSTALLED_APPS = [
    "evolink_saas",  # before those whose templates it replaces
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_q",
    "pgtrigger",
    "accounts",
    "billing",
    "generations",
    "allauth",
    "allauth.account",
    "allauth.mfa",
]
MIDDLEWARE = [
    "evolink_saas.request_ids.RequestIds",
    "evolink_saas.logs.RequestLog",
    "django.middleware.security.SecurityMiddleware",
    "evolink_saas.content_policy.ContentPolicy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "evolink_saas.languages.Languages",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "evolink_saas.urls"
WSGI_APPLICATION = "evolink_saas.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "evolink_saas.console.context.of_pages",
            ]
        },
    }
]

# The web and the workers use the run-time role; `migrate` switches to the owner role (management/commands/migrate.py).
DATABASE_URL = env.text("DATABASE_URL")
DATABASE_OWNER_URL = env.text("DATABASE_OWNER_URL", DATABASE_URL)
DATABASES = {
    "default": dj_database_url.parse(
        DATABASE_URL, conn_max_age=env.integer("CONN_MAX_AGE", 60), conn_health_checks=True
    )
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.User"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

# Sign-in (evolink_saas/sign_in.py): by e-mail address and password, with codes sent by e-mail. Wrong tries are counted
# by django-allauth in the cache, which every host shares because it is a table of the database.
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
LOGIN_URL, LOGIN_REDIRECT_URL = "account_login", "console:start"
ACCOUNT_ADAPTER = "evolink_saas.sign_in.SignIn"
ACCOUNT_FORMS = {"signup": "evolink_saas.signup.SignUpForm"}
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_USER_DISPLAY = "evolink_saas.sign_in.shown"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "mandatory"
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_ENABLED = True
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_RESEND = True
ACCOUNT_EMAIL_VERIFICATION_SUPPORTS_CHANGE = True
ACCOUNT_EMAIL_VERIFICATION_BY_CODE_TIMEOUT = 15 * 60
ACCOUNT_PASSWORD_RESET_BY_CODE_ENABLED = True
ACCOUNT_PASSWORD_RESET_BY_CODE_TIMEOUT = 15 * 60
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_LOGOUT_REDIRECT_URL = "account_login"
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_RATE_LIMITS = {"login_failed": "20/m/ip,5/300s/key"}
MFA_ADAPTER = "evolink_saas.sign_in.TwoFactor"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_TOLERANCE = 1  # a phone's clock may be half a minute off
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "accounts_cache",
        "OPTIONS": {"MAX_ENTRIES": 200_000},
    }
}

LANGUAGES = [("en", "English"), ("zh-hans", "简体中文")]
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_SAMESITE = "Lax"
LOCALE_PATHS = [BASE_DIR / "locale"]
LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True
FORMAT_MODULE_PATH = ["evolink_saas.formats"]  # the admin names the zone of every time

STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": VAR_DIR / "files"}},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}

UNFOLD = admin_theme.UNFOLD

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.authentication.ApiKeyAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["accounts.permissions.HasScope"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["accounts.parsers.JsonObject"],
    "DEFAULT_THROTTLE_CLASSES": ["accounts.throttles.RequestsPerMinute"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "accounts.negotiation.FirstIfNoneFits",
    "URL_FORMAT_OVERRIDE": None,
    "DEFAULT_METADATA_CLASS": None,
    "DEFAULT_SCHEMA_CLASS": "evolink_saas.openapi.Schema",
    "EXCEPTION_HANDLER": "evolink_saas.errors.render",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "AI video gateway",
    "VERSION": "1",
    "DESCRIPTION": "One API for AI video generation, paid with prepaid credits.",
    "OAS_VERSION": "3.1.1",
    "SERVERS": [{"url": PUBLIC_URL}],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SERVE_AUTHENTICATION": [],
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "LedgerAccount": "billing.models.Account",
        "TaskStatus": "generations.serializers.shapes.TASK_STATUSES",
        "ModelStatus": "generations.serializers.health.STATUSES",
        "Rounding": "generations.serializers.pricing.ROUNDINGS",
    },
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "evolink_saas.openapi.finish"],
}
LOGGING = logs.configuration(env.text("LOG_FORMAT", "line" if DEBUG else "json"), env.text("LOG_LEVEL", "INFO").upper())

# HTTPS ends at a proxy of ours. TRUSTED_PROXIES says how many stand before us, each of which appends the caller's
# address to X-Forwarded-For; probes of the load balancer may come by plain HTTP.
TRUSTED_PROXIES = env.integer("TRUSTED_PROXIES", 0)
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
HTTPS_ONLY = not DEBUG and PUBLIC_URL.startswith("https://")
SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS_ONLY
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 365 * 24 * 3600 if HTTPS_ONLY else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS_ONLY

# Money.
WELCOME_CREDITS = env.decimal("WELCOME_CREDITS", "30")
SIGN_UP_CREDITS = env.decimal("SIGN_UP_CREDITS", "30")  # once for each mailbox (billing/sign_up_credits.py); 0: none
SIGN_UP_CREDITS_EXPIRE_DAYS = env.integer("SIGN_UP_CREDITS_EXPIRE_DAYS", 30, minimum=1)
GRANT_CONFIRMATION_CREDITS = env.decimal("GRANT_CONFIRMATION_CREDITS", "5000")  # beyond it a second operator confirms
TOP_UP_URL = env.text("TOP_UP_URL", f"{PUBLIC_URL}/console/billing")  # where a refusal for want of credits sends people
MAX_LOSS_SHARE = env.decimal("MAX_LOSS_SHARE", "0.15")  # a provider may cost this much more than the task's price
MAX_LOSS_A_DAY = env.decimal("MAX_LOSS_A_DAY", "100")  # dollars that all tasks of a UTC day may lose together
TELL_OPERATORS = "generations.alerts.tell"  # what billing.alerts calls
RELEASE_EXTENDS_EXPIRY_DAYS = 7  # what returns to a lot that has expired meanwhile lives this long
AUDIT_CHECKS = ["generations.audit.checks"]  # functions (Wallet) -> Findings that the auditor runs besides its own

# Top-ups through Stripe (billing/top_ups): off without a key. Each webhook secret is accepted, so one can be rotated.
STRIPE_API_KEY = env.text("STRIPE_API_KEY", "")
STRIPE_WEBHOOK_SECRETS = env.words("STRIPE_WEBHOOK_SECRETS")
STRIPE_API_BASE = env.text("STRIPE_API_BASE", "https://api.stripe.com").rstrip("/")
TOP_UP_MIN_USD = env.decimal("TOP_UP_MIN_USD", "5")  # of an amount that is no pack
TOP_UP_MAX_USD = env.decimal("TOP_UP_MAX_USD", "5000")
TOP_UP_RETURN_URL = env.text("TOP_UP_RETURN_URL", TOP_UP_URL)  # where Stripe's page sends people back to
TOP_UP_LOOK_SECONDS = [float(word) for word in env.words("TOP_UP_LOOK_SECONDS", "180,600,1800,3600")]

# E-mails: to members (billing/notices.py), and codes to those who sign in. Without a mail server they become files.
EMAIL_HOST = env.text("EMAIL_HOST", "")
EMAIL_PORT = env.integer("EMAIL_PORT", 587, minimum=1)
EMAIL_HOST_USER = env.text("EMAIL_HOST_USER", "")
EMAIL_HOST_PASSWORD = env.text("EMAIL_HOST_PASSWORD", "")
EMAIL_SECURITY = env.choice("EMAIL_SECURITY", "starttls", ("starttls", "tls", "none"))
EMAIL_USE_TLS, EMAIL_USE_SSL = EMAIL_SECURITY == "starttls", EMAIL_SECURITY == "tls"
EMAIL_TIMEOUT = env.integer("EMAIL_TIMEOUT_SECONDS", 10, minimum=1)  # for each word with the mail server
EMAIL_BACKEND = f"django.core.mail.backends.{'smtp' if EMAIL_HOST else 'filebased'}.EmailBackend"
EMAIL_FILE_PATH = VAR_DIR / "mail"
DEFAULT_FROM_EMAIL = env.text("EMAIL_FROM", "AI video gateway <no-reply@localhost>")

# Outbound calls to addresses that a customer gave. Both are for development alone: `check --deploy` refuses them.
SAFE_HTTP_EXTRA_NETWORKS = env.words("SAFE_HTTP_EXTRA_NETWORKS")
SAFE_HTTP_CA_FILE = env.text("SAFE_HTTP_CA_FILE", "")

# Breakers (generations/breaker.py): so many faults within the window, and such a share of the attempts that ended in
# it, trip a model on a provider account; the waits are those before each probe that follows.
BREAKER_WINDOW_SECONDS = float(env.decimal("BREAKER_WINDOW_SECONDS", "300"))
BREAKER_MIN_FAULTS = env.integer("BREAKER_MIN_FAULTS", 5, minimum=1)
BREAKER_FAULT_SHARE = env.decimal("BREAKER_FAULT_SHARE", "0.5")
BREAKER_WAITS_SECONDS = [float(word) for word in env.words("BREAKER_WAITS_SECONDS", "30,60,120,300,600")]
BREAKER_PROBE_SECONDS = float(env.decimal("BREAKER_PROBE_SECONDS", "300"))  # then another task may be the probe

# Work in the background (generations/dispatch.py, polling.py). Tests scale the waiting times down.
POLL_SHARDS = env.integer("POLL_SHARDS", 1, minimum=1)
POLL_INTERVAL_SECONDS = float(env.decimal("POLL_INTERVAL_SECONDS", "2"))
LOOKUP_DELAYS_SECONDS = [float(word) for word in env.words("LOOKUP_DELAYS_SECONDS", "5,15,60,180")]
LOOKUP_ABSENT_GAP_SECONDS = float(env.decimal("LOOKUP_ABSENT_GAP_SECONDS", "60"))
QUEUE_PATIENCE_SECONDS = float(env.decimal("QUEUE_PATIENCE_SECONDS", "300"))  # in a provider's own queue
ELEMENT_DELETE_AFTER_SECONDS = float(env.decimal("ELEMENT_DELETE_AFTER_SECONDS", "60"))  # longer than any request
ELEMENT_DELETE_RETRY_SECONDS = [
    float(word) for word in env.words("ELEMENT_DELETE_RETRY_SECONDS", "60,300,1800,7200,21600,43200,86400")
]
CALLBACK_RETRY_SECONDS = [float(word) for word in env.words("CALLBACK_RETRY_SECONDS", "1,2,4")]
CALLBACK_TIMEOUT_SECONDS = float(env.decimal("CALLBACK_TIMEOUT_SECONDS", "10"))
SIMULATORS_SERVE_LIVE_KEYS = DEBUG
MAX_ATTEMPTS = env.integer("MAX_ATTEMPTS", 2, minimum=1)  # of one task that a provider accepted; refusals count not
MEDIA_TIMEOUT_SECONDS = float(env.decimal("MEDIA_TIMEOUT_SECONDS", "20"))  # for all reference media of a task
FILE_UPLOAD_HANDLERS = ["generations.upload_bodies.FilesOfForms"]  # of pages; the API has its own
SANDBOX_RUNNING_LIMIT = env.integer("SANDBOX_RUNNING_LIMIT", 10, minimum=1)  # tasks at work per sandbox organization
FACE_CHECK_OTHER_ANGLES = env.text("FACE_CHECK_OTHER_ANGLES", "warn")  # refuse, warn or off
MAX_CLAIMS = 10  # poison work is set aside after so many claims that ended in nothing

# The queue is a doorbell (generations/doorbell.py): with the database as broker it rings within the transaction. A
# process takes as many jobs as it has workers; `retry` outlasts the longest wait in memory, or jobs would run twice.
Q_BROKER = env.choice("Q_BROKER", "orm", ("orm", "redis"))
Q_WORKERS = env.integer("Q_WORKERS", 2 * POLL_SHARDS + 2, minimum=2 * POLL_SHARDS + 2)  # loops never hold them all
Q_TIMEOUT_SECONDS = 120  # more than the polling loop's 95
Q_CLUSTER = {
    "name": "evolink",
    "workers": Q_WORKERS,
    "queue_limit": Q_WORKERS,
    "bulk": Q_WORKERS,
    "timeout": Q_TIMEOUT_SECONDS,
    "retry": 2 * Q_TIMEOUT_SECONDS + 30,
    "ack_failures": False,
    "max_attempts": 5,
    "save_limit": -1,
    "poll": 0.2,
    "catch_up": False,
    "recycle": 500,
    "label": "Queue",
    **(
        {"orm": "default", "broker_class": "generations.doorbell.InOrder"}
        if Q_BROKER == "orm"
        else {"redis": env.text("REDIS_URL", "redis://127.0.0.1:6379/0")}
    ),
}
