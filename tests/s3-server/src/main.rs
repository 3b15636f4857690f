//! The test server as a program, for demonstrations, benches and Python tests: prints its endpoint
//! on the first line of stdout and runs until killed.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use s3_server::{Conditional, Config, EtagKind, Fault, Rule, Server};

/// An S3 server in memory on 127.0.0.1, for tests.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Port to listen on; 0 takes a free one
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// A bucket that exists from the start; may be given several times
    #[arg(long = "bucket", default_value = "ocean")]
    buckets: Vec<String>,
    /// The only access key that is known
    #[arg(long, default_value = "test-key")]
    access_key: String,
    /// Its secret
    #[arg(long, default_value = "test-secret")]
    secret_key: String,
    /// The session token that must come with the keys
    #[arg(long)]
    session_token: Option<String>,
    /// Serve requests without a signature too
    #[arg(long)]
    anonymous: bool,
    /// Buckets are subdomains of this name
    #[arg(long)]
    domain: Option<String>,
    /// What becomes of If-None-Match and If-Match on writes
    #[arg(long, value_enum, default_value = "enforced")]
    conditional: ConditionalArgument,
    /// What the ETag of an object is
    #[arg(long, value_enum, default_value = "md5")]
    etag: EtagArgument,
    /// How many bytes a bucket may hold
    #[arg(long)]
    quota: Option<u64>,
    /// Milliseconds every request waits, to play a distant server
    #[arg(long, default_value_t = 0)]
    delay: u64,
}

#[derive(Clone, Copy, ValueEnum)]
enum ConditionalArgument {
    Enforced,
    Refused,
    Ignored,
    Unquoted,
}

#[derive(Clone, Copy, ValueEnum)]
enum EtagArgument {
    Md5,
    Opaque,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let config = Config {
        access_key: arguments.access_key,
        secret_key: arguments.secret_key,
        session_token: arguments.session_token,
        anonymous: arguments.anonymous,
        domain: arguments.domain,
        buckets: arguments.buckets,
        conditional: match arguments.conditional {
            ConditionalArgument::Enforced => Conditional::Enforced,
            ConditionalArgument::Refused => Conditional::Refused,
            ConditionalArgument::Ignored => Conditional::Ignored,
            ConditionalArgument::Unquoted => Conditional::Unquoted,
        },
        etag: match arguments.etag {
            EtagArgument::Md5 => EtagKind::Md5,
            EtagArgument::Opaque => EtagKind::Opaque,
        },
        ..Config::default()
    };
    let server = match Server::start_on(arguments.port, config) {
        Ok(server) => server,
        Err(error) => {
            eprintln!("s3-server: {error}");
            return ExitCode::FAILURE;
        }
    };
    server.set_quota(arguments.quota);
    if arguments.delay > 0 {
        server
            .faults()
            .add(Rule::new(Fault::Delay(Duration::from_millis(
                arguments.delay,
            ))));
    }
    let mut stdout = std::io::stdout();
    // Whoever closed our stdout does not want to know the endpoint.
    let _ = writeln!(stdout, "{}", server.endpoint()).and_then(|()| stdout.flush());
    loop {
        std::thread::park();
    }
}
