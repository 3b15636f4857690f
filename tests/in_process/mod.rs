//! The verbs, run in this process over a store in memory: killed at each request, raced, served badly, outlived and misled. A failing
//! case says what repeats it alone.

mod beside;
mod commands;
mod conformance;
mod crash;
#[cfg(feature = "netcdf-library")]
mod damaged;
#[path = "../whole/dataset.rs"]
mod dataset;
mod expected;
mod faults;
mod flight;
mod journals;
mod latency;
mod linear;
mod merged_ledgers;
#[cfg(feature = "netcdf-library")]
mod model;
mod mutants;
mod outlived;
mod pairings;
mod planned;
mod quicklook;
mod races;
mod replaced;
mod scenes;
mod sent_maps;
mod share;
mod share_damage;
mod strangers;
mod support;
mod tampered;
mod undo_copies;

pub(crate) use self::support::lease_times;
