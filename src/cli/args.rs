//! Flags, in clap's words.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::size;
use crate::exit::{Exit, Failure};
use crate::plan::ChunkStrategy;
use crate::store::{Codec, Place};
use crate::transfer::Verify;

/// What the command line came to.
pub enum Parsed {
    /// A command to run.
    Command(Command),
    /// A text to print: help or the version.
    Answer(String),
    /// It is wrong.
    Wrong(Failure),
}

#[derive(Parser)]
#[command(name = "msm_os", version, about = "Puts NEMO ocean-model archives on object stores as Zarr, in parallel under MPI", after_help = exit_codes())]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

/// The commands.
#[derive(Subcommand)]
pub enum Command {
    /// Create a Zarr store for each variable of the files, or append the files' time steps to it
    ///
    /// Runs as a plain program, under `mpirun -n N msm_os send …`, or under `srun --mpi=pmix msm_os send …`.
    #[command(after_help = exit_codes())]
    Send(SendArgs),
}

/// What `send` is told.
#[derive(Args)]
pub struct SendArgs {
    /// NetCDF files to send; several are joined along the append dimension
    #[arg(short, long, num_args = 1.., required = true, value_name = "FILE")]
    pub filepaths: Vec<PathBuf>,

    /// Where to: a bucket's name, s3://bucket, or file:///directory
    #[arg(short, long, value_name = "BUCKET", value_parser = parse_place)]
    pub bucket: Place,

    /// JSON file with `token` (access key), `secret` and `endpoint_url`; without it the AWS_… environment
    #[arg(short, long, value_name = "JSON FILE")]
    pub credentials: Option<PathBuf>,

    /// Where in the bucket; from the first file's name if not given: eORCA025_1y_grid_T_1976-1976.nc → T1y
    #[arg(short, long, value_name = "PREFIX")]
    pub prefix: Option<String>,

    /// Variables to send, each into its own store; all data variables if not given
    #[arg(short, long, num_args = 1.., value_name = "VAR")]
    pub variables: Vec<String>,

    /// The dimension along which stores grow
    #[arg(
        short,
        long = "append_dim",
        visible_alias = "append-dim",
        default_value = "time_counter",
        value_name = "DIM"
    )]
    pub append_dim: String,

    /// Chunk sizes of a new store, as JSON: '{"time_counter": 1, "y": 100, "x": 100}' [short: -cs]
    ///
    /// Dimensions left out are chosen automatically: one time step, and multiples of the source's own chunks up to
    /// about 16 MiB an object.
    #[arg(
        long = "chunk_strategy",
        visible_alias = "chunk-strategy",
        value_name = "JSON"
    )]
    pub chunk_strategy: Option<String>,

    /// Compressor of a new store: none, zstd:LEVEL or blosc:COMPRESSOR:LEVEL:SHUFFLE; a crc32c is added to each
    #[arg(long, default_value = "blosc:lz4:5:shuffle", value_name = "CODEC")]
    pub codec: String,

    /// How to verify each object after its PUT
    #[arg(long, value_enum, default_value_t)]
    pub verify: Verify,

    /// Memory that each rank may use for data, such as 512M or 2G
    #[arg(long, value_name = "SIZE", default_value = "1G", value_parser = size::parse)]
    pub memory: u64,
}

impl SendArgs {
    /// The chunk strategy; empty if none was given.
    ///
    /// # Errors
    /// If it is malformed.
    pub fn strategy(&self) -> Result<ChunkStrategy, Failure> {
        let strategy = self.chunk_strategy.as_deref().map(str::parse).transpose();
        Ok(strategy.map_err(Failure::from)?.unwrap_or_default())
    }

    /// The compressor.
    ///
    /// # Errors
    /// If it is malformed.
    pub fn codec(&self) -> Result<Codec, Failure> {
        self.codec.parse().map_err(Failure::from)
    }
}

/// Parses the command line. Never prints, never exits: that is rank 0's.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> Parsed {
    match Cli::try_parse_from(args.into_iter().map(spell_out)) {
        Ok(cli) => Parsed::Command(cli.command),
        Err(answer) if !answer.use_stderr() => Parsed::Answer(answer.to_string()),
        Err(error) => {
            let text = error.to_string();
            let text = text.strip_prefix("error: ").unwrap_or(&text).trim_end();
            Parsed::Wrong(Failure::new(Exit::Usage, text))
        }
    }
}

/// Did a launcher start this process as one of several?
#[must_use]
pub fn is_launched() -> bool {
    [
        "OMPI_COMM_WORLD_SIZE",
        "PMI_SIZE",
        "PMIX_RANK",
        "SLURM_STEP_NUM_TASKS",
    ]
    .iter()
    .any(|name| std::env::var_os(name).is_some())
}

/// The reference tool's two-letter `-cs`, which clap alone would read as `-c s`.
fn spell_out(arg: OsString) -> OsString {
    match arg.to_str() {
        Some("-cs") => "--chunk_strategy".into(),
        Some(text) => match text.strip_prefix("-cs=") {
            Some(value) => format!("--chunk_strategy={value}").into(),
            None => arg,
        },
        None => arg,
    }
}

fn parse_place(text: &str) -> Result<Place, String> {
    text.parse()
        .map_err(|error: crate::store::StoreError| error.to_string())
}

fn exit_codes() -> String {
    let rows = Exit::ALL
        .iter()
        .map(|(exit, meaning)| format!("{:>4} {meaning}", exit.code()));
    format!("Exit codes:\n{}", rows.collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn send(line: &str) -> SendArgs {
        match parse(line.split(' ').map(OsString::from)) {
            Parsed::Command(Command::Send(args)) => args,
            Parsed::Answer(text) => panic!("{text}"),
            Parsed::Wrong(failure) => panic!("{failure}"),
        }
    }

    #[test]
    fn the_reference_tools_spellings() {
        let short = send(
            "msm_os send -f a.nc b.nc -c k.json -b ocean -p T1y -v tos sos -a time -cs {\"x\":1}",
        );
        let long = send(
            "msm_os send --filepaths a.nc b.nc --credentials k.json --bucket ocean --prefix T1y --variables tos sos \
             --append_dim time --chunk_strategy {\"x\":1}",
        );
        for args in [short, long] {
            assert_eq!(
                args.filepaths,
                [PathBuf::from("a.nc"), PathBuf::from("b.nc")]
            );
            assert_eq!(args.credentials, Some(PathBuf::from("k.json")));
            assert_eq!(args.prefix.as_deref(), Some("T1y"));
            assert_eq!(args.variables, ["tos", "sos"]);
            assert_eq!(args.append_dim, "time");
            assert_eq!(args.chunk_strategy.as_deref(), Some("{\"x\":1}"));
        }
        let dashes = send("msm_os send -f a.nc -b ocean --append-dim time --chunk-strategy {}");
        assert_eq!(
            (dashes.append_dim.as_str(), dashes.chunk_strategy.as_deref()),
            ("time", Some("{}"))
        );
        assert_eq!(
            send("msm_os send -f a.nc -b ocean -cs={}")
                .chunk_strategy
                .as_deref(),
            Some("{}")
        );
        assert_eq!(
            send("msm_os send -f a.nc -b ocean -c k").append_dim,
            "time_counter"
        );
    }

    #[test]
    fn a_wrong_line_is_a_usage_error_and_help_is_not() {
        for line in [
            "msm_os",
            "msm_os send",
            "msm_os send -f a.nc",
            "msm_os send -f a.nc -b https://x",
            "msm_os fetch",
        ] {
            let parsed = parse(line.split(' ').map(OsString::from));
            assert!(
                matches!(parsed, Parsed::Wrong(failure) if failure.exit == Exit::Usage),
                "{line}"
            );
        }
        assert!(matches!(
            parse(["msm_os".into(), "--help".into()]),
            Parsed::Answer(_)
        ));
        assert!(matches!(
            parse(["msm_os".into(), "send".into(), "--help".into()]),
            Parsed::Answer(_)
        ));
    }
}
