"""Defects in what is written to Google: a second event or calendar, an overwritten change."""

from faults.defects.defect import Defect

DEFECTS = (
    Defect(
        name="If-Match left out of patches",
        law="wrong_final",
        file="google/calendar.py",
        search="return one(self._api.run(token, only_if(request, etag)))",
        replace="return one(self._api.run(token, only_if(request, None)))",
        scenarios=("F16 late write",) * 4,
    ),
    Defect(
        name="events inserted without an id",
        law="duplicate",
        file="journeys/sessions/event_writer.py",
        search='return {"id": task.record.copy.id, **filled}',
        replace="return dict(filled)",
        scenarios=("F16 late create",) * 4,
    ),
    Defect(
        name="marker look-up forgotten",
        law="duplicate",
        file="journeys/sessions/attempt.py",
        search="look_first=record.copy.in_doubt or is_unknown(facts, record)",
        replace="look_first=False",
        scenarios=("F28 erased and back", "F12 answer to insert lost", "F12 answer to insert lost") * 2,
    ),
    Defect(
        name="twins left after an undetected collision",
        law="duplicate",
        file="journeys/sessions/event_writer.py",
        search="        if task.look_first:\n            record = self._without_twins(token, task, record)\n",
        replace="",
        scenarios=("F12 insert arrives late, twins possible",) * 6,
    ),
    Defect(
        name="a refused change makes another event",
        law="duplicate",
        file="journeys/sessions/event_writer.py",
        search="            if self._stands(token, task):\n                raise  # the change was refused",
        replace="            if False:\n                raise  # the change was refused",
        scenarios=("F13 change forbidden",) * 4,
    ),
    Defect(
        name="an equal revision taken as done",
        law="wrong_final",
        file="journeys/sessions/event_writer.py",
        search="return event.nonce == record.nonce and (event.revision or 0) >= _revision(record)",
        replace="return (event.revision or 0) >= _revision(record)",
        scenarios=("F37 sessions of an old back-up",) * 2,
    ),
    Defect(
        name="calendar's marker not looked for",
        law="twin_calendar",
        file="journeys/connection/dedicated_calendar.py",
        search='by_marker = min(account.ours, default="")',
        replace='by_marker = ""',
        scenarios=("F28 erased and back",) * 2,
    ),
    Defect(
        name="copy taken for ours",
        law="foreign_event",
        file="journeys/sessions/event_writer.py",
        search="return [event for event in events if event.event_hash == event_hash(event.id)]",
        replace="return list(events)",
        scenarios=("F42 event copied", "F42 event copied, then erased and back") * 2,
    ),
    Defect(
        name="wiped properties refused",
        law="lost",
        file="journeys/sessions/event_writer.py",
        search="        return self.calendar.get(token, task.calendar_id, task.record.copy.id)\n",
        replace="        event = self.calendar.get(token, task.calendar_id, task.record.copy.id)\n"
        "        if event.marker != task.marker:\n"
        '            raise AccessForbidden("an event without our marker")\n'
        "        return event\n",
        scenarios=("F42 private properties replaced",) * 3 + ("F42 private properties replaced in doubt",),
    ),
    Defect(
        name="unknown zone refused",
        law="unanswered",
        file="journeys/sessions/event_writer.py",
        search='        if not zone:\n            raise\n        return write("")\n',
        replace="        raise\n",
        scenarios=("F44 time zone unknown to Google",) * 2,
    ),
    Defect(
        name="an unlisted refusal taken for one of the event",
        law="lost",
        file="google/answers.py",
        search="    403: UnknownRefusal,",
        replace="    403: AccessForbidden,",
        scenarios=("F43 refused for a while",) * 3,
    ),
    Defect(
        name="an account at its limit is asked on",
        law="too_many_calls",
        file="journeys/sessions/attempt.py",
        search="            self.throttle.account_limited(facts.account.ref)",
        replace="            pass",
        scenarios=("F46 one account at its limit",) * 2,
    ),
    Defect(
        name="sessions of a waiting account run all the same",
        law="too_many_calls",
        file="journeys/throttle/admission.py",
        search="        return self.budget.admit_session(account, cost)\n\n"
        "    def is_waiting(self, account: str) -> bool:\n"
        '        """Tell whether `admit` would answer `skip` without asking anybody."""\n'
        "        return self.budget.is_waiting(account)\n",
        replace='        return self.budget.admit_session("", cost)\n\n'
        "    def is_waiting(self, account: str) -> bool:\n"
        "        return False\n",
        scenarios=("F46 one account at its limit",) * 2,
    ),
)
