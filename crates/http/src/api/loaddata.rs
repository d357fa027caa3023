//! `GET /api/v1/loaddata`: restores accounts from a file of the server (reference 11.9).

use std::path::PathBuf;
use std::sync::Arc;

use axum::extract::State;
use sftpgo_core::model::{OfExisting, RestoreOptions, ScanAfter};

use super::Api;
use super::parameters::{Parameters, Sent};
use crate::problem::{ApiResult, Problem, acknowledged, in_time};

/// Restores the accounts of a dump.
pub(crate) async fn restore(State(api): State<Arc<Api>>, sent: Sent) -> ApiResult {
    let parameters = Parameters::read(sent)?;
    let file = input_file(&parameters)?;
    let options = options(&parameters)?;
    in_time(&api.limits, api.core.restore_users(file, options)).await?;
    Ok(acknowledged("Data restored"))
}

fn input_file(parameters: &Parameters) -> Result<PathBuf, Problem> {
    let path = PathBuf::from(parameters.value("input_file").unwrap_or_default());
    if path.is_absolute() && !path.as_os_str().as_encoded_bytes().contains(&0) {
        return Ok(path);
    }
    Err(Problem::bad_request(
        "Invalid input_file: it must be an absolute path on the server",
    ))
}

fn options(parameters: &Parameters) -> Result<RestoreOptions, Problem> {
    let mut options = RestoreOptions::default();
    if let Some(digit) = parameters.value("scan_quota") {
        options.scan = ScanAfter::from_digit(digit)
            .ok_or_else(|| Problem::bad_request("Invalid scan_quota: 0, 1 or 2"))?;
    }
    if let Some(digit) = parameters.value("mode") {
        options.existing = OfExisting::from_digit(digit)
            .ok_or_else(|| Problem::bad_request("Invalid mode: 0 or 1"))?;
    }
    Ok(options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_parameter_is_a_mistake_whatever_follows() {
        assert_eq!(
            options(&Parameters::of(&[])).unwrap(),
            RestoreOptions::default()
        );
        let good = options(&Parameters::of(&[("scan_quota", "2"), ("mode", "1")])).unwrap();
        assert_eq!(
            (good.scan, good.existing),
            (ScanAfter::Limited, OfExisting::Kept)
        );
        for (name, value) in [
            ("scan_quota", "a"),
            ("scan_quota", ""),
            ("scan_quota", "3"),
            ("scan_quota", "-1"),
            ("mode", "b"),
            ("mode", "2"),
        ] {
            let bad = options(&Parameters::of(&[(name, value), ("mode", "1")]));
            assert!(bad.is_err(), "{name}={value}");
        }
    }

    #[test]
    fn the_file_is_named_by_an_absolute_path() {
        for path in ["", "a", "./a", "../a", "~/a", "/a\0b"] {
            let parameters = Parameters::of(&[("input_file", path)]);
            assert!(input_file(&parameters).is_err(), "{path:?}");
        }
        assert!(input_file(&Parameters::of(&[])).is_err());
        assert!(input_file(&Parameters::of(&[("input_file", "/srv/x")])).is_ok());
    }
}
