"""What the person does in the calendar while the service works (F15)."""

import time

from faults.episode import Episode
from faults.scenarios.times import RETRY


def event_deleted(episode: Episode) -> int:
    """The person deletes an event; the next change brings it back, and a cancel does nothing."""
    agent, session = episode.stable_agent(), episode.new_session()
    response = episode.backend.send_until_answered("put", agent, session)
    event = episode.google.event_of(agent, session) if response.is_accepted else None
    if event is None:
        return 0
    episode.google.submit_calendar_form(agent, act="delete", calendar=event[0], event=event[1])
    episode.backend.send_until_answered(episode.rng.choice(("put", "cancel")), agent, session)
    return 1


def calendar_deleted(episode: Episode) -> int:
    """The person deletes the dedicated calendar with everything in it; the agent asks for a new one."""
    agent = episode.churning_agent()
    calendars = [
        calendar["id"]
        for calendar in episode.google.state()["calendars"]
        if calendar["owner"] == episode.google.accounts[agent] and calendar["id"] != calendar["owner"]
    ]
    episode.journal.note("calendar_deleted", agent=agent)
    for calendar in calendars:
        episode.google.submit_calendar_form(agent, act="delete_calendar", calendar=calendar)
    episode.backend.put(agent, episode.new_session())
    episode.backend.await_state(agent, {"connected"}, 10, lambda: _wait(episode))
    episode.browser.ensure_connected(agent)
    episode.backend.send_until_answered("put", agent, episode.new_session())
    return 1


def _wait(episode: Episode) -> None:
    episode.clock.advance(RETRY)
    time.sleep(0.2)
