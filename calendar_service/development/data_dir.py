"""The files that `run` writes in its data directory: keys, and variables for other commands."""

import os
from collections.abc import Mapping
from pathlib import Path

from calendar_service.config import Role, run_data
from calendar_service.config.keys import entries
from calendar_service.config.new_keys import (
    api_key,
    new_api_key,
    new_key,
    new_keyring,
    new_webhook_secret,
)
from calendar_service.config.variables import SECRETS
from calendar_service.domain.secret import Secret
from local_google.state.clients import DEFAULT_CLIENT_ID, DEFAULT_CLIENT_SECRET

KEY_FILES = {
    "CALENDAR_KEYRING": "keys/keyring",
    "CALENDAR_IDENTITY_KEY": "keys/identity",
    "CALENDAR_SIGNING_KEY": "keys/signing",
    "CALENDAR_API_KEYS": "keys/api-keys",
}
API_KEY_FILES = {Role.BACKEND: "api-key", Role.ADMIN: "admin-key"}
"""The files with the two development keys, which are valid for all organizations."""
WEBHOOK_SECRET_FILE = "keys/webhook-secret"  # noqa: S105 - a file's name
GOOGLE_SECRET_FILE = "keys/google-client-secret"  # noqa: S105 - a file's name

_GIVEN = "keys/given-{}"
"""Where a secret of the environment is kept for the other commands, by its variable's name."""
_PASSED_ON = (
    "CALENDAR_DATABASE_DECLARED",
    "CALENDAR_WEBHOOK_URL",
    "CALENDAR_GOOGLE_CLIENT_ID",
    "CALENDAR_GOOGLE_AUTH_URI",
    "CALENDAR_GOOGLE_TOKEN_URI",
    "CALENDAR_GOOGLE_REVOKE_URI",
    "CALENDAR_GOOGLE_API_ENDPOINT",
    "CALENDAR_TEST_CLOCK",
)


def make_keys(data_dir: Path) -> None:
    """Generate each development key that does not exist yet, in files that only this user can read."""
    (data_dir / "keys").mkdir(mode=0o700, parents=True, exist_ok=True)
    _write_once(data_dir / KEY_FILES["CALENDAR_KEYRING"], new_keyring())
    _write_once(data_dir / KEY_FILES["CALENDAR_IDENTITY_KEY"], new_key())
    _write_once(data_dir / KEY_FILES["CALENDAR_SIGNING_KEY"], new_key())
    _write_once(data_dir / GOOGLE_SECRET_FILE, DEFAULT_CLIENT_SECRET)
    _write_once(data_dir / WEBHOOK_SECRET_FILE, new_webhook_secret().reveal())
    _make_api_keys(data_dir)


def _make_api_keys(data_dir: Path) -> None:
    """Add the two development keys to the list of API keys; other entries stay."""
    file = data_dir / KEY_FILES["CALENDAR_API_KEYS"]
    ours = []
    for role, name in API_KEY_FILES.items():
        caller = f"development-{role}"
        _write_once(data_dir / name, new_api_key(caller, "*", role).text.reveal())
        text = Secret((data_dir / name).read_text("utf-8").strip())
        ours.append(api_key(text, caller, "*", role).entry)
    others = entries(file.read_text("utf-8")) if file.exists() else []
    ours += [entry for entry in others if not entry.startswith("development-")]
    _write(file, "\n".join(ours))


def _write_once(path: Path, text: str) -> None:
    if not path.exists():
        _write(path, text)


def _write(path: Path, text: str) -> None:
    draft = path.with_name(f"{path.name}.new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(f"{text}\n")
    draft.replace(path)


def keep_given_secrets(data_dir: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """Keep each secret that the environment sets in a file of its own; return the files by variable.

    What an earlier run kept and this environment does not set is removed.
    """
    files: dict[str, str] = {}
    for name in SECRETS:
        file = _GIVEN.format(name.removeprefix("CALENDAR_").replace("_", "-").lower())
        if text := environ.get(name, "").strip():
            _write(data_dir / file, text)
            files[f"{name}_FILE"] = file
        else:
            (data_dir / file).unlink(missing_ok=True)
    return files


def leave_run_data(data_dir: Path, environ: Mapping[str, str], embedded_url: str) -> None:
    """Write the variables of this run for the other commands: defaults, and what the environment set. No secret.

    `embedded_url`: the address of the database that this run has started; empty if it uses another one.
    """
    port = environ.get("CALENDAR_PORT") or "8080"
    google_port = environ.get("CALENDAR_GOOGLE_PORT") or "8081"
    from_environment = {name: environ[name] for name in _PASSED_ON if environ.get(name)}
    from_environment |= {
        name: str(Path(value).absolute())
        for name, value in environ.items()
        if _names_secret_file(name, value)
    }
    defaults = {
        "CALENDAR_ENVIRONMENT": "development",
        "CALENDAR_PUBLIC_URL": environ.get("CALENDAR_PUBLIC_URL") or f"http://localhost:{port}",
        "CALENDAR_PORT": port,
        "CALENDAR_GOOGLE_PORT": google_port,
        "CALENDAR_OPERATOR": _operator(environ.get("CALENDAR_OPERATOR") or "videsk"),
    }
    defaults |= {f"{name}_FILE": file for name, file in KEY_FILES.items()}
    if "CALENDAR_WEBHOOK_URL" in from_environment:
        defaults["CALENDAR_WEBHOOK_SECRET_FILE"] = WEBHOOK_SECRET_FILE
    if not has_own_client(environ):
        defaults |= _local_google(google_port)
    if embedded_url:
        defaults["CALENDAR_REDIS_URL"] = embedded_url
    run_data.write(data_dir, defaults | from_environment | keep_given_secrets(data_dir, environ))


def _names_secret_file(name: str, value: str) -> bool:
    return name.startswith("CALENDAR_") and name.endswith("_FILE") and bool(value.strip())


def _operator(name: str) -> str:
    return str(Path(name).absolute()) if name.endswith(".toml") else name


def _local_google(port: str) -> dict[str, str]:
    google = f"http://localhost:{port}"
    return {
        "CALENDAR_GOOGLE_CLIENT_ID": DEFAULT_CLIENT_ID,
        "CALENDAR_GOOGLE_CLIENT_SECRET_FILE": GOOGLE_SECRET_FILE,
        "CALENDAR_GOOGLE_AUTH_URI": f"{google}/o/oauth2/v2/auth",
        "CALENDAR_GOOGLE_TOKEN_URI": f"{google}/token",
        "CALENDAR_GOOGLE_REVOKE_URI": f"{google}/revoke",
        "CALENDAR_GOOGLE_API_ENDPOINT": f"{google}/calendar/v3/",
    }


def has_own_client(environ: Mapping[str, str]) -> bool:
    """Tell whether the environment names a Google client, in which case `run` starts no local Google."""
    return any(environ.get(name, "").strip() for name in run_data.CLIENT)
