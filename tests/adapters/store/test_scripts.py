"""Scripts and their callers agree on names, keys, arguments, answers, timers and numbers."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

import calendar_service.store
from calendar_service.domain.clock import DAY, HOUR
from calendar_service.domain.timers import TimerKind
from calendar_service.store import answers, script_loader
from calendar_service.store.script_loader import (
    LIFETIMES,
    OWN_ARGS,
    SLOT_ARGS,
    WrongCall,
    header_of,
    load,
    parse,
)
from tests.adapters.store.conftest import AGENT, Store

STORE = Path(calendar_service.store.__file__).parent
NAMES = script_loader.names()
PARTS = sorted((STORE / "scripts" / "lib").glob("*.lua"))
FILES = [*sorted((STORE / "scripts").glob("*.lua")), *PARTS]


def code(text: str) -> str:
    """Return a Lua text without its comments."""
    return re.sub(r"--[^\n]*", "", text)


def type_of(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("_"))


# --- the calls ---


def calls() -> Iterator[tuple[Path, ast.Call]]:
    """Yield every call in the package by which a script is run."""
    for file in sorted(STORE.parent.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                of = ast.unparse(node.func.value)
                if node.func.attr in {"step", "script", "reading_script"} and of.endswith("database"):
                    yield file, node


def test_every_call_gives_a_script_the_arguments_that_its_header_lists() -> None:
    called = set()
    for file, call in calls():
        place = f"{file.name}:{call.lineno}"
        name = call.args[0]
        assert isinstance(name, ast.Constant), place
        script = load(name.value)
        assert script.is_of_slot == (call.func.attr == "step"), place  # type: ignore[attr-defined]
        assert [word.arg for word in call.keywords] == list(script.args), place
        called.add(script.name)
    assert called == set(NAMES)


def test_a_call_with_another_argument_or_without_one_is_refused(store: Store) -> None:
    for given in ({"name": "refresh"}, {"name": "refresh", "length": 1, "extra": 1}):
        with pytest.raises(WrongCall, match="take_lease takes the arguments"):
            store.database.step("take_lease", AGENT, {}, **given)
    with pytest.raises(WrongCall, match="length as one value"):
        store.database.step("take_lease", AGENT, {}, name="refresh", holder="h", length=[1, 2])
    with pytest.raises(WrongCall, match="fixed as a sequence"):
        store.database.step("reset_far_timers", AGENT, {}, fixed="erase")


def test_a_call_with_other_keys_is_refused(store: Store) -> None:
    for given in ({}, {"flag": "a", "other": "b"}):
        with pytest.raises(WrongCall, match="set_flag takes the keys"):
            store.database.script("set_flag", given)
    assert store.names() == set()


# --- the headers ---


@pytest.mark.parametrize("name", NAMES)
def test_a_header_explains_every_argument_and_every_answer_once(name: str) -> None:
    source, script = script_loader.source(name), load(name)
    fields = header_of(source)
    assert {"keys", "args"} <= fields.keys()
    assert len({"answers", "returns"} & fields.keys()) == 1
    explained = re.findall(r"^--   (\w+): \S", source, re.MULTILINE)
    assert explained == [*script.args, *script.answers]
    assert re.match(r"#!lua( flags=(allow-oom|no-writes))?\n-- [A-Z]", source)


@pytest.mark.parametrize("name", NAMES)
def test_a_script_uses_each_argument_and_each_key_of_its_own(name: str) -> None:
    script = load(name)
    used = set(re.findall(r"\barg\.(\w+)", code(script_loader.source(name))))
    assert used - {*SLOT_ARGS, *OWN_ARGS} == set(script.args) - {*SLOT_ARGS, *OWN_ARGS}
    if not script.is_of_slot:
        assert set(re.findall(r"\bKEY\.(\w+)", code(script.text))) == set(script.keys)


@pytest.mark.parametrize("name", NAMES)
def test_a_script_answers_the_words_of_its_header_and_no_other(name: str) -> None:
    body, script = code(script_loader.source(name)), load(name)
    answers = [*re.findall(r"return \{(.*)\}", body), *re.findall(r"\banswer = (.*)", body)]
    words = {word for one in answers for word in re.findall(r"(?:^|\band |\bor )'([a-z_]+)'", one)}
    assert words == set(script.answers)


def test_the_types_of_answers_are_those_of_the_headers() -> None:
    typed = {name: get_args(value) for name, value in vars(answers).items() if get_args(value)}
    assert typed == {type_of(name): load(name).answers for name in NAMES if load(name).answers}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_no_script_takes_a_key_or_an_argument_by_its_place(file: Path) -> None:
    assert not re.search(r"\b(KEYS|ARGV)\b|\b[A-Z]\[", code(file.read_text("utf-8")))


def test_a_script_that_uses_what_it_does_not_list_does_not_load() -> None:
    head = "#!lua\n-- Says so.\n-- keys: flag\n-- args: none\n-- returns: it\n"
    for wrong in ("KEY.other", "arg.other", "LIFETIME.other", "TIMER.other"):
        with pytest.raises(KeyError):
            parse("wrong", f"{head}return {wrong}\n")


# --- the shared parts ---


def test_a_script_gets_each_shared_part_once_behind_those_that_it_uses() -> None:
    text = load("connect_agent").text
    of_slots = [file for file in PARTS if file.stem not in {"throttle", "account_refs"}]
    assert all(text.count(script_loader.part(file.stem)) == 1 for file in of_slots)
    for file in of_slots:
        for needed in header_of(file.read_text("utf-8")).get("use", "").split():
            assert text.index(script_loader.part(needed)) < text.index(script_loader.part(file.stem))
    assert len(of_slots) == len(PARTS) - 2
    assert load("set_flag").text.count("local") == 1  # its keys, and nothing that it does not use


def defined(text: str) -> set[str]:
    """Return what a Lua text defines for others: names of functions and values at its outermost level."""
    return set(re.findall(r"^local (?:function )?(\w+)", text, re.MULTILINE))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_script_names_the_shared_parts_that_it_uses_itself_and_no_other(file: Path) -> None:
    text = file.read_text("utf-8")
    words = set(re.findall(r"(?<![.\w'])(\w+)\b(?! = )", code(text))) - defined(text)
    parts = {part.stem: defined(part.read_text("utf-8")) - {"time"} for part in PARTS if part != file}
    assert {part for part, names in parts.items() if names & words} == set(
        header_of(text).get("use", "").split()
    )


# --- timers and numbers ---


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_lua_names_timers_by_their_kind_alone(file: Path) -> None:
    text = code(file.read_text("utf-8"))
    for function in ("set_timer", "due_at"):
        for timer in re.findall(rf"\b{function}\(([^,)]*)", text):
            assert re.match(r"TIMER\.|session_timer|teardown_timer|arg\.timer|timer$", timer), timer
    for line in re.findall(r".*KEY\.due\b.*", text):
        assert not re.search(rf"'({'|'.join(TimerKind)})[':]", line), line


def test_every_kind_of_timer_is_set_by_a_script() -> None:
    text = code("".join(file.read_text("utf-8") for file in FILES))
    assert set(re.findall(r"\bTIMER\.(\w+)", text)) == {kind.name.lower() for kind in TimerKind}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_lua_writes_no_number_of_milliseconds(file: Path) -> None:
    numbers = {int(number) for number in re.findall(r"(?<![\w.])\d+(?![\w.])", code(file.read_text("utf-8")))}
    assert {number for number in numbers if number > 500} <= {1000}  # of microseconds, and of thousandths


def test_every_lifetime_is_used() -> None:
    lua = code("".join(file.read_text("utf-8") for file in FILES))
    python = "".join(file.read_text("utf-8") for file in STORE.parent.rglob("*.py"))
    page = (STORE / "keys.py").read_text("utf-8")
    for name in LIFETIMES:
        uses = len(re.findall(rf"\bLIFETIME\.{name}\b", lua))
        uses += len(re.findall(rf"\bkeys\.{name.upper()}\b", python))
        uses += len(re.findall(rf"\b{name.upper()}\b", page)) - 1
        assert uses > 0, name


# --- a clock that was ahead ---


@pytest.mark.parametrize(
    ("ahead", "longest", "stays"),
    [(-DAY, 0, True), (0, 0, True), (HOUR, HOUR, True), (HOUR + 1, HOUR, False), (31 * DAY, DAY, False)],
)
def test_an_instant_further_ahead_than_it_can_be_counts_as_past(
    store: Store, *, ahead: int, longest: int, stays: bool
) -> None:
    head = "#!lua\n-- Says so.\n-- keys: own\n-- args: ahead longest\n-- returns: it\n-- use: clock\n"
    steps = "local at = now + tonumber(arg.ahead)\nreturn {plausible(at, tonumber(arg.longest)) == at and 1 or 0,\n"
    script = parse("plausible", f"{head}{steps}  plausible(at, tonumber(arg.longest)), KEY.own}}\n")
    equal, value, _ = store.database.client.eval(script.text, 1, "k", 0, ahead, longest)  # type: ignore[misc]
    assert (equal == 1, value > 0) == (stays, stays)
