//! `/web/backup`: writes a dump of all accounts below `httpd.backups_path`, and shows those that are there. As with REST, no
//! dump is ever sent to anybody: it holds every hash and secret.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use jiff::Zoned;
use serde::Serialize;
use sftpgo_core::admin::{BackupFile, DumpFile, MakeDirectories, backup_files};
use sftpgo_core::model::{StoragePath, VirtualPath};

use super::form::Form;
use super::page::Page;
use super::text;
use super::visit::{Done, Visit};
use super::{Admin, csrf};
use crate::problem::in_time;

pub(super) const BACKUP: &str = "/web/backup";

#[derive(Serialize)]
struct BackupPage {
    directory: String,
    name: String,
    files: Vec<Listed>,
    /// Why the files cannot be listed.
    unreadable: Option<String>,
    mistake: Option<String>,
}

#[derive(Serialize)]
struct Listed {
    name: String,
    size: String,
    written: String,
}

impl From<BackupFile> for Listed {
    fn from(file: BackupFile) -> Self {
        Self {
            size: text::size(file.size),
            written: text::local_time(file.written),
            name: file.name,
        }
    }
}

impl Admin {
    /// The page, with what went wrong.
    pub(super) async fn show_backups(&self, visit: &Visit, mistake: Option<String>) -> Response {
        let page = Page {
            status: StatusCode::OK,
            title: "Backup",
            section: "backup",
            template: "backup.html",
        };
        let directory = self.api.backups_path.clone();
        let listing = tokio::task::spawn_blocking(move || backup_files(&directory)).await;
        let (files, unreadable) = match listing {
            Ok(Ok(files)) => (files, None),
            Ok(Err(error)) => (Vec::new(), Some(error.to_string())),
            Err(error) => (Vec::new(), Some(error.to_string())),
        };
        let data = BackupPage {
            directory: self.api.backups_path.display().to_string(),
            name: Zoned::now()
                .strftime("sftpgo-%Y%m%d-%H%M%S.json")
                .to_string(),
            files: files.into_iter().map(Listed::from).collect(),
            unreadable,
            mistake,
        };
        self.show(visit, &page, &data)
    }
}

/// `GET /web/backup`.
pub(super) async fn show(State(admin): State<Arc<Admin>>, headers: HeaderMap) -> Response {
    admin.show_backups(&Visit::of(&headers), None).await
}

/// `POST /web/backup`: writes one.
pub(super) async fn save(State(admin): State<Arc<Admin>>, request: Request) -> Response {
    let visit = Visit::of(request.headers());
    let form = match Form::read(request, &admin.api.limits).await {
        Ok(form) => form,
        Err(problem) => return admin.say_problem(&visit, "backup", &problem),
    };
    if !admin.site.csrf.allows(&visit, form.sent_text(csrf::FIELD)) {
        return admin.say_stale(&visit, "backup");
    }
    let Some(path) = file_name(form.text("output_file")) else {
        let mistake = "A file name is needed, without a directory and ending in .json.";
        return admin.show_backups(&visit, Some(mistake.to_owned())).await;
    };
    let file = DumpFile {
        root: admin.api.backups_path.clone(),
        path,
        directories: MakeDirectories::All,
    };
    let indented = !form.text("indent").is_empty();
    match in_time(&admin.api.limits, admin.api.core.dump_users(file, indented)).await {
        Ok(_) => admin.done(BACKUP, Done::Saved),
        Err(problem) => {
            let mistake = problem.text().to_owned();
            admin.show_backups(&visit, Some(mistake)).await
        }
    }
}

/// The name of a file that the page will list.
pub(super) fn file_name(name: &str) -> Option<StoragePath> {
    let name = name.trim();
    let plain = !name.contains(['/', '\\']) && !name.starts_with('.') && name.ends_with(".json");
    let path = VirtualPath::parse(name.as_bytes()).ok().filter(|_| plain)?;
    Some(path.to_storage())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_backup_has_a_plain_name() {
        assert_eq!(file_name(" a b.json ").unwrap().to_string(), "a b.json");
        for name in [
            "",
            ".json",
            "a",
            "../a.json",
            "a/b.json",
            "/a.json",
            "..",
            "a\0.json",
            "a\\b.json",
        ] {
            assert!(file_name(name).is_none(), "{name:?}");
        }
    }
}
