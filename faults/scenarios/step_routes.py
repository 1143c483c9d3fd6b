"""The routes to the named steps of the service (F9): what lets a web process or a worker come to each of them.

A route takes agent and session, does what leads to the step, and returns what is to be done after the process has
ended: mostly the same request once more, as a backend or a person would send it.
"""

import time
from collections.abc import Callable

from faults.driver.backend import Operation
from faults.episode import Episode
from faults.scenarios.disconnects import disconnect_and_tear_down
from faults.scenarios.leases import other_web
from faults.scenarios.notifications import DETECTION, deliver, notification, open_channel
from faults.scenarios.times import HOUR, RETENTION, RETRY

Subject = tuple[str, str]
"""Agent and session; the session is empty where the step concerns the connection."""
Repeat = Callable[[], object]
_WITH_EVENT = {
    "event_writer.before_patch",
    "event_writer.after_patch",
    "event_writer.before_delete",
    "event_writer.after_delete",
}
"""Steps that need a session with an event."""
_WITH_CHANNEL = {
    "channel.after_watch_before_store", "channel.after_stop_before_store", "change_detection.after_list_before_store",
    "teardown.after_channel_stopped",
}  # fmt: skip
"""Steps that need a notification channel."""


def prepare(episode: Episode, step: str) -> Subject:
    """Return agent and session in the state from which the route to this step begins."""
    if step in _WITH_CHANNEL:
        agent = episode.churning_agent() if step.startswith("teardown.") else episode.stable_agent()
        open_channel(episode, agent)
        return agent, ""
    if step in _WITH_EVENT:
        return episode.scheduled_session()
    if step.startswith(("disconnect.", "teardown.", "erase.")):
        return episode.churning_agent(), ""
    if step.startswith("connect."):
        return episode.new_agent(), ""
    return episode.stable_agent(), episode.new_session("point")


def _nothing() -> None:
    return None


# --- a web process comes to the step ---


def _send(episode: Episode, web: str, subject: Subject, operation: Operation) -> Repeat:
    version = episode.backend.next_version(*subject)
    episode.backend.send(operation, *subject, web=web, version=version)
    return lambda: episode.backend.send(operation, *subject, version=version)


def _put(episode: Episode, web: str, subject: Subject) -> Repeat:
    return _send(episode, web, subject, "put")


def _cancel(episode: Episode, web: str, subject: Subject) -> Repeat:
    return _send(episode, web, subject, "cancel")


def _refresh(episode: Episode, web: str, subject: Subject) -> Repeat:
    episode.clock.advance(HOUR)
    return _put(episode, web, subject)


def _disconnect(episode: Episode, web: str, subject: Subject) -> Repeat:
    agent, _ = subject
    episode.administrator.disconnect(agent, web)

    def repeat() -> None:
        episode.administrator.disconnect_until_acknowledged(agent)
        episode.backend.state(agent)

    return repeat


def _disconnect_with_calendar(episode: Episode, web: str, subject: Subject) -> Repeat:
    """Disconnect in the settings page, and let the calendar be deleted."""
    agent, _ = subject
    visit = episode.browser.visit(agent, other_web(web))
    if visit:
        episode.browser.submit(agent, web, "/disconnect", visit, delete_calendar="yes")
    return lambda: episode.administrator.disconnect_until_acknowledged(agent)


def _erase(episode: Episode, web: str, subject: Subject) -> Repeat:
    agent, _ = subject
    episode.administrator.disconnect(agent, web, erase=True)
    return lambda: episode.administrator.disconnect_until_acknowledged(agent, erase=True)


def _connect(episode: Episode, web: str, subject: Subject) -> Repeat:
    agent, _ = subject
    consent = episode.browser.consent(agent, other_web(web))
    if consent:
        episode.browser.come_back(agent, consent, web=web)

    def repeat() -> None:
        episode.browser.ensure_connected(agent)
        episode.backend.send_until_answered("put", agent, episode.new_session())

    return repeat


def _connect_without_refresh_token(episode: Episode, web: str, subject: Subject) -> Repeat:
    """Let Google answer the code without a refresh token: such a permission is given back."""
    episode.google.add_fault("POST", "/token", {"edit": {"refresh_token": None}}, times=1)
    return _connect(episode, web, subject)


WEB_ROUTES: dict[str, Callable[[Episode, str, Subject], Repeat]] = {
    "schedule.before_accept": _put,
    "schedule.after_accept": _put,
    "schedule.after_google_before_settle": _put,
    "event_writer.before_insert": _put,
    "event_writer.after_insert": _put,
    "event_writer.before_patch": _put,
    "event_writer.after_patch": _put,
    "event_writer.before_delete": _cancel,
    "event_writer.after_delete": _cancel,
    "access.after_refresh_before_store": _refresh,
    "disconnect.after_store": _disconnect,
    "teardown.before_revoke": _disconnect,
    "teardown.after_revoke": _disconnect,
    "teardown.after_calendar_deleted": _disconnect_with_calendar,
    "teardown.after_channel_stopped": _disconnect,
    "erase.before_store": _erase,
    "erase.after_store": _erase,
    "connect.after_exchange": _connect,
    "connect.after_refused_before_revoke": _connect_without_refresh_token,
    "connect.after_account_ref_before_store": _connect,
    "connect.after_store": _connect,
    "connect.before_create": _connect,
    "connect.after_calendar_before_store": _connect,
}


# --- a worker comes to the step ---


def _let_workers_act(episode: Episode, seconds: float) -> None:
    """Let so many seconds of the test clock go by, and after a moment the pause of a retry."""
    episode.clock.advance(seconds)
    time.sleep(0.6)
    episode.clock.advance(RETRY)


def _queue(episode: Episode, subject: Subject, operation: Operation) -> Repeat:
    episode.cluster.cut_webs_from_google()
    episode.backend.send(operation, *subject)
    _let_workers_act(episode, 5)
    return _nothing


def _queue_put(episode: Episode, subject: Subject) -> Repeat:
    return _queue(episode, subject, "put")


def _queue_cancel(episode: Episode, subject: Subject) -> Repeat:
    return _queue(episode, subject, "cancel")


def _queue_refresh(episode: Episode, subject: Subject) -> Repeat:
    episode.clock.advance(HOUR)
    return _queue_put(episode, subject)


def _send_webhooks(episode: Episode, subject: Subject) -> Repeat:
    episode.backend.put(*subject)
    episode.clock.advance(2)
    time.sleep(0.6)
    episode.backend.put(*subject)
    return _nothing


def _queue_teardown(episode: Episode, subject: Subject) -> Repeat:
    agent, _ = subject
    episode.cluster.cut_webs_from_google()
    episode.administrator.disconnect_until_acknowledged(agent)
    _let_workers_act(episode, 5)
    return lambda: episode.backend.state(agent)


def _queue_teardown_with_calendar(episode: Episode, subject: Subject) -> Repeat:
    agent, _ = subject
    web = episode.client.any_web()
    visit = episode.browser.visit(agent, web)
    episode.cluster.cut_webs_from_google()
    if visit:
        episode.browser.submit(agent, web, "/disconnect", visit, delete_calendar="yes")
    _let_workers_act(episode, 5)
    return lambda: episode.administrator.disconnect_until_acknowledged(agent)


def _queue_erasure(episode: Episode, subject: Subject) -> Repeat:
    disconnect_and_tear_down(episode, subject[0])
    _let_workers_act(episode, RETENTION + 5)
    return _nothing


def _queue_calendar(episode: Episode, subject: Subject) -> Repeat:
    """Let the creation of the calendar fail in the web process, so that a worker does it."""
    agent, _ = subject
    fault = {"status": 503, "reason": "backendError"}
    episode.google.add_fault("POST", "/calendar/v3/calendars", fault, times=1)
    episode.browser.connect(agent)
    _let_workers_act(episode, 65)
    return lambda: episode.browser.ensure_connected(agent)


def _renew_channel(episode: Episode, subject: Subject) -> Repeat:
    agent, _ = subject
    episode.store.make_channel_renewal_due(agent)
    time.sleep(0.8)
    episode.clock.advance(RETRY)
    return lambda: open_channel(episode, agent)


def _detect_changes(episode: Episode, subject: Subject) -> Repeat:
    channel = open_channel(episode, subject[0])
    if channel:
        deliver(episode, notification(channel, 1))
    _let_workers_act(episode, DETECTION)
    return _nothing


WORKER_ROUTES: dict[str, Callable[[Episode, Subject], Repeat]] = {
    "schedule.after_google_before_settle": _queue_put,
    "event_writer.before_insert": _queue_put,
    "event_writer.after_insert": _queue_put,
    "event_writer.before_patch": _queue_put,
    "event_writer.after_patch": _queue_put,
    "event_writer.before_delete": _queue_cancel,
    "event_writer.after_delete": _queue_cancel,
    "access.after_refresh_before_store": _queue_refresh,
    "teardown.before_revoke": _queue_teardown,
    "teardown.after_revoke": _queue_teardown,
    "teardown.after_calendar_deleted": _queue_teardown_with_calendar,
    "teardown.after_channel_stopped": _queue_teardown,
    "erase.before_store": _queue_erasure,
    "erase.after_store": _queue_erasure,
    "webhooks.before_send": _send_webhooks,
    "webhooks.after_send_before_store": _send_webhooks,
    "connect.before_create": _queue_calendar,
    "connect.after_calendar_before_store": _queue_calendar,
    "channel.after_watch_before_store": _renew_channel,
    "channel.after_stop_before_store": _renew_channel,
    "change_detection.after_list_before_store": _detect_changes,
}
