"""The audit trail: sealed behind the scripts, stated by checkpoints, verified with the place of what is wrong."""

from typing import Any

from click.testing import CliRunner, Result

from calendar_service.cli import main
from calendar_service.domain.session import By
from calendar_service.domain.trail import Verdict
from calendar_service.store import keys
from tests.household import Household
from tests.journeys.conftest import NEIGHBOUR


def sealed(house: Household) -> None:
    while house.service.sealer.seal():
        pass


def verify(house: Household) -> Verdict:
    return house.service.audit.verify()


def invoke(house: Household, *words: str, **more: Any) -> Result:
    clean = dict.fromkeys(("CALENDAR_KEYRING", "CALENDAR_KEYRING_FILE", "CALENDAR_DATA_DIR"))
    return CliRunner().invoke(main, words, env={**clean, **house.variables}, **more)


def test_what_the_scripts_wrote_is_sealed_and_verifies(lived: Household) -> None:
    verdict = verify(lived)
    assert (verdict.faults, verdict.unsealed, verdict.checkpoints) == ([], {}, 2)
    written = sum(lived.service.database.client.xlen(keys.journal(shard)) for shard in keys.all_shards())
    assert verdict.entries == written > 8


def test_entries_that_no_sealer_has_taken_are_named_as_the_unsealed_tail(lived: Household) -> None:
    lived.service.schedule.put(NEIGHBOUR, "s3", lived.content(), By.AGENT, None)
    assert verify(lived).unsealed == {NEIGHBOUR.shard: 2}
    sealed(lived)
    assert verify(lived).unsealed == {}
