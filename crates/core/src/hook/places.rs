//! How many hooks run at a time.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::HookError;

/// Questions under way.
const MOST_ASKED: usize = 64;
/// Questions that may wait for their turn; a storm beyond that is refused.
const MOST_WAITING: usize = 512;
/// Dialogues under way. Somebody is typing in each of them, for as long as a dialogue may take.
const MOST_DIALOGUES: usize = 256;
/// Dialogues under way with one address, so that it cannot have them all.
const MOST_OF_ONE: usize = 32;

/// Places of questions.
#[derive(Debug)]
pub(crate) struct Questions {
    running: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

impl Default for Questions {
    fn default() -> Self {
        Self {
            running: Arc::new(Semaphore::new(MOST_ASKED)),
            waiting: Arc::new(Semaphore::new(MOST_ASKED + MOST_WAITING)),
        }
    }
}

/// One question under way; dropping it gives the place back.
#[derive(Debug)]
pub(crate) struct Asking {
    _running: OwnedSemaphorePermit,
    _waiting: OwnedSemaphorePermit,
}

impl Questions {
    /// A place, in turn. The caller has a deadline.
    pub(crate) async fn take(&self) -> Result<Asking, HookError> {
        let busy = || HookError::busy("too many are waiting for it");
        let waiting = Arc::clone(&self.waiting)
            .try_acquire_owned()
            .map_err(|_| busy())?;
        let running = Arc::clone(&self.running).acquire_owned().await;
        Ok(Asking {
            _running: running.map_err(|_| busy())?,
            _waiting: waiting,
        })
    }
}

/// Places of dialogues, by address.
#[derive(Debug, Default)]
pub(super) struct Dialogues {
    running: Arc<Mutex<HashMap<IpAddr, usize>>>,
}

/// One dialogue under way; dropping it gives the place back.
#[derive(Debug)]
pub(super) struct Talking {
    running: Arc<Mutex<HashMap<IpAddr, usize>>>,
    address: IpAddr,
}

impl Dialogues {
    /// A place, at once or never: who waits would see no question meanwhile.
    pub(super) fn take(&self, address: IpAddr) -> Result<Talking, HookError> {
        let mut running = self.running.lock();
        let all: usize = running.values().sum();
        let own = running.get(&address).copied().unwrap_or(0);
        if own >= MOST_OF_ONE || all >= MOST_DIALOGUES {
            return Err(HookError::busy("too many dialogues are under way"));
        }
        running.insert(address, own + 1);
        Ok(Talking {
            running: Arc::clone(&self.running),
            address,
        })
    }
}

impl Drop for Talking {
    fn drop(&mut self) {
        let mut running = self.running.lock();
        if let Some(count) = running.get_mut(&self.address) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                running.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[test]
    fn an_address_cannot_have_all_dialogues() {
        let dialogues = Dialogues::default();
        let address = |number: u8| IpAddr::from([192, 0, 2, number]);
        let mut held: Vec<_> = (0..MOST_OF_ONE)
            .map(|_| dialogues.take(address(1)).unwrap())
            .collect();
        assert!(dialogues.take(address(1)).is_err());
        held.pop();
        held.push(dialogues.take(address(1)).unwrap());
        for number in 2.. {
            let more: Vec<_> = (0..MOST_OF_ONE)
                .map_while(|_| dialogues.take(address(number)).ok())
                .collect();
            if more.is_empty() {
                break;
            }
            held.extend(more);
        }
        assert_eq!(held.len(), MOST_DIALOGUES);
        drop(held);
        assert!(dialogues.running.lock().is_empty());
    }

    #[tokio::test]
    async fn questions_wait_for_their_turn_and_a_bounded_number_of_them() {
        let questions = Questions::default();
        let mut asking = Vec::new();
        for _ in 0..MOST_ASKED {
            asking.push(questions.take().await.unwrap());
        }
        let mut waiting: Vec<_> = (0..MOST_WAITING)
            .map(|_| Box::pin(questions.take()))
            .collect();
        for one in &mut waiting {
            assert!(one.now_or_never().is_none());
        }
        assert!(questions.take().await.is_err());
        asking.pop();
        assert!(waiting.remove(0).await.is_ok());
    }
}
