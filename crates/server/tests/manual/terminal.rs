//! Whoever sits at the terminal of a page: sees what programs ask there, and types the answers.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::Child;
use std::thread;

/// Answers what programs ask, until the terminal is closed; the result is what was seen there.
pub(crate) fn answer(child: &mut Child, directory: &Path) -> thread::JoinHandle<String> {
    let mut keyboard = child.stdin.take().unwrap();
    let mut screen = child.stdout.take().unwrap();
    let password = directory.join("answer");
    thread::spawn(move || {
        let mut seen = String::new();
        let mut answered = 0;
        let mut buffer = [0; 4096];
        while let Ok(count @ 1..) = screen.read(&mut buffer) {
            seen.push_str(&String::from_utf8_lossy(&buffer[..count]));
            while let Some((end, answer)) = question(&seen[answered..]) {
                answered += end;
                let answer = match answer {
                    Answer::Password => fs::read_to_string(&password).unwrap_or_default(),
                    Answer::Text(text) => text.to_owned(),
                };
                // If the program is gone, the page has failed anyway.
                let _ = keyboard.write_all(format!("{answer}\n").as_bytes());
            }
        }
        seen
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Password,
    Text(&'static str),
}

/// How questions end, in small letters. Something else may follow at once: standard error comes to the terminal as well.
const QUESTIONS: [(&str, Answer); 8] = [
    ("password: ", Answer::Password),
    ("password again: ", Answer::Password),
    // That of commands which ask a server: it ends with the address.
    (":8080: ", Answer::Password),
    // curl's.
    ("enter host password for user 'alice':", Answer::Password),
    ("passphrase): ", Answer::Text("")),
    ("passphrase again: ", Answer::Text("")),
    ("(yes/no/[fingerprint])? ", Answer::Text("yes")),
    // The one of docs/logins.md.
    ("code: ", Answer::Text("123456")),
];

/// The first question in a text: where it ends, and the answer.
fn question(text: &str) -> Option<(usize, Answer)> {
    let text = text.to_ascii_lowercase();
    let found = QUESTIONS.iter().filter_map(|(words, answer)| {
        let start = text.find(words)?;
        Some((start + words.len(), *answer))
    });
    found.min_by_key(|(end, _)| *end)
}

#[test]
fn what_programs_ask_is_answered() {
    let asked = [
        ("alice@127.0.0.1's password: ", Some(Answer::Password)),
        (
            "Enter host password for user 'alice':",
            Some(Answer::Password),
        ),
        ("Re-type new password: ", Some(Answer::Password)),
        ("Password again: ", Some(Answer::Password)),
        (
            "Password of \"admin\" at http://127.0.0.1:8080: ",
            Some(Answer::Password),
        ),
        (
            "Enter passphrase (empty for no passphrase): Created it.",
            Some(Answer::Text("")),
        ),
        ("Enter same passphrase again: ", Some(Answer::Text(""))),
        (
            "Continue (yes/no/[fingerprint])? ",
            Some(Answer::Text("yes")),
        ),
        (
            "(alice@server) Code: second step",
            Some(Answer::Text("123456")),
        ),
        ("the password is wrong", None),
    ];
    for (text, answer) in asked {
        assert_eq!(question(text).map(|found| found.1), answer, "{text}");
    }
    let both = "Password: \r\nCode: ";
    assert_eq!(question(both), Some(("Password: ".len(), Answer::Password)));
}
