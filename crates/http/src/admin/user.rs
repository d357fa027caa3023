//! `/web/user`: the form of an account, and what its buttons do.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde::Serialize;
use sftpgo_core::admin::{AdminError, Started};
use sftpgo_core::model::{FilesystemConfig, UserRecord};

use super::form::Form;
use super::page::{Page, Question};
use super::storage_form::{Section, sections};
use super::user_form::{Shown, UserForm};
use super::user_mistake::Mistake;
use super::user_record::record;
use super::visit::{Done, Visit};
use super::{Admin, csrf, text};

type UserId = Result<Path<String>, PathRejection>;

const USERS: &str = "/web/users";

/// What the template of the form works with.
#[derive(Serialize)]
struct FormPage<'a> {
    action: String,
    is_new: bool,
    /// The id of an account that is there.
    id: Option<i64>,
    form: &'a Shown,
    mistakes: &'a [Mistake],
    errors: BTreeMap<&'static str, &'a str>,
    has_password: bool,
    stores: Vec<Section>,
    /// What the server knows of the account.
    facts: Vec<(&'static str, String)>,
}

impl Admin {
    fn show_form(
        &self,
        visit: &Visit,
        status: StatusCode,
        stored: Option<&UserRecord>,
        form: &UserForm,
        mistakes: &[Mistake],
    ) -> Response {
        let page = Page {
            status,
            title: if stored.is_some() {
                "Update user"
            } else {
                "Add a new user"
            },
            section: "users",
            template: "user.html",
        };
        let errors = mistakes.iter().rev();
        let data = FormPage {
            action: stored.map_or("/web/user".to_owned(), |user| {
                format!("/web/user/{}", user.id)
            }),
            is_new: stored.is_none(),
            id: stored.map(|user| user.id),
            form: &form.shown,
            mistakes,
            errors: errors
                .map(|mistake| (mistake.field, mistake.text.as_str()))
                .collect(),
            has_password: stored.is_some_and(|user| !user.password.is_empty()),
            stores: match stored {
                Some(user) => sections(&user.filesystem),
                None => sections(&FilesystemConfig::default()),
            },
            facts: stored.map(facts).unwrap_or_default(),
        };
        self.show(visit, &page, &data)
    }

    /// The account of the path, whole.
    async fn stored(&self, visit: &Visit, id: UserId) -> Result<UserRecord, Box<Response>> {
        let number = id.ok().and_then(|Path(id)| id.parse::<i64>().ok());
        let Some(id) = number else {
            let response = self.say(visit, "users", StatusCode::BAD_REQUEST, "Invalid user id");
            return Err(Box::new(response));
        };
        let found = self.api.users.stored_by_id(id).await;
        found.map_err(|error| Box::new(self.say_error(visit, "users", &error)))
    }

    /// Reads a form that does something to the account of the path, and looks at its token.
    async fn confirmed(
        &self,
        id: UserId,
        request: Request,
    ) -> Result<(Visit, UserRecord), Box<Response>> {
        let visit = Visit::of(request.headers());
        let form = Form::read(request, &self.api.limits).await;
        let form = form.map_err(|problem| Box::new(self.say_problem(&visit, "users", &problem)))?;
        if !self.site.csrf.allows(&visit, form.sent_text(csrf::FIELD)) {
            return Err(Box::new(self.say_stale(&visit, "users")));
        }
        let user = self.stored(&visit, id).await?;
        Ok((visit, user))
    }
}

fn facts(user: &UserRecord) -> Vec<(&'static str, String)> {
    let mut facts = vec![("Quota", text::quota(user).join(". "))];
    if user.last_login > 0 {
        let time = sftpgo_core::model::UnixMillis(user.last_login);
        facts.push(("Last login", text::local_time(time)));
    }
    if user.last_quota_update > 0 {
        let time = sftpgo_core::model::UnixMillis(user.last_quota_update);
        facts.push(("Last quota update", text::local_time(time)));
    }
    facts
}

/// `GET /web/user`: the form for a new account.
pub(super) async fn empty(State(admin): State<Arc<Admin>>, headers: HeaderMap) -> Response {
    let visit = Visit::of(&headers);
    admin.show_form(&visit, StatusCode::OK, None, &UserForm::empty(), &[])
}

/// `POST /web/user`: adds one. Mistakes show the form again, with status 200, as in the reference.
pub(super) async fn add(State(admin): State<Arc<Admin>>, request: Request) -> Response {
    save(&admin, request, None).await
}

/// `GET /web/user/{id}`: the form of an account.
pub(super) async fn show(
    State(admin): State<Arc<Admin>>,
    id: UserId,
    headers: HeaderMap,
) -> Response {
    let visit = Visit::of(&headers);
    match admin.stored(&visit, id).await {
        Ok(user) => admin.show_form(
            &visit,
            StatusCode::OK,
            Some(&user),
            &UserForm::of(&user),
            &[],
        ),
        Err(response) => *response,
    }
}

/// `POST /web/user/{id}`: changes one.
pub(super) async fn update(
    State(admin): State<Arc<Admin>>,
    id: UserId,
    request: Request,
) -> Response {
    let visit = Visit::of(request.headers());
    match admin.stored(&visit, id).await {
        Ok(user) => save(&admin, request, Some(user)).await,
        Err(response) => *response,
    }
}

async fn save(admin: &Admin, request: Request, stored: Option<UserRecord>) -> Response {
    let visit = Visit::of(request.headers());
    let form = match Form::read(request, &admin.api.limits).await {
        Ok(form) => form,
        Err(problem) => return admin.say_problem(&visit, "users", &problem),
    };
    let sent = UserForm::sent(&form);
    let again = |status, mistakes: &[Mistake]| {
        // What was typed stays in its fields, but for what must not be shown.
        let mut sent = UserForm {
            shown: Shown::clone(&sent.shown),
            ..UserForm::default()
        };
        if let Some(user) = &stored {
            sent.shown.texts.insert("username", user.username.clone());
        }
        admin.show_form(&visit, status, stored.as_ref(), &sent, mistakes)
    };
    if !admin.site.csrf.allows(&visit, form.sent_text(csrf::FIELD)) {
        let text = "This form is not valid any more: the server was started again, or the browser keeps no cookies. \
                    Nothing was changed; what you typed is still here, so send it again.";
        return again(StatusCode::FORBIDDEN, &[Mistake::of("", text)]);
    }
    let new = UserRecord::default();
    let user = match record(&sent, stored.as_ref().unwrap_or(&new)) {
        Ok(user) => user,
        Err(mistakes) => return again(StatusCode::OK, &mistakes),
    };
    let saved = match &stored {
        Some(_) => admin.api.users.update(user).await.map(|()| Done::Updated),
        None => admin.api.users.add(user).await.map(|_| Done::Added),
    };
    match saved {
        Ok(done) => admin.done(USERS, done),
        Err(error) => again(StatusCode::OK, &[Mistake::from_error(&error)]),
    }
}

/// `GET /web/user/{id}/delete`: asks first.
pub(super) async fn ask_to_delete(
    State(admin): State<Arc<Admin>>,
    id: UserId,
    headers: HeaderMap,
) -> Response {
    let visit = Visit::of(&headers);
    match admin.stored(&visit, id).await {
        Ok(user) => admin.ask(
            &visit,
            "users",
            &Question {
                text: format!("Delete the user {}?", user.username),
                detail: "The account is removed for good. The files in its home directory stay where they are, and \
                         sessions of the user end.",
                action: format!("/web/user/{}/delete", user.id),
                button: "Delete user",
                dangerous: true,
                back: USERS,
                field: None,
            },
        ),
        Err(response) => *response,
    }
}

/// `POST /web/user/{id}/delete`.
pub(super) async fn delete(
    State(admin): State<Arc<Admin>>,
    id: UserId,
    request: Request,
) -> Response {
    let (visit, user) = match admin.confirmed(id, request).await {
        Ok(confirmed) => confirmed,
        Err(response) => return *response,
    };
    match admin.api.users.delete(user.id).await {
        Ok(()) => admin.done(USERS, Done::Deleted),
        Err(error) => admin.say_error(&visit, "users", &error),
    }
}

/// `GET /web/user/{id}/scan`: asks first.
pub(super) async fn ask_to_scan(
    State(admin): State<Arc<Admin>>,
    id: UserId,
    headers: HeaderMap,
) -> Response {
    let visit = Visit::of(&headers);
    match admin.stored(&visit, id).await {
        Ok(user) => admin.ask(
            &visit,
            "users",
            &Question {
                text: format!("Scan the quota of {}?", user.username),
                detail: "Every file of the user is counted, which takes a while if there are many. Transfers go on \
                         meanwhile.",
                action: format!("/web/user/{}/scan", user.id),
                button: "Start quota scan",
                dangerous: false,
                back: USERS,
                field: None,
            },
        ),
        Err(response) => *response,
    }
}

/// `POST /web/user/{id}/scan`.
pub(super) async fn scan(
    State(admin): State<Arc<Admin>>,
    id: UserId,
    request: Request,
) -> Response {
    let (visit, user) = match admin.confirmed(id, request).await {
        Ok(confirmed) => confirmed,
        Err(response) => return *response,
    };
    let started: Result<Started, AdminError> =
        admin.api.core.start_quota_scan(&user.username).await;
    match started {
        Ok(Started::Now) => admin.done(USERS, Done::ScanStarted),
        Ok(Started::Before) => admin.done(USERS, Done::ScanRuns),
        Err(error) => admin.say_error(&visit, "users", &error),
    }
}
