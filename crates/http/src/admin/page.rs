//! What every page has: the frame around it, its headers, its cookies, and the pages that say what went wrong.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use minijinja::context;
use minijinja::value::{Serde, Value};
use serde::Serialize;
use sftpgo_core::admin::AdminError;

use super::visit::{DONE_COOKIE, Done, FORM_COOKIE, Visit};
use super::{Admin, csrf};
use crate::problem::{self, Problem};

/// Nothing inline, nothing from anywhere else, nothing around us.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; \
                      connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";

/// How long what was done waits to be told, in seconds.
const DONE_AGE: u32 = 30;

/// A page that can be shown.
pub(super) struct Page<'a> {
    pub(super) status: StatusCode,
    /// The title, without the name of the product.
    pub(super) title: &'a str,
    /// The entry of the menu that is marked.
    pub(super) section: &'a str,
    pub(super) template: &'static str,
}

/// What the frame shows.
#[derive(Serialize)]
struct Frame<'a> {
    title: &'a str,
    section: &'a str,
    version: &'a str,
    theme: Option<&'static str>,
    done: Option<&'static str>,
    token_field: &'static str,
    token: String,
    style: String,
    script: String,
    icon: String,
    logo: String,
}

/// A page that only says something.
#[derive(Serialize)]
struct Message<'a> {
    text: &'a str,
    back: &'a str,
}

/// A question that a form of its own answers.
#[derive(Serialize)]
pub(super) struct Question<'a> {
    pub(super) text: String,
    pub(super) detail: &'a str,
    pub(super) action: String,
    pub(super) button: &'a str,
    pub(super) dangerous: bool,
    pub(super) back: &'a str,
    /// A field that the form sends, and its value.
    pub(super) field: Option<(&'a str, String)>,
}

impl Admin {
    /// Shows a page with what its template calls `page`.
    pub(super) fn show(&self, visit: &Visit, page: &Page<'_>, data: &impl Serialize) -> Response {
        self.show_value(visit, page, Value::from(Serde(data)))
    }

    fn show_value(&self, visit: &Visit, page: &Page<'_>, data: Value) -> Response {
        let fresh = match visit.cookie {
            Some(_) => None,
            None => csrf::new_cookie(),
        };
        let cookie = visit.cookie.as_deref().or(fresh.as_deref());
        let asset = |name| self.site.assets.url(name);
        let frame = Frame {
            title: page.title,
            section: page.section,
            version: &self.api.version.version,
            theme: visit.theme,
            done: visit.done.map(Done::text),
            token_field: csrf::FIELD,
            token: cookie.map_or_else(String::new, |cookie| self.site.csrf.token(cookie)),
            style: asset("app.css"),
            script: asset("app.js"),
            icon: asset("favicon.ico"),
            logo: asset("logo.svg"),
        };
        let context = context! { frame => Serde(&frame), page => data };
        let mut response = match self.site.templates.render(page.template, context) {
            Ok(text) => html(page.status, text),
            Err(error) => {
                let template = page.template;
                tracing::error!(
                    sender = "httpd",
                    template,
                    "a page could not be made: {error:#}"
                );
                let text = "<!doctype html><title>SFTPGo - Internal Server Error</title>\
                            <h1>Internal Server Error</h1><p>The page could not be made; the log says why.</p>";
                html(StatusCode::INTERNAL_SERVER_ERROR, text.to_owned())
            }
        };
        if let Some(cookie) = fresh {
            self.set_cookie(&mut response, &format!("{FORM_COOKIE}={cookie}; HttpOnly"));
        }
        if visit.done.is_some() {
            self.set_cookie(
                &mut response,
                &format!("{DONE_COOKIE}=; Max-Age=0; HttpOnly"),
            );
        }
        response
    }

    /// Asks before something is done.
    pub(super) fn ask(&self, visit: &Visit, section: &str, question: &Question<'_>) -> Response {
        let page = Page {
            status: StatusCode::OK,
            title: question.button,
            section,
            template: "confirm.html",
        };
        self.show(visit, &page, question)
    }

    /// Says what went wrong, with the title that the reference gives such a page.
    pub(super) fn say(
        &self,
        visit: &Visit,
        section: &str,
        status: StatusCode,
        text: &str,
    ) -> Response {
        let title = match status {
            StatusCode::BAD_REQUEST => "Bad request",
            StatusCode::NOT_FOUND => "Not found",
            StatusCode::INTERNAL_SERVER_ERROR => "Internal Server Error",
            other => other.canonical_reason().unwrap_or("Error"),
        };
        let page = Page {
            status,
            title,
            section,
            template: "message.html",
        };
        let back = match section {
            "connections" => "/web/connections",
            "status" => "/web/status",
            "backup" => "/web/backup",
            _ => "/web/users",
        };
        self.show(visit, &page, &Message { text, back })
    }

    /// Says why something cannot be had.
    pub(super) fn say_error(&self, visit: &Visit, section: &str, error: &AdminError) -> Response {
        let status = problem::status_of(error.kind());
        if status.is_server_error() {
            tracing::error!(sender = "httpd", "{error}");
        }
        self.say(visit, section, status, &error.to_string())
    }

    /// Says why a request was refused.
    pub(super) fn say_problem(&self, visit: &Visit, section: &str, problem: &Problem) -> Response {
        self.say(visit, section, problem.status(), problem.text())
    }

    /// Says that a form has no valid token.
    pub(super) fn say_stale(&self, visit: &Visit, section: &str) -> Response {
        self.say(visit, section, StatusCode::FORBIDDEN, STALE)
    }

    /// Goes on to a page, which tells what was done.
    pub(super) fn done(&self, path: &'static str, done: Done) -> Response {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::SEE_OTHER;
        let headers = response.headers_mut();
        headers.insert(header::LOCATION, HeaderValue::from_static(path));
        protect(headers);
        let cookie = format!(
            "{DONE_COOKIE}={}; Max-Age={DONE_AGE}; HttpOnly",
            done.code()
        );
        self.set_cookie(&mut response, &cookie);
        response
    }

    fn set_cookie(&self, response: &mut Response, cookie: &str) {
        let secure = if self.site.secure { "; Secure" } else { "" };
        let cookie = format!("{cookie}; Path=/web; SameSite=Strict{secure}");
        if let Ok(value) = HeaderValue::from_str(&cookie) {
            response.headers_mut().append(header::SET_COOKIE, value);
        }
    }
}

/// What to do about a form that has no valid token.
pub(super) const STALE: &str = "This form is not valid any more: the server was started again, or the browser keeps no \
                                cookies. Nothing was changed; open the page again and repeat it.";

/// `GET /` and `GET /web`.
pub(super) async fn to_users() -> Response {
    moved("/web/users")
}

/// A permanent redirect.
pub(super) fn moved(path: &'static str) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::MOVED_PERMANENTLY;
    let headers = response.headers_mut();
    headers.insert(header::LOCATION, HeaderValue::from_static(path));
    response
}

fn html(status: StatusCode, text: String) -> Response {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    headers.insert(header::CONTENT_TYPE, html);
    protect(headers);
    response
}

/// Headers of everything that an administrator sees.
fn protect(headers: &mut HeaderMap) {
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
