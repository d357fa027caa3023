//! `login`: connect, log in, part; many times, several at once.

use std::num::NonZeroU64;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use clap::Args;
use futures_util::future::try_join_all;
use serde_json::{Value, json};

use crate::error::LoadError;
use crate::report::{frequency, percentiles, with};
use crate::session::Session;
use crate::target::Target;

#[derive(Args)]
pub(crate) struct LoginArgs {
    /// Logins in all
    #[arg(long, default_value_t = 1000)]
    count: u64,
    /// Logins at once
    #[arg(long, default_value_t = 32)]
    parallel: u64,
    /// Open an SFTP session each time, too
    #[arg(long)]
    sftp: bool,
    /// Users to log in as, whose names are that of --user and a number from 0; the logins are spread evenly over them
    #[arg(long)]
    users: Option<NonZeroU64>,
}

impl LoginArgs {
    /// Who logs in when `left` logins follow.
    fn user(&self, name: &str, left: u64) -> String {
        match self.users {
            Some(users) => format!("{name}{}", spread(left, self.count, users.get())),
            None => name.to_owned(),
        }
    }
}

/// The user, of so many, of one of `count` logins. While there are no more logins than users, no user has two.
fn spread(login: u64, count: u64, users: u64) -> u64 {
    let user = u128::from(login) * u128::from(users) / u128::from(count.max(1));
    // Logins are counted from 0, so this is below the number of users.
    u64::try_from(user).unwrap_or_default()
}

/// Logs in.
pub(crate) async fn run(target: &Arc<Target>, args: LoginArgs) -> Result<Value, LoadError> {
    let left = Arc::new(AtomicU64::new(args.count));
    let args = Arc::new(args);
    let begun = Instant::now();
    let loops = (0..args.parallel.max(1)).map(|_| {
        tokio::spawn(log_in_and_out(
            Arc::clone(target),
            Arc::clone(&args),
            Arc::clone(&left),
        ))
    });
    let loops = try_join_all(loops).await?;
    let elapsed = begun.elapsed();
    let took: Result<Vec<_>, LoadError> = loops.into_iter().collect();
    let took = took?.concat();
    let more = json!({
        "parallel": args.parallel,
        "sftp": args.sftp,
        "users": args.users,
        "login_ms": percentiles(took),
    });
    Ok(with(frequency("login", args.count, elapsed), more))
}

async fn log_in_and_out(
    target: Arc<Target>,
    args: Arc<LoginArgs>,
    left: Arc<AtomicU64>,
) -> Result<Vec<Duration>, LoadError> {
    let take_one = |left: u64| left.checked_sub(1);
    let mut took = Vec::new();
    while let Ok(before) = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take_one) {
        let user = args.user(target.user(), before.saturating_sub(1));
        let begun = Instant::now();
        let login = target.login_as(user).await?;
        if args.sftp {
            let session = Session::over(&target, login).await?;
            took.push(begun.elapsed());
            session.part().await;
        } else {
            took.push(begun.elapsed());
            login.part().await;
        }
    }
    Ok(took)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logins_are_spread_evenly_over_users() {
        let users_of = |count, users| -> Vec<u64> {
            let logins = 0..count;
            logins.map(|login| spread(login, count, users)).collect()
        };
        assert_eq!(users_of(4, 4), [0, 1, 2, 3]);
        assert_eq!(users_of(4, 1000), [0, 250, 500, 750]);
        assert_eq!(users_of(4, 2), [0, 0, 1, 1]);
        assert_eq!(spread(u64::MAX - 1, u64::MAX, u64::MAX), u64::MAX - 1);
    }
}
