"""Rules of security for the program's source that no linter has. Must not go online.

Each rule reads one module's syntax tree and yields what breaks it. `EXCEPTIONS` lists the places where a rule is
broken on purpose, each with its reason.
"""

import ast
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
PACKAGE: Final = "calendar_service"

Breach = tuple[ast.AST, str]
"""What breaks a rule, and what to do instead."""

EXCEPTIONS: Final = {
    ("secret_comparison", "web/console/visitors.py"): "both secrets come from the same browser",
    ("unbounded_number", "web/api/body.py"): "the digits are counted first",
    ("weak_random", "domain/jitter.py"): "pauses are spread, nothing is guarded",
    ("escape", "templates/report/report.html"): "the style sheet, which this program made",
}

_SECRET: Final = re.compile(r"(^|_)(secret|csrf|token|password|verifier|api_key|signature|cookie)$")
_RUNS_TEXT: Final = {"eval", "exec", "compile", "__import__"}
_UNSAFE_MODULES: Final = {"pickle", "marshal", "shelve", "dill", "jsonpickle"}
_SHELLS: Final = {"os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"}
_UNCHECKED_TLS: Final = {"CERT_NONE", "_create_unverified_context", "_create_stdlib_context"}
_ASKED: Final = re.compile(r"\brequest\.(args|form|values|cookies|headers|referrer)\b")
_LOGS: Final = {"event", "alarm", "failure"}


def name_of(node: ast.AST) -> str:
    """Return the last part of a name, an attribute or a called function; empty for anything else."""
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Call(func=function):
            return name_of(function)
    return ""


def secret_comparison(tree: ast.Module, _file: str) -> Iterator[Breach]:
    """A secret is compared by `hmac.compare_digest`: `==` tells by its time how much is right."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq | ast.NotEq):
            sides = [node.left, *node.comparators]
            constant = any(isinstance(side, ast.Constant) for side in sides)
            if not constant and any(_SECRET.search(name_of(side)) for side in sides):
                yield node, "compare secrets by hmac.compare_digest"


def weak_random(tree: ast.Module, _file: str) -> Iterator[Breach]:
    """Random values come from `secrets`; `random` can be predicted, and a UUID is no secret."""
    for node, module in imports(tree):
        if module in {"random", "uuid"}:
            yield node, "take random values from `secrets`"


def unsafe_reader(tree: ast.Module, _file: str) -> Iterator[Breach]:
    """Nothing that was read can become code: no pickle, no `yaml.load`, no `eval`."""
    for node, module in imports(tree):
        if module in _UNSAFE_MODULES:
            yield node, "read JSON or TOML"
    for node in calls(tree):
        if isinstance(node.func, ast.Name) and node.func.id in _RUNS_TEXT:
            yield node, "run no text as code"
        if ast.unparse(node.func) in {"yaml.load", "yaml.unsafe_load", "yaml.full_load"}:
            yield node, "read by yaml.safe_load"


def shell(tree: ast.Module, _file: str) -> Iterator[Breach]:
    """No command goes through a shell, which would read its arguments."""
    for node in calls(tree):
        if ast.unparse(node.func) in _SHELLS or any(
            word.arg == "shell" and not (isinstance(word.value, ast.Constant) and word.value.value is False)
            for word in node.keywords
        ):
            yield node, "start a program by a list of arguments"


def unchecked_tls(tree: ast.Module, _file: str) -> Iterator[Breach]:
    """Certificate and host name are always checked."""
    for node in ast.walk(tree):
        if name_of(node) in _UNCHECKED_TLS and not isinstance(node, ast.Call):
            yield node, "let the default context check certificates"
        if isinstance(node, ast.Assign) and any(name_of(one) == "check_hostname" for one in node.targets):
            yield node, "leave the check of the host name on"
        if isinstance(node, ast.keyword) and node.arg == "verify" and is_false(node.value):
            yield node.value, "leave the check of certificates on"


def unbounded_number(tree: ast.Module, file: str) -> Iterator[Breach]:
    """At the entry points a text becomes a number by `whole_number`: `int` fails at 4,300 digits."""
    if not file.startswith("web/"):
        return
    for node in calls(tree):
        if not (isinstance(node.func, ast.Name) and node.func.id in {"int", "float", "Decimal"}):
            continue
        is_instant = name_of(node.args[0]) == "timestamp" if node.args else True
        is_cut = (
            bool(node.args) and isinstance(node.args[0], ast.Subscript) and has_bounds(node.args[0].slice)
        )
        if not (is_instant or is_cut):
            yield node, "read numbers by domain.numbers.whole_number"


def unbounded_depth(tree: ast.Module, file: str) -> Iterator[Breach]:
    """At the entry points JSON of any depth is refused: `json.loads` raises RecursionError for it."""
    guarded = {
        call
        for node in ast.walk(tree)
        if isinstance(node, ast.Try)
        and any("RecursionError" in ast.unparse(h.type) for h in node.handlers if h.type)
        for call in calls(node)
    }
    for node in calls(tree) if file.startswith("web/") else ():
        if ast.unparse(node.func) == "json.loads" and node not in guarded:
            yield node, "catch RecursionError too, or read by msgspec"


def text_in_log(tree: ast.Module, _file: str) -> Iterator[Breach]:
    """No log line has the text of an exception or a text that is put together: it may quote a token."""
    for node in calls(tree):
        if (
            isinstance(node.func, ast.Attribute)
            and node.func.attr in _LOGS
            and name_of(node.func.value) == "log"
        ):
            for word in node.keywords:
                is_text = isinstance(word.value, ast.JoinedStr) or name_of(word.value) in {
                    "str",
                    "repr",
                    "format",
                }
                if is_text and isinstance(word.value, ast.JoinedStr | ast.Call):
                    yield word.value, "log listed values, not texts"
    for node in calls(tree):
        if ast.unparse(node.func) in {
            "traceback.print_exc",
            "traceback.format_exc",
            "traceback.print_exception",
        }:
            yield node, "log a failure by its type and place"


def claimed_address(tree: ast.Module, _file: str) -> Iterator[Breach]:
    """Nothing is believed that a request says of its way: no `X-Forwarded-*`, no redirect to an address in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and is_forwarded(node.value):
            yield node, "take addresses from the configuration"
        is_redirect = isinstance(node, ast.Call) and name_of(node) == "redirect"
        if is_redirect and _ASKED.search(ast.unparse(node)):
            yield node, "redirect to addresses of this service or of the profile"


def escape(tree: ast.Module, _file: str) -> Iterator[Breach]:
    """Every page escapes what it shows."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and name_of(node) == "Markup":
            yield node, "let the template escape"
        if isinstance(node, ast.keyword) and node.arg == "autoescape" and is_false(node.value):
            yield node.value, "leave escaping on"


RULES: Final[tuple[Callable[[ast.Module, str], Iterator[Breach]], ...]] = (
    secret_comparison,
    weak_random,
    unsafe_reader,
    shell,
    unchecked_tls,
    unbounded_number,
    unbounded_depth,
    text_in_log,
    claimed_address,
    escape,
)


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    """Yield every call below a node."""
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def imports(tree: ast.Module) -> Iterator[tuple[ast.AST, str]]:
    """Yield every import with the first part of the module's name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node, alias.name.partition(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node, node.module.partition(".")[0]


def is_false(node: ast.AST) -> bool:
    """Tell whether this is the word False."""
    return isinstance(node, ast.Constant) and node.value is False


def is_forwarded(text: str) -> bool:
    """Tell whether this text names a header by which a proxy speaks of its client."""
    return text.lower().startswith("x-forwarded-") or text.lower() == "forwarded"


def has_bounds(cut: ast.AST) -> bool:
    """Tell whether a slice has a constant end."""
    return isinstance(cut, ast.Slice) and isinstance(cut.upper, ast.Constant)


def faults(root: Path) -> Iterator[str]:
    """Yield every breach below a folder: its file, line, rule and remedy."""
    for path in sorted((root / PACKAGE).rglob("*.py")):
        file = path.relative_to(root / PACKAGE).as_posix()
        tree = ast.parse(path.read_text("utf-8"))
        for rule in RULES:
            for node, remedy in rule(tree, file):
                if (rule.__name__, file) not in EXCEPTIONS:
                    yield f"{PACKAGE}/{file}:{node.lineno}: {rule.__name__}: {remedy}"  # type: ignore[attr-defined]
    for path in sorted((root / "templates").rglob("*.html")):
        file = path.relative_to(root).as_posix()
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            if re.search(r"\|\s*safe\b|autoescape false", line) and ("escape", file) not in EXCEPTIONS:
                yield f"{file}:{number}: escape: let the template escape"


def main() -> int:
    """Print every fault; return the exit status."""
    lines = [*faults(ROOT)]
    sys.stdout.writelines(f"{line}\n" for line in lines)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
