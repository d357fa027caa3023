//! What protects an API from browsers: they must not be made to use it by pages of others.
//!
//! Two attacks are known. *DNS rebinding*: a web page whose name was made to point at loopback is, to the browser, the same
//! origin as our API; its requests carry that name as `Host`. So a listener on loopback answers to loopback names only. (A
//! listener elsewhere can be called anything: whoever sets `httpd.allow_no_auth` has let everybody in. So can one with a
//! password file: browsers keep passwords by the name that they know, and a reverse proxy passes on the name that it is
//! called.) *CSRF*: any web
//! page may send a form here; browsers then say so in `Sec-Fetch-Site` and `Origin`. So a request that changes something
//! must not come from another origin. Programs such as curl send neither header and `Host` as they were called.
//!
//! Two changes are made by GET, because the reference made them so. With GET, browsers send no `Origin`, and
//! `Sec-Fetch-Site` only to loopback and over HTTPS. So a browser (by its `User-Agent`, which a page cannot change without
//! asking us first) must say where such a request comes from, in one header or another.
//!
//! `X-Forwarded-For` and `X-Real-IP` are not read: anybody can send them (reference B 13).

use std::net::{IpAddr, SocketAddr};

use axum::http::uri::Authority;
use axum::http::{HeaderMap, Method, Request, StatusCode, Uri, Version, header};

use crate::api;
use crate::problem::Problem;

/// Refuses requests that only a browser under somebody else's control would send.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Guard {
    loopback_names_only: bool,
}

impl Guard {
    /// The guard of a listener at `address`.
    pub(crate) fn for_listener(address: SocketAddr) -> Self {
        Self {
            loopback_names_only: address.ip().to_canonical().is_loopback(),
        }
    }

    /// The same where a password is asked for.
    pub(crate) fn with_password(self) -> Self {
        Self {
            loopback_names_only: false,
        }
    }

    /// Whether the request may go on.
    pub(crate) fn check<B>(self, request: &Request<B>) -> Result<(), Problem> {
        let host = host_of(request)?;
        let allowed = host.as_ref().is_none_or(is_loopback);
        if self.loopback_names_only && !allowed {
            return Err(forbidden(
                "this server answers to loopback names only: call it as localhost or 127.0.0.1",
            ));
        }
        let (headers, host) = (request.headers(), host.as_ref());
        let by_get = api::CHANGED_BY_GET.contains(&request.uri().path());
        let changes = by_get || changes_something(request.method());
        if changes && is_foreign(headers, host) {
            return Err(forbidden(
                "requests from other web sites may not change anything",
            ));
        }
        if by_get && is_browser(headers) && !tells_its_origin(headers, host) {
            return Err(forbidden(
                "this changes something, and the browser does not say which web site asks for it: use a program such as curl",
            ));
        }
        Ok(())
    }
}

fn forbidden(reason: &str) -> Problem {
    Problem::error(StatusCode::FORBIDDEN, format!("Forbidden: {reason}"))
}

/// The name by which the client called us; `None` only for HTTP/1.0. RFC 9112 3.2: exactly one `Host`; the authority of an
/// absolute target goes before it.
fn host_of<B>(request: &Request<B>) -> Result<Option<Authority>, Problem> {
    let mut sent = request.headers().get_all(header::HOST).iter();
    let host = match (sent.next(), sent.next()) {
        (Some(host), None) => {
            let parsed = Authority::try_from(host.as_bytes()).ok();
            // An `Authority` may hold a user name, a `Host` may not (RFC 9110 7.2).
            Some(
                parsed
                    .filter(|host| !host.as_str().contains('@'))
                    .ok_or_else(bad_host)?,
            )
        }
        (None, _) if request.version() == Version::HTTP_10 => None,
        (None, _) | (Some(_), Some(_)) => return Err(bad_host()),
    };
    Ok(request.uri().authority().cloned().or(host))
}

fn bad_host() -> Problem {
    Problem::bad_request("the request needs one valid Host header")
}

fn is_loopback(host: &Authority) -> bool {
    let name = host.host();
    let address = name
        .trim_start_matches('[')
        .trim_end_matches(']')
        .parse::<IpAddr>();
    if let Ok(address) = address {
        return address.to_canonical().is_loopback();
    }
    // RFC 6761 6.3: names below `localhost` are loopback too.
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

/// What changes something by another method stands in [`api::CHANGED_BY_GET`].
fn changes_something(method: &Method) -> bool {
    !matches!(
        *method,
        Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE
    )
}

fn is_foreign(headers: &HeaderMap, host: Option<&Authority>) -> bool {
    let fetched_from_elsewhere = headers
        .get_all("sec-fetch-site")
        .iter()
        // Not even `same-site`: another port of localhost is the same site.
        .any(|site| site != "same-origin" && site != "none");
    let origin_elsewhere = headers.get_all(header::ORIGIN).iter().any(|origin| {
        !origin
            .to_str()
            .is_ok_and(|origin| is_own_origin(origin, host))
    });
    fetched_from_elsewhere || origin_elsewhere
}

/// Whether the client calls itself a browser.
pub(crate) fn is_browser(headers: &HeaderMap) -> bool {
    let mut agents = headers.get_all(header::USER_AGENT).iter();
    agents.any(|agent| agent.as_bytes().starts_with(b"Mozilla/"))
}

/// Whether a request that is not foreign by its other headers says that it is not.
fn tells_its_origin(headers: &HeaderMap, host: Option<&Authority>) -> bool {
    let referer = headers.get(header::REFERER).map(|page| page.to_str());
    headers.contains_key("sec-fetch-site")
        || headers.contains_key(header::ORIGIN)
        || referer.is_some_and(|page| page.is_ok_and(|page| is_own_origin(page, host)))
}

fn is_own_origin(origin: &str, host: Option<&Authority>) -> bool {
    let (Ok(origin), Some(host)) = (origin.parse::<Uri>(), host) else {
        return false;
    };
    let default_port = match origin.scheme_str() {
        Some("http") => 80,
        Some("https") => 443,
        Some(_) | None => return false,
    };
    let port = |authority: &Authority| authority.port_u16().unwrap_or(default_port);
    origin.authority().is_some_and(|origin| {
        origin.host().eq_ignore_ascii_case(host.host()) && port(origin) == port(host)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(guard: Guard, request: &str) -> u16 {
        let mut words = request.split(' ');
        let builder = Request::builder()
            .method(words.next().unwrap())
            .uri(words.next().unwrap());
        let request = words.fold(builder, |builder, field| {
            let (name, value) = field.split_once('=').unwrap();
            builder.header(name, value)
        });
        match guard.check(&request.body(()).unwrap()) {
            Ok(()) => 200,
            Err(problem) => axum::response::IntoResponse::into_response(problem)
                .status()
                .as_u16(),
        }
    }

    fn on_loopback(request: &str) -> u16 {
        verdict(
            Guard::for_listener("127.0.0.1:8080".parse().unwrap()),
            request,
        )
    }

    #[test]
    fn a_loopback_listener_answers_to_loopback_names_only() {
        for (host, expected) in [
            ("localhost", 200),
            ("LocalHost:8080", 200),
            ("localhost.:8080", 200),
            ("admin.localhost", 200),
            ("127.0.0.1:8080", 200),
            ("127.1.2.3", 200),
            ("[::1]:8080", 200),
            ("[::ffff:127.0.0.1]", 200),
            ("evil.example", 403),
            ("localhost.evil.example:8080", 403),
            ("notlocalhost", 403),
            ("127.0.0.1.evil.example", 403),
            ("0.0.0.0:8080", 403),
            ("192.0.2.1", 403),
            ("[::]", 403),
            ("evil@localhost", 400),
            ("", 400),
            ("a/b", 400),
        ] {
            assert_eq!(
                on_loopback(&format!("GET /metrics host={host}")),
                expected,
                "{host}"
            );
        }
    }

    #[test]
    fn the_target_names_the_host_before_the_header_does() {
        assert_eq!(on_loopback("GET http://evil.example/ host=localhost"), 403);
        assert_eq!(on_loopback("GET http://localhost/ host=localhost"), 200);
    }

    #[test]
    fn a_request_needs_exactly_one_host() {
        assert_eq!(on_loopback("GET /"), 400);
        assert_eq!(on_loopback("GET / host=localhost host=evil.example"), 400);
    }

    #[test]
    fn a_listener_elsewhere_may_be_called_anything() {
        let guard = Guard::for_listener("[::]:8080".parse().unwrap());
        assert_eq!(verdict(guard, "GET / host=sftp.example"), 200);
        let foreign = "POST / host=sftp.example origin=http://evil.example";
        assert_eq!(verdict(guard, foreign), 403);
    }

    #[test]
    fn a_listener_with_a_password_may_be_called_anything_and_web_pages_elsewhere_stay_out() {
        let guard = Guard::for_listener("127.0.0.1:8080".parse().unwrap()).with_password();
        assert_eq!(verdict(guard, "GET / host=sftp.example"), 200);
        let foreign = "POST / host=sftp.example origin=http://evil.example";
        assert_eq!(verdict(guard, foreign), 403);
    }

    #[test]
    fn only_the_own_origin_may_change_something() {
        for (fields, expected) in [
            ("", 200),
            (" origin=http://localhost:8080", 200),
            (
                " origin=http://localhost:8080 sec-fetch-site=same-origin",
                200,
            ),
            (" sec-fetch-site=none", 200),
            (" origin=http://localhost:3000", 403),
            (" origin=http://127.0.0.1:8080", 403),
            (" origin=http://evil.example", 403),
            (" origin=null", 403),
            (" origin=file://", 403),
            (" sec-fetch-site=same-site", 403),
            (" sec-fetch-site=cross-site", 403),
            (" sec-fetch-site=none sec-fetch-site=cross-site", 403),
        ] {
            for method in ["POST", "PUT", "DELETE", "PATCH"] {
                let request = format!("{method} /api/v1/user host=localhost:8080{fields}");
                assert_eq!(on_loopback(&request), expected, "{request}");
            }
            assert_eq!(
                on_loopback(&format!("GET / host=localhost:8080{fields}")),
                200
            );
        }
    }
    #[test]
    fn a_get_that_changes_something_needs_the_own_origin_too() {
        let browser = " user-agent=Mozilla/5.0";
        let own = " referer=http://localhost:8080/web";
        for (fields, expected) in [
            (String::new(), 200),
            (" user-agent=curl/8.0".to_owned(), 200),
            (" sec-fetch-site=cross-site".to_owned(), 403),
            (" origin=http://evil.example".to_owned(), 403),
            (format!("{browser} sec-fetch-site=none"), 200),
            (format!("{browser} sec-fetch-site=same-origin"), 200),
            (format!("{browser} sec-fetch-site=same-site"), 403),
            (format!("{browser} sec-fetch-site=cross-site{own}"), 403),
            (browser.to_owned(), 403),
            (format!("{browser}{own}"), 200),
            (format!("{browser} referer=http://localhost:3000/"), 403),
            (
                format!("{browser} referer=http://evil.example/localhost:8080"),
                403,
            ),
        ] {
            for path in [
                "/api/v1/dumpdata?output_file=x",
                "/api/v1/loaddata?input_file=/x",
            ] {
                for method in ["GET", "HEAD"] {
                    let request = format!("{method} {path} host=localhost:8080{fields}");
                    assert_eq!(on_loopback(&request), expected, "{request}");
                }
            }
            let other = format!("GET /api/v1/user host=localhost:8080{fields}");
            assert_eq!(on_loopback(&other), 200, "{other}");
        }
    }
}
