//! A running Prometheus with a configuration of its own.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use serde_json::Value;
use tempfile::TempDir;

use super::scraped::Scraped;
use super::{PATIENCE, packaged};

/// What the job is called: not what anybody would guess.
pub(super) const JOB: &str = "files";

/// A series of an answer.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) labels: BTreeMap<String, String>,
    pub(super) value: f64,
}

/// Ends when this is dropped.
pub(super) struct Prometheus {
    process: Child,
    address: SocketAddr,
    directory: TempDir,
}

impl Prometheus {
    /// Scrapes a server every second, and evaluates the rules of `packaging/`.
    pub(super) fn scraping(server: &Scraped) -> Self {
        // Somebody may take a port that was free: then there are others.
        for _ in 0..10 {
            if let Some(prometheus) = Self::try_start(server) {
                return prometheus;
            }
        }
        panic!("prometheus does not start");
    }

    fn try_start(server: &Scraped) -> Option<Self> {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = free.local_addr().unwrap();
        drop(free);
        let directory = tempfile::tempdir().unwrap();
        let at = directory.path();
        let rules = packaged("prometheus/sftpgo.rules.yml");
        let config = format!(
            "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\nrule_files: ['{}']\n\
             scrape_configs:\n- job_name: {JOB}\n  static_configs:\n  - targets: ['{}']\n",
            rules.canonicalize().unwrap().display(),
            server.http
        );
        fs::write(at.join("prometheus.yml"), config).unwrap();
        let process = Command::new("prometheus")
            .arg(format!(
                "--config.file={}",
                at.join("prometheus.yml").display()
            ))
            .arg(format!("--storage.tsdb.path={}", at.join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .args(["--storage.tsdb.retention.time=1h", "--log.level=warn"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(at.join("log")).unwrap())
            .spawn()
            .unwrap_or_else(|error| panic!("prometheus: {error} (scripts/test installs it)"));
        let mut prometheus = Self {
            process,
            address,
            directory,
        };
        let begun = Instant::now();
        while prometheus.process.try_wait().unwrap().is_none() {
            if prometheus
                .ask("/-/ready")
                .is_some_and(|(status, _)| status == 200)
            {
                return Some(prometheus);
            }
            assert!(begun.elapsed() < PATIENCE, "prometheus is not ready");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        None
    }

    /// What an instant query finds.
    ///
    /// # Errors
    /// What Prometheus says against it.
    pub(super) fn query(&self, expression: &str) -> Result<Vec<Series>, String> {
        let answer = self.api(&format!("/api/v1/query?query={}", encoded(expression)));
        if answer["status"] != "success" {
            return Err(answer["error"].to_string());
        }
        let result = answer["data"]["result"].as_array().unwrap();
        // A scalar is a time and a value, and no list of series.
        if answer["data"]["resultType"] == "scalar" {
            return Err(format!("{expression} is no vector"));
        }
        let series = result.iter().map(|series| Series {
            labels: serde_json::from_value(series["metric"].clone()).unwrap(),
            value: series["value"][1].as_str().unwrap().parse().unwrap(),
        });
        Ok(series.collect())
    }

    /// The name and the health of every rule.
    pub(super) fn rules(&self) -> Vec<(String, String)> {
        let answer = self.api("/api/v1/rules");
        let groups = answer["data"]["groups"].as_array().unwrap();
        let rules = groups
            .iter()
            .flat_map(|group| group["rules"].as_array().unwrap());
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        rules
            .map(|rule| (text(&rule["name"]), text(&rule["health"])))
            .collect()
    }

    fn api(&self, path: &str) -> Value {
        let (_, body) = self.ask(path).unwrap();
        serde_json::from_str(&body).unwrap_or_else(|error| panic!("{path}: {error}: {body}"))
    }

    /// Status and body; `None` if nobody listens.
    fn ask(&self, path: &str) -> Option<(u16, String)> {
        let mut stream = TcpStream::connect(self.address).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        // An answer to 1.0 comes in one piece.
        write!(
            stream,
            "GET {path} HTTP/1.0\r\nHost: {}\r\n\r\n",
            self.address
        )
        .ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        let (head, body) = answer.split_once("\r\n\r\n")?;
        let status = head.split(' ').nth(1)?.parse().ok()?;
        Some((status, body.to_owned()))
    }
}

impl Drop for Prometheus {
    /// Shows its log if the test fails: it often says why.
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        if std::thread::panicking() {
            let log = fs::read_to_string(self.directory.path().join("log"));
            eprintln!("the log of prometheus:\n{}", log.unwrap_or_default());
        }
    }
}

fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}
