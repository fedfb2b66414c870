//! The thread that merges segments in the background.

use super::Shared;
use super::compact::{Policy, log_failure};
use crate::error::{Error, Result};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Weak};
use std::thread::{self, JoinHandle};

/// A thread that looks for merges whenever it is woken. It ends when it is dropped.
pub(crate) struct Compactor {
    wake: Option<SyncSender<()>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl fmt::Debug for Compactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Compactor")
    }
}

impl Compactor {
    /// Starts the thread.
    pub(crate) fn start(shared: &Arc<Shared>) -> Result<Self> {
        // One wake-up is remembered: more would find nothing to do.
        let (wake, woken) = sync_channel(1);
        let stop = Arc::new(AtomicBool::new(false));
        let (weak, stopped) = (Arc::downgrade(shared), stop.clone());
        let thread = thread::Builder::new()
            .name("compaction".into())
            .spawn(move || run(&weak, &woken, &stopped))
            .map_err(|error| {
                Error::Closed(format!("cannot start the thread that merges segments: {error}"))
            })?;
        Ok(Self { wake: Some(wake), stop, thread: Some(thread) })
    }

    /// Lets the thread look for merges.
    pub(crate) fn wake(&self) {
        if let Some(wake) = &self.wake {
            // When it is full, the thread will look anyway; when it is closed, it has ended.
            wake.try_send(()).ok();
        }
    }
}

impl Drop for Compactor {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.wake = None;
        if let Some(thread) = self.thread.take() {
            thread.join().ok();
        }
    }
}

fn run(shared: &Weak<Shared>, woken: &Receiver<()>, stop: &AtomicBool) {
    while woken.recv().is_ok() {
        while let Some(shared) = shared.upgrade() {
            if stop.load(Ordering::Relaxed) {
                return;
            }
            match shared.merge(Policy::Tiered, stop) {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    log_failure(&error);
                    break;
                }
            }
        }
    }
}
