//! MariaDB: <https://mariadb.com/kb/en/mariadb-install-db/>, <https://mariadb.com/kb/en/mariadbd-options/>.

use std::fs::{self, File};
use std::path::Path;
use std::process::Command;

use super::{PASSWORD, Place, program};

/// Where Debian keeps the statements that make the tables of the system.
const SCRIPTS: &str = "/usr/share/mysql";

/// What `mariadb-install-db` does, without what no test needs.
pub(super) fn initialize(place: &Place<'_>) -> Command {
    let mut script = "create database mysql;\nuse mysql;\nSET @auth_root_socket=NULL;\n".to_owned();
    for name in ["mysql_system_tables.sql", "mysql_system_tables_data.sql"] {
        let path = Path::new(SCRIPTS).join(name);
        let text = fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}: run scripts/test", path.display()));
        script.push_str(&text);
        script.push('\n');
    }
    // Nobody comes in without a password, and nobody without a name.
    script.push_str("DELETE FROM global_priv WHERE User = '';\n");
    script.push_str(&format!(
        "UPDATE global_priv SET Priv = JSON_SET(Priv, '$.plugin', 'mysql_native_password', \
         '$.authentication_string', PASSWORD('{PASSWORD}')) WHERE User = 'root';\n"
    ));
    let path = place.directory.join("install.sql");
    fs::write(&path, script).unwrap();
    let mut command = server(place);
    command
        .args(["--bootstrap", "--max-allowed-packet=8M"])
        .stdin(File::open(path).unwrap());
    command
}

pub(super) fn serve(place: &Place<'_>) -> Command {
    let mut command = server(place);
    let file = |name: &str| place.directory.join(name).display().to_string();
    command.args([
        format!("--port={}", place.port),
        "--bind-address=127.0.0.1".to_owned(),
        format!("--socket={}", file("socket")),
        format!("--pid-file={}", file("server.pid")),
        format!("--max-connections={}", place.setup.connections),
        "--skip-name-resolve".to_owned(),
    ]);
    if let Some(certificates) = place.certificates {
        command.args([
            format!("--ssl-cert={}", certificates.server().display()),
            format!("--ssl-key={}", certificates.key().display()),
        ]);
    }
    command
}

fn server(place: &Place<'_>) -> Command {
    let mut command = program("/usr/sbin", "mariadbd");
    let data = place.directory.join("data");
    command
        .arg("--no-defaults")
        .arg(format!("--datadir={}", data.display()))
        .args([
            // Nothing here must survive a power failure.
            "--innodb-flush-method=nosync",
            // Written with each commit, so that a crash of the process loses none; not synced.
            "--innodb-flush-log-at-trx-commit=2",
            "--innodb-doublewrite=0",
            "--sync-frm=0",
            "--innodb-buffer-pool-size=16M",
            "--innodb-log-file-size=8M",
            "--innodb-fast-shutdown=2",
            "--performance-schema=OFF",
        ]);
    command
}
