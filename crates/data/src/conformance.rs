//! One suite that every driver passes: the sentences of [`crate::provider`], each as a test.

mod agreement;
mod life;
mod quota;
pub(crate) mod samples;
mod users;

use std::any::Any;
use std::sync::Arc;

use crate::provider::DataProvider;

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
                many_reservations_never_exceed_the_limit,
                many_additions_lose_nothing,
            }
            life {
                an_open_provider_answers,
                a_closed_provider_refuses_everything,
                closing_waits_for_calls_on_their_way,
                closing_twice_is_harmless,
            }
        }
    };
}
pub(crate) use suite;

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

    suite!(open);
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
