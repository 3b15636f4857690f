//! The turn of one attempt: its place among what is on its way, and what comes of it teaches how much may be.
//!
//! Key type: [`Turn`].

use std::time::{Duration, Instant};

use object_store::client::{HttpError, HttpRequest, HttpResponse};

use super::outcome::{is_busy, is_silence, is_too_much};
use crate::events::Traffic;
use crate::store::flow::Flow;
use crate::store::pace::Pacer;
use crate::store::pieces::AttemptPulse;
use crate::store::uplink::BodyPass;
use crate::store::window::Seat;

/// The longest that is waited for what the kernel may hold still.
const LEAVING: Duration = Duration::from_secs(600);

/// The place of an attempt, which is given up when this is dropped.
pub(super) struct Turn {
    /// Of its body, if it has one.
    pass: Option<BodyPass>,
    seat: Seat,
    begun: Instant,
    /// Did a limit keep it?
    was_kept: bool,
}

impl Turn {
    /// Waits for it: until then it is this program that waits, not for the server. A body goes first, for who has a seat waits for
    /// nobody. What goes ahead of limits goes ahead here, too.
    pub(super) async fn wait(
        flow: &Flow,
        request: &HttpRequest,
        pacer: &Pacer,
        traffic: &Traffic,
    ) -> Self {
        let bytes = request.body().content_length() as u64;
        let (mut pass, seat) = if pacer.goes_ahead() {
            (None, flow.window.pass())
        } else {
            let pass = match bytes {
                0 => None,
                bytes => Some(flow.uplink.enter(bytes).await),
            };
            (pass, flow.window.enter().await)
        };
        let wait = pacer.request();
        if !wait.is_zero() {
            traffic.is_kept_back(wait);
            tokio::time::sleep(wait).await;
        }
        if let Some(pass) = &mut pass {
            pass.leaves();
        }
        Self {
            pass,
            seat,
            begun: Instant::now(),
            was_kept: !wait.is_zero(),
        }
    }

    /// How long it may be silent, if a request without a body may for so long.
    pub(super) fn allowed(&self, silence: Duration, pulse: &AttemptPulse) -> Duration {
        let leaving = self.pass.as_ref().map(|pass| {
            let leaving = pulse.leaving().max(pass.expected());
            leaving.min(LEAVING)
        });
        silence + leaving.unwrap_or_default()
    }

    /// This is what came of it. Returns how much of the time that it took says nothing against the server.
    pub(super) fn ended(
        &self,
        answer: &Result<HttpResponse, HttpError>,
        silence: Duration,
        pulse: &AttemptPulse,
    ) -> Duration {
        match answer {
            Ok(answer) => {
                let was_kept = self.was_kept || !pulse.kept_back().is_zero();
                if is_too_much(answer.status()) {
                    self.seat.refused();
                } else if !is_busy(answer.status()) && !was_kept {
                    self.seat.answered();
                }
                if let Some(pass) = &self.pass
                    && answer.status().is_success()
                {
                    pass.answered();
                }
                Duration::ZERO
            }
            Err(error) if is_silence(error) => {
                self.seat.refused();
                let took = self.begun.elapsed();
                let Some(pass) = &self.pass else {
                    return pulse.sending();
                };
                pass.lost();
                if pass.others_are_answered() {
                    return took;
                }
                pulse.sending().max(took.saturating_sub(silence))
            }
            Err(_) => {
                let excused = self.pass.as_ref().map(BodyPass::broke_off);
                pulse.sending().max(excused.unwrap_or_default())
            }
        }
    }
}
