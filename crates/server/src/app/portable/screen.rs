//! The terminal while a share runs: a line for what happened, and below, if somebody looks, one that moves for each running
//! transfer.

use std::collections::HashMap;
use std::io::{IsTerminal as _, Write as _};
use std::sync::Arc;
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use sftpgo_core::Core;
use sftpgo_core::registry::{ActiveTransfer, Direction};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::feed::{DOWNLOAD, Events, UPLOAD};
use crate::app::output::{plain, size};

/// How often the moving lines are drawn.
const PERIOD: Duration = Duration::from_millis(250);
/// Transfers that are shown at a time; a screen has no more lines.
const SHOWN: usize = 10;

/// Owns the terminal.
pub(super) struct Screen {
    core: Arc<Core>,
    events: Events,
    bars: MultiProgress,
    shown: HashMap<usize, Shown>,
}

/// The line of a transfer, which keeps it from being freed: so its address stays its own.
struct Shown {
    transfer: Arc<ActiveTransfer>,
    bar: ProgressBar,
    since: Instant,
    first: u64,
}

impl Screen {
    pub(super) fn new(core: Arc<Core>, events: Events) -> Self {
        let terminal = std::io::stderr().is_terminal() && std::io::stdout().is_terminal();
        let target = if terminal {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        Self {
            core,
            events,
            bars: MultiProgress::with_draw_target(target),
            shown: HashMap::new(),
        }
    }

    /// Shows what happens until `ended`, and then what happened before that.
    pub(super) async fn run(mut self, ended: CancellationToken) {
        let mut ticks = interval(PERIOD);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                Some(line) = self.events.recv() => self.say(&line),
                _ = ticks.tick(), if !self.bars.is_hidden() => self.draw(),
                () = ended.cancelled() => break,
            }
        }
        while let Ok(line) = self.events.try_recv() {
            self.say(&line);
        }
        // Nobody need be looking, here and below.
        let _ = self.bars.clear();
    }

    fn say(&self, line: &str) {
        let time = jiff::Zoned::now().strftime("%H:%M:%S");
        self.bars.suspend(|| {
            let mut stdout = std::io::stdout().lock();
            let _ = writeln!(stdout, "{time} {line}").and_then(|()| stdout.flush());
        });
    }

    fn draw(&mut self) {
        let connections = self.core.registry().connections();
        let running: Vec<_> = connections
            .iter()
            .flat_map(|connection| connection.transfers())
            .collect();
        let key = |transfer: &Arc<ActiveTransfer>| Arc::as_ptr(transfer) as usize;
        self.shown.retain(|_, shown| {
            let runs = running.iter().any(|one| Arc::ptr_eq(one, &shown.transfer));
            if !runs {
                shown.bar.finish_and_clear();
                self.bars.remove(&shown.bar);
            }
            runs
        });
        for transfer in running {
            if self.shown.len() >= SHOWN {
                break;
            }
            let bars = &self.bars;
            self.shown
                .entry(key(&transfer))
                .or_insert_with(|| Shown::new(bars, transfer));
        }
        for shown in self.shown.values() {
            shown.draw();
        }
    }
}

impl Shown {
    fn new(bars: &MultiProgress, transfer: Arc<ActiveTransfer>) -> Self {
        let bar = bars.add(ProgressBar::no_length());
        // A template of no fields cannot be wrong.
        bar.set_style(
            ProgressStyle::with_template("{wide_msg}")
                .unwrap_or_else(|_| ProgressStyle::default_spinner()),
        );
        Self {
            bar,
            since: Instant::now(),
            first: transfer.bytes(),
            transfer,
        }
    }

    fn draw(&self) {
        let arrow = match self.transfer.direction {
            Direction::Upload => UPLOAD,
            Direction::Download => DOWNLOAD,
        };
        let bytes = self.transfer.bytes();
        let milliseconds = self.since.elapsed().as_millis().max(1);
        let rate = u128::from(bytes.saturating_sub(self.first)) * 1000 / milliseconds;
        let rate = u64::try_from(rate).unwrap_or(u64::MAX);
        self.bar.set_message(format!(
            "{arrow} {:>10} {:>12}/s  {}",
            size(bytes),
            size(rate),
            plain(&self.transfer.path.to_string())
        ));
    }
}
