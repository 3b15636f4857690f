//! `doctor`: rank 0 tries what the endpoint can do; the others wait.
//!
//! Key types: [`Doctor`], what is asked; [`DoctorReport`].

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::events::{Event, Finding};
use crate::session::Session;
use crate::store::{Burst, LeftBehind, Spot, StoreError, Verdict, doctors_folder, examine};

/// What is examined.
#[derive(Clone, Debug, Default)]
pub struct Doctor {
    /// Temporary objects are put below it, or beside the store that it is.
    pub spot: Spot,
}

/// What was found.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct DoctorReport {
    /// What each step found.
    pub findings: Vec<Finding>,
    /// What this program needs and cannot have, and the first reason.
    pub lacking: Option<(Vec<String>, StoreError)>,
    /// Why temporary objects are left behind, if any are.
    pub left_behind: Option<LeftBehind>,
    /// How fast large objects were put by one process, if all were.
    pub put: Option<Burst>,
    /// Was it stopped before all was tried?
    pub is_stopped: bool,
}

/// What keeps this program from working there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[allow(missing_docs)]
pub enum DoctorError {
    #[error(
        "the endpoint lacks what msm_os needs: {} (see the table); {first}",
        lacking.join(", ")
    )]
    Lacking {
        lacking: Vec<String>,
        first: StoreError,
    },
    #[error("stopped before all was tried; what was put is removed")]
    Stopped,
    #[error(transparent)]
    LeftBehind(LeftBehind),
}

impl DoctorReport {
    /// Can this program work there, and has nothing been left behind?
    ///
    /// # Errors
    /// If not, why.
    pub fn verdict(&self) -> Result<(), Error> {
        let lacking = self.lacking.iter().cloned();
        let lacking = lacking.map(|(lacking, first)| DoctorError::Lacking { lacking, first });
        let left = self.left_behind.iter().cloned();
        let left = left.map(DoctorError::LeftBehind);
        let is_stopped = self.is_stopped && self.left_behind.is_none();
        let stopped = is_stopped.then_some(DoctorError::Stopped);
        Error::together(lacking.chain(left).chain(stopped))
    }
}

/// Tries every kind of request on temporary objects, which it removes. What it finds is told at once: a step may take its time.
///
/// # Errors
/// On every rank the same: if nothing can be tried.
pub fn doctor(session: &Session, request: &Doctor) -> Result<DoctorReport, Error> {
    let prefix = match &request.spot {
        Spot::Below(prefix) => prefix,
        Spot::At(store) => store.rsplit_once('/').map_or("", |(folder, _)| folder),
    };
    // Signals wait until all that was put is removed.
    session.interrupt.guard(true);
    let report = session.on_lead(async || {
        let folder = doctors_folder(prefix, &format!("{:08x}", rand::random::<u32>()));
        session.tell(&Event::Examining {
            folder: folder.clone(),
        });
        let mut findings = Vec::new();
        let mut tell = |finding: Finding| {
            session.tell(&Event::Finding(finding.clone()));
            findings.push(finding);
        };
        let bucket = session.bucket.unfenced()?;
        let is_to_stop = || session.interrupt.has_come();
        let examined = examine(&bucket, &folder, &is_to_stop, &mut tell).await?;
        let Verdict {
            lacks,
            left,
            put,
            is_stopped,
        } = examined;
        if left.is_none() {
            session.tell(&Event::Removed);
        }
        let owned = |names: Vec<&str>| names.into_iter().map(str::to_owned).collect();
        Ok(DoctorReport {
            findings,
            lacking: lacks.map(|(lacks, first)| (owned(lacks), first)),
            left_behind: left,
            put,
            is_stopped,
        })
    });
    session.interrupt.guard(false);
    report
}
