//! What has to be corrected in the form of an account, and in which field.

use serde::Serialize;
use sftpgo_core::admin::AdminError;
use sftpgo_core::model::filesystem::BACK_ENDS;

/// One thing that has to be corrected.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Mistake {
    /// The name of the field; empty if it is about more than one.
    pub(super) field: &'static str,
    /// What the page calls the field.
    pub(super) label: &'static str,
    pub(super) text: String,
}

/// What the page calls the fields.
const LABELS: &[(&str, &str)] = &[
    ("username", "Username"),
    ("status", "Status"),
    ("expiration_date", "Expires"),
    ("password", "Password"),
    ("public_keys", "Public keys"),
    ("ssh_login_methods", "Denied login methods"),
    ("required_login_methods", "Required login methods"),
    ("home_dir", "Home directory"),
    ("permissions", "Permissions"),
    ("sub_dirs_permissions", "Permissions of single directories"),
    ("virtual_folders", "Virtual folders"),
    ("quota_size", "Quota, bytes"),
    ("quota_files", "Quota, files"),
    ("upload_bandwidth", "Upload bandwidth"),
    ("download_bandwidth", "Download bandwidth"),
    ("max_sessions", "Sessions at a time"),
    ("uid", "User id"),
    ("gid", "Group id"),
    ("allowed_extensions", "Allowed file extensions"),
    ("denied_extensions", "Denied file extensions"),
];

/// How the sentences of the rules of accounts begin, and the field that they are about.
const ABOUT: &[(&str, &str)] = &[
    ("username", "username"),
    ("the username", "username"),
    ("home_dir", "home_dir"),
    ("please set a password", "password"),
    ("please grant", "permissions"),
    ("invalid permissions for \"/\"", "permissions"),
    ("invalid permissions", "sub_dirs_permissions"),
    ("permission directory", "sub_dirs_permissions"),
    ("virtual folder", "virtual_folders"),
    ("a virtual folder", "virtual_folders"),
    ("mapped_path", "virtual_folders"),
    ("status", "status"),
    ("could not parse public key", "public_keys"),
    ("unknown login method", "ssh_login_methods"),
    ("denied_login_methods", "ssh_login_methods"),
    ("required_login_methods", "required_login_methods"),
    ("each of required_login_methods", "required_login_methods"),
    (
        "more than 16 required_login_methods",
        "required_login_methods",
    ),
    ("extension filter", "denied_extensions"),
    ("two extension filters", "denied_extensions"),
    ("the extension filter", "denied_extensions"),
];

impl Mistake {
    pub(super) fn of(field: &'static str, text: impl Into<String>) -> Self {
        let label = LABELS.iter().find(|(name, _)| *name == field);
        let label = label.map(|(_, label)| *label);
        let mut of_stores = BACK_ENDS.iter().flat_map(|back_end| back_end.fields);
        let label = label.or_else(|| Some(of_stores.find(|other| other.form == field)?.label));
        Self {
            field,
            label: label.unwrap_or(field),
            text: text.into(),
        }
    }

    /// What the rules of accounts, or the data provider, say.
    pub(super) fn from_error(error: &AdminError) -> Self {
        let text = error.to_string();
        let sentence = text.strip_prefix("Validation error: ").unwrap_or(&text);
        let about = ABOUT.iter().find(|(begin, _)| sentence.starts_with(begin));
        let about = about.map(|(_, field)| *field);
        let about = about.or_else(|| of_back_end(sentence));
        Self::of(about.unwrap_or_default(), text)
    }
}

/// The rules of back ends begin with the object and the key that they are about.
fn of_back_end(sentence: &str) -> Option<&'static str> {
    let (object, rest) = sentence.split_once(": ")?;
    let back_end = BACK_ENDS.iter().find(|other| other.object == object)?;
    let name = rest.split(' ').next()?;
    let field = back_end.fields.iter().find(|field| field.name == name)?;
    Some(field.form)
}

#[cfg(test)]
mod tests {
    use sftpgo_core::model::UserRecord;
    use sftpgo_core::model::user::UserRules;

    use super::*;

    /// The sentences may change: then this says so.
    #[test]
    fn what_the_rules_say_leads_to_the_field_that_it_is_about() {
        let good = r#"{"username":"u","status":1,"password":"x","home_dir":"/h","permissions":{"/":["*"]}}"#;
        for (change, field) in [
            (r#"{"username":""}"#, "username"),
            (r#"{"username":"\u0001"}"#, "username"),
            (r#"{"home_dir":""}"#, "home_dir"),
            (r#"{"home_dir":"relative"}"#, "home_dir"),
            (r#"{"password":""}"#, "password"),
            (r#"{"permissions":{"/":["x"]}}"#, "permissions"),
            (
                r#"{"permissions":{"/":["*"],"/a":["x"]}}"#,
                "sub_dirs_permissions",
            ),
            (
                r#"{"permissions":{"/":["*"],"a":["*"]}}"#,
                "sub_dirs_permissions",
            ),
            (r#"{"filesystem":{"provider":1}}"#, "s3_bucket"),
            (
                r#"{"filesystem":{"provider":1,"s3config":{"bucket":"b","region":"r","access_key":"k"}}}"#,
                "s3_access_key",
            ),
            (r#"{"filesystem":{"provider":2}}"#, "gcs_bucket"),
            (
                r#"{"filesystem":{"provider":2,"gcsconfig":{"bucket":"b"}}}"#,
                "gcs_credential_file",
            ),
            (
                r#"{"filesystem":{"provider":3,"azblobconfig":{"container":"c","account_name":"a","access_tier":"x"}}}"#,
                "az_access_tier",
            ),
            (
                r#"{"virtual_folders":[{"virtual_path":"v","mapped_path":"/m"}]}"#,
                "virtual_folders",
            ),
            (
                r#"{"virtual_folders":[{"virtual_path":"/","mapped_path":"/m"}]}"#,
                "virtual_folders",
            ),
            (
                r#"{"virtual_folders":[{"virtual_path":"/v","mapped_path":"m"}]}"#,
                "virtual_folders",
            ),
            (
                r#"{"virtual_folders":[{"virtual_path":"/v","mapped_path":"/h/x"}]}"#,
                "virtual_folders",
            ),
            (r#"{"status":7}"#, "status"),
            (r#"{"public_keys":["x"]}"#, "public_keys"),
            (
                r#"{"filters":{"denied_login_methods":["x"]}}"#,
                "ssh_login_methods",
            ),
            (
                r#"{"filters":{"required_login_methods":["x"]}}"#,
                "required_login_methods",
            ),
            (
                r#"{"filters":{"file_extensions":[{"path":"x","denied_extensions":[".x"]}]}}"#,
                "denied_extensions",
            ),
            (
                r#"{"filters":{"file_extensions":[{"path":"/"}]}}"#,
                "denied_extensions",
            ),
            (r#"{"filters":{"allowed_ip":["x"]}}"#, ""),
        ] {
            let user = UserRecord::from_json(good.as_bytes()).unwrap();
            let user = user.merged_with_json(change.as_bytes()).unwrap();
            let error = user.validate(&UserRules::default()).unwrap_err();
            let mistake = Mistake::from_error(&error.into());
            assert_eq!(mistake.field, field, "{change}: {}", mistake.text);
        }
    }
}
