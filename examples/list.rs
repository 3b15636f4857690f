//! Lists the stores in a directory:
//!
//!     cargo run --example list -- DIRECTORY

use std::path::PathBuf;
use std::sync::Arc;

use msm_os::{Connection, Error, List, Ranks, Session, SilentReporter, list};

fn main() -> Result<(), Error> {
    let directory = std::env::args_os().nth(1).unwrap_or_default();
    let connection = Connection::directory(PathBuf::from(directory));
    let ranks = Ranks::alone();
    let session = Session::open(&connection, &ranks, Arc::new(SilentReporter))?;
    for store in list(&session, &List::default())? {
        println!("{}:", store.store);
        for variable in store.variables {
            println!("  {} {:?}", variable.name, variable.shape);
        }
    }
    Ok(())
}
