"""Visits every page state: a table of the faults and the weight of each, and a picture of each."""

import re
import tempfile
from contextlib import closing
from pathlib import Path

import click

from tests.pages.catalogue import ENGLISH_ONLY, PAGE_STATES
from tests.pages.checks import faults, weigh
from tests.pages.fixture import page_fixture
from tests.pages.pictures import FOLDER, take_all
from tests.pages.visitor import VisitorPool
from tests.support.browser import chromium

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
        page_fixture(Path(home), CALENDAR_OPERATOR=operator) as fixture,
        chromium() as browser,
        closing(VisitorPool(browser, fixture)) as pool,
    ):
        for name in filter(re.compile(only).search, PAGE_STATES):
            for language in ("en",) if name in ENGLISH_ONLY else ("en", "es"):
                table.append(_line(pool, name, language, pictures=pictures))
                click.echo(table[-1])
    FOLDER.parent.mkdir(exist_ok=True)
    (FOLDER.parent / "pages.md").write_text("\n".join(table) + "\n", "utf-8")


def _line(pool: VisitorPool, name: str, language: str, *, pictures: bool) -> str:
    with pool.visitor(language) as visitor:
        PAGE_STATES[name](visitor)
        weight, problems = weigh(visitor), list(faults(visitor, "light", "dark"))
        if pictures:
            take_all(visitor, name)
        for fault in problems:
            click.echo(f"{name}: {fault}", err=True)
        cost = f"{weight.size} | {weight.requests} | {weight.painted:.0f}"
        return f"| {name} | {language} | {len(problems)} | {cost} |"


main()
