//! What foreign stores lack of S3: cases of the conformance suite that fail there, and why.

const MARKERS: &str = "the marker of a directory becomes a file without the slash";

/// `rclone serve s3` keeps objects as files of a directory. The directories of that directory are there while a file is in them.
pub(super) const RCLONE: &[(&str, &str)] = &[
    ("a_closed_directory_is_not_reached_through_links", MARKERS),
    ("a_directory_does_not_go_into_itself", MARKERS),
    ("a_directory_is_not_opened_as_a_file", MARKERS),
    ("a_directory_is_not_replaced_by_an_upload", MARKERS),
    ("a_directory_moves_with_what_it_holds", MARKERS),
    ("a_directory_replaces_an_empty_one_only", MARKERS),
    ("a_file_moves", MARKERS),
    ("a_large_directory_is_listed_in_full", MARKERS),
    ("a_listing_does_not_follow_links", MARKERS),
    ("a_removed_directory_lists_nothing", MARKERS),
    ("absolute_links_inside_are_followed", MARKERS),
    (
        "an_open_directory_is_looked_at_and_changed_wherever_it_went",
        MARKERS,
    ),
    ("create_dir_makes_one_directory", MARKERS),
    ("files_and_directories_do_not_replace_each_other", MARKERS),
    ("links_are_followed_on_the_way_and_at_the_end", MARKERS),
    ("pages_name_every_entry_once", MARKERS),
    ("parents_in_a_link_are_those_of_its_real_place", MARKERS),
    ("remove_dir_removes_empty_directories_only", MARKERS),
    ("remove_file_reports_what_vanished", MARKERS),
    ("renaming_onto_itself_changes_nothing", MARKERS),
    ("the_guard_is_not_asked_without_links", MARKERS),
    ("the_guard_judges_both_ends_of_a_rename", MARKERS),
    ("the_guard_judges_the_real_path", MARKERS),
    ("usage_counts_every_name_of_a_regular_file", MARKERS),
    ("what_is_missing_is_not_found", MARKERS),
];
