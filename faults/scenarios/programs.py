"""What another program of the person does to the sessions' events: it replaces private properties, or copies (F42)."""

from faults.driver.backend import Operation
from faults.episode import Episode
from faults.scenarios.google import EVENTS, ONE_EVENT

_PROPERTIES: tuple[dict[str, str], ...] = (
    {},
    {"another-program": "1"},
    {"csMarker": "another", "csRevision": "9", "csNonce": "another", "csEventHash": "another"},
)
"""What the program leaves in an event: nothing, properties of its own, or the service's with other values."""
_OPERATIONS: tuple[Operation, ...] = ("put", "cancel")


def properties_replaced(episode: Episode) -> int:
    """Replace the properties of an event: the next change and a cancel reach it by its id."""
    agent, session = episode.scheduled_session()
    if not episode.program.replace_properties(agent, session, episode.rng.choice(_PROPERTIES)):
        return 0
    episode.backend.send_until_answered(episode.rng.choice(_OPERATIONS), agent, session)
    return 1


def properties_replaced_in_doubt(episode: Episode) -> int:
    """Lose the answer to an insert, and replace the event's properties before anybody has looked for them."""
    with episode.load.paused():
        agent, session = episode.stable_agent(), episode.new_session()
        episode.google.add_fault("POST", EVENTS, {"cut": "after_commit"}, times=1)
        episode.backend.put(agent, session)
        episode.measurements.counters["ambiguous inserts"] += episode.google.injected()
        return int(episode.program.replace_properties(agent, session, episode.rng.choice(_PROPERTIES)))


def event_copied(episode: Episode) -> int:
    """Copy an event, then lose the answer to its change or deletion: the search for twins has to leave the copy."""
    with episode.load.paused():
        agent, session = episode.scheduled_session()
        if not episode.program.copy_event(agent, session):
            return 0
        operation = episode.rng.choice(_OPERATIONS)
        method = "PATCH" if operation == "put" else "DELETE"
        episode.google.add_fault(method, ONE_EVENT, {"cut": "after_commit"}, times=1)
        episode.backend.send(operation, agent, session)
    return 1


def copied_then_reconnected(episode: Episode) -> int:
    """Copy an event, erase and connect again; in half of the rounds the person has deleted the event itself.

    The session takes its own event up, if it stands, and never the copy.
    """
    agent, session = episode.churning_agent(), episode.new_session("kept")
    episode.backend.send_until_answered("put", agent, session)
    event = episode.google.event_of(agent, session)
    if event is None or not episode.program.copy_event(agent, session):
        return 0
    if episode.rng.random() < 0.5:
        episode.google.submit_calendar_form(agent, act="delete", calendar=event[0], event=event[1])
    episode.administrator.disconnect_until_acknowledged(agent, erase=True)
    episode.browser.ensure_connected(agent)
    episode.backend.send_until_answered(episode.rng.choice(_OPERATIONS), agent, session)
    return 1
