"""Cookies for this host only."""

from werkzeug.wrappers import Response

from calendar_service.config import Config


def cookie_name(config: Config, name: str) -> str:
    """Return the cookie's name; with https its prefix `__Host-` binds it to this host and to https."""
    return f"__Host-{name}" if config.public_url.startswith("https://") else name


def set_cookie(
    config: Config, response: Response, name: str, value: str, *, lax: bool = True, seconds: int | None = None
) -> None:
    """Set a cookie that no script can read and that no other site's form sends along."""
    response.set_cookie(
        cookie_name(config, name),
        value,
        max_age=seconds,
        path="/",
        secure=config.public_url.startswith("https://"),
        httponly=True,
        samesite="Lax" if lax else "Strict",
    )


def drop_cookie(config: Config, response: Response, name: str) -> None:
    """Delete a cookie in the browser."""
    set_cookie(config, response, name, "", seconds=0)
