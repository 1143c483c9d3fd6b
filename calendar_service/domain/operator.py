"""The operator's profile: who runs this service, and what they promise."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from types import MappingProxyType
from typing import Literal, NewType

from calendar_service.domain.clock import DAY, Millis

Duration = NewType("Duration", Millis)
"""A duration in milliseconds; a profile writes it in words, such as `7 days`."""

KEYS_KEPT: Millis = 7 * DAY
"""How long tokens are kept after a disconnect if Google does not confirm their revocation."""

Localized = NewType("Localized", Mapping[str, str])
"""One text per language of the profile, by language code; an empty text counts as unset."""

CLAUSES: tuple[str, ...] = (
    "PR-1",
    "ID-1",
    "SC-1",
    "SC-2",
    "SC-3",
    "SC-4",
    "SC-5",
    "SC-6",
    "LU-0",
    "LU-1",
    "LU-2",
    "LU-3",
    "LU-4",
    "LU-5",
    "LU-6",
    "ST-1",
    "ST-2",
    "ST-3",
    "ST-4",
    "ST-5",
    "ST-6",
    "RV-1",
    "RV-2",
    "RV-3",
    "CO-1",
    "CH-1",
    "UP-1",
)
"""Every clause of the promise; a profile has a text for each."""

ADDITIONS: tuple[str, ...] = (
    "administrators",
    "no-transfer",
    "access",
    "correction",
    "deletion",
    "portability",
    "restriction",
    "withdrawal",
    "customer-data",
    "protection-officer",
    "data-abroad",
    "hosting",
    "sub-processors",
    "partner-review",
    "encryption",
    "audits",
    "training",
    "cookies",
    "roles",
    "legal-basis",
    "customer-keys",
    "legal-matters",
    "account-closure",
    "disclosure-notice",
    "improper-requests",
    "disputes",
    "underage",
    "suspension-notice",
    "own-term",
    "backup-latency",
    "lesser-rights-notice",
    "successor-notice",
)
"""What an operator's policy may say beyond the clauses; a profile has a text for those that apply."""

STATED_FACTS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "protection-officer": ("contacts.data_protection_officer",),
        "hosting": ("hosting.countries",),
        "sub-processors": ("hosting.sub_processors",),
        "disputes": ("contacts.dispute_address",),
        "encryption": ("hosting.volume_encryption", "hosting.backup_encryption"),
    }
)
"""By addition: the places of the facts that its sentence needs. Pages, policy text and report show them with it."""

OPTIONAL_FACTS: tuple[str, ...] = (
    "contacts.phones",
    "contacts.support",
    "contacts.postal_address",
    "contacts.answer_days",
    "promises.minimum_age_in_eea",
)
"""Facts that are shown where they are set, and that no sentence needs."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who asks for access (ID-1)."""

    app_name: str
    """Exactly as on Google's consent screen."""
    legal_name: str
    city: str
    country: str
    """As ISO 3166-1 alpha-2 has it, such as `CL`."""
    domain: str
    """The registrable domain under which everything public lives."""
    logo: str
    contact: str
    """Where questions on Google data go (CO-1)."""
    terms_url: Localized

    @property
    def who(self) -> str:
        """The name to show: the legal one, or the application's while the legal one is unset."""
        return self.legal_name or self.app_name


@dataclass(frozen=True, slots=True)
class Contacts:
    """How people reach the operator, besides `identity.contact`; what its policy does not give is empty."""

    phones: tuple[str, ...]
    support: tuple[str, ...]
    """Where technical support is reached: addresses and telephones."""
    postal_address: str
    answer_days: int
    """Within how many days the operator answers; 0 = the operator names no number."""
    data_protection_officer: str
    dispute_address: str
    """Where a dispute about data is raised by letter."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """What somebody vouches for that no program can see; it counts once all three are given."""

    what: str
    who: str
    date: str

    @property
    def is_complete(self) -> bool:
        """True if it says what, who and when."""
        return bool(self.what and self.who and self.date)


@dataclass(frozen=True, slots=True)
class Hosting:
    """Where the data lies, with whom, and how it is encrypted there."""

    countries: tuple[str, ...]
    """As ISO 3166-1 alpha-2 has them."""
    sub_processors: str
    """The names of the companies, or the https address of their public list."""
    volume_encryption: Declaration
    """Of the volume under the database's files: names and identifiers lie there in clear (ST-1 is of tokens)."""
    backup_encryption: Declaration
    """Of the back-ups of these files."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The published text that the clauses paraphrase (UP-1)."""

    url: Localized
    version: str
    """Numbers such as `2` or `2.1`, recorded with each consent: a newer one asks every agent again (SC-5)."""
    date: str
    """The policy's "Last Modified", as published."""
    changes: Localized
    """What is new in this version, for agents who agreed to an older one; none for the first."""
    adopted_on: str
    """When the operator published the proposed clauses; needed only where there are any."""


@dataclass(frozen=True, slots=True)
class Promises:
    """The operator's numbers, and the sentences that carry them."""

    deadline_days: int
    """Within how many days after a disconnect everything is erased (ST-5)."""
    erase_after: Duration
    """From the disconnect to the erasure of identifiers."""
    backup_days: int
    """How long the operator's back-ups of the database are kept."""
    audit_term: Duration
    """How long the entries of the audit log are kept, and the receipts that they name (LU-6)."""
    publishes_checkpoints: bool
    """Whether anybody may read the daily checkpoints at `/transparency` (ST-5)."""
    minimum_age: int
    """In years (CH-1); 0 = unset."""
    minimum_age_in_eea: int
    """The same for the European Economic Area; 0 = the operator names none."""
    shorter_terms: tuple[Duration, ...]
    """What an agent may choose instead of `erase_after`; empty where the operator offers no choice."""
    cookies: Localized

    @property
    def copies_kept(self) -> Millis:
        """How long copies of erased data remain at most: until the database's files are rewritten, and in back-ups."""
        return 2 * DAY + self.backup_days * DAY

    @property
    def everything_gone_after(self) -> Millis:
        """How long anything remains after a disconnect at most (law 7). Tokens may outlast a short retention period."""
        return max(self.erase_after, KEYS_KEPT) + self.copies_kept

    def retention(self, own: Millis) -> Millis:
        """Return the retention period of an agent who chose `own` (0 = no choice)."""
        return min(own or self.erase_after, self.erase_after)

    def keep_the_deadline(self) -> bool:
        """Tell whether everything is gone a day before the published deadline."""
        return self.everything_gone_after <= (self.deadline_days - 1) * DAY


@dataclass(frozen=True, slots=True)
class LimitedUse:
    """The statement that Google requires, with its link (LU-0)."""

    sentence: str
    """Verbatim as published, in `language`."""
    language: str
    link: str
    translations: Mapping[str, str]
    """The same in the profile's other languages; shown beside the sentence, not instead of it."""


@dataclass(frozen=True, slots=True)
class Colours:
    """`#rrggbb` of the pages' buttons and links and of the text on them, for the light and the dark scheme."""

    accent: str
    on_accent: str
    accent_dark: str
    on_accent_dark: str


@dataclass(frozen=True, slots=True)
class GoogleButton:
    """Google's button "Continue with Google" in one language: its unmodified files for light and dark pages.

    https://developers.google.com/identity/branding-guidelines
    """

    light: str
    dark: str


@dataclass(frozen=True, slots=True)
class Organization:
    """Settings of one customer organization."""

    return_urls: tuple[str, ...]
    """Addresses in the agent console to which a page may send the agent back; exact ones, no patterns."""
    frame_ancestors: tuple[str, ...]
    """Origins that may show the settings page in a frame (CSP); usually none."""


@dataclass(frozen=True, slots=True)
class Clause:
    """One clause in plain words, and whether the operator has published it."""

    source: Literal["published", "proposed"]
    text: Localized


@dataclass(frozen=True, slots=True)
class Addition:
    """What this operator says beyond the clauses, in plain words, and who fulfils it."""

    source: Literal["published", "proposed"]
    kept_by: Literal["service", "operator"]
    """`service`: this program. `operator`: people, and there is no other proof than their word."""
    text: Localized


ANY_ORGANIZATION = "*"
"""The name of the entry for organizations without one of their own."""


@dataclass(frozen=True, slots=True)
class Operator:
    """A whole profile. Values that the operator has not set are empty, and `unset` names them."""

    name: str
    languages: tuple[str, ...]
    """The first is the default."""
    identity: Identity
    contacts: Contacts
    hosting: Hosting
    policy: Policy
    promises: Promises
    limited_use: LimitedUse
    calendar_name: Localized
    """The title of the dedicated calendar, fixed when it is created (SC-2)."""
    session_title: Localized
    """The title of an event whose session has none."""
    external_changes: Clause
    """The policy's sentence on watching the calendar to tell the console of changes, a purpose of its own (LU-1)."""
    console_url: str
    """The address of the agent console."""
    https_subdomains: bool
    """Whether every host below that of `CALENDAR_PUBLIC_URL` speaks https, and browsers are told so (HSTS)."""
    colours: Colours
    google_button: Mapping[str, GoogleButton]
    """By language; while it is empty, pages show a plain button."""
    organizations: Mapping[str, Organization]
    clauses: Mapping[str, Clause]
    additions: Mapping[str, Addition]

    def organization(self, name: str) -> Organization:
        """Return the settings of this organization, or those for any organization."""
        empty = Organization((), ())
        return self.organizations.get(name) or self.organizations.get(ANY_ORGANIZATION) or empty

    def language(self, tag: str) -> str:
        """Return the profile's language nearest to a BCP 47 tag such as `es-CL`; its first one if none is near."""
        primary = tag.replace("_", "-").split("-", 1)[0].lower()
        return primary if primary in self.languages else self.languages[0]

    @property
    def is_draft(self) -> bool:
        """True while a clause is only proposed and the operator has not adopted it."""
        return not self.policy.adopted_on and bool(self.proposed())

    def publishes(self, sentence: Clause) -> bool:
        """Tell whether the policy in force says this sentence."""
        return sentence.source == "published" or bool(self.policy.adopted_on)

    def proposed(self) -> tuple[str, ...]:
        """Return the clauses and additions that are not in the operator's published policy."""
        clauses = [name for name, clause in self.clauses.items() if clause.source == "proposed"]
        additions = [name for name, addition in self.additions.items() if addition.source == "proposed"]
        return (*clauses, *additions)

    def fact(self, place: str) -> object:
        """Return the value at a dotted place, such as `identity.country`."""
        value: object = self
        for name in place.split("."):
            value = getattr(value, name)
        return value

    def unset(self) -> tuple[str, ...]:
        """Return the dotted names of all fields that the operator still has to set."""
        unsaid = {
            place
            for addition, places in STATED_FACTS.items()
            for place in places
            if addition not in self.additions
        }
        not_needed = {*OPTIONAL_FACTS, *unsaid} | (set() if self.is_draft else {"policy.adopted_on"})
        return tuple(place for place in _empty(self) if place not in not_needed)


_NEEDED_THOUGH_NO_TEXT: frozenset[str] = frozenset({"promises.minimum_age", "hosting.countries"})


def _empty(value: object, place: str = "") -> Iterator[str]:
    if value == "" or (place in _NEEDED_THOUGH_NO_TEXT and not value):
        yield place
    if isinstance(value, Declaration):
        if not value.is_complete:
            yield place
        return
    for name, part in _parts(value):
        yield from _empty(part, f"{place}.{name}" if place else name)


def _parts(value: object) -> Iterator[tuple[str, object]]:
    if is_dataclass(value):
        yield from ((field.name, getattr(value, field.name)) for field in fields(value))
    elif isinstance(value, Mapping):
        yield from value.items()
