//! One suite that every driver passes: the sentences of [`crate::provider`], each as a test.

mod agreement;
pub(crate) mod changes;
pub(crate) mod cluster;
mod life;
mod quota;
pub(crate) mod samples;
pub(crate) mod servers;
mod users;

use std::any::Any;
use std::sync::Arc;

use crate::provider::DataProvider;
use crate::sql::SqlProvider;

/// An empty provider, and what must live as long as it.
pub(crate) struct Fixture {
    pub(crate) provider: Arc<dyn DataProvider>,
    pub(crate) _held: Box<dyn Any + Send>,
}

/// Stamps the suite for one driver; the argument makes a fixture.
macro_rules! suite {
    ($open:path: $($module:ident { $($case:ident,)* })*) => {
        $($(
            #[tokio::test(flavor = "multi_thread")]
            async fn $case() {
                let fixture = $open().await;
                crate::conformance::$module::$case(&fixture.provider).await;
                fixture.provider.close().await;
            }
        )*)*
    };
    ($open:path) => {
        crate::conformance::suite! { $open:
            users {
                added_users_are_found_by_name_and_id,
                every_field_survives_storing,
                empty_lists_and_objects_survive_storing,
                adding_starts_counters_and_logins_at_zero,
                adding_ignores_the_id_and_gives_a_new_one,
                ids_are_not_given_twice,
                a_name_can_be_taken_once,
                of_many_who_want_a_name_one_gets_it,
                names_are_case_sensitive_and_any_text,
                an_update_replaces_all_but_what_the_server_keeps,
                an_update_can_empty_every_field,
                updating_or_deleting_nobody_is_not_found,
                deleted_users_are_gone_and_their_name_is_free,
                lists_are_ordered_byte_by_byte_and_paged,
                a_list_can_be_of_one_name,
                a_list_can_go_on_after_a_name,
                a_list_can_be_of_names_that_begin_with_a_text,
                logins_are_noted_and_nobody_is_no_error,
                a_plain_secret_is_not_stored,
            }
            quota {
                reserving_stops_at_the_limit,
                a_refused_reservation_changes_nothing,
                zero_is_no_limit,
                only_a_growing_counter_is_compared_with_its_limit,
                reserving_follows_the_limits_stored_now,
                reserving_for_nobody_is_not_found,
                adding_knows_no_limits_and_stops_at_zero,
                adding_for_nobody_is_no_error,
                setting_replaces_the_counters,
                counters_do_not_overflow,
                each_change_notes_its_time,
                a_change_is_made_once_however_often_it_is_asked_for,
                a_refused_change_was_not_made_and_may_be_tried_again,
                a_user_of_the_same_name_has_changes_of_its_own,
                many_reservations_never_exceed_the_limit,
                many_additions_lose_nothing,
            }
            changes {
                changed_and_removed_accounts_are_told,
                each_reader_goes_on_from_its_mark,
                waiting_ends_with_a_change,
            }
            life {
                an_open_provider_answers,
                a_closed_provider_refuses_everything,
                closing_waits_for_calls_on_their_way,
                closing_twice_is_harmless,
                closing_does_not_wait_for_what_listens_for_changes,
            }
        }
    };
}
pub(crate) use suite;

/// Two servers on one empty database, and what must live as long as they.
pub(crate) struct Pair {
    pub(crate) first: Arc<SqlProvider>,
    pub(crate) second: Arc<SqlProvider>,
    pub(crate) _held: Box<dyn Any + Send>,
}

/// Stamps the suite of what servers tell each other for one driver; the argument makes a [`Pair`].
macro_rules! suite_of_two {
    ($open:path: $($module:ident { $($case:ident,)* })*) => {
        $($(
            #[tokio::test(flavor = "multi_thread")]
            async fn $case() {
                let pair = $open().await;
                crate::conformance::$module::$case(&pair).await;
                pair.first.close().await;
                pair.second.close().await;
            }
        )*)*
    };
    ($open:path) => {
        crate::conformance::suite_of_two! { $open:
            cluster {
                sessions_on_all_servers_count,
                a_refused_claim_changes_nothing,
                sessions_that_are_given_back_make_room,
                neighbours_are_told_with_what_they_share,
                many_claims_never_exceed_the_limit,
                sessions_of_a_dead_server_do_not_count,
                users_of_a_dead_server_are_told_to_one_server_only,
                a_server_that_was_forgotten_learns_of_it,
                nobody_is_taken_for_dead_whose_beats_were_missed_by_all,
                a_server_taken_for_dead_counts_again_with_its_next_session,
                a_server_that_leaves_is_forgotten,
                who_does_not_share_is_told_to,
                a_beat_tells_what_all_live_servers_have,
                a_shared_text_is_replaced_by_whoever_knows_its_version,
                a_shared_text_that_is_made_anew_has_a_new_version,
                of_many_swaps_none_is_lost,
                a_closed_server_tells_nothing,
            }
            changes {
                changes_of_one_server_are_told_by_the_other,
                of_changes_by_several_servers_none_is_missed,
            }
        }
    };
}
pub(crate) use suite_of_two;

mod memory {
    use super::*;
    use crate::kv::MemoryProvider;

    pub(super) async fn open() -> Fixture {
        let provider = Arc::new(MemoryProvider::with_users(Vec::new()).unwrap());
        Fixture {
            provider,
            _held: Box::new(()),
        }
    }

    suite!(open);
}

mod sqlite_file {
    use super::*;
    use crate::config::DataProviderConfig;
    use crate::sql::sqlite;

    pub(super) async fn open() -> Fixture {
        let directory = tempfile::tempdir().unwrap();
        let (settings, _) = DataProviderConfig::default()
            .resolve(directory.path())
            .unwrap();
        let provider = crate::open(&settings, Vec::new()).await.unwrap();
        Fixture {
            provider,
            _held: Box::new(directory),
        }
    }

    async fn open_two() -> Pair {
        let directory = tempfile::tempdir().unwrap();
        let (settings, _) = DataProviderConfig::default()
            .resolve(directory.path())
            .unwrap();
        let open = async || Arc::new(sqlite::open(&settings).await.unwrap().0);
        Pair {
            first: open().await,
            second: open().await,
            _held: Box::new(directory),
        }
    }

    suite!(open);
    suite_of_two!(open_two);
}

mod sqlite_memory {
    use super::*;
    use crate::config::{DataProviderConfig, HiddenText};

    pub(super) async fn open() -> Fixture {
        let config = DataProviderConfig {
            connection_string: HiddenText::new("file::memory:?cache=shared"),
            users_table: "main.accounts".to_owned(),
            ..DataProviderConfig::default()
        };
        let (settings, _) = config.resolve("/nowhere".as_ref()).unwrap();
        let provider = crate::open(&settings, Vec::new()).await.unwrap();
        Fixture {
            provider,
            _held: Box::new(()),
        }
    }

    suite!(open);
}

mod postgresql {
    use super::*;

    pub(super) async fn open() -> Fixture {
        servers::fixture(sftpgo_testdb::postgresql()).await
    }

    suite!(open);
}

mod mysql {
    use super::*;

    pub(super) async fn open() -> Fixture {
        servers::fixture(sftpgo_testdb::mariadb()).await
    }

    suite!(open);
}

mod bolt {
    use super::*;
    use crate::config::DataProviderConfig;

    pub(super) async fn open() -> Fixture {
        let directory = tempfile::tempdir().unwrap();
        let config = DataProviderConfig {
            driver: "bolt".to_owned(),
            ..DataProviderConfig::default()
        };
        let (settings, _) = config.resolve(directory.path()).unwrap();
        let provider = crate::open(&settings, Vec::new()).await.unwrap();
        Fixture {
            provider,
            _held: Box::new(directory),
        }
    }

    suite!(open);
}
