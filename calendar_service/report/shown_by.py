"""The tests that show that a clause or an addition is kept: each as `file::name`, below `tests/`.

Made from the tests by `python -m tests.support.evidence`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

SHOWN_BY: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "PR-1": (
            "e2e/test_egress.py::test_not_one_packet_goes_to_anybody_but_google_the_database_and_the_webhook",
            "journeys/test_no_human_reads.py::test_no_command_tells_what_is_in_an_event",
            "journeys/test_no_human_reads.py::test_no_call_of_a_key_tells_what_is_in_an_event",
            "web/api/test_calls.py::test_an_administrator_disconnects_and_the_calendar_stays",
            "web/api/test_foreign.py::test_a_key_opens_these_calls_and_no_others",
            "web/api/test_foreign.py::test_a_key_of_the_wrong_role_is_forbidden_before_anything_is_read",
            "web/pages/test_inventory.py::test_everything_that_is_kept_is_in_the_inventory",
        ),
        "ID-1": (
            "e2e/test_operators_over_http.py::test_the_whole_life_of_a_connection",
            "unit/test_config.py::test_production_refuses",
            "unit/test_config.py::test_production_refuses_a_profile_with_unset_fields",
            "unit/test_config.py::test_production_refuses_a_policy_elsewhere",
            "web/pages/test_every_answer.py::test_the_operator_and_the_contact_stand_on_every_page",
        ),
        "SC-1": (
            "journeys/test_consents.py::test_exactly_one_permission_is_asked_for",
            "journeys/test_consents.py::test_a_grant_that_is_not_what_was_asked_is_refused_and_not_stored",
            "journeys/test_consents.py::test_more_scope_does_not_end_another_live_connection_of_the_account",
            "web/pages/test_callback.py::test_more_than_asked_is_refused_given_back_and_told",
        ),
        "SC-2": (
            "journeys/test_consents.py::test_a_cut_while_the_calendar_is_made_leaves_one_calendar",
            "journeys/test_main_job.py::test_connecting_makes_one_dedicated_calendar_in_the_agents_zone",
            "journeys/test_main_job.py::test_after_the_erasure_the_marker_finds_the_calendar_and_the_session",
        ),
        "SC-3": (
            "journeys/test_law_one.py::test_no_call_of_a_whole_life_names_another_calendar_or_asks_for_more_than_it_may",
            "journeys/test_main_job.py::test_a_session_is_created_moved_and_cancelled_with_one_call_each",
            "journeys/test_main_job.py::test_a_cut_answer_never_makes_two_events",
            "unit/test_law_one.py::test_a_foreign_call_is_found",
        ),
        "SC-4": (
            "journeys/test_commands.py::test_one_connection_is_revoked_here_and_at_google",
            "journeys/test_main_job.py::test_the_calendar_goes_only_when_the_agent_asks",
            "journeys/test_main_job.py::test_the_timer_erases_on_its_date_and_leaves_a_receipt",
            "web/api/test_calls.py::test_an_administrator_disconnects_and_the_calendar_stays",
            "web/api/test_foreign.py::test_a_key_opens_these_calls_and_no_others",
            "web/pages/test_disconnect.py::test_the_page_says_what_will_happen_and_stands_on_cancel",
            "web/pages/test_disconnect.py::test_the_calendar_is_kept_unless_its_deletion_is_chosen",
        ),
        "SC-5": (
            "e2e/test_reconsent_over_http.py::test_after_a_newer_policy_each_agent_agrees_again_and_goes_on",
            "journeys/test_reconsent.py::test_from_the_restart_on_nothing_is_used_until_the_agent_agrees",
            "journeys/test_reconsent.py::test_a_policy_that_came_into_force_at_googles_screen_was_not_agreed_to",
            "journeys/test_reconsent.py::test_a_page_that_showed_another_version_leads_to_no_consent",
            "journeys/test_reconsent.py::test_another_permission_under_the_same_policy_is_refused_everywhere",
        ),
        "SC-6": (
            "adapters/google/test_google_methods.py::test_every_method_has_a_purpose_a_clause_and_something_that_the_agent_sees",
            "journeys/test_scopes.py::test_the_document_says_what_a_run_gives",
        ),
        "LU-0": (
            "e2e/test_operators_over_http.py::test_the_public_pages_say_what_this_operator_says",
            "web/pages/test_other_operators.py::test_every_page_shows_in_every_language_of_the_operator",
            "web/pages/test_public_pages.py::test_the_statement_that_google_asks_for_is_short_and_linked",
            "web/pages/test_settings.py::test_before_anything_is_connected_the_page_says_all_that_has_to_be_known",
        ),
        "LU-1": (
            "adapters/google/test_google_methods.py::test_a_call_that_names_no_method_of_the_list_is_an_error_of_type",
            "adapters/google/test_google_methods.py::test_another_method_of_google_s_cannot_be_sent",
            "adapters/google/test_google_methods.py::test_log_and_numbers_name_the_purpose_of_each_call",
        ),
        "LU-2": (
            "e2e/test_egress.py::test_not_one_packet_goes_to_anybody_but_google_the_database_and_the_webhook",
            "e2e/test_egress.py::test_an_attempt_to_reach_somebody_else_is_counted",
        ),
        "LU-3": (
            "journeys/test_no_human_reads.py::test_no_command_tells_what_is_in_an_event",
            "journeys/test_no_human_reads.py::test_no_call_of_a_key_tells_what_is_in_an_event",
            "journeys/test_no_human_reads.py::test_no_page_without_the_agents_own_session_and_no_number_tells_it",
            "journeys/test_no_human_reads.py::test_no_log_line_tells_it",
            "unit/test_log.py::test_a_value_that_could_carry_more_is_refused_and_not_repeated",
            "web/api/test_doors.py::test_a_request_is_one_line_in_the_log_without_names_keys_or_addresses",
        ),
        "LU-4": (
            "e2e/browser/test_pages.py::test_a_page_is_fit_for_everybody",
            "web/pages/test_every_answer.py::test_only_cookies_that_an_act_needs_are_set_and_no_script_or_other_site_gets_them",
            "web/pages/test_words.py::test_no_page_asks_for_a_script_or_for_anything_of_a_third_party",
        ),
        "LU-5": (
            "e2e/test_egress.py::test_not_one_packet_goes_to_anybody_but_google_the_database_and_the_webhook",
            "journeys/test_main_job.py::test_nothing_of_the_content_is_kept_once_google_has_confirmed",
            "journeys/test_no_human_reads.py::test_no_command_tells_what_is_in_an_event",
            "journeys/test_no_human_reads.py::test_no_call_of_a_key_tells_what_is_in_an_event",
        ),
        "LU-6": (
            "adapters/store/test_slot.py::test_every_step_leaves_its_entry_and_no_identifier_of_google",
            "adapters/store/test_slot.py::test_only_scripts_that_change_no_connection_or_session_write_no_entry",
            "journeys/test_audit_tampering.py::test_a_changed_entry_is_found_with_its_place",
            "journeys/test_audit_tampering.py::test_a_changed_chain_or_checkpoint_is_found_with_its_place",
            "journeys/test_audit_tampering.py::test_a_shard_that_no_checkpoint_holds_yet_cannot_be_wiped",
            "journeys/test_audit_trail.py::test_closing_and_reopening_an_organization_are_entries_that_do_not_name_it",
        ),
        "ST-1": (
            "e2e/test_main_job_over_http.py::test_no_issued_token_lies_in_any_file_but_the_local_googles_own_books",
            "journeys/test_rotation.py::test_everything_is_sealed_under_the_current_key_and_still_works",
            "journeys/test_shared_database.py::test_a_process_with_another_google_client_ends_no_grant",
            "unit/test_vault.py::test_the_published_vectors_hold_for_our_own_functions",
            "unit/test_vault.py::test_a_field_opens_at_its_place_and_nowhere_else",
        ),
        "ST-2": (
            "adapters/google/test_google_tls.py::test_a_server_with_a_bad_certificate_is_sent_nothing",
            "adapters/google/test_google_tls.py::test_tls_below_1_2_is_refused",
            "unit/test_config.py::test_production_refuses",
        ),
        "ST-3": (
            "unit/test_written.py::test_a_field_and_a_key_that_nobody_named_are_found",
            "web/pages/test_inventory.py::test_everything_that_is_kept_is_in_the_inventory",
            "web/pages/test_inventory.py::test_every_item_has_a_reason_a_clause_and_an_end",
        ),
        "ST-4": (
            "journeys/test_law_one.py::test_no_call_of_a_whole_life_names_another_calendar_or_asks_for_more_than_it_may",
            "journeys/test_life_of_a_grant.py::test_a_session_that_waited_until_it_was_over_is_reported_failed",
            "journeys/test_main_job.py::test_nothing_of_the_content_is_kept_once_google_has_confirmed",
            "journeys/test_main_job.py::test_trouble_at_google_ends_as_accepted_and_the_worker_finishes_it",
            "journeys/test_waiting.py::test_it_ends_after_thirty_days_in_all_and_its_content_with_it",
            "unit/test_law_one.py::test_a_foreign_call_is_found",
        ),
        "ST-5": (
            "adapters/store/test_slot.py::test_a_revocation_counts_from_the_last_proof_of_life_but_leaves_an_hour",
            "adapters/store/test_slot.py::test_a_full_database_refuses_to_accept_but_still_disconnects_and_erases",
            "journeys/test_gone_from_files.py::test_nothing_erased_is_left_in_any_file",
            "journeys/test_gone_from_files.py::test_no_key_that_is_still_held_finds_an_identifier_again",
            "journeys/test_legal_hold.py::test_identifiers_stay_and_tokens_go",
            "journeys/test_legal_hold.py::test_after_its_end_one_sweep_erases",
            "journeys/test_legal_hold.py::test_a_hold_keeps_the_identifiers_of_sessions_long_over_and_no_content",
            "journeys/test_life_of_a_grant.py::test_a_revocation_that_google_never_answers_ends_after_seven_days_without_the_token",
            "journeys/test_main_job.py::test_the_timer_erases_on_its_date_and_leaves_a_receipt",
            "journeys/test_restore.py::test_what_was_ended_or_erased_is_so_again",
            "journeys/test_restore.py::test_holds_that_were_placed_or_replaced_since_are_named_and_what_is_over_is_lifted",
        ),
        "ST-6": (
            "journeys/test_main_job.py::test_disconnecting_keeps_the_calendar_and_ends_the_permission",
            "web/pages/test_disconnect.py::test_the_calendar_is_kept_unless_its_deletion_is_chosen",
        ),
        "RV-1": (
            "journeys/test_life_of_a_grant.py::test_a_revocation_at_google_is_noticed_by_the_daily_probe_and_erased_by_its_date",
            "journeys/test_life_of_a_grant.py::test_a_live_grant_is_probed_at_least_daily_also_while_paused",
        ),
        "RV-2": (
            "journeys/test_commands.py::test_what_cannot_be_opened_is_ended_all_the_same",
            "web/pages/test_disconnect.py::test_the_page_says_what_will_happen_and_stands_on_cancel",
            "web/pages/test_disconnect.py::test_a_disconnect_without_googles_answer_says_so_and_where_to_do_it_oneself",
        ),
        "RV-3": (
            "adapters/store/test_slot.py::test_a_disconnect_takes_the_token_away_in_one_step_and_fails_what_waited",
            "adapters/store/test_slot.py::test_a_consent_begun_before_a_disconnect_cannot_complete",
            "journeys/test_consents.py::test_who_connects_while_the_organization_is_off_boarded_is_ended_with_the_others",
            "journeys/test_law_one.py::test_the_closing_teardown_can_do_nothing_but_end_what_is_left_at_google",
            "journeys/test_shared_accounts.py::test_a_connection_that_never_stood_keeps_no_permission_alive",
        ),
        "CO-1": (
            "web/pages/test_every_answer.py::test_the_operator_and_the_contact_stand_on_every_page",
            "web/pages/test_public_pages.py::test_facts_that_the_operator_has_not_given_are_marked_and_not_invented",
        ),
        "CH-1": (
            "journeys/test_commands.py::test_an_ended_connection_is_erased_and_the_receipt_tells_whom_it_concerns",
            "web/pages/test_guarded_forms.py::test_without_a_visit_nothing_can_be_done",
        ),
        "UP-1": (
            "journeys/test_reconsent.py::test_the_backend_is_told_once",
            "journeys/test_reconsent.py::test_the_agent_is_shown_what_changed",
        ),
        "administrators": (
            "e2e/test_operators_over_http.py::test_an_administrator_suspends_and_ends_and_the_agent_is_shown_it",
            "journeys/test_no_human_reads.py::test_no_call_of_a_key_tells_what_is_in_an_event",
            "web/api/test_calls.py::test_an_administrator_disconnects_and_the_calendar_stays",
            "web/api/test_foreign.py::test_a_key_opens_these_calls_and_no_others",
        ),
        "no-transfer": (
            "unit/test_vault.py::test_a_data_key_moved_to_another_place_does_not_open",
            "web/api/test_foreign.py::test_a_session_of_another_agent_is_not_found_and_not_touched",
            "web/api/test_foreign.py::test_a_key_opens_these_calls_and_no_others",
        ),
        "access": (
            "journeys/test_export.py::test_every_fact_that_is_kept_is_exported_or_has_its_reason",
            "web/pages/test_settings.py::test_the_export_is_a_file_with_everything_but_the_keys",
        ),
        "correction": (
            "journeys/test_main_job.py::test_a_session_is_created_moved_and_cancelled_with_one_call_each",
            "journeys/test_main_job.py::test_a_persons_change_is_written_over_by_a_newer_request",
        ),
        "deletion": (
            "journeys/test_main_job.py::test_the_timer_erases_on_its_date_and_leaves_a_receipt",
            "web/pages/test_disconnect.py::test_erasing_now_hands_out_a_receipt_that_verifies",
        ),
        "portability": (
            "journeys/test_export.py::test_the_document_names_every_member",
        ),
        "restriction": (
            "journeys/test_life_of_a_grant.py::test_a_pause_keeps_sessions_waiting_and_each_lifts_only_its_own",
            "web/pages/test_settings.py::test_my_pause_can_be_lifted_by_me",
        ),
        "withdrawal": (
            "journeys/test_main_job.py::test_disconnecting_keeps_the_calendar_and_ends_the_permission",
        ),
        "cookies": (
            "web/pages/test_every_answer.py::test_only_cookies_that_an_act_needs_are_set_and_no_script_or_other_site_gets_them",
        ),
        "customer-keys": (
            "e2e/test_operators_over_http.py::test_a_customers_own_key_opens_its_organization_alone",
            "web/api/test_keys.py::test_a_key_of_one_organization_speaks_for_no_other",
        ),
        "legal-matters": (
            "journeys/test_legal_hold.py::test_after_its_end_one_sweep_erases",
        ),
        "account-closure": (
            "journeys/test_consents.py::test_an_off_boarded_organization_refuses_everything_new_until_it_is_reopened",
            "journeys/test_consents.py::test_what_is_kept_of_an_off_boarded_organizations_members_goes_by_its_timer",
        ),
        "own-term": (
            "journeys/test_retention.py::test_an_agent_may_choose_a_shorter_term_where_it_is_offered",
            "web/pages/test_retention_choice.py::test_a_shorter_term_is_chosen_and_counts_at_the_disconnect",
        ),
        "backup-latency": (
            "unit/test_operators.py::test_a_term_that_misses_the_deadline_is_refused",
        ),
    }
)  # fmt: skip
