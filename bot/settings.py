"""Settings from the environment and ``.env``; each wrong one is named in one sentence at start."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from bot.documents.wording import BadWording, read_wording
from bot.web.clients import Clients, hostname, is_loopback, read_networks
from program.privacy.privacy_settings import ABUSE, CRISIS, LOWEST_THRESHOLD, RECORDS, PrivacySettings
from storage.core.work import KEY_BACKUP_DAYS

LOCAL_DATABASE = "sqlite:///var/example.sqlite"
PROGRAM_DATABASE = "sqlite:///var/plc.sqlite"


class SettingsError(Exception):
    """The settings cannot be used. The text names each wrong one in a sentence."""


@dataclass(frozen=True, slots=True)
class SlackSettings:
    """What connecting to Slack needs. With an app token Slack is reached by Socket Mode, else by HTTP."""

    bot_token: str
    app_token: str | None  # present: Socket Mode
    signing_secret: str | None  # HTTP mode
    api_url: str


@dataclass(frozen=True, slots=True)
class TeamsSettings:
    """What connecting to Teams needs."""

    app_id: str  # empty only with allow_unauthenticated
    app_password: str
    tenant_id: str
    allow_unauthenticated: bool


class Settings(BaseSettings):
    """One field a variable; ``.env.example`` explains each."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", frozen=True)

    plc_host: str = "127.0.0.1"
    plc_port: int = Field(default=3978, ge=0, le=65535)  # 0: any free port
    plc_public_url: str | None = None
    plc_database_url: str | None = None
    plc_encryption_keys: str | None = None
    plc_encryption_keys_file: Path | None = None
    plc_key_backup_days: int = Field(default=KEY_BACKUP_DAYS, ge=1, le=3650)
    plc_certificate: Path | None = None
    plc_log_format: Literal["text", "json"] = "text"
    plc_metrics_token: str | None = Field(default=None, min_length=16)
    plc_proxies: Annotated[tuple[str, ...], NoDecode] = ("127.0.0.0/8", "::1")
    plc_coordinators: Annotated[tuple[str, ...], NoDecode] = ()
    plc_threshold: int = Field(default=PrivacySettings().threshold, ge=LOWEST_THRESHOLD, le=50)
    plc_abuse_reports: str = Field(default=ABUSE, max_length=300)
    plc_crisis_help: str = Field(default=CRISIS, max_length=300)
    plc_public_records: str = Field(default=RECORDS, max_length=300)
    slack_bot_token: str | None = None
    slack_app_token: str | None = None
    slack_signing_secret: str | None = None
    slack_api_url: str = "https://slack.com/api/"
    teams_app_id: str | None = None
    teams_app_password: str | None = None
    teams_tenant_id: str | None = None
    teams_allow_unauthenticated: bool = False

    @field_validator("plc_coordinators", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip().lower() for part in value.split(",") if part.strip())
        return value

    @field_validator("plc_proxies", mode="before")
    @classmethod
    def _split_proxies(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @property
    def clients(self) -> Clients:
        """How to tell a request's client: through the proxies of ``PLC_PROXIES``."""
        return Clients(read_networks(self.plc_proxies))

    @property
    def privacy_settings(self) -> PrivacySettings:
        """The operator's threshold for group figures, and their sentences about abuse, crisis help and records."""
        said = {
            "abuse": self.plc_abuse_reports,
            "crisis": self.plc_crisis_help,
            "records": self.plc_public_records,
        }
        return PrivacySettings(
            threshold=self.plc_threshold, **{name: " ".join(text.split()).rstrip(".") for name, text in said.items()}
        )

    @property
    def slack(self) -> SlackSettings | None:
        """Slack's settings, or None if ``SLACK_BOT_TOKEN`` is not set."""
        if self.slack_bot_token is None:
            return None
        return SlackSettings(
            bot_token=self.slack_bot_token,
            app_token=self.slack_app_token,
            signing_secret=self.slack_signing_secret,
            api_url=self.slack_api_url,
        )

    @property
    def teams(self) -> TeamsSettings | None:
        """Teams' settings, or None if neither ``TEAMS_APP_ID`` nor ``TEAMS_ALLOW_UNAUTHENTICATED`` is set."""
        if self.teams_app_id is None and not self.teams_allow_unauthenticated:
            return None
        return TeamsSettings(
            app_id=self.teams_app_id or "",
            app_password=self.teams_app_password or "",
            tenant_id=self.teams_tenant_id or "",
            allow_unauthenticated=self.teams_allow_unauthenticated,
        )

    @property
    def local(self) -> bool:
        """No account is configured, so the local workspace runs."""
        return self.slack is None and self.teams is None

    @property
    def database_url(self) -> str:
        """The database's address: ``PLC_DATABASE_URL``, or the default file of the example or of a program."""
        return self.plc_database_url or (LOCAL_DATABASE if self.local else PROGRAM_DATABASE)

    @property
    def sqlite(self) -> bool:
        """Whether the database is SQLite."""
        return self.database_url.startswith("sqlite")

    @property
    def public_url(self) -> str:
        """``PLC_PUBLIC_URL``, or the web server's own address where it is not set; no slash at the end."""
        return (self.plc_public_url or f"http://{self.plc_host}:{self.plc_port}").rstrip("/")

    @property
    def loopback(self) -> bool:
        """Whether ``PLC_HOST`` can be reached from this machine only."""
        return is_loopback(self.plc_host)


def mixed(example: bool) -> str:
    """What to say where these settings do not fit the database's program, the example or a real one."""
    if example:
        return (
            "This database holds the example cohort, so Slack and Teams are not connected to it. "
            "Set PLC_DATABASE_URL to another one, or leave it out."
        )
    return (
        "This database holds a real program, so the local workspace does not open it: it lets anybody be "
        "anyone. Give Slack or Teams settings, or leave PLC_DATABASE_URL out to see the example."
    )


def load(env_file: Path | None = Path(".env")) -> Settings:
    """Read and check the settings.

    Raises:
        SettingsError: with one sentence per wrong or missing setting, none of which repeats a secret.
    """
    try:
        settings = _read(env_file)
    except ValidationError as error:
        sentences = [
            f"{'.'.join(str(part) for part in wrong['loc']).upper()} is wrong: {wrong['msg']}."
            for wrong in error.errors(include_input=False)
        ]
        raise SettingsError("\n".join(sentences)) from None
    problems = _problems(settings)
    if problems:
        raise SettingsError("\n".join(problems))
    return settings


def _read(env_file: Path | None) -> Settings:
    class FromFile(Settings):
        model_config = SettingsConfigDict(env_file=env_file)

    return FromFile()


def _problems(settings: Settings) -> list[str]:
    problems = []
    if settings.plc_database_url and not settings.plc_database_url.startswith(("sqlite:///", "postgresql")):
        problems.append("PLC_DATABASE_URL must begin with sqlite:/// or postgresql://.")
    problems += [
        f"PLC_COORDINATORS holds {address!r}, which is not an email address."
        for address in settings.plc_coordinators
        if "@" not in address
    ]
    if settings.plc_public_url and not settings.plc_public_url.startswith(("http://", "https://")):
        problems.append("PLC_PUBLIC_URL must begin with https:// (or http:// on a test machine).")
    try:
        read_networks(settings.plc_proxies)
    except ValueError:
        problems.append("PLC_PROXIES must hold addresses or networks, separated by commas, such as 10.0.0.0/8.")
    problems += _certificate_problems(settings)
    problems += _slack_problems(settings)
    problems += _teams_problems(settings)
    if settings.local and not settings.loopback:
        problems.append(
            "PLC_HOST must be a loopback address such as 127.0.0.1: without Slack or Teams settings "
            "the local workspace runs, and it lets anybody who reaches it be anyone."
        )
    return problems + _key_problems(settings)


def _key_problems(settings: Settings) -> list[str]:
    if settings.plc_encryption_keys and settings.plc_encryption_keys_file:
        return [
            "PLC_ENCRYPTION_KEYS and PLC_ENCRYPTION_KEYS_FILE are both set; keep one, so that it is clear which holds."
        ]
    if settings.local or settings.plc_encryption_keys or settings.plc_encryption_keys_file:
        return []
    return [
        "PLC_ENCRYPTION_KEYS is missing: reflections are kept encrypted, so the bot does not start "
        "without a key. `plc-bot keys new` makes one. PLC_ENCRYPTION_KEYS_FILE may name a file with it instead."
    ]


def _certificate_problems(settings: Settings) -> list[str]:
    try:
        read_wording(settings.plc_certificate)
    except BadWording as error:
        return [f"PLC_CERTIFICATE: {line}" for line in str(error).splitlines()]
    return []


def _slack_problems(settings: Settings) -> list[str]:
    problems = []
    if settings.slack_bot_token is None:
        if settings.slack_app_token or settings.slack_signing_secret:
            problems.append("Set SLACK_BOT_TOKEN too: other Slack settings are given.")
        return problems
    if not settings.slack_bot_token.startswith("xoxb-"):
        problems.append("SLACK_BOT_TOKEN must be the bot token, which begins with xoxb-.")
    if settings.slack_app_token and not settings.slack_app_token.startswith("xapp-"):
        problems.append("SLACK_APP_TOKEN must be the app-level token, which begins with xapp-.")
    if not settings.slack_app_token and not settings.slack_signing_secret:
        problems.append(
            "Slack needs SLACK_APP_TOKEN (for Socket Mode) or SLACK_SIGNING_SECRET (for HTTP); both are missing."
        )
    return problems


def _teams_problems(settings: Settings) -> list[str]:
    problems = []
    if settings.teams_allow_unauthenticated:
        if not settings.loopback:
            problems.append(
                "TEAMS_ALLOW_UNAUTHENTICATED is for a test client on this machine: PLC_HOST must be a loopback address."
            )
        if settings.plc_public_url and not is_loopback(hostname(settings.plc_public_url.partition("://")[2])):
            problems.append(
                "TEAMS_ALLOW_UNAUTHENTICATED and PLC_PUBLIC_URL exclude each other: through a proxy anybody could act "
                "as anyone. Remove one."
            )
        if settings.teams_app_password:
            problems.append("TEAMS_ALLOW_UNAUTHENTICATED and TEAMS_APP_PASSWORD exclude each other; remove one.")
        return problems
    if settings.teams_app_id is None:
        if settings.teams_app_password or settings.teams_tenant_id:
            problems.append("Set TEAMS_APP_ID too: other Teams settings are given.")
        return problems
    return problems + [
        f"{name.upper()} is missing; a Teams bot needs it together with TEAMS_APP_ID."
        for name in ("teams_app_password", "teams_tenant_id")
        if getattr(settings, name) is None
    ]
