"""`calendar-service audit watch`: watches the checkpoints that a service publishes. Needs no configuration."""

import ipaddress
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

import click

from calendar_service.cli.files import written_whole
from calendar_service.cli.settings import as_json_option, print_json
from calendar_service.crypto.signed_note import VerifierKey
from calendar_service.domain.clock import Clock, rfc3339
from calendar_service.journeys.audit.watch import (
    FeedInvalid,
    WatchedCopy,
    WatchResult,
    read_feed,
    watch,
)
from calendar_service.net.connect import tls_context
from calendar_service.net.deadline import Deadline
from calendar_service.net.failures import NO_ANSWER, fault_of
from calendar_service.net.fetch import fetch

SECONDS = 60.0
"""For all pages together."""
_VERSION = 1


class PublishedAt(click.ParamType[SplitResult]):
    """The address of a page of published checkpoints."""

    name = "url"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> SplitResult:
        """Return its parts, without a slash at the end."""
        try:
            url = urlsplit(str(value).rstrip("/"))
            host, _ = url.hostname or "", url.port
        except ValueError:
            self.fail(f"{value!r} is not an address.", param, ctx)
        if not host or url.query or url.fragment or url.username is not None:
            self.fail(f"{value!r} is not the address of a page, such as https://…/transparency.", param, ctx)
        if url.scheme != "https" and not (url.scheme == "http" and _is_loopback(host)):
            self.fail(f"{value!r} has to begin with https:// (http:// only on this machine).", param, ctx)
        return url


class TrustedKey(click.ParamType[str]):
    """A verifier key, as the page shows it."""

    name = "key"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the key's text."""
        try:
            return str(VerifierKey.of_text(value))
        except ValueError as error:
            self.fail(f"{value!r} {error}.", param, ctx)


@click.command("watch")
@click.argument("url", type=PublishedAt())
@click.option(
    "--state",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Where the copy is kept; checkpoints-HOST.json in this directory by default.",
)
@click.option(
    "--key",
    "keys",
    type=TrustedKey(),
    multiple=True,
    help="A key to trust, name+id+base64, beside those of the copy; may be repeated. The first run without one trusts "
    "the key that the service names.",
)
@as_json_option
def command(url: SplitResult, state: Path | None, keys: tuple[str, ...], *, as_json: bool) -> None:
    """Watch the checkpoints that a service publishes at URL, such as https://calendar.example.com/transparency.

    Keeps a copy of them, and verifies at each run: signatures, the chain of hashes, the same content for every day
    that the copy has, one checkpoint for each day (UTC), and that nothing is overdue. A checkpoint is missing when the
    newest is older than 36 hours. It needs no configuration and no database, only the address.

    A missing day, or something overdue, is reported once, and as long as it concerns the newest checkpoint. A changed
    past is reported at each run, and the copy is then left as it was.

    What is wrong is printed on standard error, so that cron sends a mail only then:

    17 6 * * * calendar-service audit watch URL >/dev/null

    Exit status: 0 as promised, 1 not, 2 the address, the copy or an argument cannot be used.
    """
    path = state or Path(f"checkpoints-{(url.hostname or '').replace(':', '-')}.json")
    former = _read_copy(path, url)
    try:
        feed = read_feed(_Reader(url).page)
        result = watch(feed, former, keys, Clock().now())
    except FeedInvalid as error:
        raise click.UsageError(f"What {url.geturl()} answers cannot be used: {error}.") from None
    except ValueError as error:
        raise click.UsageError(f"The key that {url.geturl()} names {error}.") from None
    if result.copy != former:
        _write_copy(path, url, result.copy)
    if as_json:
        print_json(_as_json(result))
    else:
        for line in _wrong(result):
            click.echo(line, err=True)
        for line in _right(result):
            click.echo(line)
    sys.exit(bool(result.findings))


class _Reader:
    """Reads the pages of a feed within one deadline."""

    def __init__(self, url: SplitResult) -> None:
        self._url, self._context, self._deadline = url, tls_context(None), Deadline(SECONDS)

    def page(self, before: int) -> bytes:
        """Return a page's bytes, or exit with 2."""
        target = f"{self._url.path}/checkpoints" + (f"?before={before}" if before else "")
        try:
            status, body = fetch(self._url, target, self._context, self._deadline)
        except NO_ANSWER as reason:
            raise click.UsageError(f"{self._url.geturl()} cannot be read ({fault_of(reason)}).") from None
        if status == 404:
            raise click.UsageError(f"{self._url.geturl()}: no checkpoints are published there (404).")
        if status != 200:
            raise click.UsageError(f"{self._url.geturl()} answers {status}; try again later.")
        return body


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _read_copy(path: Path, url: SplitResult) -> WatchedCopy:
    try:
        document = json.loads(path.read_bytes())
        former = WatchedCopy(tuple(document["keys"]), tuple(document["notes"]))
        version, address = document["version"], document["url"]
    except FileNotFoundError:
        return WatchedCopy()
    except OSError as error:
        raise click.UsageError(f"{path} cannot be read ({error.strerror}).") from None
    except (ValueError, KeyError, TypeError):
        raise click.UsageError(f"{path} is not a copy that this command wrote; name another file.") from None
    if version != _VERSION or address != url.geturl():
        raise click.UsageError(f"{path} is a copy of {address}; name another file for {url.geturl()}.")
    return former


def _write_copy(path: Path, url: SplitResult, copy: WatchedCopy) -> None:
    document = {"version": _VERSION, "url": url.geturl(), **asdict(copy)}
    with written_whole(path) as file:
        file.write(json.dumps(document, ensure_ascii=False, indent=1).encode() + b"\n")


def _wrong(result: WatchResult) -> Iterator[str]:
    for finding in result.findings:
        place = f"checkpoint {finding.number}: " if finding.number else ""
        yield f"{finding.kind.upper()}  {place}{finding.what}"
    if not result.is_trusted:
        yield "The copy was left as it was."


def _right(result: WatchResult) -> Iterator[str]:
    newest = result.newest
    if newest:
        yield (
            f"Verified: {len(result.copy.notes)} checkpoints, {result.new} new; the newest is {newest.number} of "
            f"{rfc3339(newest.made_at)}: {newest.due} due, {newest.held} held, {newest.erased} erased, "
            f"{newest.overdue} overdue, {newest.unverified} not proved alive."
        )


def _as_json(result: WatchResult) -> dict[str, Any]:
    newest = result.newest
    return {
        "as_promised": not result.findings,
        "trusted": result.is_trusted,
        "checkpoints": len(result.copy.notes),
        "new": result.new,
        "newest": {**asdict(newest), "made_at": rfc3339(newest.made_at)} if newest else None,
        "keys": list(result.copy.keys),
        "findings": [asdict(finding) for finding in result.findings],
    }
