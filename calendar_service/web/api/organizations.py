"""The calls about an organization as a whole. They tell nothing about sessions."""

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from calendar_service.domain.connection import Revocation, State
from calendar_service.domain.paging import PAGE
from calendar_service.journeys.operations.organizations import Organizations
from calendar_service.web.api import answers
from calendar_service.web.api.call import (
    ADMIN,
    BOTH,
    ORGANIZATION,
    ApiAnswer,
    ApiCall,
    Cursor,
    Names,
    Nothing,
    Tag,
)
from calendar_service.web.api.query import Limit
from calendar_service.wiring import Service


class MembersQuery(Struct, kw_only=True, forbid_unknown_fields=True):
    """The parameters of a list."""

    state: (
        Annotated[
            State,
            Meta(description="Only connections in this state. A page may have fewer than `limit` then."),
        ]
        | UnsetType
    ) = UNSET
    cursor: Cursor = ""
    limit: Limit = PAGE


def list_connections(
    organizations: Organizations, names: Names, query: MembersQuery, _: Nothing
) -> ApiAnswer:
    """List the organization's agents with their connections, page by page."""
    state = None if isinstance(query.state, UnsetType) else query.state
    members, cursor = organizations.members(names.organization, state, query.cursor, limit=query.limit)
    lines = [answers.member(agent.agent, view) for agent, view in members]
    return ApiAnswer(200, answers.MembersAnswer(connections=lines, cursor=cursor or UNSET))


def get_organization(organizations: Organizations, names: Names, _: Nothing, __: Nothing) -> ApiAnswer:
    """Count the organization's connections by state, and what became of the permissions of those that ended."""
    return ApiAnswer(200, _counted(organizations, names))


def off_board(organizations: Organizations, names: Names, _: Nothing, __: Nothing) -> ApiAnswer:
    """Disconnect every agent of the organization and accept nothing new until it is reopened."""
    ended = organizations.off_board(names.organization)
    return ApiAnswer(202, answers.OffBoarded(organization=names.organization, disconnected=ended))


def reopen(organizations: Organizations, names: Names, _: Nothing, __: Nothing) -> ApiAnswer:
    """Let the organization's agents connect again."""
    organizations.reopen(names.organization)
    return ApiAnswer(200, _counted(organizations, names))


def _counted(organizations: Organizations, names: Names) -> answers.OrganizationAnswer:
    progress = organizations.progress(names.organization)
    return answers.OrganizationAnswer(
        organization=names.organization,
        closed=progress.is_closed,
        connections={state.value: progress.states.get(state, 0) for state in State},
        revocations={outcome.value: progress.revocations.get(outcome, 0) for outcome in Revocation},
    )


def _organizations(service: Service) -> Organizations:
    return service.operations.organizations


CALLS = (
    ApiCall(
        Tag.CONNECTIONS,
        "GET",
        f"{ORGANIZATION}/connections",
        BOTH,
        _organizations,
        list_connections,
        {200: answers.MembersAnswer},
        query=MembersQuery,
    ),
    ApiCall(
        Tag.ORGANIZATIONS,
        "GET",
        ORGANIZATION,
        ADMIN,
        _organizations,
        get_organization,
        {200: answers.OrganizationAnswer},
    ),
    ApiCall(
        Tag.ORGANIZATIONS, "DELETE", ORGANIZATION, ADMIN, _organizations, off_board, {202: answers.OffBoarded}
    ),
    ApiCall(
        Tag.ORGANIZATIONS,
        "POST",
        f"{ORGANIZATION}/reopen",
        ADMIN,
        _organizations,
        reopen,
        {200: answers.OrganizationAnswer},
    ),
)
