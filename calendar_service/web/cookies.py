"""Cookies that belong to this host alone. Must not know what they mean."""

from werkzeug.wrappers import Response

from calendar_service.config import Config


def cookie_name(config: Config, name: str) -> str:
    """Return the cookie's name: bound to this host and to https, wherever there is https."""
    return f"__Host-{name}" if config.public_url.startswith("https://") else name


def set_cookie(
    config: Config, response: Response, name: str, value: str, *, lax: bool = True, seconds: int | None = None
) -> None:
    """Set a cookie that no script reads and no other site sends with a form."""
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
    """Let the browser forget a cookie."""
    set_cookie(config, response, name, "", seconds=0)
