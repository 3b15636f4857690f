//! An S3 server in memory, for tests, demonstrations and benches: protocol and signatures come from
//! `s3s`, conditional writes are atomic, and faults are made on demand at the socket.
//! Key types: [`Server`] (starts and stops it), [`Config`] (which kind of server it plays),
//! [`Rule`] and [`Fault`] (what goes wrong, and when), [`Request`] (what clients asked), [`Mutation`] and [`Go`]
//! (a hook on every request that changes something).
//!
//! ```
//! use s3_server::{Config, Fault, Rule, Server};
//!
//! let server = Server::start(Config::default())?;
//! // The third and fourth PUT below "thetao/" are answered with 503 SlowDown.
//! server.faults().add(
//!     Rule::new(Fault::Status(503)).method("PUT").key_contains("thetao/").skip(2).times(2),
//! );
//! println!("{}", server.endpoint());
//! # Ok::<(), s3_server::Error>(())
//! ```

mod bodies;
mod config;
mod crowd;
mod faults;
mod gate;
mod hook;
mod listing;
mod operations;
mod quota;
mod receive;
mod request_log;
mod server;
mod store;
mod throttle;
mod uploads;

pub use config::{Checksums, Conditional, Config, EtagKind, Full};
pub use faults::{Fault, Faults, Rule};
pub use hook::{Go, Mutation, When};
pub use request_log::Request;
pub use server::{Error, Server};
pub use throttle::Throttle;
