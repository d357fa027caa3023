//! One suite for every back end: each line of the [`Storage`](crate::Storage) trait's documentation, as a test.
//!
//! `conformance_suite!` stamps it over a storage; the cases are grouped in the files of this folder. Helpers assert, so this
//! module is compiled for tests only (feature `conformance`).
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test suite asserts")]

mod attributes;
mod directories;
mod files;
mod fixture;
mod guard;
mod links;
mod mistakes;
mod names;
mod rename;
mod visibility;

pub use fixture::Fixture;

/// Calls a macro with the list of all cases: a file each, and the functions in it.
#[doc(hidden)]
#[macro_export]
macro_rules! conformance_cases {
    ($callback:ident $(, $fixture:expr)?) => {
        $crate::$callback! {
            $($fixture,)?
            attributes: every_given_attribute_is_applied, mode_takes_the_low_nine_bits_only,
                attributes_of_a_link_itself, attributes_out_of_range_are_refused,
                truncate_cuts_and_extends, space_is_known_where_declared,
                usage_counts_every_name_of_a_regular_file, attributes_of_an_open_file;
            directories: create_dir_makes_one_directory, a_taken_name_makes_no_directory,
                remove_dir_removes_empty_directories_only, remove_file_reports_what_vanished,
                remove_file_removes_a_link_and_not_its_target, pages_name_every_entry_once,
                a_listing_ends_and_stays_ended, entries_that_vanish_are_left_out,
                a_listing_does_not_follow_links, a_large_directory_is_listed_in_full,
                a_removed_directory_lists_nothing,
                an_open_directory_is_looked_at_and_changed_wherever_it_went;
            files: what_is_written_is_read, holes_read_as_zeros, chunks_are_written_in_order,
                reads_are_short_only_at_the_end, reads_append_to_the_buffer,
                a_read_without_waiting_gives_the_same_bytes,
                a_write_without_waiting_writes_the_same_bytes, refuse_leaves_what_is_there,
                truncate_replaces_the_contents, keep_leaves_the_contents,
                without_create_nothing_is_made, a_new_file_has_the_mode,
                a_write_handle_reads_back_and_cuts, an_open_file_survives_its_removal,
                offsets_out_of_range_are_refused, writes_at_the_same_time_all_arrive,
                times_hold_over_later_writes, appends_of_several_handles_all_stay,
                the_end_is_one_handles_at_a_time;
            guard: the_guard_is_not_asked_without_links, the_guard_judges_the_real_path,
                a_closed_directory_is_not_reached_through_links,
                the_guard_judges_both_ends_of_a_rename;
            links: the_text_of_a_link_is_kept, links_are_followed_on_the_way_and_at_the_end,
                parents_in_a_link_are_those_of_its_real_place, absolute_links_inside_are_followed,
                a_dangling_link_is_not_found_but_there, writing_through_a_dangling_link_makes_its_target,
                exclusive_creation_does_not_follow, loops_end, links_that_leave_are_refused,
                links_that_leave_can_be_handled_themselves, a_link_with_a_slash_wants_a_directory,
                long_chains_of_links_end, hard_links_are_further_names;
            mistakes: what_is_missing_is_not_found, missing_parents_are_not_found,
                a_file_on_the_way_is_not_a_directory, a_directory_is_not_opened_as_a_file,
                the_root_stays_where_it_is;
            names: any_bytes_are_a_name, the_longest_name_can_be_uploaded,
                names_that_are_not_utf8_are_refused_where_they_cannot_be_held,
                names_of_running_uploads_are_nobodys;
            rename: a_file_moves, a_directory_moves_with_what_it_holds, a_link_moves_itself,
                replace_reports_what_it_replaced, no_replace_leaves_what_is_there,
                files_and_directories_do_not_replace_each_other,
                a_directory_replaces_an_empty_one_only, a_directory_does_not_go_into_itself,
                renaming_onto_itself_changes_nothing,
                renaming_onto_another_name_of_the_file_leaves_one_name;
            visibility: in_place_is_visible_at_once, in_place_stays_when_given_up,
                on_finish_shows_the_new_file_in_one_step, on_finish_leaves_nothing_when_given_up,
                on_finish_leaves_the_old_file_when_given_up, keep_partial_keeps_what_has_arrived,
                keep_partial_keeps_the_old_file_if_nothing_arrived,
                keep_writes_into_an_existing_file_in_place, a_replacement_has_the_old_mode,
                an_exclusive_upload_replaces_nothing_in_the_end,
                a_directory_is_not_replaced_by_an_upload,
                finish_reports_what_it_replaced_at_that_moment;
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! conformance_dispatch {
    ($($file:ident: $($case:ident),+;)+) => {
        /// Runs one case of the suite by its name.
        pub async fn run(case: &str, fixture: Fixture) {
            match case {
                $($(stringify!($case) => $file::$case(fixture).await,)+)+
                _ => panic!("no such case: {case}"),
            }
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! conformance_tests {
    ($fixture:expr, $($file:ident: $($case:ident),+;)+) => {
        $($(
            #[::tokio::test]
            async fn $case() {
                $crate::conformance::run(stringify!($case), $fixture()).await;
            }
        )+)+
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! conformance_tests_but {
    ($both:expr, $($file:ident: $($case:ident),+;)+) => {
        $($(
            #[::tokio::test]
            async fn $case() {
                let (fixture, lacks) = $both;
                $crate::conformance::run_but(stringify!($case), fixture(), lacks).await;
            }
        )+)+
    };
}

/// Stamps the whole suite as tests into the module where it stands. The argument is a function that makes a
/// [`Fixture`] around a fresh, empty storage.
///
/// The second form is for a foreign store that lacks something: a table of cases with the reason. Those must fail, so that the
/// table says no more than is true.
#[macro_export]
macro_rules! conformance_suite {
    ($fixture:expr) => {
        $crate::conformance_cases!(conformance_tests, $fixture);
    };
    ($fixture:expr, $lacks:expr) => {
        $crate::conformance_cases!(conformance_tests_but, ($fixture, $lacks));
    };
}

conformance_cases!(conformance_dispatch);

/// Runs one case, which must fail if `lacks` has it.
pub async fn run_but(case: &'static str, fixture: Fixture, lacks: &[(&str, &str)]) {
    let Some((_, why)) = lacks.iter().find(|(lacking, _)| *lacking == case) else {
        return run(case, fixture).await;
    };
    let tasks = tokio::task::LocalSet::new();
    let running = tasks.spawn_local(run(case, fixture));
    let failed = tasks.run_until(running).await;
    assert!(
        failed.is_err_and(|error| error.is_panic()),
        "{case} works: take it out of the table ({why})"
    );
}
