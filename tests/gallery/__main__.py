"""Looks at the whole gallery: a table of what was found and what pages weigh, and every picture."""

import re
import tempfile
from contextlib import closing
from pathlib import Path

import click

from tests.browser import chromium
from tests.gallery.guest import Desk
from tests.gallery.look import faults, weigh
from tests.gallery.pictures import FOLDER, take_all
from tests.gallery.registry import ENGLISH_ONLY, SIGHTS
from tests.gallery.stage import stage

HEAD = "| page | language | faults | bytes | requests | first paint, ms |\n|---|---|---|---|---|---|"


@click.command()
@click.option("--only", default="", help="Only pages whose name matches this expression.")
@click.option(
    "--pictures/--no-pictures", default=True, show_default=True, help=f"Keep them in {FOLDER.name}/."
)
@click.option("--operator", default="videsk", show_default=True, help="Under whose name: profile or overlay.")
def main(only: str, operator: str, *, pictures: bool) -> None:
    """Visit every page and state of the product in Chromium, in both languages."""
    table = [HEAD]
    click.echo(HEAD)
    with (
        tempfile.TemporaryDirectory() as home,
        stage(Path(home), CALENDAR_OPERATOR=operator) as service,
        chromium() as browser,
        closing(Desk(browser, service)) as desk,
    ):
        for name in filter(re.compile(only).search, SIGHTS):
            for language in ("en",) if name in ENGLISH_ONLY else ("en", "es"):
                table.append(_line(desk, name, language, pictures=pictures))
                click.echo(table[-1])
    FOLDER.parent.mkdir(exist_ok=True)
    (FOLDER.parent / "pages.md").write_text("\n".join(table) + "\n", "utf-8")


def _line(desk: Desk, name: str, language: str, *, pictures: bool) -> str:
    with desk.guest(language) as looking:
        SIGHTS[name](looking)
        weight, found = weigh(looking), list(faults(looking, "light", "dark"))
        if pictures:
            take_all(looking, name)
        for fault in found:
            click.echo(f"{name}: {fault}", err=True)
        cost = f"{weight.size} | {weight.requests} | {weight.painted:.0f}"
        return f"| {name} | {language} | {len(found)} | {cost} |"


main()
