"""A campaign's result as Markdown tables: faults by scenario, ends by named step, counts, laws, least numbers."""

from collections import Counter
from collections.abc import Sequence

from faults.checker import LAWS
from faults.power_cut import CAN_CUT
from faults.result import CampaignResult
from faults.scenarios import is_step

_STEPS = "F9 a process ends at a named step"


def report(result: CampaignResult, steps: Sequence[str]) -> str:
    """Return the tables; `steps` are the named steps of the service."""
    tables = (
        _scenarios(result),
        _steps(result, steps),
        _counts(result),
        _laws(result),
        _least_numbers(result, steps),
    )
    text = "\n\n".join("\n".join(table) for table in tables)
    return "\n" + text + "".join(f"\nnot played: {error}" for error in result.errors)


def _row(name: object, *numbers: object) -> str:
    return f"| {name!s:58} |" + "".join(f" {number!s:>8} |" for number in numbers)


def _head(name: str, *columns: str) -> list[str]:
    return [_row(name, *columns), "|" + "-" * 60 + "|" + ("-" * 9 + ":|") * len(columns)]


def _by_scenario(result: CampaignResult) -> dict[str, tuple[int, int]]:
    """Return rounds and faults of each scenario, with all named steps (F9) as one."""
    numbers: dict[str, tuple[int, int]] = {}
    for name in sorted(result.played, key=_number):
        group = _STEPS if is_step(name) else name
        rounds, faults = numbers.get(group, (0, 0))
        numbers[group] = rounds + result.played[name], faults + result.injected[name]
    return numbers


def _number(name: str) -> tuple[int, str]:
    return int(name.partition(" ")[0][1:]), name


def _scenarios(result: CampaignResult) -> list[str]:
    numbers = _by_scenario(result)
    rows = [_row(name, *pair) for name, pair in numbers.items()]
    total = _row("all", *(sum(column) for column in zip(*numbers.values(), strict=True))) if numbers else ""
    return [*_head("fault", "rounds", "faults"), *rows, total]


def _steps(result: CampaignResult, steps: Sequence[str]) -> list[str]:
    return [
        *_head("step at which a process ended", "times"),
        *(_row(name, result.step_exits[name]) for name in steps),
    ]


def _counts(result: CampaignResult) -> list[str]:
    numbers = result.counters + result.operations + result.maxima
    return [*_head("counted", "number"), *(_row(name, numbers[name]) for name in sorted(numbers))]


def _laws(result: CampaignResult) -> list[str]:
    numbers = Counter(violation.law for _, violation in result.violations)
    return [*_head("law", "broken"), *(_row(law, numbers[law]) for law in LAWS)]


def _least_numbers(result: CampaignResult, steps: Sequence[str]) -> list[str]:
    scenarios, counters = _by_scenario(result), result.counters
    scenario = min(scenarios, key=lambda name: scenarios[name][1], default="none")
    step = min(steps, key=lambda name: result.step_exits[name], default="none")
    strace = "with strace" if CAN_CUT else "WITHOUT strace: nothing was cut off, F2 was F1"
    lines = [
        f"faults: {sum(result.injected.values())}, of {len(scenarios)} kinds",
        f"kind with the fewest: {scenario}: {scenarios.get(scenario, (0, 0))[1]}",
        f"step with the fewest: {step}: {result.step_exits[step]}",
        f"ambiguous inserts: {counters['ambiguous inserts']}",
        f"power cuts: {counters['power cuts']}, {strace}; "
        f"{counters['power cuts that took something']} took {counters['bytes lost to power cuts']} bytes",
        f"laws broken: {len(result.violations)}",
    ]
    if result.convergence_seconds:
        ordered = sorted(result.convergence_seconds)
        median, longest = ordered[len(ordered) // 2], ordered[-1]
        lines.append(f"converged after the last fault: {median:.1f} s (median), {longest:.1f} s (longest)")
    lines.append(f"{result.seconds:.0f} s, {len(result.convergence_seconds)} episodes")
    return [f"- {line}" for line in lines]
