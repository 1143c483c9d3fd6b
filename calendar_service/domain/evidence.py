"""What shows that each clause is kept: code that does it, tests that hold it, what is measured, whose word it is.

The sentences are the report's English. Must not measure or judge anything.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final


@dataclass(frozen=True, slots=True)
class Evidence:
    """How one clause, or one addition of an operator's, is kept."""

    does: str
    """What the service does for it, in one sentence."""
    code: tuple[str, ...] = ()
    """Files of this package that do it."""
    tests: tuple[str, ...] = ()
    """Tests that fail when it is not so: file below `tests/`, two colons, name."""
    observed: tuple[str, ...] = ()
    """What is measured whenever a report is made, by the measure's name."""
    declared: tuple[str, ...] = ()
    """The places of the operator's profile that hold its word."""


_POLICY: Final = ("policy.date", "policy.url")

EVIDENCE: Final[Mapping[str, Evidence]] = MappingProxyType(
    {
        "PR-1": Evidence(
            "No wider right of the general policy is built in: an administrator sees states and may pause or end; no "
            "key and no command reads an event; nothing else of what Google gives is kept, and nothing of it leaves "
            "for anybody else.",
            ("web/internal.py", "web/internal_connections.py", "domain/inventory.py"),
            (
                "web/internal/test_foreign.py::test_a_key_of_the_wrong_role_is_forbidden_before_anything_is_read",
                "web/internal/test_calls.py::test_an_administrator_disconnects_and_the_calendar_stays",
                "web/internal/test_foreign.py::test_a_key_opens_these_calls_and_no_others",
                "journeys/test_no_human_reads.py::test_no_command_tells_what_is_in_an_event",
                "journeys/test_no_human_reads.py::test_no_call_of_a_key_tells_what_is_in_an_event",
                "web/pages/test_inventory.py::test_everything_that_is_kept_is_in_the_inventory",
                "e2e/test_egress.py::"
                "test_not_one_packet_goes_to_anybody_but_google_the_database_and_the_webhook",
            ),
        ),
        "ID-1": Evidence(
            "One profile names the operator on every page; production refuses an address or a policy outside its "
            "domain, and refuses to start while a fact is unset.",
            ("operators/rules.py", "config/production.py"),
            (
                "e2e/test_operators_over_http.py::test_the_whole_life_of_a_connection",
                "unit/test_config.py::test_production_refuses",
                "unit/test_config.py::test_production_refuses_a_policy_elsewhere",
                "web/pages/test_every_answer.py::test_the_operator_and_the_contact_stand_on_every_page",
                "unit/test_config.py::test_production_refuses_a_profile_with_unset_fields",
            ),
            declared=(
                "identity.app_name", "identity.legal_name", "identity.city", "identity.country", "identity.domain",
                "identity.logo", "policy.url",
            ),
        ),
        "SC-1": Evidence(
            "One constant is asked for. An answer with less is refused; one with more is refused and given back, "
            "unless that would end another connection of the account; nothing of either is kept.",
            ("domain/scope.py", "journeys/connect.py"),
            (
                "journeys/test_consents.py::test_a_grant_that_is_not_what_was_asked_is_refused_and_not_stored",
                "web/pages/test_callback.py::test_more_than_asked_is_refused_given_back_and_told",
                "journeys/test_consents.py::test_exactly_one_permission_is_asked_for",
                "journeys/test_consents.py::"
                "test_more_scope_does_not_end_another_live_connection_of_the_account",
            ),
            ("permission",),
        ),
        "SC-2": Evidence(
            "Connecting makes one calendar under the operator's name for it; connecting again finds that one, also "
            "after everything here was erased.",
            ("journeys/connect.py", "store/scripts/set_calendar.lua"),
            (
                "journeys/test_main_job.py::test_connecting_makes_one_dedicated_calendar_in_the_agents_zone",
                "journeys/test_main_job.py::test_after_the_erasure_the_marker_finds_the_calendar_and_the_session",
                "journeys/test_consents.py::test_a_cut_while_the_calendar_is_made_leaves_one_calendar",
            ),
            ("identity key",),
        ),
        "SC-3": Evidence(
            "Each session is one event there, written once in effect whatever fails in between; no call for an event "
            "names another calendar.",
            ("journeys/schedule.py", "journeys/writing.py", "google/events.py"),
            (
                "journeys/test_main_job.py::test_a_session_is_created_moved_and_cancelled_with_one_call_each",
                "journeys/test_main_job.py::test_a_cut_answer_never_makes_two_events",
                "unit/test_law_one.py::test_a_foreign_call_is_found",
                "journeys/test_law_one.py::"
                "test_no_call_of_a_whole_life_names_another_calendar_or_asks_for_more_than_it_may",
            ),
            ("methods",),
        ),
        "SC-4": Evidence(
            "Only the agent's own page can ask for the calendar's deletion, and the box is not ticked beforehand; no "
            "key, administrator, command or erasure can.",
            ("journeys/disconnect.py", "web/portal.py"),
            (
                "journeys/test_main_job.py::test_the_calendar_goes_only_when_the_agent_asks",
                "web/pages/test_disconnect.py::test_the_calendar_is_kept_unless_its_deletion_is_chosen",
                "web/internal/test_calls.py::test_an_administrator_disconnects_and_the_calendar_stays",
                "web/internal/test_foreign.py::test_a_key_opens_these_calls_and_no_others",
                "web/pages/test_disconnect.py::test_the_page_says_what_will_happen_and_stands_on_cancel",
                "journeys/test_commands.py::test_one_connection_is_revoked_here_and_at_google",
                "journeys/test_main_job.py::test_the_timer_erases_on_its_date_and_leaves_a_receipt",
            ),
        ),
        "SC-5": Evidence(
            "Each consent is kept with its permission and the policy's version. Under a newer one nothing is used "
            "until the agent has agreed again; a wider permission without a newer policy does not start.",
            ("domain/consent.py", "journeys/renewal.py", "store/scripts/require_reconsent.lua"),
            (
                "journeys/test_renewal.py::test_from_the_restart_on_nothing_is_used_until_the_agent_agrees",
                "journeys/test_renewal.py::"
                "test_a_policy_that_came_into_force_at_googles_screen_was_not_agreed_to",
                "journeys/test_renewal.py::test_a_page_that_showed_another_version_leads_to_no_consent",
                "journeys/test_renewal.py::test_another_permission_under_the_same_policy_is_refused_everywhere",
                "e2e/test_renewal_over_http.py::test_after_a_newer_policy_each_agent_agrees_again_and_goes_on",
            ),
            ("consent",),
        ),
        "SC-6": Evidence(
            "Every method is listed with the feature that an agent sees of it; what would fail under narrower "
            "permissions was found by running.",
            ("domain/methods.py",),
            (
                "rooms/google/test_google_methods.py::"
                "test_every_method_has_a_purpose_a_clause_and_something_that_the_agent_sees",
                "journeys/test_scopes.py::test_the_document_says_what_a_run_gives",
            ),
            ("methods",),
        ),
        "LU-0": Evidence(
            "The sentence stands word for word, with its link, on the home page, on the data page and above the "
            "connect button.",
            ("operators/rules.py",),
            (
                "web/pages/test_other_operators.py::test_every_page_shows_in_every_language_of_the_operator",
                "e2e/test_operators_over_http.py::test_the_public_pages_say_what_this_operator_says",
                "web/pages/test_public_pages.py::test_the_statement_that_google_asks_for_is_short_and_linked",
                "web/pages/test_settings.py::"
                "test_before_anything_is_connected_the_page_says_all_that_has_to_be_known",
            ),
        ),
        "LU-1": Evidence(
            "No call to Google can be made without a purpose from a closed list.",
            ("domain/methods.py", "google/transport.py"),
            (
                "rooms/google/test_google_methods.py::"
                "test_a_call_that_names_no_method_of_the_list_is_an_error_of_type",
                "rooms/google/test_google_methods.py::test_another_method_of_google_s_cannot_be_sent",
                "rooms/google/test_google_methods.py::test_log_and_numbers_name_the_purpose_of_each_call",
            ),
            ("methods",),
        ),
        "LU-2": Evidence(
            "There is no way out: the processes speak to Google, their database and the operator's own webhook, and "
            "to nobody else.",
            ("wire/dial.py", "google/transport.py", "webhooks.py"),
            (
                "e2e/test_egress.py::"
                "test_not_one_packet_goes_to_anybody_but_google_the_database_and_the_webhook",
                "e2e/test_egress.py::test_an_attempt_to_reach_somebody_else_is_counted",
            ),
        ),
        "LU-3": Evidence(
            "There is no function by which staff could read an event; commands, logs and numbers hold states and ids.",
            ("log.py", "cli/connections.py"),
            (
                "journeys/test_no_human_reads.py::test_no_command_tells_what_is_in_an_event",
                "journeys/test_no_human_reads.py::test_no_call_of_a_key_tells_what_is_in_an_event",
                "unit/test_log.py::test_a_value_that_could_carry_more_is_refused_and_not_repeated",
                "web/internal/test_doors.py::test_a_request_is_one_line_in_the_log_without_names_keys_or_addresses",
                "journeys/test_no_human_reads.py::"
                "test_no_page_without_the_agents_own_session_and_no_number_tells_it",
                "journeys/test_no_human_reads.py::test_no_log_line_tells_it",
            ),
        ),
        "LU-4": Evidence(
            "The pages load nothing of anybody else's and set only the cookies they need. The rest is the operator's "
            "word.",
            ("web/guard.py", "web/guard_cookies.py"),
            (
                "web/pages/test_words.py::test_no_page_asks_for_a_script_or_for_anything_of_a_third_party",
                "e2e/browser/test_gallery.py::test_a_page_is_fit_for_everybody",
                "web/pages/test_every_answer.py::"
                "test_only_cookies_that_an_act_needs_are_set_and_no_script_or_other_site_gets_them",
            ),
            declared=_POLICY,
        ),
        "LU-5": Evidence(
            "No content is kept once Google has it, and none is handed to anybody but its agent, so there is nothing "
            "to train with. The rest is the operator's word.",
            ("store/scripts/settle_session.lua",),
            (
                "journeys/test_main_job.py::test_nothing_of_the_content_is_kept_once_google_has_confirmed",
                "journeys/test_no_human_reads.py::test_no_command_tells_what_is_in_an_event",
                "journeys/test_no_human_reads.py::test_no_call_of_a_key_tells_what_is_in_an_event",
                "e2e/test_egress.py::"
                "test_not_one_packet_goes_to_anybody_but_google_the_database_and_the_webhook",
            ),
            declared=_POLICY,
        ),
        "LU-6": Evidence(
            "Each step that changes a connection or a session is written down without names and content, in a chain "
            "that shows what was removed, changed or reordered; its last day rests on the workers too. That people "
            "keep to it is the operator's word.",
            ("journeys/sealing.py", "journeys/verification.py"),
            (
                "journeys/test_audit_tampering.py::test_a_changed_entry_is_found_with_its_place",
                "journeys/test_audit_tampering.py::test_a_changed_chain_or_checkpoint_is_found_with_its_place",
                "journeys/test_audit_tampering.py::test_a_shard_that_no_checkpoint_holds_yet_cannot_be_wiped",
                "journeys/test_audit_trail.py::"
                "test_closing_and_reopening_an_organization_are_entries_that_do_not_name_it",
                "rooms/store/test_slot.py::test_every_step_leaves_its_entry_and_no_identifier_of_google",
                "rooms/store/test_slot.py::test_only_scripts_that_change_no_connection_or_session_write_no_entry",
            ),
            ("trail", "checkpoint"),
            declared=_POLICY,
        ),
        "ST-1": Evidence(
            "Both keys of Google's lie under AES-256-GCM in an envelope that opens at its own place alone; the keys "
            "over it are exchanged while traffic runs.",
            ("vault.py", "store/grants.py", "journeys/rotation.py"),
            (
                "unit/test_vault.py::test_the_published_vectors_hold_for_our_own_functions",
                "unit/test_vault.py::test_a_field_opens_at_its_place_and_nowhere_else",
                "e2e/test_main_job_over_http.py::"
                "test_no_issued_token_lies_in_any_file_but_the_local_googles_own_books",
                "journeys/test_rotation.py::test_everything_is_sealed_under_the_current_key_and_still_works",
            ),
            ("sealed",),
        ),
        "ST-2": Evidence(
            "Connections to Google begin with a verified TLS of 1.2 or newer; production refuses plain addresses, and "
            "a database elsewhere without encryption.",
            ("wire/dial.py", "config/production.py"),
            (
                "rooms/google/test_google_tls.py::test_tls_below_1_2_is_refused",
                "rooms/google/test_google_tls.py::test_a_server_with_a_bad_certificate_is_sent_nothing",
                "unit/test_config.py::test_production_refuses",
            ),
            ("lines",),
        ),
        "ST-3": Evidence(
            "Those identifiers and the least bookkeeping are kept; each item stands in the inventory below with its "
            "reason and its end.",
            ("domain/inventory.py",),
            (
                "web/pages/test_inventory.py::test_everything_that_is_kept_is_in_the_inventory",
                "unit/test_written.py::test_a_field_and_a_key_that_nobody_named_are_found",
                "web/pages/test_inventory.py::test_every_item_has_a_reason_a_clause_and_an_end",
            ),
            ("inventory",),
        ),
        "ST-4": Evidence(
            "Events of other calendars are not even asked for. A session's own text waits encrypted while Google "
            "cannot be reached, and is gone once it is written, or the session is over; where the agent has to act "
            "first, after 30 days at most.",
            ("google/calendar.py", "store/scripts/settle_session.lua", "journeys/schedule.py"),
            (
                "journeys/test_main_job.py::test_nothing_of_the_content_is_kept_once_google_has_confirmed",
                "journeys/test_waiting.py::test_it_ends_after_thirty_days_in_all_and_its_content_with_it",
                "journeys/test_life_of_a_grant.py::test_a_session_that_waited_until_it_was_over_is_reported_failed",
                "unit/test_law_one.py::test_a_foreign_call_is_found",
                "journeys/test_law_one.py::"
                "test_no_call_of_a_whole_life_names_another_calendar_or_asks_for_more_than_it_may",
                "journeys/test_main_job.py::"
                "test_trouble_at_google_ends_as_accepted_and_the_worker_finishes_it",
            ),
        ),
        "ST-5": Evidence(
            "Keys go when Google confirms, after 7 days at most; identifiers go by a timer, in one step that works "
            "without memory too, and the database's file is rewritten. A legal hold keeps identifiers back, and only "
            "those, until its end.",
            (
                "store/scripts/erase_connection.lua",
                "store/scripts/mark_revoked.lua",
                "journeys/disconnect.py",
                "journeys/holds.py",
                "store/files.py",
            ),
            (
                "journeys/test_main_job.py::test_the_timer_erases_on_its_date_and_leaves_a_receipt",
                "rooms/store/test_slot.py::test_a_revocation_counts_from_the_last_proof_of_life_but_leaves_an_hour",
                "rooms/store/test_slot.py::test_a_full_database_refuses_to_accept_but_still_disconnects_and_erases",
                "journeys/test_gone_from_files.py::test_nothing_erased_is_left_in_any_file",
                "journeys/test_gone_from_files.py::test_no_key_that_is_still_held_finds_an_identifier_again",
                "journeys/test_legal_hold.py::test_identifiers_stay_and_tokens_go",
                "journeys/test_restore.py::test_what_was_ended_or_erased_is_so_again",
                "journeys/test_restore.py::"
                "test_holds_that_were_placed_or_replaced_since_are_named_and_what_is_over_is_lifted",
                "journeys/test_life_of_a_grant.py::"
                "test_a_revocation_that_google_never_answers_ends_after_seven_days_without_the_token",
                "journeys/test_legal_hold.py::test_after_its_end_one_sweep_erases",
                "journeys/test_legal_hold.py::"
                "test_a_hold_keeps_the_identifiers_of_sessions_long_over_and_no_content",
            ),
            ("retention", "erasures", "checkpoint", "durability", "clocks"),
        ),
        "ST-6": Evidence(
            "A disconnect leaves the calendar where it is; the pages say so and lead there.",
            ("journeys/disconnect.py",),
            (
                "journeys/test_main_job.py::test_disconnecting_keeps_the_calendar_and_ends_the_permission",
                "web/pages/test_disconnect.py::test_the_calendar_is_kept_unless_its_deletion_is_chosen",
            ),
        ),
        "RV-1": Evidence(
            "A permission that was removed at Google is noticed without waiting for a session: each is proved alive at "
            "least daily.",
            ("journeys/access.py", "store/scripts/mark_revoked.lua"),
            (
                "journeys/test_life_of_a_grant.py::test_a_live_grant_is_probed_at_least_daily_also_while_paused",
                "journeys/test_life_of_a_grant.py::"
                "test_a_revocation_at_google_is_noticed_by_the_daily_probe_and_erased_by_its_date",
            ),
            ("proofs",),
        ),
        "RV-2": Evidence(
            "One page and one confirmation end it; neither a Google that does not answer nor a record that does not "
            "open stands in the way.",
            ("web/portal.py", "store/scripts/disconnect_agent.lua"),
            (
                "web/pages/test_disconnect.py::"
                "test_a_disconnect_without_googles_answer_says_so_and_where_to_do_it_oneself",
                "journeys/test_commands.py::test_what_cannot_be_opened_is_ended_all_the_same",
                "web/pages/test_disconnect.py::test_the_page_says_what_will_happen_and_stands_on_cancel",
            ),
        ),
        "RV-3": Evidence(
            "One step takes the key away from everything but the closing errand, which may only end what is left at "
            "Google.",
            ("store/scripts/disconnect_agent.lua", "journeys/disconnect.py"),
            (
                "rooms/store/test_slot.py::"
                "test_a_disconnect_takes_the_token_away_in_one_step_and_fails_what_waited",
                "rooms/store/test_slot.py::test_a_consent_begun_before_a_disconnect_cannot_complete",
                "journeys/test_law_one.py::"
                "test_the_closing_errand_can_do_nothing_but_end_what_is_left_at_google",
                "journeys/test_consents.py::"
                "test_who_connects_while_the_organisation_is_off_boarded_is_ended_with_the_others",
                "journeys/test_shared_accounts.py::test_a_connection_that_never_stood_keeps_no_permission_alive",
            ),
            ("closing",),
        ),
        "CO-1": Evidence(
            "The address stands on every page.",
            ("operators/rules.py",),
            (
                "web/pages/test_public_pages.py::"
                "test_facts_that_the_operator_has_not_given_are_marked_and_not_invented",
                "web/pages/test_every_answer.py::test_the_operator_and_the_contact_stand_on_every_page",
            ),
            declared=("identity.contact",),
        ),
        "CH-1": Evidence(
            "Nobody can sign up: an agent exists when an organization names one. On a guardian's request everything "
            "is erased by two commands, one that ends the connection and one that erases. How old agents are is the "
            "operator's word.",
            ("journeys/register.py", "cli/connections.py"),
            (
                "journeys/test_commands.py::"
                "test_an_ended_connection_is_erased_and_the_receipt_tells_whom_it_concerns",
                "web/pages/test_guarded_forms.py::test_without_a_visit_nothing_can_be_done",
            ),
            declared=("promises.minimum_age",),
        ),
        "UP-1": Evidence(
            "A newer version reaches every agent: the page shows what changed, and the console's server is told.",
            ("journeys/renewal.py",),
            (
                "journeys/test_renewal.py::test_the_agent_is_shown_what_changed",
                "journeys/test_renewal.py::test_the_backend_is_told_once",
            ),
            declared=("policy.version", "policy.date"),
        ),
    }
)  # fmt: skip
"""By clause, in the order of the promise."""

ADDED: Final[Mapping[str, Evidence]] = MappingProxyType(
    {
        "administrators": Evidence(
            "An administrator's key shows states, pauses and ends; it opens no event and no calendar.",
            ("web/internal_connections.py",),
            (
                "e2e/test_operators_over_http.py::"
                "test_an_administrator_suspends_and_ends_and_the_agent_is_shown_it",
                "web/internal/test_calls.py::test_an_administrator_disconnects_and_the_calendar_stays",
                "web/internal/test_foreign.py::test_a_key_opens_these_calls_and_no_others",
                "journeys/test_no_human_reads.py::test_no_call_of_a_key_tells_what_is_in_an_event",
            ),
        ),
        "no-transfer": Evidence(
            "A connection belongs to one agent; no call hands it to another.",
            ("web/internal_connections.py",),
            (
                "web/internal/test_foreign.py::test_a_session_of_another_agent_is_not_found_and_not_touched",
                "web/internal/test_foreign.py::test_a_key_opens_these_calls_and_no_others",
                "unit/test_vault.py::test_a_data_key_moved_to_another_place_does_not_open",
            ),
        ),
        "access": Evidence(
            "The settings page hands out everything that is kept, as a file.",
            ("journeys/export.py",),
            (
                "journeys/test_export.py::test_every_fact_that_is_kept_is_exported_or_has_its_reason",
                "web/pages/test_settings.py::test_the_export_is_a_file_with_everything_but_the_keys",
            ),
        ),
        "correction": Evidence(
            "A session that is changed in the console is written to the calendar.",
            ("journeys/schedule.py",),
            (
                "journeys/test_main_job.py::test_a_session_is_created_moved_and_cancelled_with_one_call_each",
                "journeys/test_main_job.py::test_a_persons_change_is_written_over_by_a_newer_wish",
            ),
        ),
        "deletion": Evidence(
            "The settings page ends the connection and erases what is kept, at once if the agent wishes.",
            ("journeys/disconnect.py",),
            (
                "web/pages/test_disconnect.py::test_erasing_now_hands_out_a_receipt_that_verifies",
                "journeys/test_main_job.py::test_the_timer_erases_on_its_date_and_leaves_a_receipt",
            ),
        ),
        "portability": Evidence(
            "The file is JSON whose every member is described.",
            ("journeys/export.py",),
            ("journeys/test_export.py::test_the_document_names_every_member",),
        ),
        "restriction": Evidence(
            "The settings page pauses the connection; nothing is written meanwhile.",
            ("store/scripts/set_pause.lua",),
            (
                "journeys/test_life_of_a_grant.py::"
                "test_a_pause_keeps_sessions_waiting_and_each_lifts_only_its_own",
                "web/pages/test_settings.py::test_my_pause_can_be_lifted_by_me",
            ),
        ),
        "withdrawal": Evidence(
            "Disconnecting takes the consent back, here and at Google.",
            ("journeys/disconnect.py",),
            ("journeys/test_main_job.py::test_disconnecting_keeps_the_calendar_and_ends_the_permission",),
        ),
        "cookies": Evidence(
            "The pages set only the cookies they need.",
            ("web/guard_cookies.py",),
            (
                "web/pages/test_every_answer.py::"
                "test_only_cookies_that_an_act_needs_are_set_and_no_script_or_other_site_gets_them",
            ),
        ),
        "customer-keys": Evidence(
            "A key of the internal API speaks for one organization. Only its hash is kept, so a customer may bring its "
            "own.",
            ("config/keys.py", "web/keys.py"),
            (
                "e2e/test_operators_over_http.py::test_a_customers_own_key_opens_its_organisation_alone",
                "web/internal/test_keys.py::test_a_key_of_one_organisation_speaks_for_no_other",
            ),
        ),
        "legal-matters": Evidence(
            "A legal hold has an end; then the next sweep erases.",
            ("journeys/holds.py",),
            ("journeys/test_legal_hold.py::test_after_its_end_one_sweep_erases",),
        ),
        "account-closure": Evidence(
            "Closing an organization ends every member's connection; what is kept of them follows by its timer.",
            ("journeys/organizations.py",),
            (
                "journeys/test_consents.py::"
                "test_an_off_boarded_organisation_refuses_everything_new_until_it_is_reopened",
                "journeys/test_consents.py::"
                "test_what_is_kept_of_an_off_boarded_organizations_members_goes_by_its_timer",
            ),
        ),
        "own-term": Evidence(
            "The settings page offers shorter terms until the erasure; the one chosen counts at the end.",
            ("journeys/terms.py", "store/scripts/set_retention.lua"),
            (
                "journeys/test_own_term.py::test_an_agent_may_choose_a_shorter_term_where_it_is_offered",
                "web/pages/test_own_term.py::test_a_shorter_term_is_chosen_and_counts_at_the_disconnect",
            ),
        ),
        "backup-latency": Evidence(
            "The days of the back-ups are part of the sum that has to keep the deadline.",
            ("domain/operator.py",),
            ("unit/test_operators.py::test_a_term_that_misses_the_deadline_is_refused",),
        ),
    }
)
"""By addition, of those that this service keeps; of all others the operator's word is all there is."""
