//! What `packaging/` says about the program is true of it: paths, variables, settings. `packaging/check` tries the package itself.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::program::{sftpgo, text};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn packaged(name: &str) -> String {
    let path = root().join("packaging").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

const DOCKERFILES: [&str; 2] = ["docker/Dockerfile.debian", "docker/Dockerfile.alpine"];

/// The instructions of a Dockerfile, continued lines together.
fn instructions(text: &str) -> Vec<String> {
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'));
    let joined = lines.collect::<Vec<_>>().join("\n").replace("\\\n", " ");
    let all = joined
        .lines()
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    all.filter(|line| !line.is_empty()).collect()
}

#[test]
fn what_the_dockerfiles_copy_is_in_the_repository_and_they_run_without_privileges() {
    for name in DOCKERFILES {
        let text = packaged(name);
        let instructions = instructions(&text);
        let mut copied = 0;
        for line in &instructions {
            let (word, rest) = line.split_once(' ').unwrap();
            match word {
                "COPY" if rest.starts_with("--from=build ") => {}
                "COPY" => {
                    let mut paths: Vec<&str> = rest.split(' ').collect();
                    paths.pop();
                    for path in paths {
                        assert!(root().join(path).exists(), "{name}: {line}");
                        copied += 1;
                    }
                }
                "FROM" | "WORKDIR" | "RUN" | "ARG" | "USER" | "ENV" | "VOLUME" | "EXPOSE"
                | "STOPSIGNAL" | "HEALTHCHECK" | "ENTRYPOINT" | "CMD" => {}
                other => panic!("{name}: {other} is no instruction that is used here"),
            }
        }
        // Every member of the workspace, or cargo would refuse it.
        assert!(copied >= 7, "{name}");
        let user = instructions.iter().rposition(|line| line == "USER sftpgo");
        let entry = instructions
            .iter()
            .rposition(|line| line == "ENTRYPOINT [\"sftpgo\"]");
        assert!(user.is_some() && user < entry, "{name}");
    }
}

/// Variables with our prefix that a file sets: `NAME=value` up to a space or quote, or in the form of a property list.
fn variables(text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for line in text.lines().map(str::trim) {
        let line = line.strip_prefix('#').unwrap_or(line);
        let line = line.strip_prefix("Environment=").unwrap_or(line);
        let line = line.strip_prefix("ENV ").unwrap_or(line);
        if !line.starts_with("SFTPGO_") {
            continue;
        }
        if let Some((name, value)) = line.split_once('=') {
            let value = value.trim_end_matches('\\').trim();
            found.insert(name.to_owned(), value.to_owned());
        }
    }
    let words: Vec<&str> = text.lines().map(str::trim).collect();
    for pair in words.windows(2) {
        let [key, value] = pair else { continue };
        let inside = |line: &str, tag: &str| {
            let rest = line.strip_prefix(&format!("<{tag}>"))?;
            rest.strip_suffix(&format!("</{tag}>")).map(str::to_owned)
        };
        if let Some(name) = inside(key, "key").filter(|name| name.starts_with("SFTPGO_")) {
            found.insert(name, inside(value, "string").unwrap());
        }
    }
    found
}

#[test]
fn the_variables_that_packages_set_are_settings_of_this_program() {
    for (name, least) in [
        ("systemd/sftpgo.service", 2),
        ("systemd/examples/credentials.conf", 1),
        ("etc/sftpgo.env", 3),
        ("docker/Dockerfile.debian", 4),
        ("docker/Dockerfile.alpine", 4),
        ("launchd/com.github.drakkan.sftpgo.plist", 6),
    ] {
        let mut variables = variables(&packaged(name));
        assert!(variables.len() >= least, "{name}: {variables:?}");
        let directory = tempfile::tempdir().unwrap();
        let secret = directory.path().join("secret");
        fs::write(&secret, "hunter2\n").unwrap();
        for (variable, value) in &mut variables {
            // Files that are only there where the package is.
            if variable.ends_with("__PASSWORD_FILE") {
                *value = secret.to_str().unwrap().to_owned();
            }
        }
        variables.remove("SFTPGO_CONFIG_DIR");
        let output = sftpgo(directory.path())
            .args(["config", "check"])
            .envs(variables)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{name}: {}{}",
            text(&output.stdout),
            text(&output.stderr)
        );
    }
}

#[test]
fn the_settings_of_the_package_are_valid_and_keep_state_out_of_etc() {
    let directory = tempfile::tempdir().unwrap();
    fs::write(
        directory.path().join("sftpgo.toml"),
        packaged("etc/sftpgo.toml"),
    )
    .unwrap();
    let check = sftpgo(directory.path())
        .args(["config", "check"])
        .output()
        .unwrap();
    assert!(check.status.success(), "{}", text(&check.stderr));
    let shown = sftpgo(directory.path())
        .args(["config", "show"])
        .output()
        .unwrap();
    let shown = text(&shown.stdout);
    for path in [
        "/var/lib/sftpgo/sftpgo.db",
        "/srv/sftpgo/data",
        "/var/lib/sftpgo/backups",
    ] {
        assert!(shown.contains(path), "{shown}");
    }
    assert!(!shown.contains("/etc/sftpgo/"), "{shown}");
}

#[test]
fn the_units_name_the_sockets_as_the_program_knows_them() {
    for (unit, name) in [("sftpgo.socket", "sftp"), ("sftpgo-http.socket", "http")] {
        let text = packaged(&format!("systemd/{unit}"));
        let line = format!("\nFileDescriptorName={name}\n");
        assert!(
            text.contains(&line) && text.contains("\nService=sftpgo.service\n"),
            "{text}"
        );
    }
}
