//! Sends NetCDF files to stores in a directory, and prints what was done:
//!
//!     cargo run --example send -- DIRECTORY FILE…

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use msm_os::{Connection, Error, Event, Files, Ranks, Reporter, Send, SendReport, Session, send};

/// Prints what happens, as it is.
struct Printer;

impl Reporter for Printer {
    fn tell(&self, event: &Event) {
        println!("{event:?}");
    }
}

fn main() -> ExitCode {
    let mut paths = std::env::args_os().skip(1).map(PathBuf::from);
    let directory = paths.next().unwrap_or_default();
    match send_to(directory, paths.collect()) {
        Ok(report) => {
            println!("{report:#?}");
            ExitCode::SUCCESS
        }
        Err(failure) => {
            eprintln!("{failure}");
            ExitCode::FAILURE
        }
    }
}

fn send_to(directory: PathBuf, paths: Vec<PathBuf>) -> Result<SendReport, Error> {
    let (connection, ranks) = (Connection::directory(directory), Ranks::alone());
    let session = Session::open(&connection, &ranks, Arc::new(Printer))?;
    let files = Files {
        paths,
        ..Files::default()
    };
    let request = Send {
        files,
        ..Send::default()
    };
    let planned = send::plan(&session, &request)?;
    println!("transactions to come: {}", planned.transactions());
    planned.run()
}
