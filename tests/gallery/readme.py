"""Takes the few pictures that README shows: `make pictures`."""

import tempfile
from contextlib import closing
from pathlib import Path

from tests.browser import chromium
from tests.gallery.guest import Desk
from tests.gallery.pictures import README, take_for_readme
from tests.gallery.registry import SIGHTS
from tests.gallery.stage import stage

with (
    tempfile.TemporaryDirectory() as home,
    stage(Path(home)) as service,
    chromium() as browser,
    closing(Desk(browser, service)) as desk,
):
    for name, (language, scheme) in README.items():
        with desk.guest(language) as looking:
            SIGHTS[name](looking)
            take_for_readme(looking, name, scheme)
