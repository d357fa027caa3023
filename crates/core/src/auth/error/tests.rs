//! What observers are told of attempts, and how far the state of a connection goes.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::Mutex;
use sftpgo_data::MemoryProvider;
use sftpgo_model::{Filters, LoginMethod, UserRecord};
use sftpgo_storage::registry::Backends;
use tokio_util::sync::CancellationToken;

use super::super::*;
use crate::registry::ConnectionInfo;
use crate::{Core, CoreParts, CoreSettings};

#[derive(Debug, Default)]
struct Told(Mutex<Vec<(Option<LoginMethod>, LoginOutcome)>>);

impl LoginObserver for Told {
    fn ended(&self, _: &ConnectionInfo, method: Option<LoginMethod>, outcome: LoginOutcome) {
        self.0.lock().push((method, outcome));
    }
}

impl Told {
    /// What was told since the last time.
    fn news(&self) -> Vec<(Option<LoginMethod>, LoginOutcome)> {
        std::mem::take(&mut self.0.lock())
    }

    fn of_password(&self, outcome: LoginOutcome) {
        assert_eq!(self.news(), [(Some(LoginMethod::Password), outcome)]);
    }
}

struct Fixture {
    core: Arc<Core>,
    told: Arc<Told>,
    authentication: Authentication,
    info: ConnectionInfo,
}

impl Fixture {
    /// A connection to a server with these users, whose password is "password".
    fn new(users: &[(&str, UserRecord)]) -> Self {
        let users = users.iter().map(|(name, user)| UserRecord {
            username: (*name).to_owned(),
            password: "$1$b5caebda$VODr/nyhGWgZaY8sJ4x05.".to_owned(),
            home_dir: "/srv/home".to_owned(),
            permissions: BTreeMap::from([("/".to_owned(), vec!["*".to_owned()])]),
            ..user.clone()
        });
        let core = Core::start(CoreParts {
            provider: Arc::new(MemoryProvider::with_users(users.collect()).unwrap()),
            backends: Backends::new(),
            settings: CoreSettings::default(),
            keys: KeyTrust::default(),
        });
        let told = Arc::<Told>::default();
        let observer = Arc::clone(&told) as Arc<dyn LoginObserver>;
        Self {
            authentication: core.authenticator().observed_by(observer).begin(),
            core,
            told,
            info: ConnectionInfo {
                id: "0af1".to_owned(),
                peer: ([192, 0, 2, 1], 22).into(),
                client_version: String::new(),
                cancel: CancellationToken::new(),
            },
        }
    }

    async fn password(&mut self, username: &str, password: &str) -> Answer {
        let Self {
            authentication,
            info,
            ..
        } = self;
        authentication.password(info, username, password).await
    }
}

fn enabled() -> UserRecord {
    UserRecord {
        status: 1,
        ..UserRecord::default()
    }
}

#[tokio::test]
async fn observers_are_told_of_every_attempt_that_ends_and_why() {
    let denied = UserRecord {
        filters: Filters {
            denied_ip: vec!["192.0.2.0/24".to_owned()],
            ..Filters::default()
        },
        ..enabled()
    };
    let mut fixture = Fixture::new(&[
        ("alice", enabled()),
        ("off", UserRecord::default()),
        ("denied", denied),
    ]);
    for (name, password, outcome) in [
        ("bob", "password", LoginOutcome::UnknownUser),
        ("alice", "wrong", LoginOutcome::WrongCredential),
        ("alice", "", LoginOutcome::WrongCredential),
        ("off", "password", LoginOutcome::NotAllowed),
        ("denied", "password", LoginOutcome::NotAllowed),
    ] {
        let answer = fixture.password(name, password).await;
        assert!(matches!(answer, Answer::Refused(_)), "{name}");
        fixture.told.of_password(outcome);
    }
    let answer = fixture.password("alice", "password").await;
    assert!(matches!(answer, Answer::LoggedIn(_)));
    fixture.told.of_password(LoginOutcome::LoggedIn);

    let told = Arc::clone(&fixture.told) as Arc<dyn LoginObserver>;
    let authenticator = fixture.core.authenticator().observed_by(told);
    authenticator.log_untried(&fixture.info, &"the client left");
    assert_eq!(fixture.told.news(), [(None, LoginOutcome::Untried)]);
}

#[tokio::test]
async fn a_proof_of_one_of_several_methods_is_no_end() {
    let both = UserRecord {
        filters: Filters {
            required_login_methods: vec!["password,publickey".to_owned()],
            ..Filters::default()
        },
        ..enabled()
    };
    let mut fixture = Fixture::new(&[("alice", both)]);
    let answer = fixture.password("alice", "password").await;
    let expected = Refused {
        methods: vec![LoginMethod::PublicKey],
        partial: true,
    };
    assert!(matches!(answer, Answer::Refused(refused) if refused == expected));
    assert_eq!(fixture.told.news(), []);
    let again = fixture.password("alice", "password").await;
    assert!(matches!(again, Answer::Refused(refused) if !refused.partial));
    fixture.told.of_password(LoginOutcome::NotAllowed);
    // Another name, and the first one again: nothing is left.
    let refused = fixture.authentication.refuse(&fixture.info, "bob");
    assert_eq!(
        refused.methods,
        [LoginMethod::PublicKey, LoginMethod::Password]
    );
    let refused = fixture.authentication.refuse(&fixture.info, "alice");
    assert_eq!(
        refused.methods,
        [LoginMethod::PublicKey, LoginMethod::Password]
    );
}
