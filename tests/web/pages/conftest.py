"""Visitors of the pages."""

from collections.abc import Callable

import pytest
from flask import Flask

from tests.support.service import TestService
from tests.web.pages.visitor import Visitor


@pytest.fixture
def visitor(app: Flask, service: TestService) -> Visitor:
    """A browser that was never here."""
    return Visitor(app, service)


@pytest.fixture
def another_visitor(app: Flask, service: TestService) -> Callable[[], Visitor]:
    """Further browsers."""
    return lambda: Visitor(app, service)
