//! How far work is, and what lasts: a bar, lines with a time, or events for programs. What is to be said when is decided by values
//! that are given the time ([`watch`]); a thread looks around ten times a second and says it ([`Teller`]).
//!
//! Key types: [`Teller`]; [`Saying`], what is said; [`ProgressForm`], how.

mod bar;
mod form;
mod meter;
mod own;
mod pace;
mod quiet;
mod saying;
mod server;
mod teller;
mod watch;

pub(super) use form::{ProgressFlag, ProgressForm};
pub(super) use meter::Measure;
pub(super) use pace::Now;
pub(super) use saying::Saying;
pub(super) use teller::{Teller, TellerTerms};
