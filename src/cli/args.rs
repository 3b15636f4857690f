//! The command line: commands, and the reference tool's spellings.

use std::ffi::OsString;

use clap::{Parser, Subcommand};

use super::copy::CopyArgs;
use super::delete::DeleteArgs;
use super::doctor::DoctorArgs;
use super::du::DuArgs;
use super::error::CliError;
use super::history::HistoryArgs;
use super::list::ListArgs;
use super::location::spread;
use super::log::LogFilter;
use super::open::OpenArgs;
use super::plan::PlanArgs;
use super::progress::ProgressFlag;
use super::rechunk::RechunkArgs;
use super::recover::{RecoverArgs, RollbackArgs};
use super::report::MergeArgs;
use super::send::{SendArgs, UpdateArgs};
use super::status::StatusArgs;
use super::verify::VerifyArgs;
use crate::cli::Exit;

/// What the command line came to.
#[allow(clippy::large_enum_variant)] // a run makes one
pub enum CommandLine {
    /// A command to run.
    Command(Invocation),
    /// A text to print: help or the version.
    Answer(String),
    /// Nothing can be run, for this reason.
    Wrong(CliError),
}

/// A command with its flags, what is to be logged of it, and how it is said how far it is.
pub struct Invocation(
    pub(super) Box<Command>,
    pub(super) LogFilter,
    pub(super) Option<ProgressFlag>,
);

#[derive(Parser)]
#[command(name = "msm_os", version, about = "Puts NEMO ocean-model archives on object stores as Zarr, in parallel under MPI", after_help = exit_codes())]
struct Cli {
    #[command(subcommand)]
    command: Command,

    /// Log what happens below the messages to standard error: off, error, warn, info, debug or trace, for all or for some
    /// parts of the program, as in `store=debug,commit=trace`
    #[arg(
        long,
        global = true,
        value_name = "LEVEL|FILTER",
        default_value = "off",
        hide_default_value = true
    )]
    log: LogFilter,

    /// How to say on standard error how far work is and what lasts [default: a bar on a terminal, else lines]
    #[arg(long, global = true, value_name = "FORM")]
    progress: Option<ProgressFlag>,
}

#[derive(Subcommand)]
pub(super) enum Command {
    /// Create a Zarr store for each variable of the files, or append the files' time steps to it
    ///
    /// Runs as a plain program, under `mpirun -n N msm_os send …`, or under `srun --mpi=pmix msm_os send …`.
    #[command(after_help = exit_codes())]
    Send(SendArgs),
    /// Say what a send would do: stores, arrays, objects, bytes, transactions, memory, requests; write nothing, and take no lease
    ///
    /// Takes what `send` takes. With --sbatch it prints a batch script that sends it.
    #[command(after_help = exit_codes())]
    Plan(PlanArgs),
    /// Overwrite the files' time steps in stores that have them
    ///
    /// The steps are found by value: any of the store's, in any order. Without -v, every variable that has a store.
    #[command(after_help = exit_codes())]
    Update(UpdateArgs),

    /// List the stores of a bucket or below a prefix: variables, shapes, time range, chunks, codecs, sizes
    ///
    /// Sizes come from the ledger, which `send` keeps; only stores without one are walked through. A store that cannot
    /// be read is listed with its problem, and the exit code says so at the end.
    #[command(after_help = exit_codes())]
    List(ListArgs),

    /// Print the lines of Python that open the stores of a bucket or below a prefix
    ///
    /// `msm_os open … > open.py; python open.py` runs them. No secret is printed: the lines read keys from where this program found
    /// them. --stac and --intake write catalogue entries as well.
    #[command(after_help = exit_codes())]
    Open(OpenArgs),

    /// Say what stores take: arrays, documents, and their ledgers by kind, counted object by object
    ///
    /// Walks through all of the stores' objects, whatever the ledger says of them. `other` is what lies in a store and is of none of
    /// its arrays. A group of a hierarchy is counted without the ledger, which is of the whole store.
    #[command(after_help = exit_codes())]
    Du(DuArgs),

    /// List the commands that wrote stores, the last one first: when, by whom, of which files, and whether `rollback` can undo them
    ///
    /// Reads the ledgers' records, and needs no lease. A command is one run of this program, however many transactions it was.
    #[command(after_help = exit_codes())]
    History(HistoryArgs),

    /// Say what goes on below a prefix: archives that jobs share in sending, part by part, leases, and what dead jobs left
    ///
    /// Reads ledgers only, and needs no lease.
    #[command(after_help = exit_codes())]
    Status(StatusArgs),

    /// Delete the stores of variables, or everything below a prefix, ledgers included; or single arrays of stores
    ///
    /// Root documents go first, so that no reader meets half a store. A delete that was interrupted is finished by the
    /// same delete again. Runs under `mpirun` as well: every rank deletes its share.
    #[command(after_help = exit_codes())]
    Delete(DeleteArgs),

    /// Copy stores with their ledgers to another place of the bucket
    ///
    /// The server copies the objects, in parallel, and every copy is read back and compared with the manifest. A copy is there whole or not at
    /// all; the same copy again compares. Runs under `mpirun` as well: every rank copies its share.
    #[command(after_help = exit_codes())]
    Copy(CopyArgs),
    /// Copy stores with their ledgers to another place of the bucket, and delete them where they were once all copies are whole
    #[command(after_help = exit_codes())]
    Move(CopyArgs),

    /// Make stores anew at another place of the bucket: in other chunks, shards, codecs, or of the other version of Zarr
    ///
    /// The same arrays, values, attributes and dimensions; what is not asked for stays as a store has it. The new stores are there whole or not
    /// at all, every object verified, each with a ledger of its own. Runs under `mpirun` as well: every rank does its share.
    #[command(after_help = exit_codes())]
    Rechunk(RechunkArgs),

    /// Undo the last command, or the last few, in all stores that they wrote: an append's steps go, a create disappears, an update's old
    /// values return
    ///
    /// With -v, a command is undone in the stores of these variables alone. `history` lists commands.
    #[command(after_help = exit_codes())]
    Rollback(RollbackArgs),

    /// Bring to an end what dead jobs left: open transactions go back, prepared ones and deletes go forward
    ///
    /// Every command that writes does the same for its own stores first. Jobs that are alive are left alone. With --truncate,
    /// stores are mended too that another program's append left with arrays of different lengths.
    #[command(after_help = exit_codes())]
    Recover(RecoverArgs),

    /// Check stores: every object against the manifests of the ledger, every document, and against source files
    ///
    /// Every object is read once: its length, the crc32c of its bytes and that of its values must be those that its
    /// last transaction recorded. Prints a line a fault. Runs under `mpirun` as well: every rank reads its share.
    #[command(after_help = exit_codes())]
    Verify(VerifyArgs),

    /// Put together what `--report` wrote of several runs: times, requests, retries, the slowest objects, where the stores stand
    ///
    /// Of an array's tasks, or of a run and of those that went on with it. No bucket and no server is asked.
    #[command(after_help = exit_codes())]
    Report(MergeArgs),

    /// Find out what an endpoint can do, in a table to send to those who run it
    ///
    /// Tries every kind of request on temporary objects below PREFIX/.msm-os/doctor-…/ and removes them.
    #[command(after_help = exit_codes())]
    Doctor(DoctorArgs),
}

/// Parses the command line. Never prints, never exits: that is rank 0's.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> CommandLine {
    let args: Vec<OsString> = args.into_iter().collect();
    // Nobody knows of which command it is before the line makes sense.
    let is_for_programs = args.iter().any(|arg| arg == "--json");
    match parse_words(args) {
        CommandLine::Wrong(why) if is_for_programs => CommandLine::Wrong(why.for_programs()),
        parsed => parsed,
    }
}

fn parse_words(line: Vec<OsString>) -> CommandLine {
    let spread = match spread(line.iter().cloned().map(spell_out)) {
        Ok(spread) => spread,
        Err(wrong) => return CommandLine::Wrong(wrong),
    };
    match Cli::try_parse_from(spread.args) {
        Ok(mut cli) => {
            if let Command::Plan(args) = &mut cli.command {
                args.take_line(line);
            }
            let command = Box::new(cli.command);
            CommandLine::Command(Invocation(command, cli.log, cli.progress))
        }
        Err(answer) if !answer.use_stderr() => CommandLine::Answer(answer.to_string()),
        Err(error) => {
            let text = error.to_string();
            let text = text.strip_prefix("error: ").unwrap_or(&text).trim_end();
            let notes = spread.notes.iter().map(|note| format!("\n  ({note})"));
            let notes: String = notes.collect();
            CommandLine::Wrong(CliError::Line(format!("{text}{notes}")))
        }
    }
}

/// Two-letter spellings, which clap alone would read as `-c s`.
const SHORT: [(&str, &str); 6] = [
    ("-cs", "--chunk_strategy"),
    ("-ad", "--append_dim"),
    ("-zv", "--zarr-version"),
    ("-gf", "--grid-filepath"),
    ("-uc", "--update-coords"),
    ("-at", "--attributes"),
];

fn spell_out(arg: OsString) -> OsString {
    let Some(text) = arg.to_str() else { return arg };
    for (short, long) in SHORT {
        match text.strip_prefix(short) {
            Some("") => return long.into(),
            Some(value) if value.starts_with('=') => return format!("{long}{value}").into(),
            _ => {}
        }
    }
    arg
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
    use msm_zarr::Version;
    use std::path::PathBuf;

    fn send(line: &str) -> SendArgs {
        match parse(line.split(' ').map(OsString::from)) {
            CommandLine::Command(Invocation(command, ..)) => match *command {
                Command::Send(args) => args,
                _ => panic!("{line} is not a send"),
            },
            CommandLine::Answer(text) => panic!("{text}"),
            CommandLine::Wrong(failure) => panic!("{failure}"),
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
                args.files.filepaths,
                [PathBuf::from("a.nc"), PathBuf::from("b.nc")]
            );
            assert_eq!(args.files.store.credentials, Some(PathBuf::from("k.json")));
            assert_eq!(args.files.store.prefix.as_deref(), Some("T1y"));
            assert_eq!(args.files.variables, ["tos", "sos"]);
            assert_eq!(args.files.append_dim, "time");
            assert_eq!(args.files.chunk_strategy.as_deref(), Some("{\"x\":1}"));
        }
        let dashes = send("msm_os send -f a.nc -b ocean --append-dim time --chunk-strategy {}");
        assert_eq!(
            (
                dashes.files.append_dim.as_str(),
                dashes.files.chunk_strategy.as_deref()
            ),
            ("time", Some("{}"))
        );
        assert_eq!(
            send("msm_os send -f a.nc -b ocean -cs={}")
                .files
                .chunk_strategy
                .as_deref(),
            Some("{}")
        );
        assert_eq!(
            send("msm_os send -f a.nc -b ocean -c k").files.append_dim,
            "time_counter"
        );
    }

    #[test]
    fn spellings_of_the_zarr_version() {
        for flag in ["-zv 2", "-zv=2", "--zarr-version 2", "--zarr_version 2"] {
            let args = send(&format!("msm_os send -f a.nc -b ocean {flag}"));
            assert_eq!(args.zarr_version, Some(Version::V2), "{flag}");
        }
        assert_eq!(send("msm_os send -f a.nc -b ocean").zarr_version, None);
        let shards = send("msm_os send -f a.nc -b ocean -zv 2 --shards {}").shards();
        assert!(shards.is_err_and(|failure| Exit::from(&failure) == Exit::Usage));
    }

    #[test]
    fn a_wrong_line_is_a_usage_error_and_help_is_not() {
        for line in [
            "msm_os",
            "msm_os send",
            "msm_os send -f a.nc",
            "msm_os send -f a.nc -b https://x",
            "msm_os send -f a.nc -b x -c k.json --profile lab",
            "msm_os send -f a.nc -b x --addressing dns",
            "msm_os fetch",
            "msm_os send -f a.nc -b ocean -zv 4",
            "msm_os list",
            "msm_os delete -b x",
            "msm_os delete -b x --all -v tos",
        ] {
            let parsed = parse(line.split(' ').map(OsString::from));
            assert!(
                matches!(parsed, CommandLine::Wrong(failure) if Exit::from(&failure) == Exit::Usage),
                "{line}"
            );
        }
        assert!(matches!(
            parse(["msm_os".into(), "--help".into()]),
            CommandLine::Answer(_)
        ));
        assert!(matches!(
            parse(["msm_os".into(), "send".into(), "--help".into()]),
            CommandLine::Answer(_)
        ));
    }
}
