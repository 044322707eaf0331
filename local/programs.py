"""Which programs make up Handrail, and which of its secrets each of them is given."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from local.launch import Program

ROOT = Path(__file__).resolve().parent.parent
"""The folder with manage.py."""

SECRETS = (
    "DATABASE_URL",
    "DATABASE_WORKER_URL",
    "DATABASE_OWNER_URL",
    "REDIS_URL",
    "SECRET_KEY",
    "PATIENT_KEYS",
    "FIREBASE_CREDENTIALS",
    "FCM_ENDPOINT",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "EMAIL_HOST_PASSWORD",
    "TWILIO_TOKEN",
    "VAPID_PRIVATE_KEY",
    "METRICS_TOKEN",
    "HEALTHCHECK_PING_URL",
    "DATABASE_BACKUP_URL",
)
"""Variables no program inherits: each gets those it needs. They may come as NAME_FILE, too."""

SENDERS_OWN = ("TWILIO_TOKEN", "VAPID_PRIVATE_KEY", "HEALTHCHECK_PING_URL")
"""Those of them that the two that send are handed on as they came."""

NO_BROKER = ("", "none")
"""Values of REDIS_URL that mean: run without a broker, the relay does all of the work."""


def given(environment: Mapping[str, str], name: str) -> str | None:
    """The value of NAME, or the content of the file NAME_FILE names; None when neither is set."""
    if name in environment:
        return environment[name]
    file = environment.get(f"{name}_FILE")
    return Path(file).read_text().strip() if file else None


def without_secrets(environment: Mapping[str, str]) -> dict[str, str]:
    """What every program may inherit."""
    withheld = {*SECRETS, *(f"{name}_FILE" for name in SECRETS)}
    return {name: value for name, value in environment.items() if name not in withheld}


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the programs are told: addresses, secrets, folders."""

    environment: Mapping[str, str]
    state: Path
    web_fd: int
    secret_key: str
    owner_url: str
    web_url: str
    worker_url: str
    redis_url: str
    firebase_credentials: str
    fcm_endpoint: str = ""
    email_password: str = ""
    senders_own: Mapping[str, str] = field(default_factory=dict)
    metrics_token: str = ""
    patient_keys: str = ""

    @property
    def has_broker(self) -> bool:
        """Whether there is a broker, and so a Celery worker and beat."""
        return self.redis_url not in NO_BROKER

    def with_local_fcm(self, endpoint: str) -> Settings:
        """The same, pushing to a stand-in for Firebase on this machine."""
        return replace(self, fcm_endpoint=endpoint)

    def manage(self, *arguments: str) -> Program:
        """A management command. It alone knows the owner's address: it migrates and seeds."""
        return self._program(arguments[0], ("manage.py", *arguments), self._databases())

    def for_manage(self) -> dict[str, str]:
        """What `manage.py` typed by hand needs to reach this system."""
        return {**self._own(), **self._databases()}

    def _databases(self) -> dict[str, str]:
        return {
            "DATABASE_OWNER_URL": self.owner_url,
            "PATIENT_KEYS": self.patient_keys,
            "DATABASE_URL": self.web_url,
            "DATABASE_WORKER_URL": self.worker_url,
        }

    def fcm(self, port: int) -> Program:
        """The stand-in for Firebase: no secret of ours concerns it."""
        command = ("-m", "local.fcm", "--host", "127.0.0.1", "--port", str(port))
        program = self._program("fcm", command, {})
        return replace(program, environment=without_secrets(self.environment))

    def long_running(self) -> Iterator[Program]:
        """The programs in the order to start them; web comes last, when all it leads to is up."""
        if self.has_broker:
            yield self._worker()
        yield self._program("relay", ("-m", "worker.relay"), self._sending())
        if self.has_broker:
            yield self._beat()
        yield self._web()

    def _worker(self) -> Program:
        options = ("--concurrency", "2", "--without-mingle", "--without-gossip")
        command = ("-m", "celery", "-A", "worker.app", "worker", "--loglevel", "INFO", *options)
        return self._program("worker", command, self._sending(), grace=timedelta(seconds=15))

    def _beat(self) -> Program:
        schedule = self.state / "beat-schedule"
        command = ("-m", "celery", "-A", "worker.app", "beat", "--loglevel", "INFO")
        options = ("--schedule", str(schedule), "--pidfile=")
        return self._program("beat", (*command, *options), {"HANDRAIL_DATABASE_ROLE": "worker"})

    def _web(self) -> Program:
        # It is handed a socket that listens: nobody else can take the port before it does, and
        # whoever calls while it starts again is answered late instead of refused.
        command = ("-m", "gunicorn", "backend.wsgi:application", "--bind", f"fd://{self.web_fd}")
        threads = ("--worker-class", "gthread", "--workers", "2", "--threads", "8")
        options = ("--graceful-timeout", "8", "--no-control-socket")
        secrets = {
            "HANDRAIL_DATABASE_ROLE": "web",
            "DATABASE_URL": self.web_url,
            "PATIENT_KEYS": self.patient_keys,
            "METRICS_TOKEN": self.metrics_token,
        }
        web = self._program("web", (*command, *threads, *options), secrets)
        return replace(web, keep_open=(self.web_fd,))

    def _sending(self) -> dict[str, str]:
        """What the two that send are given."""
        return {
            "HANDRAIL_DATABASE_ROLE": "worker",
            "DATABASE_WORKER_URL": self.worker_url,
            "PATIENT_KEYS": self.patient_keys,
            "FIREBASE_CREDENTIALS": self.firebase_credentials,
            "FCM_ENDPOINT": self.fcm_endpoint,
            "EMAIL_HOST_PASSWORD": self.email_password,
            **self.senders_own,
        }

    def _own(self) -> dict[str, str]:
        """What every program is told."""
        return {
            "DJANGO_SETTINGS_MODULE": "backend.settings",
            "HANDRAIL_ENV": self.environment.get("HANDRAIL_ENV", "development"),
            "SECRET_KEY": self.secret_key,
            "REDIS_URL": self.redis_url,
            # So that `manage.py audit_verify` compares with what this run's relay has written.
            "AUDIT_ROOTS_FILE": self.environment.get("AUDIT_ROOTS_FILE")
            or str(self.state / "audit-roots"),
        }

    def _program(
        self,
        name: str,
        command: tuple[str, ...],
        secrets: Mapping[str, str],
        grace: timedelta = timedelta(seconds=10),
    ) -> Program:
        own = {"PYTHONUNBUFFERED": "1", **self._own()}
        return Program(
            name=name,
            command=(sys.executable, *command),
            environment={**without_secrets(self.environment), **own, **secrets},
            folder=ROOT,
            log=self.state / "logs" / f"{name}.log",
            grace=grace,
        )
