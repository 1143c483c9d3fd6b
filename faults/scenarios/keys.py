"""Keys: a web process with others (F25), a rotation under load (F24), another service on the database (F39)."""

from faults.cluster import OTHER_CLIENT_ID, KeyringFile, random_key
from faults.episode import Episode
from faults.scenarios.leases import other_web
from faults.scenarios.times import HOUR
from faults.service_processes import WEBS


def other_keys(episode: Episode) -> int:
    """Start a web process with a keyring of another key: it has to refuse, and to change nothing that others see."""
    web = episode.client.any_web()
    agent = episode.stable_agent()
    keyring = KeyringFile(episode.cluster.home / "other-keyring").write([f"k1:{random_key()}"])
    episode.processes.restart(web, extra_env={"CALENDAR_KEYRING_FILE": str(keyring)})
    for _ in range(2):
        episode.backend.put(agent, episode.new_session(), web=web)
    episode.backend.state(agent, other_web(web))
    return 1


def another_service(episode: Episode) -> int:
    """Start a worker and a command with another identity key: both refuse the database, and change nothing in it."""
    agent, _ = episode.scheduled_session()
    other = {"CALENDAR_IDENTITY_KEY": random_key()}
    for command in (("work",), ("connections", "revoke", "--all", "--yes")):
        status = episode.processes.command(*command, extra_env=other)
        episode.journal.expect(
            "foreign_grant", agent, expected=2, actual=status, why="the database is another's"
        )
    episode.journal.expect(
        "unanswered",
        agent,
        expected=0,
        actual=episode.processes.command("connections", "list"),
        why="the right key fits on",
    )
    _expect_accepted(episode, agent, episode.new_session())
    return 1


def check_values_missing(episode: Episode) -> int:
    """Let a command with another identity key ask a database without check values: it sets none."""
    with episode.load.paused(), episode.store.without_check_values():
        other = {"CALENDAR_IDENTITY_KEY": random_key()}
        status = episode.processes.command("connections", "list", extra_env=other)
        outcome = [status == 2, episode.store.check_values()]
    episode.journal.expect(
        "foreign_grant",
        "all",
        expected=[True, None],
        actual=outcome,
        why="a command that asks sets no check values",
    )
    return 1


def another_google_client(episode: Episode) -> int:
    """Let a web process with another Google client have sessions when tokens expire: it refreshes nothing.

    So no grant ends by it, and the other processes go on.
    """
    agent, web = episode.stable_agent(), episode.client.any_web()
    since = episode.google.call_count()
    episode.processes.restart(web, extra_env={"CALENDAR_GOOGLE_CLIENT_ID": OTHER_CLIENT_ID})
    episode.clock.advance(HOUR)
    sessions = [episode.new_session() for _ in range(2)]
    episode.backend.put(agent, sessions[0], web=web)
    episode.backend.send_until_answered("put", agent, sessions[1], web=other_web(web))
    episode.journal.limit_calls(
        agent, since=since, until=episode.google.call_count(), method="oauth2.token", contains=OTHER_CLIENT_ID,
        at_most=0, why="refreshed with another client",
    )  # fmt: skip
    statuses = episode.await_statuses(agent, sessions[1:], ["scheduled"], step=2, steps=40)
    episode.journal.expect(
        "late_write", agent, expected=["scheduled"], actual=statuses, why="beside another Google client"
    )
    state = episode.backend.state(agent, other_web(web))
    episode.journal.expect(
        "grant_killed", agent, expected="connected", actual=state, why="the client proves nothing"
    )
    return 1


def rotated(episode: Episode) -> int:
    """Add a key, make it the current one, seal everything under it, retire the former: every record still opens."""
    former = episode.keyring.read()
    number = int(former[0].partition(":")[0][1:])
    newest = f"k{number + 1}:{random_key()}"
    agent, session = episode.scheduled_session()
    episode.keyring.write([*former, newest])  # every process can open it before any process seals with it
    _expect_accepted(episode, agent, session)
    episode.keyring.write([newest, *former])
    _expect_accepted(episode, agent, session)
    episode.browser.ensure_connected(episode.new_agent())
    episode.clock.advance(HOUR)  # every access token is refreshed, which seals the grant again
    for other in episode.stable_agents:
        episode.jobs.start(_expect_accepted, episode, other, episode.new_session())
    status = _retire(episode, former[0].partition(":")[0])
    episode.jobs.wait()
    episode.journal.expect("unanswered", agent, expected=0, actual=status, why="the key is retired")
    episode.journal.expect(
        "unanswered", agent, expected=[newest], actual=episode.keyring.read(), why="the keyring after it"
    )
    for other in episode.stable_agents:
        _expect_accepted(episode, other, episode.new_session())
    return 1


def _retire(episode: Episode, key_id: str) -> int:
    """Retire a key; a consent under way may still need it, so try three times; return the last exit status."""
    status = 1
    for _ in range(3):
        status = episode.processes.command("keys", "rotate", "--retire", key_id)
        if status == 0:
            break
        episode.clock.advance(620)
        episode.store.expire_consents()
    return status


def _expect_accepted(episode: Episode, agent: str, session: str) -> None:
    """Expect that each web process accepts a change: neither says that a record does not open."""
    for web in WEBS:
        response = episode.backend.put(agent, session, web=web)
        episode.journal.expect(
            "unanswered", agent, expected=True, actual=response.is_accepted, why="keys rotate"
        )
