//! The test server as a program, for demonstrations, benches and Python tests: prints its endpoint
//! on the first line of stdout and runs until killed.

use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use s3_server::{Checksums, Conditional, Config, EtagKind, Fault, Rule, Server};

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
    /// Session tokens are `until-MILLISECONDS` since 1970, and end then
    #[arg(long)]
    ending_tokens: bool,
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
    /// What becomes of x-amz-checksum-… on writes
    #[arg(long, value_enum, default_value = "enforced")]
    checksums: ChecksumsArgument,
    /// How many bytes a bucket may hold
    #[arg(long)]
    quota: Option<u64>,
    /// Milliseconds every request waits, to play a distant server
    #[arg(long, default_value_t = 0)]
    delay: u64,
    /// Milliseconds every PUT waits besides
    #[arg(long, default_value_t = 0)]
    put_delay: u64,
    /// Objects whose key contains this are taken, answered and not kept, as in a bench of very many: `/c/` are chunks
    #[arg(long)]
    forget: Option<String>,
    /// A file for the requests, in order of arrival, each as METHOD, bucket/key and bytes of its body in a line
    #[arg(long)]
    log: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum ConditionalArgument {
    Enforced,
    Refused,
    Ignored,
    Unquoted,
}

#[derive(Clone, Copy, ValueEnum)]
enum ChecksumsArgument {
    Enforced,
    Dropped,
    Believed,
    Forgotten,
    Refused,
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
        ending_tokens: arguments.ending_tokens,
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
        checksums: match arguments.checksums {
            ChecksumsArgument::Enforced => Checksums::Enforced,
            ChecksumsArgument::Dropped => Checksums::Dropped,
            ChecksumsArgument::Believed => Checksums::Believed,
            ChecksumsArgument::Forgotten => Checksums::Forgotten,
            ChecksumsArgument::Refused => Checksums::Refused,
        },
        forget: arguments.forget,
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
    let late = |millis| Rule::new(Fault::Delay(Duration::from_millis(millis)));
    if arguments.delay > 0 {
        server.faults().add(late(arguments.delay));
    }
    if arguments.put_delay > 0 {
        let rule = late(arguments.put_delay).method("PUT");
        server.faults().add(rule);
    }
    let log = arguments.log.map(File::create).transpose();
    let log = match log {
        Ok(log) => log,
        Err(error) => {
            eprintln!("s3-server: --log: {error}");
            return ExitCode::FAILURE;
        }
    };
    let mut stdout = io::stdout();
    // Whoever closed our stdout does not want to know the endpoint.
    let _ = writeln!(stdout, "{}", server.endpoint()).and_then(|()| stdout.flush());
    if let Some(log) = log
        && let Err(error) = keep_log(&server, log)
    {
        eprintln!("s3-server: --log: {error}");
    }
    loop {
        std::thread::park();
    }
}

/// Writes the server's requests to `log`, for ever.
fn keep_log(server: &Server, mut log: File) -> io::Result<()> {
    let mut written = 0;
    loop {
        let new = server.log_from(written);
        written += new.len();
        let lines = new
            .iter()
            .map(|request| format!("{} {} {}\n", request.method, request.key, request.received));
        log.write_all(lines.collect::<String>().as_bytes())?;
        std::thread::sleep(Duration::from_millis(100));
    }
}
