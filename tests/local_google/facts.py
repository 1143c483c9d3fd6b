"""The register of facts about Google and the tests that hold them; docs/local-google.md is generated from it."""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

Test = TypeVar("Test", bound=Callable[..., object])
STRENGTHS = ("V", "V2", "P")


class Fact(NamedTuple):
    """One statement about Google: how well it is known, and the test that holds it."""

    chapter: str
    strength: str
    text: str
    test: str


REGISTER: list[Fact] = []


def fact(strength: str, text: str) -> Callable[[Test], Test]:
    """Register a fact with the test that holds it; the chapter is the test's file."""
    assert strength in STRENGTHS

    def register(test: Test) -> Test:
        module = test.__module__.rpartition(".")[2]
        chapter = module.removeprefix("test_").removeprefix("laws_").replace("_", " ")
        REGISTER.append(Fact(chapter, strength, text, f"{module}.py::{test.__name__}"))
        return test

    return register
