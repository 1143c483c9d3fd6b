"""The scopes, their wording on the consent screen, and when the screen has boxes to tick. Pure.

Sources: the discovery document for Calendar's scopes, Google's list of OAuth scopes for the sign-in scopes.
"""

from collections.abc import Sequence
from typing import NamedTuple

from local_google.discovery import scope_texts
from local_google.oauth.scope_words import SPANISH

SIGN_IN = {
    "openid": "Associate you with your personal info on Google",
    "email": "See your primary Google Account email address",
    "profile": "See your personal info, including any personal info you've made publicly available",
    "https://www.googleapis.com/auth/userinfo.email": "See your primary Google Account email address",
    "https://www.googleapis.com/auth/userinfo.profile": "See your personal info, including any personal info "
    "you've made publicly available",
}
# The token answer names granted scopes in full.
ALIASES = {
    "email": "https://www.googleapis.com/auth/userinfo.email",
    "profile": "https://www.googleapis.com/auth/userinfo.profile",
}


class ScopeLine(NamedTuple):
    """One line of a consent screen."""

    scope: str
    text: str
    sign_in: bool


def known(scope: str) -> bool:
    """Whether there is such a scope."""
    return scope in SIGN_IN or scope in scope_texts()


def lines(scopes: Sequence[str], language: str) -> list[ScopeLine]:
    """The lines of the consent screen; in English they are Google's text."""
    words = SPANISH if language == "es" else {**scope_texts(), **SIGN_IN}
    return [ScopeLine(scope, words[scope], scope in SIGN_IN) for scope in scopes]


def granular(scopes: Sequence[str]) -> bool:
    """Whether the screen has boxes: with two scopes that are not for sign-in, or one beside sign-in scopes."""
    others = sum(scope not in SIGN_IN for scope in scopes)
    return others >= 2 or (others == 1 and len(scopes) > 1)


def in_full(scopes: Sequence[str]) -> list[str]:
    """The names as the token answer gives them, each once."""
    return list(dict.fromkeys(ALIASES.get(scope, scope) for scope in scopes))


def as_switched(scopes: Sequence[str], switch: str | None) -> list[str]:
    """What is granted instead, under the switch ``granted_scope``."""
    calendar = "https://www.googleapis.com/auth/calendar"
    if switch == "less":
        return list(scopes[:-1]) if len(scopes) > 1 else [f"{calendar}.events"]
    if switch == "more":
        return [*scopes, f"{calendar}.settings.readonly"]
    if switch == "reordered":
        return list(reversed(scopes))
    if switch == "empty":
        return []
    return list(scopes)
