"""Mistakes that could be made, each as a small change to a copy of the service. Must never touch the service itself."""

import shutil
from dataclasses import dataclass
from pathlib import Path


class NotApplicableError(Exception):
    """The service no longer reads as the defect expects: it has to be written anew, or it proves nothing."""


@dataclass(frozen=True)
class Defect:
    """One mistake, and the scenarios under which it must show."""

    name: str
    file: str
    search: str
    replace: str
    steps: tuple[str, ...]

    def changed(self, source: Path) -> str:
        """Return the file's text with this mistake in it."""
        text = (source / "calendar_service" / self.file).read_text("utf-8")
        if text.count(self.search) != 1:
            raise NotApplicableError(f"{self.name}: found {text.count(self.search)} times in {self.file}")
        return text.replace(self.search, self.replace)

    def apply(self, source: Path, folder: Path) -> None:
        """Make a copy of the service with this mistake in it."""
        target = folder / "calendar_service"
        shutil.copytree(source / "calendar_service", target, ignore=shutil.ignore_patterns("__pycache__"))
        templates = source / "calendar_service_templates"
        if templates.exists():
            shutil.copytree(templates, folder / "calendar_service_templates")
        (target / self.file).write_text(self.changed(source), "utf-8")


_LOAD = ("F22 clock jumps",) * 3

DEFECTS = (
    Defect(
        "fence not checked when settling",
        "store/scripts/settle_session.lua",
        "~= arg.connection_id or current.fence ~= tonumber(arg.fencing_number) then",
        "~= arg.connection_id then",
        ("F16 late settling",) * 4,
    ),
    Defect(
        "lease released without comparing",
        "store/scripts/release_lease.lua",
        "if fact(arg.name .. '_fence') == arg.fencing_number then",
        "if true then",
        ("F16 refresh lease lost",) * 3,
    ),
    Defect(
        "If-Match left out of patches",
        "google/calendar.py",
        "return written(self._api.run(token, only_if(request, etag)))",
        "return written(self._api.run(token, only_if(request, None)))",
        ("F16 late write",) * 4,
    ),
    Defect(
        "associated data skipped",
        "vault.py",
        "return json.dumps([FORMAT, purpose, place.organization, place.agent, place.connection, key_id]).encode()",
        "return json.dumps([FORMAT, purpose, place.connection, key_id]).encode()",
        ("F32 record moved",) * 3,
    ),
    Defect(
        "events inserted without an id",
        "journeys/writing.py",
        'return {"id": work.record.event_id, **filled}',
        "return dict(filled)",
        ("F16 late create",) * 4,
    ),
    Defect(
        "5xx of the token endpoint taken for a revocation",
        "google/token_answers.py",
        "        return GoogleUnavailable(detail, ambiguous=True, retry_after=wait)\n    if status == 429:",
        "        return AccessRevoked(detail)\n    if status == 429:",
        ("F17 token endpoint in trouble",) * 4,
    ),
    Defect(
        "erasure after one day instead of seven",
        "store/scripts/disconnect_agent.lua",
        "'erase_due', ms(now + retention(tonumber(arg.erase_after)))",
        "'erase_due', ms(now + retention(tonumber(arg.erase_after)) / 7)",
        ("F10 erasure at its term", "F22 a worker's clock is wrong"),
    ),
    Defect(
        "erasure forgotten",
        "store/scripts/disconnect_agent.lua",
        "set_timer(TIMER.erase, instant('erase_due'))",
        "set_timer(TIMER.erase, nil)",
        ("F10 erasure at its term",) * 2,
    ),
    Defect(
        "append-only file synchronized every second",
        "embedded.py",
        '"appendfsync": "always"',
        '"appendfsync": "everysec"',
        ("F2 power lost",) * 4,
    ),
    Defect(
        "marker look-up forgotten",
        "journeys/attempt.py",
        "look_first=record.sent or is_unknown(facts, record)",
        "look_first=False",
        ("F28 erased and back", "F12 answer to insert lost", "F12 answer to insert lost"),
    ),
    Defect(
        "twins left after an undetected collision",
        "journeys/writing.py",
        "        if work.look_first:\n            record, link = self._without_twins(token, work, record, link)\n",
        "",
        ("F12 insert arrives late, twins possible",) * 6,
    ),
    Defect(
        "sealed content kept after settling",
        "store/scripts/settle_session.lua",
        "  if arg.destroy_content == '1' then redis.call('HDEL', KEY.waiting, name) end\n",
        "",
        _LOAD,
    ),
    Defect(
        "accepted without comparing",
        "store/scripts/accept_session.lua",
        "if current ~= arg.loaded then return {'again'} end",
        "",
        ("F30 slow decision",) * 4,
    ),
    Defect(
        "older versions accepted",
        "journeys/wishes.py",
        "if version < record.version or (version == record.version and not same):",
        "if version == record.version and not same:",
        ("F30 slow decision", "F30 cancel against reschedule") * 3,
    ),
    Defect(
        "session lease not taken",
        "store/scripts/accept_session.lua",
        "record.leased, record.fence = true, record.fence + 1",
        "record.fence = record.fence + 1",
        ("F16 one at Google",) * 3,
    ),
    Defect(
        "nobody wakes for a session whose holder died",
        "store/scripts/accept_session.lua",
        "  set_timer(session_timer(name), now + LIFETIME.lease)\n",
        "",
        ("F11 web killed after Google accepted", "F11 web killed") * 2,
    ),
    Defect(
        "errand's token kept for ever",
        "store/scripts/update_teardown.lua",
        "  redis.call('HDEL', KEY.errands, id)\n",
        "",
        ("F19 revocation fails", "F29 two disconnects"),
    ),
    Defect(
        "failed revocation taken for confirmed",
        "journeys/disconnect.py",
        "        except GoogleError:\n            self._again(agent, errand)\n            return\n        finally:",
        "        except GoogleError:\n            pass\n        finally:",
        ("F19 revocation fails",) * 4,
    ),
    Defect(
        "erasure leaves the sessions",
        "store/scripts/erase_connection.lua",
        "redis.call('DEL', KEY.facts, KEY.grant, KEY.sessions, KEY.waiting,",
        "redis.call('DEL', KEY.facts, KEY.grant, KEY.waiting,",
        ("F10 erasure at its term", "F29 two disconnects", "F29 two disconnects"),
    ),
    Defect(
        "probe ignored",
        "worker.py",
        "self.service.access.probe(agent)\n            self.service.flow.answered()",
        "return DAY",
        ("F18 revoked at Google while paused",) * 2,
    ),
    Defect(
        "cancel forgets what may have been written",
        "journeys/wishes.py",
        "never_written = not (record.placed or record.sent or record.leased)",
        "never_written = not record.placed",
        ("F12 answer lost, cancelled at once",) * 4,
    ),
    Defect(
        "a dead holder's write not remembered",
        "store/scripts/lease_session.lua",
        "record.sent = record.sent or record.leased",
        "",
        ("F11 web killed, refused since, then cancelled",) * 4,
    ),
    Defect(
        "disconnect leaves the grant",
        "store/scripts/disconnect_agent.lua",
        "redis.call('DEL', KEY.grant)\nput('grant', 'released'",
        "put('grant', 'released'",
        ("F19 revocation fails",),
    ),
    Defect(
        "a consent outlives the disconnect",
        "store/scripts/disconnect_agent.lua",
        "redis.call('HDEL', KEY.facts, 'connecting')\n",
        "",
        ("F29 callback after disconnect",) * 4,
    ),
    Defect(
        "refresh lease never taken",
        "store/scripts/take_lease.lua",
        " or plausible(instant(name), length) > now then",
        " then",
        ("F16 refresh by many",) * 3,
    ),
    Defect(
        "account mark not joined",
        "store/scripts/account_ref_join.lua",
        "redis.call('HSET', KEY.account_ref, arg.connection_id, ms(now))\n",
        "",
        ("F21 one account, two agents",) * 3,
    ),
    Defect(
        "retry gives up silently",
        "journeys/attempt.py",
        "again=after, latest=latest, destroy_content=False",
        "again=None, latest=None, destroy_content=False",
        ("F13 server error",) * 2,
    ),
    Defect(
        "a wait that is over when it is written",
        "store/scripts/lib/sessions.lua",
        "  if waiting and not waits_for_person() then at = now end\n",
        "",
        ("F30 pause lifted meanwhile",) * 8,
    ),
    Defect(
        "the end of a pause wakes no cancel",
        "store/scripts/lib/sessions.lua",
        "    if unsettled and not record.leased then",
        "    if unsettled and not record.leased and record.wanted then",
        ("F30 pause lifted meanwhile",) * 3,
    ),
    Defect(
        "a refused change makes another event",
        "journeys/writing.py",
        "            if self._stands(token, work):\n                raise  # the change was refused",
        "            if False:\n                raise  # the change was refused",
        ("F13 change forbidden",) * 2,
    ),
    Defect(
        "calendar's marker not looked for",
        "journeys/connect.py",
        'found = min(account.ours, default="")',
        'found = ""',
        ("F28 erased and back",) * 2,
    ),
    Defect(
        "no write waits for a replica",
        "store/database.py",
        "        copies = self.deployment.copies\n",
        "        copies = 0\n",
        ("F3 failover to a stale replica",) * 2,
    ),
    Defect(
        "a repeat is acknowledged on what was only read",
        "store/database.py",
        "        if self.deployment.copies:\n",
        "        if False:\n",
        ("F4 two primaries",) * 4,
    ),
    Defect(
        "the wish for a rewrite needs memory",
        "store/scripts/file_rewrite_request.lua",
        "#!lua flags=allow-oom",
        "#!lua",
        ("F5 erasure without memory",) * 4,
    ),
    Defect(
        "a matter nobody knows is dropped",
        "worker.py",
        'worker.unknown_matter")\n        return _SOON',
        'worker.unknown_matter")\n        return "never"',
        ("F35 two versions at once",),
    ),
    Defect(
        "a hold's end wakes nobody",
        "store/scripts/lift_hold.lua",
        "if instant('erase_due') > 0 then set_timer(TIMER.erase, instant('erase_due')) end\n",
        "",
        ("F27 hold lifted late",) * 4,
    ),
    Defect(
        "records under the former key stay",
        "journeys/rotation.py",
        "                done += self.census.reseal(agent, errand, sealed, anew)",
        "                done += bool(anew)",
        ("F24 keys rotated",),
    ),
)
