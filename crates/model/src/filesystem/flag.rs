//! The settings of a back end from the flags of a portable server (reference 15.1).

use super::field::Field;
use super::{BACK_ENDS, FilesystemConfig, FilesystemProvider, Kind};
use crate::user::ValidationError;

impl FilesystemConfig {
    /// The settings that flags give, each with its value, without the dashes. Of a flag that names a file
    /// ([`Field::is_file`]) the value is what is in the file. The account they become part of is validated as any other.
    ///
    /// # Errors
    /// A flag of another back end, or a value that is none for its flag. No value of a secret is in the message.
    pub fn from_flags<'a>(
        provider: FilesystemProvider,
        flags: impl IntoIterator<Item = (&'a str, &'a str)>,
    ) -> Result<Self, ValidationError> {
        let mut config = Self {
            provider,
            ..Self::default()
        };
        // Without a file, portable servers take the credentials of their surroundings.
        config.gcsconfig.automatic_credentials = i64::from(provider == FilesystemProvider::Gcs);
        let mut has_file = false;
        for (flag, value) in flags {
            let field = named(provider, flag)?;
            has_file |= field.is_file() && !value.is_empty();
            field.set(&mut config, value).map_err(|wrong| {
                let shown = match field.kind {
                    Kind::Secret(..) => "the value is wrong".to_owned(),
                    Kind::Text(..) | Kind::Number(..) | Kind::Flag(_) | Kind::Switch(_) => wrong,
                };
                ValidationError::new(format!("--{flag}: {shown}"))
            })?;
        }
        if has_file {
            config.gcsconfig.automatic_credentials = 0;
        }
        Ok(config)
    }
}

fn named(provider: FilesystemProvider, flag: &str) -> Result<&'static Field, ValidationError> {
    let back_ends = BACK_ENDS.iter();
    let mut fields = back_ends.flat_map(|of| of.fields.iter().map(move |field| (of, field)));
    match fields.find(|(_, field)| field.flag == flag) {
        Some((of, field)) if of.provider == provider => Ok(field),
        Some((of, _)) => Err(ValidationError::new(format!(
            "--{flag} is for {}: set --fs-provider {}",
            of.title,
            of.provider.number()
        ))),
        None => Err(ValidationError::new(format!("there is no flag --{flag}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    fn error(provider: FilesystemProvider, flag: &str, value: &str) -> String {
        let flags = [(flag, value)];
        let made = FilesystemConfig::from_flags(provider, flags);
        made.unwrap_err().to_string()
    }

    #[test]
    fn flags_fill_the_settings_of_their_back_end() {
        let flags = [
            ("s3-bucket", "b"),
            ("s3-access-secret", "s3cret"),
            ("s3-upload-part-size", "8"),
            ("s3-force-path-style", "true"),
        ];
        let config = FilesystemConfig::from_flags(FilesystemProvider::S3, flags).unwrap();
        let s3 = &config.s3config;
        assert_eq!((s3.bucket.as_str(), s3.upload_part_size), ("b", 8));
        assert!(s3.force_path_style);
        assert_eq!(s3.access_secret, Secret::from_text("s3cret"));
        assert_eq!(config.gcsconfig, Default::default());
        let flags = [("az-container", "c"), ("az-access-tier", "Cool")];
        let config = FilesystemConfig::from_flags(FilesystemProvider::Azure, flags).unwrap();
        assert_eq!(config.azblobconfig.container, "c");
    }

    #[test]
    fn a_file_of_credentials_goes_before_automatic_ones_which_are_usual() {
        let automatic = |flags: &[(&'static str, &'static str)]| {
            let flags = flags.iter().copied();
            let made = FilesystemConfig::from_flags(FilesystemProvider::Gcs, flags);
            made.unwrap().gcsconfig.automatic_credentials
        };
        let file = ("gcs-credentials-file", "{}");
        assert_eq!(automatic(&[]), 1);
        assert_eq!(automatic(&[("gcs-automatic-credentials", "0")]), 0);
        assert_eq!(automatic(&[file]), 0);
        assert_eq!(automatic(&[file, ("gcs-automatic-credentials", "1")]), 0);
    }

    #[test]
    fn flags_of_others_and_values_that_are_none_are_told() {
        let other = error(FilesystemProvider::S3, "gcs-bucket", "b");
        assert!(other.contains("--fs-provider 2"), "{other}");
        let unknown = error(FilesystemProvider::S3, "s3-bukcet", "b");
        assert!(unknown.contains("--s3-bukcet"), "{unknown}");
        let number = error(FilesystemProvider::S3, "s3-upload-part-size", "5M");
        assert!(
            number.starts_with("--s3-upload-part-size: \"5M\""),
            "{number}"
        );
    }
}
