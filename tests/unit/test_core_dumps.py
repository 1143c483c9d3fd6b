"""No process of the service leaves a core dump, which would hold its keys."""

import subprocess
import sys

PROGRAM = """
import resource
from calendar_service.cli import main
main(["serve", "--help"], standalone_mode=False)
print(resource.getrlimit(resource.RLIMIT_CORE))
"""


def test_a_command_forbids_core_dumps_of_itself_and_its_children_for_good() -> None:
    command = [sys.executable, "-c", PROGRAM]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert output.splitlines()[-1] == "(0, 0)"
