"""The table of scopes is what running gives, and the one permission is the only single one that does everything."""

from calendar_service.domain.methods import METHODS
from calendar_service.domain.scope import NARROWER_COMBINATIONS
from tests.journeys import scopes
from tests.journeys.scopes import FULL
from tests.support.evidence import shows
from tests.support.service import TestService


@shows("SC-6")
def test_the_document_says_what_a_run_gives(service: TestService) -> None:
    by_method, by_feature = scopes.run(service)
    assert scopes.tables(by_method, by_feature) in scopes.DOCUMENT.read_text("utf-8"), "run `make scopes`"
    assert {f"calendar.{name}" for name in by_method[FULL]} == {
        name for name in METHODS if name.startswith("calendar.")
    }
    enough = [scope for scope in scopes.SCOPES if all({**by_method[scope], **by_feature[scope]}.values())]
    assert [scope for scope in enough if " + " not in scope] == [FULL]
    assert [scope for scope in enough if " + " in scope] == [
        " + ".join(each) for each in NARROWER_COMBINATIONS
    ]
    assert not by_feature["calendar.app.created"][scopes.AGAIN]
