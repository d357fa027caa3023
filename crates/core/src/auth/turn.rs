//! What a keyboard-interactive hook says in one round (reference 9.5).

use serde::Deserialize;

use super::authentication::Challenge;

/// Questions in one round; there is nobody who would answer more.
const MOST_QUESTIONS: usize = 32;

/// One round.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// The client has to answer.
    Ask {
        challenge: Challenge,
        /// Whether the answer is to be the account's password, which is then not told to the hook.
        check_password: bool,
    },
    /// The dialogue is over, and the client proved itself or not.
    Over(bool),
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Message {
    instruction: Option<String>,
    questions: Option<Vec<String>>,
    echos: Option<Vec<bool>>,
    check_password: Option<i64>,
    auth_result: Option<i64>,
}

impl Turn {
    /// Reads what a hook says.
    ///
    /// # Errors
    /// It is not what hooks say; in words, without repeating it.
    pub(super) fn parse(text: &[u8]) -> Result<Self, String> {
        if text.trim_ascii().first() != Some(&b'{') {
            return Err("it says something that is no JSON object".to_owned());
        }
        let message: Message = serde_json::from_slice(text)
            .map_err(|error| format!("it says no round: column {}", error.column()))?;
        match message.auth_result.unwrap_or(0) {
            0 => {}
            result => return Ok(Self::Over(result == 1)),
        }
        let questions = message.questions.unwrap_or_default();
        let echos = message.echos.unwrap_or_default();
        if questions.is_empty() {
            return Err("it asks nothing and tells no result".to_owned());
        }
        if questions.len() != echos.len() {
            return Err("it gives another number of echos than of questions".to_owned());
        }
        if questions.len() > MOST_QUESTIONS {
            return Err(format!("it asks more than {MOST_QUESTIONS} questions"));
        }
        let check_password = message.check_password.unwrap_or(0) > 0 && questions.len() == 1;
        Ok(Self::Ask {
            challenge: Challenge {
                instruction: message.instruction.unwrap_or_default(),
                questions: questions.into_iter().zip(echos).collect(),
            },
            check_password,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(questions: &[(&str, bool)], check_password: bool) -> Result<Turn, String> {
        let questions = questions
            .iter()
            .map(|(text, echo)| ((*text).to_owned(), *echo));
        Ok(Turn::Ask {
            challenge: Challenge {
                instruction: String::new(),
                questions: questions.collect(),
            },
            check_password,
        })
    }

    fn parse(text: &str) -> Result<Turn, String> {
        Turn::parse(text.as_bytes())
    }

    #[test]
    fn a_round_asks_or_tells_the_result() {
        assert_eq!(
            parse(r#"{"questions":["Pin: "],"echos":[false],"check_password":1}"#),
            asked(&[("Pin: ", false)], true)
        );
        assert_eq!(
            parse(r#"{"questions":["a","b"],"echos":[true,false],"instruction":null,"more":1}"#),
            asked(&[("a", true), ("b", false)], false)
        );
        assert_eq!(parse(r#"{"auth_result":1}"#), Ok(Turn::Over(true)));
        for result in [-1, 2] {
            let told = format!(r#"{{"auth_result":{result},"questions":["a"],"echos":[true]}}"#);
            assert_eq!(parse(&told), Ok(Turn::Over(false)));
        }
    }

    #[test]
    fn one_question_alone_can_be_about_the_password() {
        let two = r#"{"questions":["a","b"],"echos":[true,true],"check_password":1}"#;
        assert_eq!(parse(two), asked(&[("a", true), ("b", true)], false));
        let zero = r#"{"questions":["a"],"echos":[true],"check_password":0}"#;
        assert_eq!(parse(zero), asked(&[("a", true)], false));
    }

    #[test]
    fn what_is_no_round_is_an_error() {
        let many = format!(
            r#"{{"questions":{:?},"echos":{:?}}}"#,
            vec!["q"; MOST_QUESTIONS + 1],
            vec![true; MOST_QUESTIONS + 1]
        );
        for bad in [
            "",
            "yes",
            "[]",
            r#"[null,["a"],[true]]"#,
            "{}",
            r#"{"auth_result":0}"#,
            r#"{"questions":["a"]}"#,
            r#"{"questions":["a"],"echos":[]}"#,
            r#"{"questions":["a"],"echos":[true,true]}"#,
            r#"{"questions":"a","echos":[true]}"#,
            &many,
        ] {
            assert!(parse(bad).is_err(), "{bad}");
        }
    }
}
