"""Takes the few pictures that README shows: `make pictures`."""

import tempfile
from pathlib import Path

from tests.browser import chromium
from tests.gallery.guest import guest
from tests.gallery.pictures import README, take_for_readme
from tests.gallery.registry import SIGHTS
from tests.gallery.stage import stage

with tempfile.TemporaryDirectory() as home, stage(Path(home)) as service, chromium() as browser:
    for name, (language, scheme) in README.items():
        with guest(browser, service, language) as looking:
            SIGHTS[name](looking)
            take_for_readme(looking, name, scheme)
