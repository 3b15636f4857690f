//! Stopping a job from outside, by its caller's will or by a signal: SIGTERM, SIGINT and SIGUSR1. While a transaction is
//! under way signals are noted, so that all ranks stop and it ends as it should; at other times they end the process, as ever. Once
//! whoever pressed Ctrl-C has been told, the next one ends the process at once.
//!
//! Key type: [`Interrupt`].

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use signal_hook::consts::{SIGINT, SIGTERM, SIGUSR1};
use signal_hook::iterator::Signals;
use signal_hook::{flag, low_level};

use crate::error::Error;

/// A batch system's kill, Ctrl-C, and a batch system's warning.
const ENDING: [i32; 3] = [SIGTERM, SIGINT, SIGUSR1];

/// What tells a job to stop. Clones are the same.
#[derive(Clone, Debug)]
pub struct Interrupt {
    /// Is no transaction under way?
    idle: Arc<AtomicBool>,
    /// Is the job to stop?
    came: Arc<AtomicBool>,
    /// Does the next SIGINT end the process?
    last: Arc<AtomicBool>,
    /// Did a SIGINT come since it does?
    pressed: Arc<AtomicBool>,
    /// Is it signals that stop it?
    by_signals: bool,
}

impl Default for Interrupt {
    fn default() -> Self {
        Self {
            idle: Arc::new(AtomicBool::new(true)),
            came: Arc::default(),
            last: Arc::default(),
            pressed: Arc::default(),
            by_signals: false,
        }
    }
}

impl Interrupt {
    /// One that is stopped by signals from now on. A process has one.
    ///
    /// # Errors
    /// If the system does not let it.
    pub fn by_signals() -> Result<Self, Error> {
        let signals = Self {
            by_signals: true,
            ..Self::default()
        };
        for signal in ENDING {
            // Those registered first come first.
            flag::register_conditional_default(signal, Arc::clone(&signals.idle))
                .and_then(|_| flag::register(signal, Arc::clone(&signals.came)))
                .map_err(|cause| not_let(signal, &cause))?;
        }
        Ok(signals)
    }

    /// From [`Self::end_at_next`] on, SIGINT ends the process with this `code`, as a kill would, once `tell` has told of it: what is under
    /// way is left to whoever comes next. Another SIGINT does not even wait for that. Nothing of it is so without signals.
    ///
    /// # Errors
    /// If the system does not let it.
    pub(crate) fn can_be_hurried(
        &self,
        code: i32,
        tell: impl FnOnce() + Send + 'static,
    ) -> Result<(), Error> {
        if !self.by_signals {
            return Ok(());
        }
        let (last, pressed) = (Arc::clone(&self.last), Arc::clone(&self.pressed));
        let is_told = Arc::new(AtomicBool::new(false));
        // Those registered first come first: the flag is set when the thread hears of the signal.
        let shutdown = flag::register_conditional_shutdown(SIGINT, code, Arc::clone(&is_told));
        let mut signals = shutdown
            .and_then(|_| flag::register(SIGINT, Arc::clone(&pressed)))
            .and_then(|_| Signals::new([SIGINT]))
            .map_err(|cause| not_let(SIGINT, &cause))?;
        let waits = move || {
            let is_meant = || last.load(Ordering::SeqCst) && pressed.load(Ordering::SeqCst);
            if signals.forever().any(|_| is_meant()) {
                is_told.store(true, Ordering::SeqCst);
                tell();
                low_level::exit(code);
            }
        };
        { thread::Builder::new().name("ctrl-c".to_owned()) }
            .spawn(waits)
            .map(|_| ())
            .map_err(|cause| not_let(SIGINT, &cause))
    }

    /// Whoever stopped the job knows that it takes a while: SIGINT does not wait for it any more.
    pub(crate) fn end_at_next(&self) {
        if !self.last.load(Ordering::SeqCst) {
            // Those that came before meant the job.
            self.pressed.store(false, Ordering::SeqCst);
            self.last.store(true, Ordering::SeqCst);
        }
    }

    /// The job is to stop as soon as it can, with everything as it was before.
    pub fn stop(&self) {
        self.came.store(true, Ordering::SeqCst);
    }

    /// Is a transaction under way from now on?
    pub(crate) fn guard(&self, on: bool) {
        self.idle.store(!on, Ordering::SeqCst);
    }

    /// Is the job to stop?
    pub(crate) fn has_come(&self) -> bool {
        self.came.load(Ordering::SeqCst)
    }
}

fn not_let(signal: i32, cause: &std::io::Error) -> Error {
    Error::Signal {
        signal,
        cause: cause.to_string(),
    }
}
