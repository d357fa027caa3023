//! What may stand in front of a key in an `authorized_keys` line (sshd(8)). What restricts a key is enforced; what allows
//! or forbids things that this server does not have is read over.

use thiserror::Error;

use super::addresses::AddressPatterns;

/// Flags about things that are not served: forwarding, terminals, files that run at the login.
const WITHOUT_EFFECT: &[&str] = &[
    "restrict",
    "agent-forwarding",
    "port-forwarding",
    "pty",
    "user-rc",
    "x11-forwarding",
    "no-agent-forwarding",
    "no-port-forwarding",
    "no-pty",
    "no-user-rc",
    "no-x11-forwarding",
];
/// Options with a value; the last four are about things that are not served, too.
const VALUES: &[&str] = &[
    "from",
    "expiry-time",
    "command",
    "principals",
    "environment",
    "permitlisten",
    "permitopen",
    "tunnel",
];

/// Why the options of a key cannot be honoured. Such a key does not log in.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum OptionError {
    /// It may be a restriction.
    #[error("the option {0:?} is unknown")]
    Unknown(String),
    /// The value is missing, has no closing quote or makes no sense.
    #[error("the value of the option {0:?} cannot be understood")]
    Value(&'static str),
    /// Each of the two could be meant.
    #[error("the option {0:?} stands there twice")]
    Twice(&'static str),
    /// Principals are those of certificates.
    #[error("\"principals\" needs \"cert-authority\"")]
    Principals,
    /// Something else stands where a comma should.
    #[error("the options are not separated by commas")]
    Separator,
}

/// The options of a key that have an effect here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyOptions {
    /// `from=`: where the key may be used.
    pub from: Option<AddressPatterns>,
    /// `command=`: the one thing that a connection runs.
    pub command: Option<String>,
    /// `expiry-time=`: when the key ceases to be one.
    pub expires: Option<ExpiryTime>,
    /// `cert-authority`: the key signs certificates and does not log in itself.
    pub cert_authority: bool,
    /// `principals=`: whom such certificates must name, instead of the account.
    pub principals: Option<Vec<String>>,
    /// `no-touch-required`: signatures of a security key count although nobody touched it.
    pub no_touch_required: bool,
    /// `verify-required`: a security key must have checked a PIN or a finger.
    pub verify_required: bool,
}

/// A time as `expiry-time=` writes it. The fields are in their ranges; whether the day exists is for the calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExpiryTime {
    /// 0 to 9999.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 59.
    pub second: u8,
    /// UTC; else the local time of the server.
    pub utc: bool,
}

impl KeyOptions {
    /// Parses options separated by commas, without white space but within quotes. Names may be of any case.
    ///
    /// # Errors
    /// Something in it is not understood.
    pub fn parse(text: &str) -> Result<Self, OptionError> {
        let mut options = Self::default();
        let mut rest = text;
        while !rest.is_empty() {
            let end = rest.find(['=', ',']).unwrap_or(rest.len());
            let (name, after) = rest.split_at(end);
            let name = name.to_ascii_lowercase();
            rest = match after.strip_prefix('=') {
                Some(after) => options.set(&name, after)?,
                None => {
                    options.flag(&name)?;
                    after
                }
            };
            if rest.is_empty() {
                break;
            }
            // A comma at the end promises another option.
            rest = rest
                .strip_prefix(',')
                .filter(|rest| !rest.is_empty())
                .ok_or(OptionError::Separator)?;
        }
        if options.principals.is_some() && !options.cert_authority {
            return Err(OptionError::Principals);
        }
        Ok(options)
    }

    fn flag(&mut self, name: &str) -> Result<(), OptionError> {
        match name {
            "cert-authority" => self.cert_authority = true,
            "no-touch-required" => self.no_touch_required = true,
            "touch-required" => self.no_touch_required = false,
            "verify-required" => self.verify_required = true,
            "no-verify-required" => self.verify_required = false,
            name if WITHOUT_EFFECT.contains(&name) => {}
            unknown => return Err(OptionError::Unknown(shown(unknown))),
        }
        Ok(())
    }

    /// Sets an option with a value; gives back what follows the value.
    fn set<'a>(&mut self, name: &str, after: &'a str) -> Result<&'a str, OptionError> {
        let known = VALUES.iter().find(|known| **known == name);
        let name = *known.ok_or_else(|| OptionError::Unknown(shown(name)))?;
        let broken = OptionError::Value(name);
        let (value, rest) = quoted(after).ok_or_else(|| broken.clone())?;
        match name {
            "from" => {
                let from = AddressPatterns::parse(&value).ok_or(broken)?;
                once(&mut self.from, from, name)?;
            }
            "expiry-time" => {
                let time = ExpiryTime::parse(&value).ok_or(broken)?;
                once(&mut self.expires, time, name)?;
            }
            "command" => once(&mut self.command, value, name)?,
            "principals" => {
                let names = value.split(',').map(str::to_owned).collect();
                once(&mut self.principals, names, name)?;
            }
            // About things that are not served.
            _ => {}
        }
        Ok(rest)
    }
}

impl ExpiryTime {
    /// Parses `YYYYMMDD`, `YYYYMMDDHHMM` or `YYYYMMDDHHMMSS`, with `Z` behind it for UTC.
    fn parse(text: &str) -> Option<Self> {
        let (digits, utc) = match text.strip_suffix(['Z', 'z']) {
            Some(digits) => (digits, true),
            None => (text, false),
        };
        if !matches!(digits.len(), 8 | 12 | 14) || !digits.bytes().all(|byte| byte.is_ascii_digit())
        {
            return None;
        }
        let two = |at: usize| -> Option<u8> {
            digits
                .get(at..at + 2)
                .map_or(Some(0), |digits| digits.parse().ok())
        };
        let time = Self {
            year: digits.get(..4)?.parse().ok()?,
            month: two(4)?,
            day: two(6)?,
            hour: two(8)?,
            minute: two(10)?,
            second: two(12)?,
            utc,
        };
        let is_valid = (1..=12).contains(&time.month)
            && (1..=31).contains(&time.day)
            && time.hour < 24
            && time.minute < 60
            && time.second < 60;
        is_valid.then_some(time)
    }
}

fn once<T>(place: &mut Option<T>, value: T, name: &'static str) -> Result<(), OptionError> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(OptionError::Twice(name)),
    }
}

/// A value in quotes, in which `\"` is a quote, and what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut rest = text.strip_prefix('"')?;
    let mut value = String::new();
    loop {
        let end = rest.find('"')?;
        let (before, after) = rest.split_at(end);
        rest = after.strip_prefix('"')?;
        match before.strip_suffix('\\') {
            Some(before) => {
                value.push_str(before);
                value.push('"');
            }
            None => {
                value.push_str(before);
                return Some((value, rest));
            }
        }
    }
}

/// Splits a line into the options in front of the key, and the rest: at the first white space that is not in quotes.
pub(super) fn split_line(line: &str) -> (&str, &str) {
    let mut in_quotes = false;
    let mut escaped = false;
    let end = line.find(|letter: char| {
        let ends = !in_quotes && matches!(letter, ' ' | '\t');
        if letter == '"' && !escaped {
            in_quotes = !in_quotes;
        }
        escaped = letter == '\\';
        ends
    });
    let (options, rest) = line.split_at(end.unwrap_or(line.len()));
    (options, rest.trim_start_matches([' ', '\t']))
}

/// For a message: short, and without anything that a terminal obeys.
fn shown(name: &str) -> String {
    name.chars().filter(|c| !c.is_control()).take(32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_with_an_effect_are_read_and_others_read_over() {
        let options = KeyOptions::parse(
            "restrict,No-PTY,from=\"192.0.2.0/24,!192.0.2.7\",command=\"echo \\\"a, b\\\" c\",\
             environment=\"A=B\",permitopen=\"host:80\",Verify-Required,no-touch-required,\
             expiry-time=\"20301231235959Z\"",
        )
        .unwrap();
        assert_eq!(options.command.as_deref(), Some("echo \"a, b\" c"));
        assert!(options.from.is_some() && options.expires.is_some());
        assert!(options.verify_required && options.no_touch_required && !options.cert_authority);
        assert_eq!(KeyOptions::parse("").unwrap(), KeyOptions::default());
    }

    #[test]
    fn the_later_of_two_flags_counts() {
        let options = KeyOptions::parse("no-touch-required,touch-required").unwrap();
        assert!(!options.no_touch_required);
        let options = KeyOptions::parse("no-verify-required,verify-required").unwrap();
        assert!(options.verify_required);
    }

    #[test]
    fn principals_are_those_of_an_authority() {
        let options = KeyOptions::parse("cert-authority,principals=\"alice,ops\"").unwrap();
        assert_eq!(options.principals.unwrap(), ["alice", "ops"]);
        assert_eq!(
            KeyOptions::parse("principals=\"alice\""),
            Err(OptionError::Principals)
        );
    }

    #[test]
    fn what_is_not_understood_is_an_error() {
        let error = |text| KeyOptions::parse(text).unwrap_err();
        assert_eq!(error("no-such"), OptionError::Unknown("no-such".to_owned()));
        assert_eq!(
            error("future=\"x\""),
            OptionError::Unknown("future".to_owned())
        );
        for text in [
            "from=",
            "from=x",
            "from=\"10.0.0.1",
            "from=\"\"",
            "from=\"10.0.0.1/8\"",
        ] {
            assert_eq!(error(text), OptionError::Value("from"), "{text}");
        }
        assert_eq!(
            error("expiry-time=\"tomorrow\""),
            OptionError::Value("expiry-time")
        );
        assert_eq!(
            error("command=\"a\",command=\"b\""),
            OptionError::Twice("command")
        );
        for text in ["no-pty,", "command=\"a\"no-pty", "command=\"a\","] {
            assert_eq!(error(text), OptionError::Separator, "{text}");
        }
        for text in [",no-pty", "no-pty,,no-pty", "command"] {
            assert!(KeyOptions::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_expiry_time_is_a_day_or_a_time_of_it() {
        let time = |text| ExpiryTime::parse(text);
        let day = time("20300131").unwrap();
        assert_eq!(
            (day.year, day.month, day.day, day.utc),
            (2030, 1, 31, false)
        );
        let minute = time("203001312359Z").unwrap();
        assert_eq!((minute.hour, minute.minute, minute.second), (23, 59, 0));
        assert!(minute.utc);
        assert_eq!(time("20300131235901").unwrap().second, 1);
        for text in [
            "",
            "Z",
            "2030",
            "20301301",
            "20300132",
            "20300100",
            "2030013124",
            "203001312400",
            "203001312360",
            "2030013123590",
            "2030-01-31",
            "+2030101",
        ] {
            assert_eq!(time(text), None, "{text}");
        }
    }

    #[test]
    fn options_end_at_white_space_outside_of_quotes() {
        assert_eq!(split_line("a b"), ("a", "b"));
        assert_eq!(split_line("a=\"x y\",b \t c d"), ("a=\"x y\",b", "c d"));
        assert_eq!(split_line("a=\"x \\\" y\" c"), ("a=\"x \\\" y\"", "c"));
        assert_eq!(split_line("a=\"x y"), ("a=\"x y", ""));
        assert_eq!(split_line(""), ("", ""));
    }
}
