//! The HTTP log line: its fields and their order are an interface (reference 14.6).

use std::fmt::Debug;
use std::sync::{Arc, Mutex, Once};
use std::time::Duration;

use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};

use crate::support::TestServer;

pub(crate) type Line = Vec<(&'static str, String)>;

/// Keeps the fields of every event of this thread, as they come.
#[derive(Clone, Default)]
pub(crate) struct Recorder(Arc<Mutex<Vec<Line>>>);

struct Fields(Line);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.push((field.name(), format!("{value:?}")));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.push((field.name(), value.to_owned()));
    }
}

impl<S: Subscriber> Layer<S> for Recorder {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields(Vec::new());
        event.record(&mut fields);
        self.0.lock().unwrap().push(fields.0);
    }
}

impl Recorder {
    /// Records what is logged by this thread as long as the guard lives.
    pub(crate) fn start() -> (Self, tracing::subscriber::DefaultGuard) {
        // While there is one subscriber only, tracing asks the thread that comes to a line first whether anybody wants it,
        // and believes that for ever. So that other tests do not answer for this one, there is another subscriber.
        static NOBODY: Once = Once::new();
        NOBODY.call_once(|| {
            let nobody = tracing_subscriber::registry();
            tracing::subscriber::set_global_default(nobody).unwrap();
        });
        let recorder = Self::default();
        let subscriber = tracing_subscriber::registry().with(recorder.clone());
        (recorder, tracing::subscriber::set_default(subscriber))
    }

    /// Lines that have a field of that name.
    pub(crate) fn with(&self, field: &str) -> Vec<Line> {
        let mut lines = self.all();
        lines.retain(|line| line.iter().any(|(name, _)| *name == field));
        lines
    }

    pub(crate) fn all(&self) -> Vec<Line> {
        self.0.lock().unwrap().clone()
    }

    fn requests(&self) -> Vec<Line> {
        self.with("resp_status")
    }
}

#[tokio::test]
async fn every_request_is_one_line_with_the_fields_of_the_reference() {
    let (recorder, _guard) = Recorder::start();
    let server = TestServer::start();
    let address = server.address();
    let request = format!(
        "GET /nothing?a=%0a HTTP/1.1\r\nHost: {address}\r\nX-Request-Id: proxy/1\r\nUser-Agent: a\"gent\r\n\
         X-Forwarded-For: 198.51.100.7\r\nConnection: close\r\n\r\n"
    );
    let reply = server.raw(request.as_bytes()).await;
    server.get("/api/v1/version").await;

    // The line is written when the reply is taken, and the client may know that first.
    let written = async {
        while recorder.requests().len() < 2 {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), written)
        .await
        .expect("two lines");
    let lines = recorder.requests();
    let names: Vec<&str> = lines[0].iter().map(|(name, _)| *name).collect();
    let expected = "sender method proto remote_addr request_id uri user_agent resp_status resp_size elapsed_ms";
    assert_eq!(names.join(" "), expected);
    let value = |name: &str| &lines[0].iter().find(|(key, _)| *key == name).unwrap().1;
    for (name, expected) in [
        ("sender", "httpd"),
        ("method", "GET"),
        ("proto", "HTTP/1.1"),
        ("request_id", "proxy/1"),
        ("user_agent", "a\"gent"),
        ("resp_status", "404"),
        ("uri", &format!("http://{address}/nothing?a=%0a")),
        ("resp_size", &reply.body.len().to_string()),
    ] {
        assert_eq!(value(name), expected, "{name}");
    }
    assert!(
        value("remote_addr").starts_with("127.0.0.1:"),
        "a header says nothing about the address"
    );
    let generated = &lines[1]
        .iter()
        .find(|(key, _)| *key == "request_id")
        .unwrap()
        .1;
    assert!(generated.ends_with("-000001"), "{generated}");
}
