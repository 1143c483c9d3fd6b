"""The tables in docs/local-google.md are what the tests and the code say."""

from tests.local_google import fact_table
from tests.local_google.facts import REGISTER


def test_the_page_lists_the_facts_that_are_tested() -> None:
    fact_table.load_register()
    assert fact_table.PAGE.read_text("utf-8") == fact_table.page(), (
        "run: python -m tests.local_google.fact_table"
    )


def test_every_fact_is_stated_once() -> None:
    fact_table.load_register()
    texts = [fact.text for fact in dict.fromkeys(REGISTER)]
    assert len(texts) == len(set(texts))
    assert len(texts) > 100
