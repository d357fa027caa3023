//! What happens to every request, whatever its route: an id, the guard, a deadline, counters and a log line.

use std::net::SocketAddr;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt;
use hyper::body::Body as _;
use tower::ServiceExt;

use crate::api;
use crate::auth::Peer;
use crate::guard::Guard;
use crate::logged_query::without_secrets;
use crate::metrics::HttpMetrics;
use crate::panics;
use crate::problem::Problem;
use crate::request_id::RequestIds;
use crate::server::HttpLimits;

/// Characters of one field of the log line; the rest is of no use to anybody but who wants to fill our disk.
const MAX_LOGGED: usize = 2048;

/// The way from a parsed request to its response.
#[derive(Debug)]
pub(crate) struct Front {
    router: Router,
    guard: Guard,
    ids: RequestIds,
    metrics: Arc<HttpMetrics>,
    pub(crate) limits: HttpLimits,
    scheme: &'static str,
}

/// What the log line says of a request.
struct Seen {
    method: String,
    protocol: String,
    peer: SocketAddr,
    id: String,
    uri: String,
    user_agent: String,
}

impl Front {
    pub(crate) fn new(
        router: Router,
        guard: Guard,
        metrics: Arc<HttpMetrics>,
        limits: HttpLimits,
    ) -> Self {
        Self {
            router,
            guard,
            ids: RequestIds::new(),
            metrics,
            limits,
            scheme: "http",
        }
    }

    /// The same over TLS.
    pub(crate) fn over_tls(self) -> Self {
        Self {
            scheme: "https",
            ..self
        }
    }

    /// Whether requests come over TLS.
    pub(crate) fn is_over_tls(&self) -> bool {
        self.scheme == "https"
    }

    /// Answers one request. Never fails and never panics.
    pub(crate) async fn answer(&self, peer: SocketAddr, mut request: Request<Body>) -> Response {
        request.extensions_mut().insert(Peer(peer));
        let begun = Instant::now();
        let seen = Seen {
            method: request.method().to_string(),
            protocol: format!("{:?}", request.version()),
            peer,
            id: self.ids.of(request.headers()),
            uri: full_uri(self.scheme, request.uri(), request.headers()),
            user_agent: text_of(request.headers(), header::USER_AGENT),
        };
        let handled = AssertUnwindSafe(self.handle(request)).catch_unwind().await;
        let response = handled.unwrap_or_else(|panic| {
            seen.log_panic(&panics::stack(), panics::text(&*panic));
            Problem::internal().into_response()
        });
        let elapsed = begun.elapsed();
        self.metrics.record(response.status(), elapsed);
        seen.log(&response, elapsed);
        response
    }

    async fn handle(&self, request: Request<Body>) -> Response {
        // Probes call a server by names of all kinds, and learn nothing there.
        if request.uri().path() != api::HEALTH
            && let Err(refused) = self.guard.check(&request)
        {
            return refused.into_response();
        }
        let answer = self.router.clone().oneshot(request);
        match tokio::time::timeout(self.limits.handling, answer).await {
            Ok(Ok(response)) => response,
            Ok(Err(never)) => match never {},
            Err(_) => {
                let reason = "the request took too long";
                Problem::error(StatusCode::SERVICE_UNAVAILABLE, reason).into_response()
            }
        }
    }
}

impl Seen {
    /// Names and order of the fields are part of the interface (reference 14.6).
    fn log(&self, response: &Response, elapsed: Duration) {
        tracing::info!(
            sender = "httpd",
            method = self.method.as_str(),
            proto = self.protocol.as_str(),
            remote_addr = self.peer.to_string().as_str(),
            request_id = self.id.as_str(),
            uri = self.uri.as_str(),
            user_agent = self.user_agent.as_str(),
            resp_status = u64::from(response.status().as_u16()),
            resp_size = response.body().size_hint().exact().unwrap_or_default(),
            elapsed_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
        );
    }

    /// A line of its own, before the one that every request has.
    fn log_panic(&self, stack: &str, panic: &str) {
        tracing::error!(
            sender = "httpd",
            method = self.method.as_str(),
            proto = self.protocol.as_str(),
            remote_addr = self.peer.to_string().as_str(),
            request_id = self.id.as_str(),
            uri = self.uri.as_str(),
            user_agent = self.user_agent.as_str(),
            stack,
            panic,
        );
    }
}

/// `scheme://host/path?query`, as the client wrote it, but for secrets.
fn full_uri(scheme: &str, uri: &Uri, headers: &HeaderMap) -> String {
    let target = uri
        .path_and_query()
        .map_or(uri.path(), |target| target.as_str());
    let target = without_secrets(target);
    let host = match uri.host() {
        Some(host) => host.to_owned(),
        None => text_of(headers, header::HOST),
    };
    shortened(format!("{scheme}://{host}{target}"))
}

fn text_of(headers: &HeaderMap, name: header::HeaderName) -> String {
    let value = headers
        .get(name)
        .map(|value| String::from_utf8_lossy(value.as_bytes()));
    shortened(value.unwrap_or_default().into_owned())
}

fn shortened(text: String) -> String {
    match text.char_indices().nth(MAX_LOGGED) {
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use std::fmt;
    use std::sync::{Mutex, Once};

    use axum::routing::get;
    use tracing::field::{Field, Visit};
    use tracing::{Event, Subscriber};
    use tracing_subscriber::Layer;
    use tracing_subscriber::layer::{Context, SubscriberExt as _};

    use super::*;

    fn front(router: Router, limits: HttpLimits) -> Front {
        let guard = Guard::for_listener(([127, 0, 0, 1], 8080).into());
        Front::new(router, guard, Arc::default(), limits)
    }

    fn request(path: &str) -> Request<Body> {
        Request::get(path)
            .header("host", "localhost")
            .body(Body::empty())
            .unwrap()
    }

    #[tokio::test]
    async fn a_panic_is_a_500_and_the_next_request_is_served() {
        async fn defect() -> String {
            panic!("defect")
        }
        let router = Router::new()
            .route("/defect", get(defect))
            .route("/fine", get(|| async {}));
        let front = front(router, HttpLimits::default());
        let peer = ([127, 0, 0, 1], 1).into();
        assert_eq!(front.answer(peer, request("/defect")).await.status(), 500);
        assert_eq!(front.answer(peer, request("/fine")).await.status(), 200);
        assert_eq!(front.metrics.server_errors.value(), 1);
        assert_eq!(front.metrics.ok.value(), 1);
    }

    type Line = Vec<(String, String)>;

    /// Keeps names and values of the fields of every event.
    #[derive(Clone, Default)]
    struct Recorder(Arc<Mutex<Vec<Line>>>);

    struct Fields(Line);

    impl Visit for Fields {
        fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
            self.0.push((field.name().to_owned(), format!("{value:?}")));
        }
    }

    impl<S: Subscriber> Layer<S> for Recorder {
        fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
            let mut fields = Fields(Vec::new());
            event.record(&mut fields);
            self.0.lock().unwrap().push(fields.0);
        }
    }

    #[tokio::test]
    async fn a_panic_is_logged_with_its_stack_beside_the_line_of_the_request() {
        // While there is one subscriber only, another thread may decide for this one that nobody wants its lines.
        static NOBODY: Once = Once::new();
        async fn defective_handler() -> String {
            panic!("a defect of this sort")
        }
        NOBODY.call_once(|| {
            tracing::subscriber::set_global_default(tracing_subscriber::registry()).unwrap();
        });
        crate::keep_stacks_of_panics();
        let recorder = Recorder::default();
        let subscriber = tracing_subscriber::registry().with(recorder.clone());
        let _guard = tracing::subscriber::set_default(subscriber);
        let router = Router::new().route("/defect", get(defective_handler));
        let front = front(router, HttpLimits::default());
        front
            .answer(([127, 0, 0, 1], 1).into(), request("/defect"))
            .await;
        let lines = recorder.0.lock().unwrap();
        let names = |line: &[(String, String)]| {
            let names: Vec<&str> = line.iter().map(|(name, _)| name.as_str()).collect();
            names.join(" ")
        };
        let of_both = "sender method proto remote_addr request_id uri user_agent";
        assert_eq!(lines.len(), 2);
        assert_eq!(names(&lines[0]), format!("{of_both} stack panic"));
        assert_eq!(
            names(&lines[1]),
            format!("{of_both} resp_status resp_size elapsed_ms")
        );
        let value = |index: usize| lines[0][index].1.as_str();
        assert!(value(7).contains("defective_handler"), "{}", value(7));
        assert_eq!(value(8), "\"a defect of this sort\"");
        assert_eq!(lines[1][7].1, "500");
        assert_eq!(lines[0][4], lines[1][4], "the same request id");
    }

    #[tokio::test]
    async fn a_handler_that_hangs_is_given_up() {
        let router = Router::new().route("/slow", get(std::future::pending::<()>));
        let limits = HttpLimits {
            handling: Duration::from_millis(1),
            ..HttpLimits::default()
        };
        let front = front(router, limits);
        assert_eq!(
            front
                .answer(([127, 0, 0, 1], 1).into(), request("/slow"))
                .await
                .status(),
            503
        );
    }

    #[test]
    fn a_long_uri_is_shortened_in_the_log() {
        let uri: Uri = format!("/{}", "a".repeat(10_000)).parse().unwrap();
        let logged = full_uri("http", &uri, &HeaderMap::new());
        assert_eq!(logged.len(), MAX_LOGGED + 3);
    }

    #[test]
    fn the_logged_uri_shows_no_credentials() {
        let uri: Uri = "http://name:secret@localhost/x?y".parse().unwrap();
        let logged = full_uri("https", &uri, &HeaderMap::new());
        assert_eq!(logged, "https://localhost/x?y");
    }
}
