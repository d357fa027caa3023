//! [`Conversation`]: a hook that asks back, round after round (reference 9.5). A program writes a line and reads the answers;
//! a URL is sent the answers and replies with the next round.

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use sftpgo_model::{HookTarget, HookUrl};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::{ChildStderr, ChildStdin, ChildStdout};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until, timeout, timeout_at};
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use super::error::HookError;
use super::errors::log_errors;
use super::http::HttpClient;
use super::places::Talking;
use super::program;
use crate::program::process::{Killer, Pipes, Process};

/// Bytes of a round: what it becomes has to fit into one SSH packet.
const LONGEST_ROUND: usize = 16 * 1024;
/// How long a program may take to end by itself once it has told the result.
const GRACE: Duration = Duration::from_secs(5);

/// What a hook is told at first. No `Debug`: there is a hash in it.
pub(crate) struct Opening {
    pub(crate) username: String,
    pub(crate) address: IpAddr,
    /// The stored hash of the account's password.
    pub(crate) hash: Zeroizing<String>,
}

/// A dialogue under way. Dropping it ends the program, with all that it has started.
#[derive(Debug)]
pub(crate) struct Conversation {
    side: Side,
    deadline: Instant,
}

#[derive(Debug)]
enum Side {
    Program(Talk),
    Url(Posts),
}

impl Conversation {
    pub(super) async fn begin(
        target: &HookTarget,
        opening: Opening,
        client: &HttpClient,
        place: Talking,
        deadline: Instant,
    ) -> Result<Self, HookError> {
        let side = match target {
            HookTarget::Program(path) => {
                Side::Program(Talk::begin(path, opening, place, deadline).await?)
            }
            HookTarget::Url(url) => Side::Url(Posts::new(url, opening, client, place)?),
        };
        Ok(Self { side, deadline })
    }

    /// Waits for what the hook says next.
    pub(crate) async fn hear(
        &mut self,
        cancel: &CancellationToken,
    ) -> Result<Zeroizing<Vec<u8>>, HookError> {
        let (side, deadline) = (&mut self.side, self.deadline);
        let hearing = async {
            match side {
                Side::Program(talk) => talk.hear().await,
                Side::Url(posts) => posts.hear().await,
            }
        };
        let heard = bounded(deadline, cancel, hearing).await?;
        if heard.len() > LONGEST_ROUND {
            let reason = format!("a round has more than {LONGEST_ROUND} bytes");
            return Err(HookError::broken(reason));
        }
        Ok(heard)
    }

    /// Tells the hook what was answered to what it asked. No answer has a line break in it.
    pub(crate) async fn say(
        &mut self,
        questions: Vec<String>,
        answers: Vec<Zeroizing<String>>,
        cancel: &CancellationToken,
    ) -> Result<(), HookError> {
        match &mut self.side {
            Side::Program(talk) => bounded(self.deadline, cancel, talk.say(&answers)).await,
            Side::Url(posts) => {
                posts.round = Round { questions, answers };
                Ok(())
            }
        }
    }

    /// The result is known: the program may end by itself.
    pub(crate) fn end(self) {
        match self.side {
            Side::Program(talk) => talk.end(),
            Side::Url(_) => {}
        }
    }
}

async fn bounded<T>(
    deadline: Instant,
    cancel: &CancellationToken,
    work: impl Future<Output = Result<T, HookError>>,
) -> Result<T, HookError> {
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err(HookError::gone()),
        done = timeout_at(deadline, work) => {
            done.unwrap_or_else(|_| Err(HookError::too_slow()))
        }
    }
}

/// A running program, from the side of whoever talks with it.
#[derive(Debug)]
struct Talk {
    /// Dropped first: a program that is ended must not take the end of its input for an answer.
    killer: Killer,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    /// Told when it may end by itself; dropped untold, it is ended.
    end: oneshot::Sender<()>,
}

impl Talk {
    async fn begin(
        path: &Path,
        opening: Opening,
        place: Talking,
        deadline: Instant,
    ) -> Result<Self, HookError> {
        let variables: Vec<(_, OsString)> = vec![
            ("SFTPGO_AUTHD_USERNAME", opening.username.into()),
            ("SFTPGO_AUTHD_PASSWORD", opening.hash.as_str().into()),
            ("SFTPGO_AUTHD_IP", opening.address.to_string().into()),
        ];
        let (pipes, process) = program::start(path, variables).await?;
        let Pipes {
            stdin,
            stdout,
            stderr,
        } = pipes;
        let (end, ending) = oneshot::channel();
        let killer = process.killer();
        let owner = Owner {
            process,
            stderr: ChildStderr::from_std(stderr).map_err(program::no_pipe)?,
            name: path.to_string_lossy().into_owned(),
            _place: place,
        };
        let talk = Self {
            killer,
            input: ChildStdin::from_std(stdin).map_err(program::no_pipe)?,
            output: BufReader::new(ChildStdout::from_std(stdout).map_err(program::no_pipe)?),
            end,
        };
        tokio::spawn(owner.run(ending, deadline));
        Ok(talk)
    }

    async fn hear(&mut self) -> Result<Zeroizing<Vec<u8>>, HookError> {
        let mut line = Zeroizing::new(Vec::new());
        let mut limited = (&mut self.output).take(LONGEST_ROUND as u64 + 1);
        let read = limited.read_until(b'\n', &mut line).await;
        match read.map_err(program::no_pipe)? {
            // It may have been ended.
            0 => Err(HookError::refused("it ended without a result")),
            _ => Ok(line),
        }
    }

    async fn say(&mut self, answers: &[Zeroizing<String>]) -> Result<(), HookError> {
        let mut lines = Zeroizing::new(Vec::new());
        for answer in answers {
            lines.extend_from_slice(answer.as_bytes());
            lines.push(b'\n');
        }
        // One that reads no more says next what that means.
        let _ = self.input.write_all(&lines).await;
        Ok(())
    }

    fn end(self) {
        self.killer.disarm();
        // It may have ended meanwhile.
        let _ = self.end.send(());
    }
}

/// Owns a program that is talked with, and sees to its end: nobody looks at it while the client is typing.
struct Owner {
    process: Process,
    stderr: ChildStderr,
    name: String,
    _place: Talking,
}

impl Owner {
    async fn run(self, ending: oneshot::Receiver<()>, deadline: Instant) {
        let Self {
            mut process,
            stderr,
            name,
            _place,
        } = self;
        let end = async {
            tokio::select! {
                _ = &mut process.ended => return,
                told = ending => if told.is_err() { return },
                () = sleep_until(deadline) => return,
            }
            // Ended below if it does not end by itself.
            let _ = timeout(GRACE, &mut process.ended).await;
        };
        let errors = async {
            log_errors(stderr, &name).await;
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = end => {}
            () = errors => {}
        }
        // Dropping the process ends it.
    }
}

/// A URL that is asked round by round.
#[derive(Debug)]
struct Posts {
    url: HookUrl,
    client: HttpClient,
    about: About,
    round: Round,
    _place: Talking,
}

/// What every round says of whom it is about.
struct About {
    request_id: String,
    username: String,
    ip: String,
    /// The stored hash.
    password: Zeroizing<String>,
}

#[derive(Default)]
struct Round {
    questions: Vec<String>,
    answers: Vec<Zeroizing<String>>,
}

/// What is posted; `docs/logins.md` describes it.
#[derive(Serialize)]
struct Sent<'a> {
    request_id: &'a str,
    username: &'a str,
    ip: &'a str,
    password: &'a str,
    questions: &'a [String],
    answers: Vec<&'a str>,
}

impl Posts {
    fn new(
        url: &HookUrl,
        opening: Opening,
        client: &HttpClient,
        place: Talking,
    ) -> Result<Self, HookError> {
        let mut id = [0_u8; 16];
        aws_lc_rs::rand::fill(&mut id).map_err(|_| HookError::broken("no random numbers"))?;
        let Opening {
            username,
            address,
            hash,
        } = opening;
        Ok(Self {
            url: url.clone(),
            client: client.clone(),
            about: About {
                request_id: id.iter().map(|byte| format!("{byte:02x}")).collect(),
                username,
                ip: address.to_string(),
                password: hash,
            },
            round: Round::default(),
            _place: place,
        })
    }

    async fn hear(&mut self) -> Result<Zeroizing<Vec<u8>>, HookError> {
        let (round, about) = (std::mem::take(&mut self.round), &self.about);
        let sent = Sent {
            request_id: &about.request_id,
            username: &about.username,
            ip: &about.ip,
            password: &about.password,
            questions: &round.questions,
            answers: round.answers.iter().map(|answer| answer.as_str()).collect(),
        };
        let body = serde_json::to_vec(&sent).map(Zeroizing::new);
        let body = body.map_err(|error| HookError::broken(error.to_string()))?;
        self.client.post(&self.url, &[], body).await
    }
}

impl std::fmt::Debug for About {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("About")
            .field("request_id", &self.request_id)
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Round {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Round")
            .field("answers", &self.answers.len())
            .finish_non_exhaustive()
    }
}
