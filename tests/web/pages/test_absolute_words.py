"""Every sentence that says something absolute is in a reviewed register, under what proves it."""

import pytest

from calendar_service.report.judging import SOURCE, suite_of
from calendar_service.report.shown_by import SHOWN_BY
from tests.web.pages.absolute_words import absolute_sentences, claims, register, texts

WITHOUT_A_PROOF = ("declared by the operator", "not a claim about this service")


def _claims() -> set[str]:
    return {claim for english, spanish in texts() for claim in claims(english, spanish)}


def test_every_absolute_sentence_is_registered_and_none_is_left_over() -> None:
    registered = {sentence for sentences in register().values() for sentence in sentences}
    assert _claims() - registered == set(), "prove it and add it to absolute_words.toml, or say it otherwise"
    assert registered - _claims() == set(), "no page says it any more: take it out of absolute_words.toml"


def test_a_sentence_is_registered_once() -> None:
    sentences = [sentence for sentences in register().values() for sentence in sentences]
    assert len(sentences) == len(set(sentences))


@pytest.mark.parametrize("proof", register())
def test_every_proof_exists(proof: str) -> None:
    tests = suite_of(SOURCE)
    assert tests is not None
    assert proof in WITHOUT_A_PROOF or proof in SHOWN_BY or proof in tests


def test_an_absolute_word_is_found_in_either_language() -> None:
    assert absolute_sentences("It is kept. Nobody reads it; it ends.", "en") == {"Nobody reads it;"}
    assert absolute_sentences("Se guarda. Nadie lo lee.", "es") == {"Nadie lo lee."}
    assert claims("No one but you sees it.", "Solo usted lo ve.") == {"No one but you sees it."}
    assert claims("It is yours.", "Siempre es suyo.") == {"Siempre es suyo."}
    assert claims("It is yours.", "Es suyo.") == set()
