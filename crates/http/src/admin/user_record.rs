//! What the form of an account means: a record, or what has to be corrected.

use std::collections::BTreeMap;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use sftpgo_core::model::{
    ExtensionFilter, FilesystemConfig, FilesystemProvider, UserRecord, VirtualFolder, VirtualPath,
};

use super::user_form::UserForm;
use super::user_mistake::Mistake;

/// Lays the form over `stored`, which is empty for a new account. Every list is replaced; what the form leaves out because it
/// must not be shown (password, secret) stays. Whether the account makes sense is decided later, by the rules of accounts.
///
/// # Errors
/// Every field that cannot be understood.
pub(super) fn record(form: &UserForm, stored: &UserRecord) -> Result<UserRecord, Vec<Mistake>> {
    let mut reader = Reader {
        form,
        mistakes: Vec::new(),
    };
    let record = reader.record(stored);
    if reader.mistakes.is_empty() {
        Ok(record)
    } else {
        Err(reader.mistakes)
    }
}

struct Reader<'a> {
    form: &'a UserForm,
    mistakes: Vec<Mistake>,
}

impl Reader<'_> {
    fn record(&mut self, stored: &UserRecord) -> UserRecord {
        let form = self.form;
        let mut user = stored.clone();
        if user.username.is_empty() {
            user.username = form.text("username").to_owned();
        }
        if !form.password.is_empty() {
            user.password.clone_from(&form.password);
        }
        user.status = self.number("status");
        user.expiration_date = self.expiration();
        user.public_keys = trimmed(form.text("public_keys").lines());
        user.home_dir = form.text("home_dir").trim().to_owned();
        user.virtual_folders = self.folders();
        user.uid = self.number("uid");
        user.gid = self.number("gid");
        user.max_sessions = self.number("max_sessions");
        user.quota_size = self.number("quota_size");
        user.quota_files = self.number("quota_files");
        user.upload_bandwidth = self.number("upload_bandwidth");
        user.download_bandwidth = self.number("download_bandwidth");
        user.permissions = self.permissions();
        let filters = &mut user.filters;
        filters.denied_ip = trimmed(form.text("denied_ip").split(','));
        filters.allowed_ip = trimmed(form.text("allowed_ip").split(','));
        filters.denied_login_methods = form.list("ssh_login_methods").to_vec();
        if form.tells_required_methods {
            let sequences = form.text("required_login_methods").lines();
            filters.required_login_methods = trimmed(sequences);
        }
        filters.file_extensions = self.extensions();
        user.filesystem = self.filesystem(&stored.filesystem);
        user
    }

    fn mistake(&mut self, field: &'static str, text: impl Into<String>) {
        self.mistakes.push(Mistake::of(field, text));
    }

    fn number(&mut self, field: &'static str) -> i64 {
        let text = self.form.text(field).trim();
        let number = text.parse();
        number.unwrap_or_else(|_| {
            let text = if text.is_empty() {
                "a number is needed; 0 means none or unlimited".to_owned()
            } else {
                format!("{text:?} is not a whole number")
            };
            self.mistake(field, text);
            0
        })
    }

    /// In UTC: `2030-01-31 12:00:00`, what browsers make of it, or a day alone.
    fn expiration(&mut self) -> i64 {
        let text = self.form.text("expiration_date").trim();
        if text.is_empty() {
            return 0;
        }
        let time = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M"];
        let mut parsed = time
            .iter()
            .map(|format| DateTime::strptime(format, text).ok());
        let parsed = parsed.find_map(|time| time);
        let parsed = parsed.or_else(|| Some(Date::strptime("%Y-%m-%d", text).ok()?.at(0, 0, 0, 0)));
        let zoned = parsed.and_then(|time| time.to_zoned(TimeZone::UTC).ok());
        match zoned {
            Some(time) => time.timestamp().as_millisecond(),
            None => {
                let text = format!("{text:?} is not a time such as 2030-01-31 12:00:00");
                self.mistake("expiration_date", text);
                0
            }
        }
    }

    /// The two sides of each line; blank lines do not count. The reference leaves a line without `::` out: the restriction
    /// that somebody meant to set would silently not be there.
    fn pairs(&mut self, field: &'static str, example: &str) -> Vec<(String, String)> {
        let mut pairs = Vec::new();
        for line in trimmed(self.form.text(field).lines()) {
            match line.split_once("::") {
                Some((left, right)) => {
                    pairs.push((left.trim().to_owned(), right.trim().to_owned()));
                }
                None => {
                    let text = format!("{line:?} has no \"::\"; write lines such as {example}");
                    self.mistake(field, text);
                }
            }
        }
        pairs
    }

    fn permissions(&mut self) -> BTreeMap<String, Vec<String>> {
        let mut permissions = BTreeMap::new();
        let example = "/sub::list,download";
        for (directory, names) in self.pairs("sub_dirs_permissions", example) {
            if directory == "/" {
                let text = "the permissions of / are those above";
                self.mistake("sub_dirs_permissions", text);
            }
            permissions.insert(directory, trimmed(names.split(',')));
        }
        let root = self.form.list("permissions").to_vec();
        if root.is_empty() {
            self.mistake("permissions", "choose at least one");
        }
        permissions.insert("/".to_owned(), root);
        permissions
    }

    fn folders(&mut self) -> Vec<VirtualFolder> {
        let pairs = self.pairs("virtual_folders", "/shared::/srv/shared");
        let folder = |(virtual_path, mapped_path)| VirtualFolder {
            virtual_path,
            mapped_path,
        };
        pairs.into_iter().map(folder).collect()
    }

    /// Both lists, one filter for each directory.
    fn extensions(&mut self) -> Vec<ExtensionFilter> {
        let mut filters: Vec<ExtensionFilter> = Vec::new();
        for field in ["allowed_extensions", "denied_extensions"] {
            for (path, names) in self.pairs(field, "/::.jpg,.png") {
                let names = trimmed(names.split(','));
                let same = filters
                    .iter_mut()
                    .find(|other| same_path(&other.path, &path));
                let added = match same {
                    Some(filter) => filter,
                    None => {
                        filters.push(ExtensionFilter {
                            path,
                            ..ExtensionFilter::default()
                        });
                        let Some(last) = filters.last_mut() else {
                            continue;
                        };
                        last
                    }
                };
                match field {
                    "allowed_extensions" => added.allowed_extensions.extend(names),
                    _ => added.denied_extensions.extend(names),
                }
            }
        }
        filters
    }

    /// Anything that is no number of a store means the local disk, as in the reference.
    fn filesystem(&mut self, stored: &FilesystemConfig) -> FilesystemConfig {
        let number = self.form.text("fs_provider").trim().parse().unwrap_or(0);
        match FilesystemProvider::from_number(number).back_end() {
            Some(back_end) => {
                let (storage, shown) = (&self.form.storage, &self.form.shown);
                storage.lay_over(shown, back_end, stored, &mut self.mistakes)
            }
            None => FilesystemConfig::default(),
        }
    }
}

fn same_path(one: &str, other: &str) -> bool {
    let clean = |path: &str| VirtualPath::parse(path.as_bytes()).ok();
    one == other || clean(one).is_some_and(|path| Some(path) == clean(other))
}

/// What is left of blanks, without what is nothing else.
fn trimmed<'a>(pieces: impl Iterator<Item = &'a str>) -> Vec<String> {
    let pieces = pieces.map(str::trim).filter(|piece| !piece.is_empty());
    pieces.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use sftpgo_core::model::Secret;

    use super::*;

    fn form(fields: &[(&'static str, &str)]) -> UserForm {
        let mut form = UserForm::empty();
        form.shown.texts.insert("username", "u".into());
        for (name, value) in fields {
            form.shown.texts.insert(name, (*value).to_owned());
        }
        form
    }

    fn made(fields: &[(&'static str, &str)]) -> UserRecord {
        record(&form(fields), &UserRecord::default()).ok().unwrap()
    }

    fn mistaken(fields: &[(&'static str, &str)]) -> Vec<&'static str> {
        let mistakes = record(&form(fields), &UserRecord::default())
            .err()
            .unwrap_or_default();
        mistakes.iter().map(|mistake| mistake.field).collect()
    }

    fn type_secret(form: &mut UserForm, name: &'static str, secret: &str) {
        let typed = zeroize::Zeroizing::new(secret.to_owned());
        form.storage.secrets.insert(name, typed);
    }

    #[test]
    fn lists_are_trimmed() {
        let user = made(&[
            ("public_keys", " a \n\n\tb\r\n"),
            ("sub_dirs_permissions", " /sub::list ,download \n/none::\n"),
            ("virtual_folders", "/vdir:: /srv/x  "),
            ("denied_ip", " 192.0.2.0/24 , ,10.0.0.0/8"),
            ("allowed_extensions", "/a::.jpg, .png\n/a/b/..::.gif"),
            ("denied_extensions", "/a/::.zip\n/c::.exe"),
        ]);
        assert_eq!(user.public_keys, ["a", "b"]);
        assert_eq!(user.permissions["/sub"], ["list", "download"]);
        assert!(user.permissions["/none"].is_empty());
        assert_eq!(user.virtual_folders[0].mapped_path, "/srv/x");
        assert_eq!(user.filters.denied_ip, ["192.0.2.0/24", "10.0.0.0/8"]);
        let filters = &user.filters.file_extensions;
        assert_eq!(filters.len(), 2);
        assert_eq!(filters[0].allowed_extensions, [".jpg", ".png", ".gif"]);
        assert_eq!(filters[0].denied_extensions, [".zip"]);
        assert_eq!(filters[1].path, "/c");
    }

    #[test]
    fn an_expiration_is_a_time_in_utc() {
        for text in [
            "2020-01-01 00:00:00",
            "2020-01-01T00:00:00",
            "2020-01-01T00:00",
            "2020-01-01",
        ] {
            assert_eq!(
                made(&[("expiration_date", text)]).expiration_date,
                1_577_836_800_000
            );
        }
        assert_eq!(made(&[("expiration_date", " ")]).expiration_date, 0);
        for text in ["tomorrow", "2020-13-01 00:00:00", "2020-01-01 00:00:00 x"] {
            assert_eq!(mistaken(&[("expiration_date", text)]), ["expiration_date"]);
        }
    }

    #[test]
    fn every_field_that_cannot_be_understood_is_told() {
        let wrong = mistaken(&[
            ("status", "a"),
            ("uid", ""),
            ("quota_size", "1.5"),
            ("sub_dirs_permissions", "/sub:list\n/::list"),
            ("virtual_folders", "x"),
        ]);
        let expected = [
            "status",
            "virtual_folders",
            "uid",
            "quota_size",
            "sub_dirs_permissions",
            "sub_dirs_permissions",
        ];
        assert_eq!(wrong, expected);
        let mut nothing = form(&[]);
        nothing.shown.lists.insert("permissions", Vec::new());
        assert!(record(&nothing, &UserRecord::default()).is_err());
    }

    #[test]
    fn what_the_form_does_not_show_stays() {
        let stored = UserRecord::from_json(
            br#"{"id":3,"username":"old","password":"$argon2id$x","used_quota_files":7,"last_login":5,
                "filters":{"required_login_methods":["publickey,password"]},
                "filesystem":{"provider":1,"s3config":{"bucket":"b","access_key":"k","access_secret":"$aes$k$d"}}}"#,
        )
        .unwrap();
        let fields = [
            ("fs_provider", "1"),
            ("s3_bucket", "b"),
            ("s3_access_key", "k"),
        ];
        let mut sent = form(&fields);
        let user = record(&sent, &stored).ok().unwrap();
        assert_eq!((user.id, user.username.as_str()), (3, "old"));
        assert_eq!(
            (
                user.password.as_str(),
                user.used_quota_files,
                user.last_login
            ),
            ("$argon2id$x", 7, 5)
        );
        assert_eq!(user.filters.required_login_methods, ["publickey,password"]);
        assert_eq!(
            user.filesystem.s3config.access_secret,
            stored.filesystem.s3config.access_secret
        );
        sent.tells_required_methods = true;
        type_secret(&mut sent, "s3_access_secret", "new");
        sent.password = "changed".into();
        let user = record(&sent, &stored).ok().unwrap();
        assert!(user.filters.required_login_methods.is_empty());
        assert_eq!(
            user.filesystem.s3config.access_secret,
            Secret::from_text("new")
        );
        assert_eq!(user.password, "changed");
    }

    #[test]
    fn a_credentials_file_goes_before_automatic_credentials() {
        let fields = [
            ("fs_provider", "2"),
            ("gcs_bucket", "b"),
            ("gcs_auto_credentials", "true"),
        ];
        let mut sent = form(&fields);
        let gcs = |sent: &UserForm| {
            record(sent, &UserRecord::default()).map(|user| user.filesystem.gcsconfig)
        };
        assert_eq!(gcs(&sent).ok().unwrap().automatic_credentials, 1);
        let files = &mut sent.storage.files;
        files.insert("gcs_credential_file", "{}".into());
        let config = gcs(&sent).ok().unwrap();
        assert_eq!(config.automatic_credentials, 0);
        assert_eq!(config.credentials, Secret::from_text("{}"));
        for wrong in [&b""[..], b"\xff"] {
            let files = &mut sent.storage.files;
            files.insert("gcs_credential_file", wrong.into());
            let mistakes = gcs(&sent).err().unwrap();
            assert_eq!(mistakes[0].field, "gcs_credential_file");
        }
    }

    fn with_azure() -> UserRecord {
        UserRecord::from_json(
            br#"{"id":3,"username":"u","password":"x","filesystem":{"provider":3,"azblobconfig":{"container":"c",
                "account_name":"a","account_key":"$aes$k$d","access_tier":"Cool","use_emulator":true,"upload_part_size":8}}}"#,
        )
        .unwrap()
    }

    #[test]
    fn fields_that_a_form_has_not_stay_but_for_those_of_the_reference() {
        let stored = with_azure();
        let mut sent = form(&[("fs_provider", "3")]);
        let azure = |sent: &UserForm| {
            let made = record(sent, &stored).ok().unwrap();
            made.filesystem.azblobconfig
        };
        assert_eq!(azure(&sent), stored.filesystem.azblobconfig);
        for name in ["az_access_tier", "az_use_emulator", "az_upload_part_size"] {
            sent.storage.present.insert(name);
            sent.shown.texts.insert(name, String::new());
        }
        let emptied = azure(&sent);
        assert_eq!(emptied.access_tier, "");
        assert_eq!((emptied.use_emulator, emptied.upload_part_size), (false, 0));
        assert_eq!(
            emptied.account_key,
            stored.filesystem.azblobconfig.account_key
        );
        sent.shown.texts.insert("az_upload_part_size", "x".into());
        let mistakes = record(&sent, &stored).err().unwrap();
        assert_eq!(mistakes[0].field, "az_upload_part_size");
    }

    #[test]
    fn a_secret_is_forgotten_if_the_form_says_so_or_another_takes_its_place() {
        let stored = with_azure();
        let azure = |sent: &UserForm, stored: &UserRecord| {
            let made = record(sent, stored).ok().unwrap();
            made.filesystem.azblobconfig
        };
        let mut sent = form(&[("fs_provider", "3")]);
        sent.shown.forgotten.insert("az_account_key");
        assert!(azure(&sent, &stored).account_key.is_empty());
        let mut sent = form(&[("fs_provider", "3")]);
        type_secret(&mut sent, "az_sas_url", "?sig=x");
        let config = azure(&sent, &stored);
        assert!(config.account_key.is_empty() && !config.sas_url.is_empty());
        // What another back end had is of no use.
        let s3 = form(&[("fs_provider", "1"), ("s3_bucket", "b")]);
        let made = record(&s3, &stored).ok().unwrap().filesystem;
        assert_eq!(made.azblobconfig, Default::default());
    }

    #[test]
    fn credentials_of_google_that_are_stored_stay_until_automatic_ones_are_chosen() {
        let stored = UserRecord::from_json(
            br#"{"id":3,"username":"u","password":"x","filesystem":{"provider":2,"gcsconfig":{"bucket":"b",
                "credentials":"$aes$k$d"}}}"#,
        )
        .unwrap();
        let fields = [("fs_provider", "2"), ("gcs_bucket", "b")];
        let mut sent = form(&fields);
        let made = record(&sent, &stored).ok().unwrap();
        assert_eq!(made.filesystem, stored.filesystem);
        sent.shown
            .texts
            .insert("gcs_auto_credentials", "true".into());
        let made = record(&sent, &stored).ok().unwrap().filesystem.gcsconfig;
        assert!(made.credentials.is_empty() && made.automatic_credentials == 1);
    }

    #[test]
    fn a_record_survives_the_form() {
        let user = UserRecord::from_json(
            br#"{"status":1,"username":"u","expiration_date":1577836800000,"public_keys":["a","b"],"home_dir":"/h",
                "virtual_folders":[{"virtual_path":"/v","mapped_path":"/m"}],"uid":1,"gid":2,"max_sessions":3,
                "quota_size":4,"quota_files":5,"permissions":{"/":["list"],"/a":["*"],"/b":[]},
                "upload_bandwidth":6,"download_bandwidth":7,
                "filters":{"allowed_ip":["10.0.0.0/8"],"denied_ip":["192.0.2.0/24","198.51.100.0/24"],
                    "denied_login_methods":["password"],"required_login_methods":["publickey"],
                    "file_extensions":[{"path":"/","allowed_extensions":[".a",".b"],"denied_extensions":[".c"]}]},
                "filesystem":{"provider":2,"gcsconfig":{"bucket":"b","key_prefix":"p/","automatic_credentials":1}}}"#,
        )
        .unwrap();
        let mut form = UserForm::of(&user);
        form.tells_required_methods = true;
        assert_eq!(record(&form, &UserRecord::default()).ok().unwrap(), user);
    }
}
