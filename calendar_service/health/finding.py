"""One result of the examination, as `doctor` and the report show it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Finding:
    """One result. `level`: `ok`, `note` (to be repaired before production) or `fault`."""

    check: str
    level: str
    sentence: str
    """In English, with placeholders such as `%(count)s`."""
    advice: str = ""
    """What to do about it, in the same form; empty if nothing has to be done."""
    values: Mapping[str, object] = field(default_factory=dict)

    def texts(self, say: Callable[[str], str] = str) -> tuple[str, str]:
        """Return sentence and advice, translated by `say`, with their values."""
        return say(self.sentence) % self.values, self.advice and say(self.advice) % self.values
