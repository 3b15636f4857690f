//! Signals that end a run: SIGTERM, SIGINT and SIGUSR1. While a transaction is under way they are noted, so that all ranks
//! stop and it ends as it should; at other times they end the process, as ever.
//!
//! Key type: [`Signals`].

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR1};
use signal_hook::flag;

use crate::exit::{Exit, Failure};

/// A batch system's kill, Ctrl-C, and a batch system's warning.
const ENDING: [i32; 3] = [SIGTERM, SIGINT, SIGUSR1];

/// What this rank has been sent.
pub(in crate::verbs) struct Signals {
    /// Is no transaction under way?
    idle: Arc<AtomicBool>,
    /// Has one of the signals come?
    came: Arc<AtomicBool>,
}

impl Signals {
    /// Listens from now on.
    ///
    /// # Errors
    /// If the system does not let it.
    pub fn listen() -> Result<Self, Failure> {
        let signals = Self {
            idle: Arc::new(AtomicBool::new(true)),
            came: Arc::default(),
        };
        for signal in ENDING {
            // Those registered first come first.
            flag::register_conditional_default(signal, Arc::clone(&signals.idle))
                .and_then(|_| flag::register(signal, Arc::clone(&signals.came)))
                .map_err(|cause| {
                    let message = format!("listening to signal {signal}: {cause}");
                    Failure::new(Exit::Internal, message)
                })?;
        }
        Ok(signals)
    }

    /// Is a transaction under way from now on?
    pub fn guard(&self, on: bool) {
        self.idle.store(!on, Ordering::SeqCst);
    }

    /// Has one come?
    pub fn has_come(&self) -> bool {
        self.came.load(Ordering::SeqCst)
    }
}
