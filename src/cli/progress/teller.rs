//! The thread that looks around while a command works, and says what is to be said.
//!
//! Key types: [`Teller`]; [`TellerTerms`].

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::super::{screen, words};
use super::bar;
use super::form::ProgressForm;
use super::meter::Measure;
use super::pace::Now;
use super::saying::Saying;
use super::watch::{Seen, Watch};
use crate::events::{Event, Traffic};
use crate::interrupt::Interrupt;

/// From one look to the next.
const TICK: Duration = Duration::from_millis(100);
/// A work is worth a bar when it has lasted so long.
const SOON: Duration = Duration::from_millis(300);
/// Between an answer to Ctrl-C and the next one that ends the process: some launchers send what is typed once a second time.
const PAUSE: Duration = Duration::from_millis(500);

/// What is told of, how, and by which rank.
#[derive(Clone, Debug, Default)]
pub(in crate::cli) struct TellerTerms {
    pub form: ProgressForm,
    pub rank: usize,
    /// Is there a launcher, between the user's keys and this process?
    pub is_launched: bool,
    pub interrupt: Interrupt,
}

/// Says what lasts. Its thread ends when it is dropped.
pub(in crate::cli) struct Teller {
    state: Arc<Mutex<State>>,
    traffic: Traffic,
    /// Dropped first, which ends the thread.
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

struct State {
    terms: TellerTerms,
    watch: Watch,
    /// When Ctrl-C was answered.
    answered: Option<Instant>,
    /// Lines that the teller wrote itself.
    own_lines: u64,
}

impl Teller {
    pub(in crate::cli) fn start(terms: TellerTerms) -> Self {
        let leads = terms.rank == 0;
        let state = State {
            watch: Watch::new(leads, terms.form, !terms.is_launched),
            terms,
            answered: None,
            own_lines: 0,
        };
        let state = Arc::new(Mutex::new(state));
        let traffic = Traffic::default();
        let (end, ended) = channel::<()>();
        let thread = {
            let (state, traffic) = (Arc::clone(&state), traffic.clone());
            let watching = move || {
                while ended.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                    look(&state, &traffic);
                }
                last_look(&state, &traffic);
            };
            let builder = thread::Builder::new().name("progress".to_owned());
            // Without it the work goes on, and nobody hears how far it is.
            builder.spawn(watching).ok()
        };
        Self {
            state,
            traffic,
            end: Some(end),
            thread,
        }
    }

    /// Where requests are counted that it watches.
    pub(in crate::cli) fn traffic(&self) -> Traffic {
        self.traffic.clone()
    }

    /// Is told of `event`.
    pub(in crate::cli) fn hear(&self, event: &Event) {
        // These come from the threads that do the work, and often.
        let is_of_work = matches!(
            event,
            Event::ObjectWritten { .. } | Event::Retried { .. } | Event::Measured(_)
        );
        if is_of_work {
            return;
        }
        let mut state = locked(&self.state);
        if let Some(what) = words::work_of(event) {
            state.watch.next_is(what);
        }
        state.watch.hear(event, &Now::here());
        if *event == Event::WorkEnded {
            screen::clear_bar();
        }
    }
}

/// Looks around, and says what is to be said: while it is being written, nobody who tells of an event is kept waiting.
fn look(state: &Mutex<State>, traffic: &Traffic) {
    let now = Now::here();
    let looked = locked(state).look(traffic, &now);
    if looked.bar.is_none() {
        screen::clear_bar();
    }
    for saying in &looked.said {
        say(saying, looked.form, looked.rank, &now);
    }
    if let Some(measure) = looked.bar {
        bar::draw(&measure);
    }
}

/// Says, when the work is over, what was said to be wrong and is not.
fn last_look(state: &Mutex<State>, traffic: &Traffic) {
    let now = Now::here();
    let looked = locked(state).look(traffic, &now);
    let is_over = |saying: &&Saying| matches!(saying, Saying::AnswersAgain { .. });
    for saying in looked.said.iter().filter(is_over) {
        say(saying, looked.form, looked.rank, &now);
    }
}

/// What came of a look.
struct Looked {
    said: Vec<Saying>,
    bar: Option<Measure>,
    form: ProgressForm,
    rank: usize,
}

impl State {
    fn look(&mut self, traffic: &Traffic, now: &Now) -> Looked {
        let (form, rank) = (self.terms.form, self.terms.rank);
        let is_drawn = form == ProgressForm::Bar && rank == 0 && self.watch.has_lasted(SOON, now);
        let seen = Seen {
            traffic: traffic.state(),
            is_stopping: self.terms.interrupt.has_come(),
            lines: screen::lines().saturating_sub(self.own_lines),
            has_bar: is_drawn,
        };
        let said = self.watch.look(&seen, now);
        self.own_lines += said.len() as u64;
        self.answer_ctrl_c(now);
        let bar = self.watch.measure(now).filter(|_| is_drawn);
        Looked {
            said,
            bar,
            form,
            rank,
        }
    }

    /// Lets the next Ctrl-C end the process, when the user has been told that it will.
    fn answer_ctrl_c(&mut self, now: &Now) {
        if !self.watch.is_stopping() {
            return;
        }
        let answered = *self.answered.get_or_insert(now.at);
        if now.since(answered) >= PAUSE {
            self.terms.interrupt.end_at_next();
        }
    }
}

fn say(saying: &Saying, form: ProgressForm, rank: usize, now: &Now) {
    let text = words::saying(saying);
    if form == ProgressForm::Json {
        let mut event = serde_json::json!(saying);
        event["rank"] = rank.into();
        event["text"] = text.into();
        screen::say_event(event);
        return;
    }
    let of_rank = match rank {
        0 => String::new(),
        rank => format!("rank {rank}: "),
    };
    screen::say(&format!("{} {of_rank}{text}", now.time()));
}

impl Drop for Teller {
    fn drop(&mut self) {
        self.end = None;
        if let Some(thread) = self.thread.take() {
            // It has said why, if it panicked.
            let _ = thread.join();
        }
        screen::clear_bar();
    }
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
