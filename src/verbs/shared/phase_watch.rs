//! The time of a phase on this rank, and what its stages come to meanwhile.
//!
//! Key type: [`PhaseWatch`].

use std::time::{Instant, SystemTime};

use crate::events::{Event, Measure, PhaseWork, StageClock, StageTimes, WorkPhase};
use crate::session::Session;

/// Takes the time of a phase.
pub(in crate::verbs) struct PhaseWatch {
    phase: WorkPhase,
    begun: SystemTime,
    since: Instant,
    /// What its stages came to until then.
    stages: StageTimes,
    told: Instant,
}

impl PhaseWatch {
    /// The phase begins.
    pub(in crate::verbs) fn start(phase: WorkPhase) -> Self {
        Self {
            phase,
            begun: SystemTime::now(),
            since: Instant::now(),
            stages: StageTimes::default(),
            told: Instant::now(),
        }
    }

    /// Tells what `clock` has counted since this was last told.
    pub(in crate::verbs) fn tell(&mut self, session: &Session<'_>, clock: &StageClock) {
        let times = clock.take();
        let over = std::mem::replace(&mut self.told, Instant::now()).elapsed();
        self.stages += times;
        session.tell(&Event::Measured(Measure::Stages { times, over }));
    }

    /// It is over, and `clock` has counted its stages.
    pub(in crate::verbs) fn stop(mut self, session: &Session<'_>, clock: &StageClock) {
        self.tell(session, clock);
        session.tell(&Event::Measured(Measure::Phase(PhaseWork {
            phase: self.phase,
            begun: self.begun,
            took: self.since.elapsed(),
            stages: self.stages,
        })));
    }
}
