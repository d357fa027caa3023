//! What all pages are made of: templates, static files, the key of the forms. Loaded once, when the server starts.

use tokio::sync::Semaphore;

use crate::config::HttpdSettings;
use crate::server::HttpError;

use super::asset::Assets;
use super::csrf::Csrf;
use super::template::Templates;

/// Dumps that are taken at a time: each is in memory as a whole.
const DUMPS: usize = 2;

/// See the module.
#[derive(Debug)]
pub(crate) struct Site {
    pub(super) templates: Templates,
    pub(super) assets: Assets,
    pub(super) csrf: Csrf,
    /// Whether cookies are for HTTPS only.
    pub(super) secure: bool,
    /// Places for forms with a dump in them.
    pub(super) dumps: Semaphore,
}

impl Site {
    /// Loads what the operator has of his own, and what is built in for the rest. Blocks on the disk.
    ///
    /// # Errors
    /// A template or a directory of the operator cannot be used.
    pub(crate) fn load(settings: &HttpdSettings) -> Result<Self, HttpError> {
        let unusable = |setting, reason| HttpError::UnusableFile { setting, reason };
        Ok(Self {
            templates: Templates::load(&settings.templates_path)
                .map_err(|reason| unusable("httpd.templates_path", reason))?,
            assets: Assets::load(&settings.static_files_path)
                .map_err(|reason| unusable("httpd.static_files_path", reason))?,
            csrf: Csrf::new().ok_or(HttpError::NoRandomNumbers)?,
            secure: settings.tls.is_some(),
            dumps: Semaphore::new(DUMPS),
        })
    }
}
