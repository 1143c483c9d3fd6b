"""The pages' sentences: all translated, no translation left over, in ordinary words."""

import re

import pytest

from calendar_service.domain.clock import DAY, HOUR, MINUTE
from calendar_service.rendering.language import Language, catalogue, preferred
from calendar_service.web.api.actions import ACTIONS
from local_google.oauth.scope_words import SPANISH
from local_google.rendering.texts import TEXTS
from tests.support.evidence import shows
from tests.web.pages.messages import TEMPLATES, Sentence, pages, sentences, translated

_PLACEHOLDER = re.compile(r"%\([a-z]+\)[sd]|%%")
_AGENTS_PAGES = (
    "settings.html",
    "disconnect.html",
    "dead_end.html",
    "framed.html",
    "problem.html",
    "receipt.html",
)


def _forms(sentence: Sentence) -> tuple[str, ...]:
    return (sentence,) if isinstance(sentence, str) else sentence


def test_every_sentence_is_translated_and_no_translation_is_left_over() -> None:
    spanish = translated("es")
    assert sentences() - set(spanish) == set(), "missing in es.po"
    assert set(spanish) - sentences() == set(), "unused in es.po"
    assert [source for source, text in spanish.items() if not all(_forms(text))] == []


def test_a_translation_has_the_same_places_to_fill() -> None:
    for source, text in translated("es").items():
        places = sorted(_PLACEHOLDER.findall(_forms(source)[0]))
        assert [sorted(_PLACEHOLDER.findall(form)) for form in _forms(text)] == [places] * len(
            _forms(text)
        ), source


def test_no_translation_is_doubtful_or_disused() -> None:
    text = (TEMPLATES / "es.po").read_text("utf-8")
    assert re.findall(r"^#(?:,.*fuzzy|~).*$", text, re.MULTILINE) == []
    originals = re.findall(r"^msgid .+(?:\n\".*\")*", text, re.MULTILINE)
    assert len(originals) == len(set(originals)), "one sentence is translated twice"


def test_what_is_the_same_in_both_languages_is_so_on_purpose() -> None:
    same = {source for source, text in translated("es").items() if _forms(source)[0] == _forms(text)[0]}
    assert same == {"Cookies", "Google Calendar", "google", "logo", "no"}
    google = {name for name in TEXTS["en"] if TEXTS["en"][name] == TEXTS["es"][name]}
    assert google == {"error_400"}


def test_what_somebody_has_to_do_is_told_in_both_languages() -> None:
    assert [code for code, texts in ACTIONS.items() if set(texts) != {"en", "es"}] == []
    assert [
        code for code, texts in ACTIONS.items() if texts["en"] == texts["es"] or not all(texts.values())
    ] == []


def test_spanish_addresses_agents_as_usted() -> None:
    familiar = re.compile(r"\b(tú|tu|tus|te|ti|contigo|vos|tienes|puedes|quieres|vosotros|os|haz)\b", re.I)
    pages_say = [form for text in translated("es").values() for form in _forms(text)]
    others = [*TEXTS["es"].values(), *SPANISH.values(), *(texts["es"] for texts in ACTIONS.values())]
    assert [text for text in (*pages_say, *others) if familiar.search(text)] == []


def _agents_templates() -> list[str]:
    partial = [*TEMPLATES.glob("states/*.html"), *TEMPLATES.glob("parts/*.html")]
    return [path.read_text("utf-8") for path in (*partial, *(TEMPLATES / name for name in _AGENTS_PAGES))]


@pytest.mark.parametrize("word", ["scope", "grant", "token", "OAuth", "API key", "clause"])
def test_agents_pages_do_without_the_words_of_the_trade(word: str) -> None:
    visible = " ".join(
        re.sub(r"\{%.*?%\}|\{\{.*?\}\}|\{#.*?#\}|<[^>]*>", " ", text, flags=re.S)
        for text in _agents_templates()
    )
    assert not re.search(rf"\b{word}s?\b", visible, re.I)


@shows("LU-4")
def test_no_page_asks_for_a_script_or_for_anything_of_a_third_party() -> None:
    for path in pages():
        text = path.read_text("utf-8")
        assert "<script" not in text, path
        assert not re.search(r"\bon[a-z]+=", re.sub(r"\{[%{].*?[%}]\}", "", text)), path
        assert not re.search(r"\bstyle=\"", text), path
        assert not re.search(r"(src|<link[^>]*href)=\"https?:", text), path


MAY_3: int = 1_777_831_200_000


def test_times_name_day_time_and_place() -> None:
    assert Language("en").moment(MAY_3, "America/Santiago") == "3 May 2026, 14:00, Santiago"
    assert Language("es").moment(MAY_3, "America/Santiago") == "3 de mayo de 2026, 14:00, Santiago de Chile"
    assert Language("en").moment(MAY_3, "America/Argentina/Buenos_Aires").endswith(", 15:00, Buenos Aires")
    assert Language("en").moment(MAY_3, "UTC") == "3 May 2026, 18:00, UTC"


def test_a_date_of_the_profile_is_told_in_words() -> None:
    assert Language("en").written_date("2024-09-07") == "7 September 2024"
    assert Language("es").written_date("2024-09-07") == "7 de septiembre de 2024"
    assert Language("en").written_date("") == ""


def test_lengths_of_time_are_told_exactly() -> None:
    lengths = [DAY, 7 * DAY, 23 * DAY, HOUR, 36 * HOUR, 10 * MINUTE]
    assert [Language("en").duration(length) for length in lengths] == [
        "1 day", "7 days", "23 days", "1 hour", "36 hours", "10 minutes",
    ]  # fmt: skip
    assert Language("es").duration(23 * DAY) == "23 días"


@pytest.mark.parametrize("name", ["", "Nowhere/Land", "../../etc/passwd", "America", "x" * 300, "\0"])
def test_an_unknown_zone_is_told_in_utc(name: str) -> None:
    assert Language("en").moment(MAY_3, name) == "3 May 2026, 18:00, UTC"


def test_the_first_preference_that_can_be_met_decides_the_language() -> None:
    assert preferred(["en", "es"], ["es", "en"]).code == "es"
    assert preferred(["en", "es"], ["", "fr", "es-CL"]).code == "es"
    assert preferred(["en", "es"], ["", "", "pt-BR", "es-MX", "en"]).code == "es"
    assert preferred(["es"], ["en", "en"]).code == "es"
    assert preferred(["en", "es"], ["../etc"]).code == "en"


def test_one_thing_and_several_are_told_apart() -> None:
    one, many = "%(num)s session is waiting", "%(num)s sessions are waiting"
    assert [catalogue("es").ngettext(one, many, n).split()[1:3] for n in (0, 1, 2)] == [
        ["sesiones", "están"],
        ["sesión", "está"],
        ["sesiones", "están"],
    ]
    assert catalogue("en").ngettext(one, many, 1) == one


def test_the_head_of_a_language_s_translations_says_which_form_a_number_takes() -> None:
    head = (TEMPLATES / "es.po").read_text("utf-8").partition("\n\n")[0]
    rule = catalogue("es").info()["plural-forms"]
    assert f'"Plural-Forms: {rule}\\n"' in head
    assert catalogue("es").gettext("a sentence that nobody translated") == "a sentence that nobody translated"
