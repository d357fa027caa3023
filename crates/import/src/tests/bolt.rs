//! The database file of 0.9.6. `tests/data/README.md` says how it was made.

use super::{context, found, user};
use crate::{ImportError, reference_bolt};

const FILE: &[u8] = include_bytes!("../../tests/data/reference-0.9.6.bolt");

fn refused(file: &[u8]) -> ImportError {
    reference_bolt(file, context()).unwrap_err()
}

#[test]
fn every_user_of_the_file_comes() {
    let import = reference_bolt(FILE, context()).unwrap();
    let names: Vec<_> = import.users.iter().map(|user| user.name.as_str()).collect();
    let expected: Vec<_> = (0..40).map(|number| format!("user{number:04}")).collect();
    assert_eq!(names, expected, "from several pages, in order");
    let one = user(&import, "user0001");
    assert_eq!(one.password, "$1$b5caebda$VODr/nyhGWgZaY8sJ4x05.");
    assert_eq!((one.public_keys.len(), one.max_sessions), (1, 1));
    assert_eq!(one.virtual_folders[0].mapped_path, "/srv/shared");
    assert!(import.users.iter().all(|user| user.notes.is_empty()));
    assert_eq!(user(&import, "user0002").home_dir, "/srv/user0002");
    assert!(found(&import, "user0039").user.is_ok());
}

#[test]
fn one_whole_meta_page_is_enough_and_none_is_an_error() {
    let broken = |pages: &[usize]| {
        let mut file = FILE.to_vec();
        for page in pages {
            file[page * 4096 + 20] ^= 0xff;
        }
        file
    };
    // The other one may be of the transaction before, which made the file and nothing in it.
    let whole = [broken(&[0]), broken(&[1])].map(|file| reference_bolt(&file, context()));
    let users = whole
        .iter()
        .filter_map(|import| Some(import.as_ref().ok()?.users.len()));
    assert_eq!(users.collect::<Vec<_>>(), [40]);
    let file = broken(&[0, 1]);
    assert!(refused(&file).to_string().contains("no file of the driver"));
}

#[test]
fn a_later_version_and_files_of_others_are_refused_with_what_to_do() {
    let text = br#"{"Version":3}"#;
    let mut file = FILE.to_vec();
    while let Some(at) = file.windows(text.len()).position(|window| window == text) {
        file[at..at + text.len()].copy_from_slice(br#"{"Version":9}"#);
    }
    assert!(refused(&file).to_string().contains("make a dump"));
    assert!(refused(b"redb").to_string().contains("sftpgo dump"));
    assert!(refused(b"").to_string().contains("no file of the driver"));
}

#[test]
fn a_file_that_ends_too_early_is_damaged() {
    for length in (0..FILE.len()).step_by(509) {
        // Either an error, or what is there: never a panic, never an endless walk.
        if let Ok(import) = reference_bolt(&FILE[..length], context()) {
            assert!(import.users.len() <= 40);
        }
    }
}
