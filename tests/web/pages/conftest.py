"""Browsers that visit the pages."""

from collections.abc import Callable

import pytest
from flask import Flask

from tests.support.service import TestService
from tests.web.pages.visitor import Visitor


@pytest.fixture
def visitor(app: Flask, service: TestService) -> Visitor:
    """A new browser."""
    return Visitor(app, service)


@pytest.fixture
def another_visitor(app: Flask, service: TestService) -> Callable[[], Visitor]:
    """Makes further browsers."""
    return lambda: Visitor(app, service)
