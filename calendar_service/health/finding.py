"""One thing that doctor looked at, as the command and the report show it. Must not know how it was measured."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at. `level`: `ok`, `note` (to be mended before production) or `fault`."""

    check: str
    level: str
    sentence: str
    """In English, with places such as `%(count)s`."""
    advice: str = ""
    """The same."""
    values: Mapping[str, object] = field(default_factory=dict)

    def told(self, say: Callable[[str], str] = str) -> tuple[str, str]:
        """Return what was found and what to do about it, each sentence first brought into another language."""
        return say(self.sentence) % self.values, self.advice and say(self.advice) % self.values
