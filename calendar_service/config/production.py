"""What production refuses, beyond what every environment refuses (law 12, clauses ID-1, ST-2)."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from calendar_service.config.database import DatabaseAddress
from calendar_service.config.faults import ConfigurationFault
from calendar_service.config.variables import GOOGLE_OVERRIDES, TEST_VARIABLES, Variables
from calendar_service.domain.operator import Operator


def refusals(
    variables: Variables, operator: Operator | None, store: DatabaseAddress | None
) -> Iterator[ConfigurationFault]:
    """Yield every fault that counts in production only."""
    yield from _development_only(variables)
    yield from _plain_database(store)
    webhook = variables.text("CALENDAR_WEBHOOK_URL")
    if webhook.startswith("http://") and not any(f.where == "CALENDAR_WEBHOOK_URL" for f in variables.faults):
        yield ConfigurationFault("CALENDAR_WEBHOOK_URL", "is not https", "give an https address")
    public_url = variables.text("CALENDAR_PUBLIC_URL")
    if public_url and not public_url.startswith("https://"):
        yield ConfigurationFault(
            "CALENDAR_PUBLIC_URL", "is not https (ID-1)", "give the https address that agents open"
        )
    if operator:
        yield from _under_domain(public_url, operator)
        yield from _profile(operator)


def _development_only(variables: Variables) -> Iterator[ConfigurationFault]:
    for name in TEST_VARIABLES:
        if variables.is_set(name):
            yield ConfigurationFault(name, "is for tests and refused in production", "unset it")
    for name in GOOGLE_OVERRIDES:
        if variables.is_set(name):
            yield ConfigurationFault(
                name, "sends Google's data elsewhere than to Google and is refused", "unset it"
            )


def _plain_database(store: DatabaseAddress | None) -> Iterator[ConfigurationFault]:
    if store and not store.encrypted and not store.on_this_host:
        yield ConfigurationFault(
            "CALENDAR_REDIS_URL",
            "leaves this host without encryption (ST-2)",
            "use rediss://, or a database on this host",
        )


def _under_domain(public_url: str, operator: Operator) -> Iterator[ConfigurationFault]:
    domain = operator.identity.domain
    if public_url and domain and not _is_under(public_url, domain):
        yield ConfigurationFault(
            "CALENDAR_PUBLIC_URL", f"is not under {domain} (ID-1)", "serve it under the operator's domain"
        )


def _profile(operator: Operator) -> Iterator[ConfigurationFault]:
    for place in operator.unset():
        yield ConfigurationFault(
            f"CALENDAR_OPERATOR ({operator.name}): {place}",
            "is unset",
            f'set it in a TOML file that says `extends = "{operator.name}"`, named in CALENDAR_OPERATOR',
        )
    if operator.is_draft:
        yield ConfigurationFault(
            f"CALENDAR_OPERATOR ({operator.name})",
            f"holds proposals that nobody has published: {', '.join(operator.proposed())}",
            "publish them, then set policy.adopted_on (docs/operators.md)",
        )
    for language, url in operator.policy.url.items():
        if url and not (url.startswith("https://") and _is_under(url, operator.identity.domain)):
            yield ConfigurationFault(
                f"CALENDAR_OPERATOR ({operator.name}): policy.url.{language}",
                f"is not https under the operator's domain {operator.identity.domain} (ID-1)",
                "give the address that Google's consent screen shows",
            )
    for name, organization in operator.organizations.items():
        if any(
            not url.startswith("https://")
            for url in (*organization.return_urls, *organization.frame_ancestors)
        ):
            yield ConfigurationFault(
                f"CALENDAR_OPERATOR ({operator.name}): organizations.{name}",
                "names an address that is not https",
                "keep https addresses only",
            )


def _is_under(url: str, domain: str) -> bool:
    try:
        host = (urlsplit(url).hostname or "").lower()
    except ValueError:
        return False
    return bool(domain) and (host == domain or host.endswith(f".{domain}"))
