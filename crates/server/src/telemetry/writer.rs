//! The thread that writes the log.

use std::io::{self, Write};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tracing::Level;

use super::json::Line;
use super::queue::{Batch, Queue};
use super::rotation::RotatingFile;

/// How long the end of the program waits for the last lines.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where JSON lines go.
#[derive(Debug)]
pub(super) enum JsonSink {
    /// A file.
    File(RotatingFile),
    /// Stdout, which the console then does not use.
    Stdout,
    /// Nowhere.
    None,
}

/// Owns the thread; dropping it writes what is queued.
#[derive(Debug)]
pub(super) struct Writer {
    queue: Arc<Queue>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn spawn(sink: JsonSink) -> io::Result<Self> {
        let queue = Arc::new(Queue::new());
        let output = Output {
            sink,
            failed: false,
        };
        let thread = std::thread::Builder::new().name("log".into()).spawn({
            let queue = Arc::clone(&queue);
            move || run(&queue, output)
        })?;
        Ok(Self {
            queue,
            thread: Some(thread),
        })
    }

    pub(super) fn queue(&self) -> &Arc<Queue> {
        &self.queue
    }
}

/// Waits for the thread, but not for ever: the disk may hang.
impl Drop for Writer {
    fn drop(&mut self) {
        self.queue.close();
        let finished = self.queue.wait_until_finished(PATIENCE);
        if let Some(thread) = self.thread.take().filter(|_| finished) {
            let _ = thread.join();
        }
    }
}

fn run(queue: &Queue, mut output: Output) {
    let mut batch = Batch::default();
    while let Some(taken) = queue.take(batch) {
        output.write(&taken);
        batch = taken;
    }
    // Ends the thread that looks after the backups.
    drop(output);
    queue.finish();
}

struct Output {
    sink: JsonSink,
    /// Whether a failure was reported; once is enough.
    failed: bool,
}

impl Output {
    fn write(&mut self, batch: &Batch) {
        let json = self.json(&batch.json);
        self.report(json);
        let console = stdout(&batch.console);
        self.report(console);
        if batch.dropped > 0 {
            let dropped = self.json(dropped_line(batch.dropped).as_bytes());
            self.report(dropped);
        }
        if let JsonSink::File(file) = &mut self.sink
            && batch.rotate
        {
            let rotated = file.rotate();
            self.report(rotated);
        }
    }

    fn json(&mut self, lines: &[u8]) -> io::Result<()> {
        match &mut self.sink {
            JsonSink::File(file) => file.write_lines(lines),
            JsonSink::Stdout => stdout(lines),
            JsonSink::None => Ok(()),
        }
    }

    /// A log that cannot be written never stops the server.
    fn report(&mut self, result: io::Result<()>) {
        if let Err(error) = result
            && !self.failed
        {
            self.failed = true;
            let _ = writeln!(io::stderr(), "Error: cannot write the log: {error}");
        }
    }
}

fn stdout(lines: &[u8]) -> io::Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    let mut stdout = io::stdout().lock();
    stdout.write_all(lines)?;
    stdout.flush()
}

fn dropped_line(count: u64) -> String {
    let mut line = Line::begin(Level::WARN);
    line.string("sender", "service");
    line.string("connection_id", "");
    line.string(
        "message",
        format_args!("{count} log lines dropped, the log is too slow"),
    );
    line.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::queue::Lane;
    use crate::telemetry::rotation::Limits;

    fn writer_to(path: &std::path::Path) -> Writer {
        let limits = Limits {
            max_size: 1 << 20,
            max_backups: 0,
            max_age_days: 0,
            compress: false,
        };
        let file = RotatingFile::open(path.to_owned(), limits).unwrap();
        Writer::spawn(JsonSink::File(file)).unwrap()
    }

    #[test]
    fn what_is_queued_is_written_before_the_end() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.log");
        let writer = writer_to(&path);
        for number in 0..1000 {
            writer
                .queue()
                .push(Lane::Json, &format!("{number}\n"), false);
        }
        drop(writer);
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 1000);
        assert_eq!(text.lines().last(), Some("999"));
    }

    #[test]
    fn a_new_file_is_begun_when_asked_for() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.log");
        let writer = writer_to(&path);
        writer.queue().push(Lane::Json, "before\n", false);
        writer.queue().ask_for_rotation();
        drop(writer);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 2);
    }

    #[test]
    fn dropped_lines_are_reported_in_the_log() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.log");
        let limits = Limits {
            max_size: 1 << 20,
            max_backups: 0,
            max_age_days: 0,
            compress: false,
        };
        let file = RotatingFile::open(path.clone(), limits).unwrap();
        let mut output = Output {
            sink: JsonSink::File(file),
            failed: false,
        };
        output.write(&Batch {
            json: b"{}\n".to_vec(),
            dropped: 7,
            ..Batch::default()
        });
        drop(output);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(
            text.lines()
                .last()
                .unwrap()
                .contains(r#""message":"7 log lines dropped"#)
        );
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_full_disk_does_not_stop_anything() {
        let limits = Limits {
            max_size: 0,
            max_backups: 0,
            max_age_days: 0,
            compress: false,
        };
        let file = RotatingFile::open("/dev/full".into(), limits).unwrap();
        let mut output = Output {
            sink: JsonSink::File(file),
            failed: false,
        };
        let batch = Batch {
            json: b"{}\n".to_vec(),
            ..Batch::default()
        };
        output.write(&batch);
        assert!(output.failed);
        output.write(&batch);
    }
}
