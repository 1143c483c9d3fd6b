"""Visitors of the pages."""

from collections.abc import Callable

import pytest
from flask import Flask

from tests.household import Household
from tests.web.pages.visitor import Visitor


@pytest.fixture
def visitor(app: Flask, household: Household) -> Visitor:
    """A browser that was never here."""
    return Visitor(app, household)


@pytest.fixture
def another_visitor(app: Flask, household: Household) -> Callable[[], Visitor]:
    """Further browsers."""
    return lambda: Visitor(app, household)
