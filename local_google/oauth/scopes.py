"""The scopes this Google knows, their wording on the consent screen, and what is asked for together. Pure."""

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
# Google writes the short names out in full when it names what was granted.
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
    """What the consent screen says of them; in English these are Google's words."""
    words = SPANISH if language == "es" else {**scope_texts(), **SIGN_IN}
    return [ScopeLine(scope, words[scope], scope in SIGN_IN) for scope in scopes]


def granular(scopes: Sequence[str]) -> bool:
    """Boxes to tick appear for two scopes that are not for signing in, or for one beside those that are."""
    others = sum(scope not in SIGN_IN for scope in scopes)
    return others >= 2 or (others == 1 and len(scopes) > 1)


def in_full(scopes: Sequence[str]) -> list[str]:
    """The names as Google gives them back, each once."""
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
