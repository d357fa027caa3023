//! `POST /web/restore`: restores accounts from a file that is sent, or from one of the backups of the page.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use sftpgo_core::data::dump::MAX_DUMP_SIZE;
use sftpgo_core::model::{OfExisting, RestoreOptions, ScanAfter};

use super::backup::{BACKUP, file_name};
use super::form::Form;
use super::visit::{Done, Visit};
use super::{Admin, csrf};
use crate::body;
use crate::problem::in_time;
use crate::server::HttpLimits;

/// What a form needs beside the file in it.
const AROUND_THE_FILE: usize = 64 * 1024;

/// Restores; what is wrong shows the page again.
pub(super) async fn restore(State(admin): State<Arc<Admin>>, request: Request) -> Response {
    let visit = Visit::of(request.headers());
    let Ok(_place) = admin.site.dumps.try_acquire() else {
        body::dismiss(request).await;
        let text = "Other backups are being restored; try again when they are done.";
        return admin.say(&visit, "backup", StatusCode::SERVICE_UNAVAILABLE, text);
    };
    let form = match Form::read(request, &with_room(admin.api.limits)).await {
        Ok(form) => form,
        Err(problem) => return admin.say_problem(&visit, "backup", &problem),
    };
    if !admin.site.csrf.allows(&visit, form.sent_text(csrf::FIELD)) {
        return admin.say_stale(&visit, "backup");
    }
    let (options, source) = match options(&form).and_then(|options| Ok((options, source(&form)?))) {
        Ok(wanted) => wanted,
        Err(mistake) => return admin.show_backups(&visit, Some(mistake.to_owned())).await,
    };
    let core = &admin.api.core;
    let limits = &admin.api.limits;
    let restored = match source {
        Source::Sent(text) => in_time(limits, core.restore_sent_users(text, options)).await,
        Source::Backup(name) => {
            let path = admin.api.backups_path.join(name);
            in_time(limits, core.restore_users(path, options)).await
        }
    };
    match restored {
        Ok(_) => admin.done(BACKUP, Done::Restored),
        Err(problem) => {
            let mistake = problem.text().to_owned();
            admin.show_backups(&visit, Some(mistake)).await
        }
    }
}

/// A dump may be larger than other forms.
fn with_room(limits: HttpLimits) -> HttpLimits {
    let dump = usize::try_from(MAX_DUMP_SIZE).unwrap_or(usize::MAX);
    HttpLimits {
        body_bytes: limits.body_bytes.max(dump.saturating_add(AROUND_THE_FILE)),
        ..limits
    }
}

enum Source {
    Sent(Bytes),
    Backup(String),
}

fn source(form: &Form) -> Result<Source, &'static str> {
    let name = form.text("backup").trim();
    match form.file("file") {
        Some(_) if !name.is_empty() => Err("Choose a file or a backup, not both."),
        Some(file) => Ok(Source::Sent(file.clone())),
        None if name.is_empty() => Err("Choose a file, or one of the backups."),
        None if file_name(name).is_none() => Err("There is no such backup."),
        None => Ok(Source::Backup(name.to_owned())),
    }
}

fn options(form: &Form) -> Result<RestoreOptions, &'static str> {
    let mut options = RestoreOptions::default();
    if let Some(digit) = form.sent_text("mode") {
        options.existing =
            OfExisting::from_digit(digit).ok_or("The mode is not one of those to choose from.")?;
    }
    if let Some(digit) = form.sent_text("scan_quota") {
        options.scan = ScanAfter::from_digit(digit)
            .ok_or("The quota scan is not one of those to choose from.")?;
    }
    Ok(options)
}
