"""One settings file, read from the environment. Secrets may come as NAME or as NAME_FILE.

`HANDRAIL_ENV` is `production` unless said otherwise, so that forgetting it is safe.
`HANDRAIL_DATABASE_ROLE` picks which of the three PostgreSQL roles this process connects as.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.FileAwareEnv()  # type: ignore[no-untyped-call]

HANDRAIL_ENV: str = env.str("HANDRAIL_ENV", default="production")
IS_PRODUCTION = HANDRAIL_ENV == "production"
DEBUG = False
SECRET_KEY: str = env.str("SECRET_KEY", default="")
# Earlier keys, separated by commas: what they signed and sealed is still read, nothing new is.
SECRET_KEY_FALLBACKS: list[str] = [
    key for key in env.str("SECRET_KEY_FALLBACKS", default="").split(",") if key
]
ALLOWED_HOSTS: list[str] = env.list(
    "ALLOWED_HOSTS", default=[] if IS_PRODUCTION else ["127.0.0.1", "localhost", "[::1]"]
)
# How many proxies of your own stand in front; 0 means the peer's address is the client's.
TRUSTED_PROXIES: int = env.int("TRUSTED_PROXIES", default=0)

DATABASE_VARIABLES = {
    "web": "DATABASE_URL",
    "worker": "DATABASE_WORKER_URL",
    "owner": "DATABASE_OWNER_URL",
}
DATABASE_ROLE: str = env.str("HANDRAIL_DATABASE_ROLE", default="web")
# Which PostgreSQL user each role connects as, for the addresses that this process is told.
DATABASE_USERS: dict[str, str] = {
    role: user
    for role, variable in DATABASE_VARIABLES.items()
    if (user := urlsplit(env.str(variable, default="")).username)
}


def _database(role: str) -> dict[str, Any]:
    # An unknown role gets the least that there is; a system check refuses it.
    variable = DATABASE_VARIABLES.get(role, "DATABASE_URL")
    config: dict[str, Any] = dict(env.db_url(variable, default="postgres://invalid/"))
    config["ENGINE"] = "backend.postgresql"
    config["CONN_MAX_AGE"] = None
    config["CONN_HEALTH_CHECKS"] = True
    config["OPTIONS"] = {
        "application_name": f"handrail-{role}",
        "connect_timeout": 5,
        # Statements that come again are planned once for each connection.
        "server_side_binding": True,
        "prepare_threshold": 5,
        "options": "-c statement_timeout=30000 -c lock_timeout=10000"
        " -c idle_in_transaction_session_timeout=60000 -c synchronous_commit=on"
        if role != "owner"
        else "",
        **config.get("OPTIONS", {}),
    }
    return config


DATABASES = {
    "default": _database(DATABASE_ROLE),
    # A refusal is audited although the transaction around it rolls back: same server, same
    # role, a connection of its own, opened only when something is refused.
    "audit": _database(DATABASE_ROLE),
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "backend",
    "backend.accounts",
    "backend.notifications",
    "backend.program",
    "backend.tracking",
    "backend.aftercare",
    "backend.intake",
    "backend.privacy",
    "backend.operations",
    "django_htmx",
    "backend.dashboard",
]

MIDDLEWARE = [
    "backend.request_ids.RequestIdMiddleware",
    # For who asks for it. A token is never sent by a browser unasked, and Django pads the pages'
    # answers by a random length, so that sizes tell nothing.
    "django.middleware.gzip.GZipMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "backend.languages.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "backend.pages_only.PagesOnly",
]

# Where spans are collected, by OTLP over HTTP; empty: there are none.
OTLP_ENDPOINT: str = env.str("OTEL_EXPORTER_OTLP_ENDPOINT", default="").strip()
if OTLP_ENDPOINT:
    MIDDLEWARE.insert(1, "backend.tracing.TracingMiddleware")

ROOT_URLCONF = "backend.urls"
WSGI_APPLICATION = "backend.wsgi.application"
AUTH_USER_MODEL = "accounts.User"
APPEND_SLASH = False

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.messages.context_processors.messages",
                "django.template.context_processors.i18n",
            ],
        },
    }
]

PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {
        "NAME": "django.contrib.auth.password_validation.MinimumLengthValidator",
        "OPTIONS": {"min_length": 10},
    },
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["backend.accounts.authentication.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["backend.permissions.DeclaredRoles"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["backend.renderers.JSONRenderer"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "backend.renderers.JSONFirst",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "backend.rest.problem_response",
    "UNAUTHENTICATED_USER": None,
}

# No error of ours is without the crisis lines, whoever asks and whatever went wrong.
PROBLEM_ADDITIONS = "backend.aftercare.api.patients.public_crisis_lines"
# What a consent can be about, by the area that holds it.
CONSENT_SCOPES = [
    "backend.accounts.contact_details.SCOPE",
    "backend.tracking.shared.CHECK_INS",
    "backend.tracking.shared.NOTES",
    "backend.aftercare.shared.TRENDS",
    "backend.aftercare.shared.ALERTS",
]

SPECTACULAR_SETTINGS = {
    "TITLE": "Handrail",
    "DESCRIPTION": "The backend between sessions: check-ins, help, trends and alerts.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["backend.permissions.DeclaredRoles"],
    "SERVE_PUBLIC": True,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    # The structs name their own choices; the stock hook expects serializers.
    "POSTPROCESSING_HOOKS": ["backend.openapi.add_examples"],
}

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("es", "Español")]
LOCALE_PATHS = [BASE_DIR / "backend" / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "/static/"
# Development serves straight from the source folders.
STATIC_ROOT = BASE_DIR / "static_built" if IS_PRODUCTION else None
WHITENOISE_USE_FINDERS = not IS_PRODUCTION
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if IS_PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}

# A check-in's body is read even when it is too large to store, because a person may have said
# "I'm not safe now" inside it; past this size only the first part is read.
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024

SESSION_COOKIE_SECURE = IS_PRODUCTION
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
# The desk ends a session earlier, after a quarter of an hour without activity.
SESSION_COOKIE_AGE = 12 * 3600
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
CSRF_FAILURE_VIEW = "backend.dashboard.pages.csrf_failed"
CSRF_COOKIE_SECURE = IS_PRODUCTION
SECURE_SSL_REDIRECT = IS_PRODUCTION
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 31536000 if IS_PRODUCTION else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = IS_PRODUCTION
SECURE_CONTENT_TYPE_NOSNIFF = True
# With "no-referrer" browsers send forms with `Origin: null`, which the check against forged ones
# must refuse; to other sites nothing is sent either way.
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "img-src": ["'self'", "data:"],
        "font-src": ["'self'"],
        "connect-src": ["'self'"],
        "form-action": ["'self'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}

# Empty or "none": no broker. The relay alone then does all of the work.
REDIS_URL: str = env.str("REDIS_URL", default="")
BROKER_URL = "" if REDIS_URL in ("", "none") else REDIS_URL

# The worker and the relay alone read these; the web process is never given them.
FIREBASE_CREDENTIALS: str = env.str("FIREBASE_CREDENTIALS", default="")
FCM_ENDPOINT: str = env.str("FCM_ENDPOINT", default="")

# What wraps the keys under which patients' words are sealed: `id:key`, the first wraps new ones.
PATIENT_KEYS: str = env.str("PATIENT_KEYS", default="")

# SMS to clinicians, where all three are set; the endpoint is a stand-in on this machine.
TWILIO_ACCOUNT: str = env.str("TWILIO_ACCOUNT", default="").strip()
TWILIO_TOKEN: str = env.str("TWILIO_TOKEN", default="").strip()
TWILIO_SENDER: str = env.str("TWILIO_SENDER", default="").strip()
TWILIO_ENDPOINT: str = env.str("TWILIO_ENDPOINT", default="")

# Push to browsers by their own services: our private key (PEM's inner part) and where to find us.
VAPID_PRIVATE_KEY: str = env.str("VAPID_PRIVATE_KEY", default="").strip()
VAPID_SUBJECT: str = env.str("VAPID_SUBJECT", default="")
# Lets browsers' subscriptions lead to this machine, for development and tests alone.
WEB_PUSH_LOCAL: bool = env.bool("WEB_PUSH_LOCAL", default=False)

# Where support contacts open their link: the address of the pages from outside, without a path.
PUBLIC_URL: str = env.str("PUBLIC_URL", default="").strip().rstrip("/")

# Where those who seal the audit log also write the seals' roots; out of the database's reach.
AUDIT_ROOTS_FILE: str = env.str("AUDIT_ROOTS_FILE", default="")
# Where they also write what a restore must not forget.
JOURNAL_FILE: str = env.str("JOURNAL_FILE", default="")
# For `manage.py back_up` and `restore` alone: a role that may read past row-level security.
DATABASE_BACKUP_URL: str = env.str("DATABASE_BACKUP_URL", default="").strip()
# Asked by the reconciler after each clean round; who watches there calls a person when it stops.
HEALTHCHECK_PING_URL: str = env.str("HEALTHCHECK_PING_URL", default="").strip()
# What Prometheus shows to read /metrics. Empty: there is no such page.
METRICS_TOKEN: str = env.str("METRICS_TOKEN", default="").strip()

# The worker and the relay alone send mail. In development it is written into the state folder.
EMAIL_BACKEND: str = env.str(
    "EMAIL_BACKEND",
    default=f"django.core.mail.backends.{'smtp' if IS_PRODUCTION else 'filebased'}.EmailBackend",
)
EMAIL_FILE_PATH = Path(env.str("HANDRAIL_STATE", default="") or BASE_DIR / ".state") / "mail"
EMAIL_HOST: str = env.str("EMAIL_HOST", default="localhost")
EMAIL_PORT: int = env.int("EMAIL_PORT", default=587)
EMAIL_HOST_USER: str = env.str("EMAIL_HOST_USER", default="")
EMAIL_HOST_PASSWORD: str = env.str("EMAIL_HOST_PASSWORD", default="")
EMAIL_USE_TLS: bool = env.bool("EMAIL_USE_TLS", default=True)
EMAIL_TIMEOUT = 10
# Read on a locked screen: name no trade here.
DEFAULT_FROM_EMAIL: str = env.str("EMAIL_FROM", default="Handrail <no-reply@localhost>")

LOGGING_CONFIG = "backend.logs.configure"
LOGGING: dict[str, Any] = {"version": 1}  # not empty, or Django leaves the function uncalled
LOG_LEVEL: str = env.str("LOG_LEVEL", default="INFO")
