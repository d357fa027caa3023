//! The samples of external authentication against OpenLDAP.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use sftpgo_testkit::{Sftp, SshClient, TestKey};
use tempfile::TempDir;

use super::packaged;
use crate::support::{Run, Server};

const BASE: &str = "ou=people,dc=example,dc=com";
/// Has a space, a quote and what a shell would like to expand.
const PASSWORD: &str = r#"pass "word" $HOME \'"#;

/// A directory with a few people; its server ends when this is dropped.
struct Directory {
    slapd: Child,
    directory: TempDir,
}

impl Directory {
    fn start(key: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let at = directory.path();
        fs::create_dir(at.join("data")).unwrap();
        let schemas: String = ["core", "cosine", "nis", "inetorgperson"]
            .iter()
            .map(|name| format!("include /etc/ldap/schema/{name}.schema\n"))
            .collect();
        let own = at.display();
        let settings = format!(
            "{schemas}\
             attributetype ( 1.3.6.1.4.1.24552.500.1.1.1.13 NAME 'sshPublicKey' EQUALITY octetStringMatch \
             SYNTAX 1.3.6.1.4.1.1466.115.121.1.40 )\n\
             objectclass ( 1.3.6.1.4.1.24552.500.1.1.2.0 NAME 'ldapPublicKey' SUP top AUXILIARY MAY sshPublicKey )\n\
             modulepath /usr/lib/ldap\nmoduleload back_mdb\npidfile {own}/pid\n\
             database mdb\nsuffix dc=example,dc=com\ndirectory {own}/data\n\
             rootdn cn=admin,dc=example,dc=com\nrootpw searching\n\
             access to attrs=userPassword by anonymous auth by * none\naccess to * by users read by anonymous auth\n"
        );
        fs::write(at.join("slapd.conf"), settings).unwrap();
        fs::write(at.join("people.ldif"), people(key)).unwrap();
        let filled = Command::new("/usr/sbin/slapadd")
            .arg("-f")
            .arg(at.join("slapd.conf"))
            .arg("-l")
            .arg(at.join("people.ldif"))
            .output()
            .unwrap();
        assert!(filled.status.success(), "{filled:?}");
        let socket = at.join("socket");
        let slapd = Command::new("/usr/sbin/slapd")
            .args(["-d", "0", "-h", &uri(&socket), "-f"])
            .arg(at.join("slapd.conf"))
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        while !socket.exists() {
            assert!(begun.elapsed() < Duration::from_secs(60), "no slapd");
            std::thread::sleep(Duration::from_millis(20));
        }
        fs::write(at.join("password"), "searching").unwrap();
        Self { slapd, directory }
    }

    fn uri(&self) -> String {
        uri(&self.directory.path().join("socket"))
    }

    /// Writes the settings of the samples; the variables that name them.
    fn settings(&self, homes: &Path) -> [(&'static str, PathBuf); 2] {
        let at = self.directory.path();
        let (uri, password, homes) = (self.uri(), at.join("password"), homes.display());
        let (password, bind) = (password.display(), "cn=admin,dc=example,dc=com");
        let (shell, ini) = (at.join("ldap-auth.conf"), at.join("ldap-auth.ini"));
        let text = format!(
            "LDAP_URI={uri}\nLDAP_BASE={BASE}\nLDAP_BIND_DN={bind}\nLDAP_PASSWORD_FILE={password}\nHOMES={homes}\n"
        );
        fs::write(&shell, text).unwrap();
        let text = format!(
            "[ldap]\nuri = {uri}\nbase = {BASE}\nbind_dn = {bind}\npassword_file = {password}\nhomes = {homes}\n"
        );
        fs::write(&ini, text).unwrap();
        [("LDAP_AUTH_CONF", shell), ("LDAP_AUTH_INI", ini)]
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = self.slapd.kill();
        let _ = self.slapd.wait();
    }
}

fn uri(socket: &Path) -> String {
    format!("ldapi://{}", socket.to_str().unwrap().replace('/', "%2F"))
}

fn people(key: &str) -> String {
    let top = "dn: dc=example,dc=com\nobjectClass: domain\ndc: example\n\n\
               dn: ou=people,dc=example,dc=com\nobjectClass: organizationalUnit\nou: people\n\n";
    let person = |dn: &str, uid: &str, more: &str| {
        format!(
            "{dn}\nobjectClass: inetOrgPerson\nobjectClass: posixAccount\nobjectClass: ldapPublicKey\ncn: {uid}\nsn: {uid}\n\
             uid: {uid}\nuidNumber: 1000\ngidNumber: 1000\nhomeDirectory: /none\nuserPassword: {PASSWORD}\n{more}\n"
        )
    };
    let alice = person(
        "dn: uid=alice,ou=people,dc=example,dc=com",
        "alice",
        &format!("sshPublicKey: {key} a comment\n"),
    );
    // cn=Jürgen: the name of the entry is shown in base64.
    let juergen = person(
        "dn:: Y249SsO8cmdlbixvdT1wZW9wbGUsZGM9ZXhhbXBsZSxkYz1jb20=",
        "juergen",
        "",
    )
    .replace("cn: juergen", "cn:: SsO8cmdlbg==");
    let twins = ["one", "two"].map(|cn| {
        person(
            &format!("dn: cn={cn},ou=people,dc=example,dc=com"),
            "twin",
            "",
        )
        .replace("cn: twin", &format!("cn: {cn}"))
    });
    format!("{top}{alice}{juergen}{}{}", twins[0], twins[1])
}

/// What a sample answers.
fn ask(
    directory: &Directory,
    program: &Path,
    name: &str,
    credential: (&str, &str),
) -> (String, Value) {
    let at = directory.directory.path();
    let mut run = Run::new(program, at, at)
        .env("SFTPGO_AUTHD_USERNAME", name)
        .env(credential.0, credential.1);
    for (variable, path) in directory.settings(Path::new("/srv/homes")) {
        run = run.env(variable, path);
    }
    let answer: Value = serde_json::from_slice(&run.succeed().stdout).unwrap();
    (answer["username"].as_str().unwrap().to_owned(), answer)
}

#[test]
fn the_samples_let_in_who_knows_the_password_and_nobody_else() {
    let directory = Directory::start("ssh-ed25519 AAAA");
    for sample in ["samples/ldap-auth.sh", "samples/ldap-auth.py"] {
        let program = packaged(sample);
        let ask = |name: &str, password: &str| {
            ask(
                &directory,
                &program,
                name,
                ("SFTPGO_AUTHD_PASSWORD", password),
            )
        };
        for name in ["alice", "juergen"] {
            let (found, answer) = ask(name, PASSWORD);
            assert_eq!(found, name, "{sample}: {answer}");
            assert_eq!(answer["home_dir"], format!("/srv/homes/{name}"));
            assert_eq!(answer["status"], 1);
        }
        for (name, password) in [
            ("alice", "wrong"),
            ("alice", ""),
            ("alice", PASSWORD.trim_end_matches('\'')),
            ("nobody", PASSWORD),
            ("", PASSWORD),
            // More than one entry.
            ("twin", PASSWORD),
            // Filters, options, paths.
            ("*", PASSWORD),
            ("ali*", PASSWORD),
            ("alice)(uid=*", PASSWORD),
            ("alice)(|(uid=*))", PASSWORD),
            ("\\2a", PASSWORD),
            ("-ZZ", PASSWORD),
            ("..", PASSWORD),
            ("../alice", PASSWORD),
            ("alice\",\"status\":\"1", PASSWORD),
            ("alice\nbob", PASSWORD),
        ] {
            let (found, answer) = ask(name, password);
            assert_eq!(found, "", "{sample}: {name:?} {password:?}: {answer}");
        }
    }
}

#[test]
fn the_python_sample_lets_in_who_has_a_key_of_the_directory() {
    let key = TestKey::numbered(5).line("");
    let directory = Directory::start(key.trim());
    let program = packaged("samples/ldap-auth.py");
    let ask =
        |name: &str, key: &str| ask(&directory, &program, name, ("SFTPGO_AUTHD_PUBLIC_KEY", key)).0;
    assert_eq!(ask("alice", &format!("{}\n", key.trim())), "alice");
    assert_eq!(ask("juergen", &key), "");
    assert_eq!(ask("alice", &TestKey::numbered(6).line("")), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_of_the_directory_logs_in_and_gets_a_home() {
    let directory = Directory::start("ssh-ed25519 AAAA");
    let homes = tempfile::tempdir().unwrap();
    let settings = directory.settings(homes.path());
    let variables: Vec<(&str, &str)> = settings
        .iter()
        .map(|(name, path)| (*name, path.to_str().unwrap()))
        .collect();
    let program = packaged("samples/ldap-auth.sh");
    let server = Server::with_variables(
        &[
            &variables[..],
            &[
                (
                    "SFTPGO_DATA_PROVIDER__EXTERNAL_AUTH_PROGRAM",
                    program.to_str().unwrap(),
                ),
                ("SFTPGO_DATA_PROVIDER__EXTERNAL_AUTH_SCOPE", "1"),
            ],
        ]
        .concat(),
    );
    let address = ([127, 0, 0, 1], server.port()).into();
    let mut client = SshClient::connect(address, None).await;
    assert!(!client.password("juergen", "wrong").await);
    assert!(client.password("juergen", PASSWORD).await);
    let sftp = Sftp::open(client.into()).await;
    assert!(sftp.is_some());
    assert!(homes.path().join("juergen").is_dir());
}
