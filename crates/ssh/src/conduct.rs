//! What the client of one connection did before its login, and what that means to its address: points of the defender, and
//! a penalty.

use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use sftpgo_core::auth::{LoginObserver, LoginOutcome};
use sftpgo_core::defender::{Defender, HostEvent};
use sftpgo_core::model::LoginMethod;
use sftpgo_core::{ConnectionInfo, Metrics};
use sftpgo_net::Misconduct;

use crate::transport::End;

/// Told of each attempt on a connection, and of its end.
#[derive(Debug)]
pub(crate) struct Conduct {
    address: IpAddr,
    defender: Option<Arc<Defender>>,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    /// Something was evaluated.
    tried: bool,
    logged_in: bool,
    /// A wrong credential was tried, or a name that nobody has.
    failed: bool,
    /// It was kept out by a rule, or by what does not work.
    excused: bool,
    /// What a key that was refused says. Clients offer all they have, so it counts once, at the end, and only if nothing else
    /// did.
    key: Option<HostEvent>,
    /// Something else counted already.
    counted: bool,
}

impl Conduct {
    pub(crate) fn new(address: IpAddr, defender: Option<Arc<Defender>>) -> Self {
        Self {
            address,
            defender,
            seen: Mutex::default(),
        }
    }

    /// Notes that something is evaluated.
    pub(crate) fn note_attempt(&self) {
        self.seen.lock().tried = true;
    }

    /// Whether anything was evaluated.
    pub(crate) fn tried(&self) -> bool {
        self.seen.lock().tried
    }

    /// Whether the address was banned meanwhile: nothing is evaluated any more then.
    pub(crate) fn is_banned(&self) -> bool {
        let defender = self.defender.as_ref();
        defender.is_some_and(|defender| defender.is_banned(self.address))
    }

    /// Draws the conclusion from how the connection ended. The server's own stop is nobody's fault: it must not be told here.
    pub(crate) fn conclude(&self, end: &End, metrics: &Metrics) -> Option<Misconduct> {
        let seen = std::mem::take(&mut *self.seen.lock());
        let slow = match end {
            End::Probe(_) => {
                metrics.probes.increment();
                return None;
            }
            End::TooSlow(_) => true,
            End::NotLoggedIn(_) => false,
            End::Closed | End::Broken(_) => return None,
        };
        if seen.logged_in {
            return None;
        }
        if seen.failed {
            if let Some(event) = seen.key.filter(|_| !seen.counted) {
                self.report(event);
            }
            return Some(Misconduct::FailedLogin);
        }
        if seen.excused {
            return None;
        }
        self.report(HostEvent::NoLogin);
        Some(if slow {
            Misconduct::TooSlow
        } else {
            Misconduct::NoLogin
        })
    }

    fn report(&self, event: HostEvent) {
        if let Some(defender) = &self.defender {
            defender.report(self.address, event);
        }
    }
}

impl LoginObserver for Conduct {
    fn ended(&self, info: &ConnectionInfo, method: Option<LoginMethod>, outcome: LoginOutcome) {
        let event = match outcome {
            LoginOutcome::UnknownUser => HostEvent::UnknownUser,
            LoginOutcome::WrongCredential => HostEvent::WrongCredential,
            LoginOutcome::LoggedIn => {
                self.seen.lock().logged_in = true;
                return;
            }
            LoginOutcome::NotAllowed | LoginOutcome::Unavailable => {
                self.seen.lock().excused = true;
                return;
            }
            // The end of the connection says the same.
            LoginOutcome::Abandoned | LoginOutcome::Untried => return,
        };
        let mut seen = self.seen.lock();
        seen.failed = true;
        if method == Some(LoginMethod::PublicKey) {
            seen.key = Some(event);
            return;
        }
        seen.counted = true;
        drop(seen);
        self.report(event);
        if self.is_banned() {
            info.cancel.cancel();
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio_util::sync::CancellationToken;

    use super::*;

    const PASSWORD: Option<LoginMethod> = Some(LoginMethod::Password);
    const KEY: Option<LoginMethod> = Some(LoginMethod::PublicKey);

    fn info() -> ConnectionInfo {
        ConnectionInfo {
            id: "1".to_owned(),
            peer: "192.0.2.1:5".parse().unwrap(),
            client_version: String::new(),
            cancel: CancellationToken::new(),
        }
    }

    fn left() -> End {
        End::NotLoggedIn("the client left".to_owned())
    }

    fn after(outcomes: &[(Option<LoginMethod>, LoginOutcome)], end: &End) -> Option<Misconduct> {
        let conduct = Conduct::new([192, 0, 2, 1].into(), None);
        for (method, outcome) in outcomes {
            conduct.note_attempt();
            conduct.ended(&info(), *method, *outcome);
        }
        conduct.conclude(end, &Metrics::default())
    }

    #[test]
    fn a_connection_without_a_login_is_misconduct_unless_a_rule_kept_it_out() {
        let slow = End::TooSlow("no login in time".to_owned());
        for (outcomes, end, expected) in [
            (&[][..], left(), Some(Misconduct::NoLogin)),
            (&[], slow, Some(Misconduct::TooSlow)),
            (
                &[(PASSWORD, LoginOutcome::WrongCredential)],
                left(),
                Some(Misconduct::FailedLogin),
            ),
            (
                &[(KEY, LoginOutcome::UnknownUser)],
                left(),
                Some(Misconduct::FailedLogin),
            ),
            (&[(PASSWORD, LoginOutcome::NotAllowed)], left(), None),
            (&[(PASSWORD, LoginOutcome::Unavailable)], left(), None),
            (
                &[(PASSWORD, LoginOutcome::Abandoned)],
                left(),
                Some(Misconduct::NoLogin),
            ),
            (
                &[
                    (KEY, LoginOutcome::WrongCredential),
                    (PASSWORD, LoginOutcome::LoggedIn),
                ],
                End::Closed,
                None,
            ),
        ] {
            assert_eq!(after(outcomes, &end), expected, "{outcomes:?}");
        }
    }

    #[test]
    fn a_connection_that_is_closed_before_the_client_identified_itself_is_counted_and_no_misconduct()
     {
        let metrics = Metrics::default();
        let conduct = Conduct::new([192, 0, 2, 1].into(), None);
        let end = End::Probe("closed".to_owned());
        assert_eq!(conduct.conclude(&end, &metrics), None);
        assert_eq!(metrics.probes.value(), 1);
    }
}
