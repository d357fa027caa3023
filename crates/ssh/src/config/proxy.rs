//! `sftpd.proxy_protocol` and `sftpd.proxy_allowed` (reference 2.2, 2.11).

use sftpgo_core::model::{AddressSet, SettingIssue};
use sftpgo_net::proxy::{ProxyMode, ProxyPolicy};

/// Without the protocol the list is not looked at.
pub(super) fn resolve(
    mode: i32,
    allowed: &[String],
    warnings: &mut Vec<SettingIssue>,
) -> Result<ProxyPolicy, SettingIssue> {
    let mode = match mode {
        0 => ProxyMode::Off,
        1 => ProxyMode::Optional,
        2 => ProxyMode::Required,
        other => {
            let reason = format!("{other} is not one of 0, 1, 2; using 0");
            warnings.push(SettingIssue::new("sftpd.proxy_protocol", reason));
            ProxyMode::Off
        }
    };
    let allowed = match mode {
        ProxyMode::Off => AddressSet::default(),
        ProxyMode::Optional | ProxyMode::Required => AddressSet::parse(allowed)
            .map_err(|error| SettingIssue::new("sftpd.proxy_allowed", error.to_string()))?,
    };
    Ok(ProxyPolicy { mode, allowed })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(mode: i32, allowed: &[&str]) -> Result<(ProxyPolicy, usize), &'static str> {
        let allowed: Vec<String> = allowed.iter().copied().map(String::from).collect();
        let mut warnings = Vec::new();
        match resolve(mode, &allowed, &mut warnings) {
            Ok(policy) => Ok((policy, warnings.len())),
            Err(issue) => Err(issue.key),
        }
    }

    #[test]
    fn an_invalid_proxy_protocol_is_reset_with_a_warning() {
        for mode in [-1, 3, 9] {
            let (policy, warnings) = resolved(mode, &["not looked at"]).unwrap();
            assert_eq!((policy, warnings), (ProxyPolicy::default(), 1));
        }
    }

    #[test]
    fn an_entry_of_proxy_allowed_that_is_no_address_stops_the_start_if_headers_are_read() {
        for mode in [1, 2] {
            let both = ["10.0.0.1", "192.0.2.0/24"];
            let (policy, warnings) = resolved(mode, &both).unwrap();
            assert_eq!(warnings, 0);
            assert!(policy.allowed.contains([192, 0, 2, 9].into()));
            for wrong in ["balancer", "10.0.0.0/33", ""] {
                let list = ["10.0.0.1", wrong];
                assert_eq!(resolved(mode, &list), Err("sftpd.proxy_allowed"));
            }
        }
        assert!(resolved(0, &["balancer"]).is_ok());
    }
}
