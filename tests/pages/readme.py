"""Takes the few pictures that README shows: `make pictures`."""

import tempfile
from contextlib import closing
from pathlib import Path

from tests.pages.catalogue import PAGE_STATES
from tests.pages.fixture import page_fixture
from tests.pages.pictures import README, take_for_readme
from tests.pages.visitor import VisitorPool
from tests.support.browser import chromium

with (
    tempfile.TemporaryDirectory() as home,
    page_fixture(Path(home)) as fixture,
    chromium() as browser,
    closing(VisitorPool(browser, fixture)) as pool,
):
    for name, (language, scheme) in README.items():
        with pool.visitor(language) as visitor:
            PAGE_STATES[name](visitor)
            take_for_readme(visitor, name, scheme)
