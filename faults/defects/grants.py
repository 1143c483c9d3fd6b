"""Defects in grants and tokens: taken for revoked, not revoked, opened in the wrong place."""
# ruff: noqa: E501 - the texts stand here as they stand in the service

from faults.defects.defect import Defect

DEFECTS = (
    Defect(
        name="associated data skipped",
        law="foreign_grant",
        file="crypto/envelope.py",
        search="return json.dumps([FORMAT, purpose, place.organization, place.agent, place.connection, key_id]).encode()",
        replace="return json.dumps([FORMAT, purpose, place.connection, key_id]).encode()",
        scenarios=("F32 record moved",) * 3,
    ),
    Defect(
        name="5xx of the token endpoint taken for a revocation",
        law="false_reconnect",
        file="google/token_answers.py",
        search="        return GoogleUnavailable(detail, ambiguous=True, retry_after=wait)\n    if status == 429:",
        replace="        return AccessRevoked(detail)\n    if status == 429:",
        scenarios=("F17 token endpoint in trouble",) * 4,
    ),
    Defect(
        name="probe ignored",
        law="unnoticed",
        file="worker/items.py",
        search="self.service.connection.access.probe(agent)\n            self.service.google.throttle.trial_answered()",
        replace="return 24 * 60 * MINUTE",
        scenarios=("F18 revoked at Google while paused",) * 2,
    ),
    Defect(
        name="account reference not joined",
        law="grant_killed",
        file="store/scripts/account_ref_join.lua",
        search="redis.call('HSET', KEY.account_ref, arg.connection_id, ms(now) .. ':' .. number)\n",
        replace="",
        scenarios=("F21 one account, two agents",) * 3,
    ),
    Defect(
        name="another Google client not noticed",
        law="too_many_calls",
        file="journeys/throttle/admission.py",
        search="        self.client_check.require()\n",
        replace="",
        scenarios=("F39 another Google client",) * 3,
    ),
    Defect(
        name="database of another service used",
        law="foreign_grant",
        file="store/ownership.py",
        search="return Owner.OURS if self.identity_key == own.identity_key else Owner.ANOTHER",
        replace="return Owner.OURS",
        scenarios=("F39 another service on the database",) * 3,
    ),
    Defect(
        name="check value set by whoever asks",
        law="foreign_grant",
        file="store/ownership.py",
        search="        if (owner := self.owner()) is not Owner.OURS:\n",
        replace="        if self.owner() in {Owner.NOBODY, Owner.UNKNOWN}:\n"
        '            self._database.set_check_values(self._own.text, "NX")\n'
        "        if (owner := self.owner()) is not Owner.OURS:\n",
        scenarios=("F39 check values missing",) * 2,
    ),
    Defect(
        name="records under the former key stay",
        law="unanswered",
        file="journeys/operations/key_rotation.py",
        search="                count += self.scan.reseal(agent, teardown, sealed, resealed)",
        replace="                count += bool(resealed)",
        scenarios=("F24 keys rotated",),
    ),
)
