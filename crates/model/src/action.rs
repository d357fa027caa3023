//! Actions: what the operator wants to be told of, or asked about, and how (reference 10). [`ActionsText`] as a settings file
//! has it becomes [`Actions`].

use std::path::{Path, PathBuf};

use crate::hook::{HookText, HookUrl};
use crate::setting::SettingIssue;

/// A kind of event that settings can name.
pub trait Event: Copy + PartialEq + 'static {
    /// Every event of the kind.
    const ALL: &'static [Self];

    /// The name in settings, and what programs and URLs are told.
    fn name(self) -> &'static str;

    /// Whether it is asked about before anything is done, and may be refused.
    fn is_gate(self) -> bool;
}

/// What happens to files, and SSH commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileEvent {
    /// A download ended well.
    Download,
    /// An upload ended well.
    Upload,
    /// A file or a symbolic link was removed.
    Delete,
    /// Something was renamed.
    Rename,
    /// An SSH command other than `scp` ended well.
    SshCommand,
    /// A file is about to be opened to be read.
    PreDownload,
    /// A file is about to be made or changed.
    PreUpload,
    /// A file or a symbolic link is about to be removed.
    PreDelete,
}

impl Event for FileEvent {
    const ALL: &'static [Self] = &[
        Self::Download,
        Self::Upload,
        Self::Delete,
        Self::Rename,
        Self::SshCommand,
        Self::PreDownload,
        Self::PreUpload,
        Self::PreDelete,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Download => "download",
            Self::Upload => "upload",
            Self::Delete => "delete",
            Self::Rename => "rename",
            Self::SshCommand => "ssh_cmd",
            Self::PreDownload => "pre-download",
            Self::PreUpload => "pre-upload",
            Self::PreDelete => "pre-delete",
        }
    }

    fn is_gate(self) -> bool {
        match self {
            Self::PreDownload | Self::PreUpload | Self::PreDelete => true,
            Self::Download | Self::Upload | Self::Delete | Self::Rename | Self::SshCommand => false,
        }
    }
}

/// What an administrator does to accounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserEvent {
    /// One was added.
    Add,
    /// One was changed.
    Update,
    /// One was removed.
    Delete,
}

impl Event for UserEvent {
    const ALL: &'static [Self] = &[Self::Add, Self::Update, Self::Delete];

    fn name(self) -> &'static str {
        match self {
            Self::Add => "add",
            Self::Update => "update",
            Self::Delete => "delete",
        }
    }

    fn is_gate(self) -> bool {
        false
    }
}

/// Where somebody is told of events, or asked. `Debug` shows no secret.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ActionTargets {
    /// The absolute path of a program. It may not be there.
    pub command: Option<PathBuf>,
    /// A URL.
    pub url: Option<HookUrl>,
}

impl ActionTargets {
    /// Whether there is nobody.
    pub fn are_none(&self) -> bool {
        self.command.is_none() && self.url.is_none()
    }
}

/// Which events something happens on, what, and how much of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actions<E> {
    /// The events, none twice. If there is a gate among them there is somebody to ask.
    pub events: Vec<E>,
    /// Who is told.
    pub targets: ActionTargets,
    /// Actions at a time, at least 1.
    pub running: usize,
    /// Actions that may wait for their turn, at least 1.
    pub waiting: usize,
}

impl<E> Default for Actions<E> {
    fn default() -> Self {
        Self {
            events: Vec::new(),
            targets: ActionTargets::default(),
            running: DEFAULT_RUNNING as usize,
            waiting: DEFAULT_WAITING as usize,
        }
    }
}

impl<E: Event> Actions<E> {
    /// Whether anything happens on this event.
    pub fn wants(&self, event: E) -> bool {
        !self.targets.are_none() && self.events.contains(&event)
    }
}

/// Actions at a time, unless the settings say otherwise.
pub const DEFAULT_RUNNING: u32 = 16;
/// Actions that may wait, unless the settings say otherwise.
pub const DEFAULT_WAITING: u32 = 10_000;

/// The keys of a section of actions, for messages.
#[derive(Debug, Clone, Copy)]
pub struct ActionKeys {
    /// Of [`ActionsText::execute_on`].
    pub execute_on: &'static str,
    /// Of [`ActionsText::command`].
    pub command: &'static str,
    /// Of [`ActionsText::url`].
    pub url: &'static str,
    /// Of [`ActionsText::max_running`].
    pub max_running: &'static str,
    /// Of [`ActionsText::max_waiting`].
    pub max_waiting: &'static str,
}

/// A section of actions as a settings file has it.
#[derive(Debug, Clone, Copy)]
pub struct ActionsText<'a> {
    /// Names of events.
    pub execute_on: &'a [String],
    /// The path of a program, or empty.
    pub command: &'a str,
    /// A URL, or empty.
    pub url: &'a HookText,
    /// Actions at a time.
    pub max_running: u32,
    /// Actions that may wait.
    pub max_waiting: u32,
    /// Says whether a program is there: nothing is looked at here.
    pub is_there: fn(&Path) -> bool,
}

impl ActionsText<'_> {
    /// Checks the section.
    ///
    /// Nobody is told of an event by what cannot be run or asked, which is a warning. A gate that cannot be asked would let
    /// everything through, so it stops the start; so does a name that is no event, which may be a gate that is misspelt.
    ///
    /// # Errors
    /// The first value that the server cannot start with.
    pub fn resolve<E: Event>(
        &self,
        keys: &ActionKeys,
        warnings: &mut Vec<SettingIssue>,
    ) -> Result<Actions<E>, SettingIssue> {
        let events = self.events::<E>(keys)?;
        let gate = events.iter().find(|event| event.is_gate()).copied();
        // Strict where something would be let through.
        let mut usable = |key, problem: String| match gate {
            Some(gate) => Err(SettingIssue::new(
                key,
                format!("{problem}, and {} would refuse everything", gate.name()),
            )),
            None => {
                warnings.push(SettingIssue::new(
                    key,
                    format!("{problem}; it is told nothing"),
                ));
                Ok(())
            }
        };
        let command = match self.command() {
            Ok(command) => command,
            Err(problem) => {
                usable(keys.command, problem)?;
                None
            }
        };
        if let Some(path) = command.as_deref().filter(|path| !(self.is_there)(path)) {
            let problem = format!("there is no file {}", path.display());
            usable(keys.command, problem)?;
        }
        let url = match self.url.url() {
            Ok(url) => url,
            Err(problem) => {
                usable(keys.url, problem)?;
                None
            }
        };
        let targets = ActionTargets { command, url };
        let unset = self.command.is_empty() && self.url.is_empty();
        if let Some(event) = events.first().filter(|_| unset) {
            let problem = format!(
                "{} is named, but neither {} nor {} says who is told",
                event.name(),
                keys.command,
                keys.url
            );
            usable(keys.execute_on, problem)?;
        }
        if gate.is_some() && targets.url.as_ref().is_some_and(HookUrl::is_exposed) {
            let reason = "what another machine decides comes unencrypted; use https://";
            warnings.push(SettingIssue::new(keys.url, reason));
        }
        Ok(Actions {
            events,
            targets,
            running: at_least_one(keys.max_running, self.max_running)?,
            waiting: at_least_one(keys.max_waiting, self.max_waiting)?,
        })
    }

    fn events<E: Event>(&self, keys: &ActionKeys) -> Result<Vec<E>, SettingIssue> {
        let mut events = Vec::new();
        for name in self.execute_on {
            let known = E::ALL.iter().find(|event| event.name() == name);
            let event = *known.ok_or_else(|| {
                let names: Vec<&str> = E::ALL.iter().map(|event| event.name()).collect();
                let reason = format!("{name:?} is no event; expected {}", names.join(", "));
                SettingIssue::new(keys.execute_on, reason)
            })?;
            if !events.contains(&event) {
                events.push(event);
            }
        }
        Ok(events)
    }

    fn command(&self) -> Result<Option<PathBuf>, String> {
        if self.command.is_empty() {
            return Ok(None);
        }
        let path = Path::new(self.command);
        if !path.is_absolute() || self.command.contains('\0') {
            return Err(format!("{:?} is not an absolute path", self.command));
        }
        Ok(Some(path.to_path_buf()))
    }
}

fn at_least_one(key: &'static str, number: u32) -> Result<usize, SettingIssue> {
    if number == 0 {
        let reason = "0 would run nothing; to switch actions off, leave execute_on empty";
        return Err(SettingIssue::new(key, reason));
    }
    Ok(usize::try_from(number).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: ActionKeys = ActionKeys {
        execute_on: "on",
        command: "command",
        url: "url",
        max_running: "running",
        max_waiting: "waiting",
    };

    fn resolve<E: Event>(
        events: &[&str],
        command: &str,
        url: &str,
    ) -> Result<(Actions<E>, Vec<SettingIssue>), SettingIssue> {
        let execute_on: Vec<String> = events.iter().map(ToString::to_string).collect();
        let text = ActionsText {
            execute_on: &execute_on,
            command,
            url: &HookText::from(url),
            max_running: 1,
            max_waiting: 2,
            is_there: |path| path == Path::new("/bin/sh"),
        };
        let mut warnings = Vec::new();
        let actions = text.resolve(&KEYS, &mut warnings)?;
        Ok((actions, warnings))
    }

    #[test]
    fn events_are_known_and_named_once() {
        let (actions, warnings) =
            resolve::<UserEvent>(&["add", "delete", "add"], "/bin/sh", "").unwrap();
        assert_eq!(actions.events, [UserEvent::Add, UserEvent::Delete]);
        assert!(actions.wants(UserEvent::Add) && !actions.wants(UserEvent::Update));
        assert_eq!((actions.running, actions.waiting), (1, 2));
        assert_eq!(warnings, []);
        for wrong in ["pre_upload", "Upload", "mkdir", ""] {
            let issue = resolve::<FileEvent>(&["upload", wrong], "/bin/sh", "").unwrap_err();
            assert_eq!(issue.key, "on");
            assert!(issue.reason.contains("pre-upload"), "{}", issue.reason);
        }
    }

    #[test]
    fn what_cannot_be_told_is_a_warning_for_notifications() {
        for (command, url, key) in [
            ("script.sh", "", "command"),
            ("/no/such/program", "", "command"),
            ("/usr", "", "command"),
            ("", "ftp://localhost/", "url"),
            ("", "localhost", "url"),
        ] {
            let (_, warnings) = resolve::<FileEvent>(&["upload"], command, url).unwrap();
            assert_eq!(warnings[0].key, key, "{command} {url}");
        }
        let (_, warnings) = resolve::<FileEvent>(&["upload"], "", "").unwrap();
        assert_eq!(warnings[0].key, "on");
        // It may be installed later.
        let (actions, _) = resolve::<FileEvent>(&["upload"], "/no/such/program", "").unwrap();
        assert!(actions.wants(FileEvent::Upload));
        let (actions, _) = resolve::<FileEvent>(&["upload"], "script.sh", "").unwrap();
        assert!(!actions.wants(FileEvent::Upload));
    }

    #[test]
    fn a_gate_that_cannot_be_asked_stops_the_start() {
        for (command, url, key) in [
            ("script.sh", "http://localhost/", "command"),
            ("/no/such/program", "http://localhost/", "command"),
            ("/bin/sh", "ftp://localhost/", "url"),
            ("", "", "on"),
        ] {
            for event in ["pre-upload", "pre-download", "pre-delete"] {
                let issue = resolve::<FileEvent>(&["upload", event], command, url).unwrap_err();
                assert_eq!(issue.key, key, "{command} {url}");
                assert!(issue.reason.contains(event), "{}", issue.reason);
            }
        }
        let both = resolve::<FileEvent>(&["pre-upload"], "/bin/sh", "http://[::1]/").unwrap();
        assert_eq!(both.1, []);
        let (_, warnings) =
            resolve::<FileEvent>(&["pre-upload"], "", "http://gate.example/").unwrap();
        assert_eq!(warnings[0].key, "url");
    }

    #[test]
    fn nothing_is_run_of_nothing() {
        let execute_on = Vec::new();
        let text = ActionsText {
            execute_on: &execute_on,
            command: "",
            url: &HookText::default(),
            max_running: 0,
            max_waiting: 1,
            is_there: |_| true,
        };
        let issue = text.resolve::<UserEvent>(&KEYS, &mut Vec::new());
        assert_eq!(issue.unwrap_err().key, "running");
        let (actions, warnings) = resolve::<UserEvent>(&[], "", "").unwrap();
        assert!(actions.events.is_empty() && warnings.is_empty());
    }

    #[test]
    fn a_name_belongs_to_one_event() {
        for event in FileEvent::ALL {
            let same = FileEvent::ALL
                .iter()
                .filter(|other| other.name() == event.name());
            assert_eq!(same.count(), 1);
            assert_eq!(event.is_gate(), event.name().starts_with("pre-"));
        }
    }
}
