"""Finds sentences that say something absolute (nobody, nothing, never, all, only …), in English and Spanish."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from calendar_service import operators
from calendar_service.domain.operator import Localized
from calendar_service.web.api.actions import ACTIONS
from tests.web.pages.messages import Sentence, translated

REGISTER: Final = Path(__file__).with_suffix(".toml")
"""The reviewed sentences, each under what proves it."""

_WORDS: Final = {
    "en": r"nobody|no one|nothing|never|everything|everybody|smallest|always|all|only|alone|fine",
    "es": r"nadie|nada|nunca|jamás|todo|toda|todos|todas|siempre|la menor|el menor|más pequeño|bien|solo",
}
_ABSOLUTE: Final = {code: re.compile(rf"\b({words})\b", re.IGNORECASE) for code, words in _WORDS.items()}
_BETWEEN_SENTENCES: Final = re.compile(r"(?<=[.:;!?])\s+")


def absolute_sentences(text: str, code: str) -> set[str]:
    """Return the text's sentences, and parts of them between semicolons and colons, that say something absolute."""
    return {part for part in _BETWEEN_SENTENCES.split(text) if _ABSOLUTE[code].search(part)}


def texts() -> Iterator[tuple[str, str]]:
    """Yield every text that people see: in English, and its Spanish."""
    for english, spanish in translated("es").items():
        yield from zip(_forms(english), _forms(spanish), strict=False)
    for name in operators.shipped():
        operator = operators.load(name)
        localized: list[Localized] = [clause.text for clause in operator.clauses.values()]
        localized += [addition.text for addition in operator.additions.values()]
        localized.append(operator.promises.cookies)
        yield from ((each["en"], each["es"]) for each in localized)
    yield from ((action["en"], action["es"]) for action in ACTIONS.values())


def claims(english: str, spanish: str) -> set[str]:
    """Return what has to stand in the register for this text: of the Spanish only where the English is not absolute."""
    return absolute_sentences(english, "en") or absolute_sentences(spanish, "es")


def register() -> Mapping[str, list[str]]:
    """Return the reviewed sentences by their proof."""
    return tomllib.loads(REGISTER.read_text("utf-8"))


def _forms(sentence: Sentence) -> tuple[str, ...]:
    return (sentence,) if isinstance(sentence, str) else sentence
