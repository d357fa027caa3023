//! What some clients do otherwise than the others, told by how they call themselves. One row a client.

/// How the client of a channel differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Quirks {
    /// SYMLINK has the link before the target.
    pub(super) link_first: bool,
}

/// A client that sends SYMLINK as the draft says (link first) to servers that it does not take for OpenSSH, which has
/// always had it the other way round (OpenSSH PROTOCOL 4.1), as have all clients that are not in this table.
/// `hardlink@openssh.com` has OpenSSH's order from all of them.
struct LinkFirst {
    /// The beginning of what it calls itself.
    client: &'static str,
    /// Whether it sends OpenSSH's order to a server that calls itself so.
    except_to: fn(&str) -> bool,
}

const LINK_FIRST: [LinkFirst; 5] = [
    LinkFirst {
        client: "AsyncSSH_",
        except_to: |server| server.contains("OpenSSH") || server.contains("paramiko"),
    },
    LinkFirst {
        client: "WinSCP_",
        except_to: |server| {
            ["OpenSSH", "Sun_SSH", "mod_sftp"]
                .iter()
                .any(|known| server.starts_with(known))
        },
    },
    LinkFirst {
        client: "libssh_",
        except_to: |server| server.contains("OpenSSH"),
    },
    // Before 0.8. Not libssh2, which leaves the order to its callers, and they send OpenSSH's.
    LinkFirst {
        client: "libssh-",
        except_to: |server| server.contains("OpenSSH"),
    },
    LinkFirst {
        client: "phpseclib_",
        except_to: |server| server.starts_with("OpenSSH"),
    },
];

impl Quirks {
    /// Those of a client with that identification line, towards a server that calls itself `software`.
    pub(super) fn of(client_version: &str, software: &str) -> Self {
        let client = client_version
            .strip_prefix("SSH-2.0-")
            .unwrap_or(client_version);
        let row = LINK_FIRST.iter().find(|row| client.starts_with(row.client));
        Self {
            link_first: row.is_some_and(|row| !(row.except_to)(software)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_comes_first_from_clients_that_do_not_take_us_for_openssh() {
        let link_first = |client, server| Quirks::of(client, server).link_first;
        let draft = [
            "SSH-2.0-AsyncSSH_2.21.0",
            "SSH-2.0-WinSCP_release_6.5.3",
            "SSH-2.0-libssh_0.11.1",
            "SSH-2.0-libssh-0.7.0",
            "SSH-2.0-phpseclib_3.0 (libsodium, openssl, gmp)",
        ];
        for client in draft {
            assert!(link_first(client, "SFTPGo"), "{client}");
            assert!(!link_first(client, "OpenSSH_9.9"), "{client}");
        }
        let openssh = [
            "SSH-2.0-OpenSSH_9.9",
            "SSH-2.0-libssh2_1.11.1",
            "SSH-2.0-paramiko_3.5.0",
            "SSH-2.0-Go",
            "SSH-2.0-JSCH_0.2.20",
            "",
        ];
        for client in openssh {
            assert!(!link_first(client, "SFTPGo"), "{client}");
        }
    }

    #[test]
    fn each_client_looks_at_our_name_in_its_own_way() {
        let link_first = |client, server| Quirks::of(client, server).link_first;
        let compatible = "SFTPGo_OpenSSH_compatible";
        assert!(!link_first("SSH-2.0-AsyncSSH_2.21.0", compatible));
        assert!(!link_first("SSH-2.0-libssh_0.11.1", compatible));
        assert!(link_first("SSH-2.0-WinSCP_release_6.5.3", compatible));
        assert!(link_first("SSH-2.0-phpseclib_3.0", compatible));
        assert!(!link_first("SSH-2.0-WinSCP_release_6.5.3", "mod_sftp"));
    }
}
