//! How an SSH command ended: counters and the log line.

use super::Session;

impl Session {
    /// Notes that the command of this session succeeded; `path` is what it acted on, empty if nothing. The fields and the
    /// protocol, `SSH` also for SCP, are part of the interface (reference 14.4).
    pub fn command_succeeded(&self, path: &str) {
        self.inner.core.metrics().ssh_commands.increment();
        let connection = self.connection();
        tracing::info!(
            sender = "SSHCommand",
            username = self.username(),
            file_path = path,
            target_path = "",
            filemode = "",
            uid = -1_i64,
            gid = -1_i64,
            access_time = "",
            modification_time = "",
            ssh_command = connection.command,
            connection_id = connection.info.id,
            protocol = "SSH",
        );
    }

    /// Notes that it failed, and why.
    pub fn command_failed(&self, reason: &dyn std::fmt::Display) {
        self.inner.core.metrics().ssh_command_errors.increment();
        let connection = self.connection();
        tracing::warn!(
            sender = "ssh",
            connection_id = connection.info.id,
            username = self.username(),
            ssh_command = connection.command,
            "the command failed: {reason}"
        );
    }
}
