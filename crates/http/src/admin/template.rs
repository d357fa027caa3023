//! The templates: built in, or of the operator where `httpd.templates_path` has one made for this program.

use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use minijinja::value::Value;
use minijinja::{AutoEscape, Environment, UndefinedBehavior};

/// How a template made for this program begins. The reference's templates are in another language; a directory of them
/// must neither be used nor stop the start.
const MARK: &str = "{# sftpgo-web 1 #}";

/// No template is larger.
const MAX_BYTES: u64 = 1024 * 1024;

macro_rules! built_in {
    ($($name:literal),+ $(,)?) => {
        &[$((
            $name,
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../web/templates/", $name)),
        )),+]
    };
}

const BUILT_IN: &[(&str, &str)] = built_in![
    "backup.html",
    "base.html",
    "confirm.html",
    "connections.html",
    "macros.html",
    "message.html",
    "status.html",
    "user.html",
    "users.html",
];

/// All templates, parsed.
#[derive(Debug)]
pub(super) struct Templates(Environment<'static>);

impl Templates {
    /// The templates of `directory`, which need not exist, and the built-in ones for those that it has not.
    ///
    /// # Errors
    /// A sentence about a template that cannot be read or understood.
    pub(super) fn load(directory: &Path) -> Result<Self, String> {
        let mut environment = Environment::new();
        // Whatever a template is called, what it shows is text.
        environment.set_auto_escape_callback(|_| AutoEscape::Html);
        environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        let mut foreign = Vec::new();
        for (name, built_in) in BUILT_IN {
            let path = directory.join(name);
            let shown = path.display();
            let own = read(&path).map_err(|error| format!("cannot read {shown}: {error}"))?;
            let source = match own {
                Some(text) if text.starts_with(MARK) => text,
                Some(_) => {
                    foreign.push(*name);
                    (*built_in).to_owned()
                }
                None => (*built_in).to_owned(),
            };
            environment
                .add_template_owned(*name, source)
                .map_err(|error| format!("the template {shown} is wrong: {error:#}"))?;
        }
        if !foreign.is_empty() {
            tracing::warn!(
                sender = "httpd",
                "templates in {} that are not made for this program are not used (they do not begin with {MARK}): {}",
                directory.display(),
                foreign.join(", ")
            );
        }
        Ok(Self(environment))
    }

    /// A page.
    pub(super) fn render(&self, name: &str, context: Value) -> Result<String, minijinja::Error> {
        self.0.get_template(name)?.render(context)
    }
}

/// `None` if there is no such file, or it is no text of ours.
fn read(path: &Path) -> io::Result<Option<String>> {
    match fs::metadata(path) {
        Ok(attributes) if attributes.is_file() => {}
        Ok(_) => return Ok(None),
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(error),
    }
    let mut text = String::new();
    fs::File::open(path)?
        .take(MAX_BYTES)
        .read_to_string(&mut text)?;
    Ok(Some(text))
}

#[cfg(test)]
mod tests {
    use minijinja::context;

    use super::*;

    fn page(templates: &Templates) -> Result<String, minijinja::Error> {
        templates.render("message.html", context! {})
    }

    #[test]
    fn a_template_of_the_operator_takes_the_place_of_the_built_in_one() {
        let directory = tempfile::tempdir().unwrap();
        let own = format!("{MARK}\nmine: {{{{ '<b>' }}}}");
        fs::write(directory.path().join("message.html"), own).unwrap();
        let templates = Templates::load(directory.path()).unwrap();
        assert_eq!(page(&templates).unwrap(), "\nmine: &lt;b&gt;");
    }

    #[test]
    fn templates_of_the_reference_are_left_alone() {
        let directory = tempfile::tempdir().unwrap();
        for name in ["base.html", "message.html"] {
            let text = "{{define \"base\"}}{{template \"page_body\" .}}{{end}}";
            fs::write(directory.path().join(name), text).unwrap();
        }
        Templates::load(directory.path()).unwrap();
        Templates::load(&directory.path().join("missing")).unwrap();
    }

    #[test]
    fn a_template_of_the_operator_that_is_wrong_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("users.html");
        fs::write(&path, format!("{MARK}{{% if %}}")).unwrap();
        let reason = Templates::load(directory.path()).unwrap_err();
        assert!(reason.contains(path.to_str().unwrap()), "{reason}");
    }

    #[test]
    fn every_built_in_template_has_the_mark() {
        for (name, text) in BUILT_IN {
            assert!(text.starts_with(MARK), "{name}");
        }
    }
}
