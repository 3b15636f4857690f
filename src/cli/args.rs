//! The command line: commands, and the reference tool's spellings.

use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use super::copy::CopyArgs;
use super::delete::DeleteArgs;
use super::doctor::DoctorArgs;
use super::du::DuArgs;
use super::error::CliError;
use super::help;
use super::history::HistoryArgs;
use super::list::ListArgs;
use super::location::spread;
use super::log::LogFilter;
use super::open::OpenArgs;
use super::page::PageArgs;
use super::plan::PlanArgs;
use super::progress::ProgressFlag;
use super::quicklook::QuicklookArgs;
use super::rechunk::RechunkArgs;
use super::recover::{RecoverArgs, RollbackArgs};
use super::report::MergeArgs;
use super::send::{SendArgs, UpdateArgs};
use super::settings::{self, ResolvedLine, Variable};
use super::shell::{Answer, ShellCommand};
use super::status::StatusArgs;
use super::verify::VerifyArgs;

/// What the command line came to.
#[allow(clippy::large_enum_variant)] // a run makes one
pub enum CommandLine {
    /// A command to run.
    Command(Invocation),
    /// What is printed, or written, and no more: help, the version, settings, completions, man pages.
    Answer(Answer),
    /// Nothing can be run, for this reason.
    Wrong(CliError),
}

/// A command with its flags, what is to be logged of it, how it is said how far it is, and the line that says all of this.
pub struct Invocation(
    pub(super) Box<Command>,
    pub(super) LogFilter,
    pub(super) Option<ProgressFlag>,
    pub(super) Vec<OsString>,
);

#[derive(Parser)]
#[command(
    name = "msm_os",
    version,
    about = "Puts NEMO ocean-model archives on object stores as Zarr, in parallel under MPI"
)]
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
    Send(SendArgs),
    /// Say what a send would do: stores, arrays, objects, bytes, transactions, memory, requests; write nothing, and take no lease
    ///
    /// Takes what `send` takes. With --sbatch it prints a batch script that sends it.
    Plan(PlanArgs),
    /// Overwrite the files' time steps in stores that have them
    ///
    /// The steps are found by value: any of the store's, in any order. Without -v, every variable that has a store.
    Update(UpdateArgs),

    /// List the stores of a bucket or below a prefix: variables, shapes, time range, chunks, codecs, sizes
    ///
    /// Sizes come from the ledger, which `send` keeps; only stores without one are walked through. A store that cannot
    /// be read is listed with its problem, and the exit code says so at the end.
    List(ListArgs),

    /// Print the lines of Python that open the stores of a bucket or below a prefix
    ///
    /// `msm_os open … > open.py; python open.py` runs them. No secret is printed: the lines read keys from where this program found
    /// them. --stac and --intake write catalogue entries as well.
    Open(OpenArgs),

    /// Draw what stores hold, to look at: maps with a coast and a colour bar, depth against latitude, series over time
    ///
    /// Values are those of the nearest cells, or of `projected_VAR` where a store has it. Only the objects that a picture needs are read.
    /// Several variables or steps make a contact sheet. Runs under `mpirun` as well: every rank reads its share.
    Quicklook(QuicklookArgs),

    /// Make a static page about an archive, to be published beside it: what its stores hold, maps, how to open them, who made them
    ///
    /// Variables, shapes, period, chunks, sizes and codecs, the last commands, how objects were verified, a map of the last step of each
    /// variable, lines of Python, licence and citation, and STAC items. The same archive makes the same files. No key and no user is in
    /// them. Runs under `mpirun` as well: every rank reads its share.
    Page(PageArgs),

    /// Say what stores take: arrays, documents, and their ledgers by kind, counted object by object
    ///
    /// Walks through all of the stores' objects, whatever the ledger says of them. `other` is what lies in a store and is of none of
    /// its arrays. A group of a hierarchy is counted without the ledger, which is of the whole store.
    Du(DuArgs),

    /// List the commands that wrote stores, the last one first: when, by whom, of which files, and whether `rollback` can undo them
    ///
    /// Reads the ledgers' records, and needs no lease. A command is one run of this program, however many transactions it was.
    History(HistoryArgs),

    /// Say what goes on below a prefix: archives that jobs share in sending, part by part, leases, and what dead jobs left
    ///
    /// Reads ledgers only, and needs no lease.
    Status(StatusArgs),

    /// Delete the stores of variables, or everything below a prefix, ledgers included; or single arrays of stores
    ///
    /// Root documents go first, so that no reader meets half a store. A delete that was interrupted is finished by the
    /// same delete again. Runs under `mpirun` as well: every rank deletes its share.
    #[command(
        override_usage = "msm_os delete [OPTIONS] --bucket <BUCKET> <--variables <VAR>...|--store <PATH>|--all>"
    )]
    Delete(DeleteArgs),

    /// Copy stores with their ledgers to another place of the bucket
    ///
    /// The server copies the objects, in parallel, and every copy is read back and compared with the manifest. A copy is there whole or not at
    /// all; the same copy again compares. Runs under `mpirun` as well: every rank copies its share.
    #[command(
        override_usage = "msm_os copy [OPTIONS] --bucket <BUCKET> [--prefix <PREFIX>|--store <PATH>] <--to <PLACE>|--to-bucket <BUCKET>>"
    )]
    Copy(CopyArgs),
    /// Copy stores with their ledgers to another place of the bucket, and delete them where they were once all copies are whole
    #[command(
        override_usage = "msm_os move [OPTIONS] --bucket <BUCKET> [--prefix <PREFIX>|--store <PATH>] <--to <PLACE>|--to-bucket <BUCKET>>"
    )]
    Move(CopyArgs),

    /// Make stores anew at another place of the bucket: in other chunks, shards, codecs, or of the other version of Zarr
    ///
    /// The same arrays, values, attributes and dimensions; what is not asked for stays as a store has it. The new stores are there whole or not
    /// at all, every object verified, each with a ledger of its own. Runs under `mpirun` as well: every rank does its share.
    #[command(
        override_usage = "msm_os rechunk [OPTIONS] --bucket <BUCKET> [--prefix <PREFIX>|--store <PATH>] <--to <PLACE>|--replace>"
    )]
    Rechunk(RechunkArgs),

    /// Undo the last command, or the last few, in all stores that they wrote: an append's steps go, a create disappears, an update's old
    /// values return
    ///
    /// With -v, a command is undone in the stores of these variables alone. `history` lists commands.
    Rollback(RollbackArgs),

    /// Bring to an end what dead jobs left: open transactions go back, prepared ones and deletes go forward
    ///
    /// Every command that writes does the same for its own stores first. Jobs that are alive are left alone. With --truncate,
    /// stores are mended too that another program's append left with arrays of different lengths.
    Recover(RecoverArgs),

    /// Check stores: every object against the manifests of the ledger, every document, and against source files
    ///
    /// Every object is read once: its length, the crc32c of its bytes and that of its values must be those that its
    /// last transaction recorded. Prints a line a fault. Runs under `mpirun` as well: every rank reads its share.
    Verify(VerifyArgs),

    /// Put together what `--report` wrote of several runs: times, requests, retries, the slowest objects, where the stores stand
    ///
    /// Of an array's tasks, or of a run and of those that went on with it. No bucket and no server is asked.
    Report(MergeArgs),

    /// Find out what an endpoint can do, in a table to send to those who run it
    ///
    /// Tries every kind of request on temporary objects below PREFIX/.msm-os/doctor-…/ and removes them.
    Doctor(DoctorArgs),
}

/// The grammar of the command line, with all that `--help` shows.
pub(super) fn grammar() -> clap::Command {
    let whole = ShellCommand::augment_subcommands(Cli::command());
    help::dressed(whole.args(settings::arguments()))
}

/// Parses the command line, with what the environment and the file of `--config` say beside it. Never prints, never exits: that is rank 0's.
pub fn parse(args: impl IntoIterator<Item = OsString>) -> CommandLine {
    parse_among(args, &|name| std::env::var_os(name))
}

/// The same, where `variable` is the environment.
pub(super) fn parse_among(
    args: impl IntoIterator<Item = OsString>,
    variable: Variable<'_>,
) -> CommandLine {
    let line: Vec<OsString> = args.into_iter().map(spell_out).collect();
    let grammar = grammar();
    match help::topic(&grammar, &line) {
        Some(Ok(text)) => return CommandLine::Answer(text.into()),
        Some(Err(failure)) => return CommandLine::Wrong(failure),
        None => {}
    }
    // Nobody knows of which command it is before the line makes sense.
    let asks_for_json = |words: &[OsString]| words.iter().any(|word| word == "--json");
    let mut is_for_programs = asks_for_json(&line);
    let line = spread(line).and_then(|typed| ResolvedLine::of(&grammar, typed, variable));
    let parsed = match line {
        Ok(line) => {
            is_for_programs = asks_for_json(&line.words);
            parse_resolved(grammar, line)
        }
        Err(failure) => CommandLine::Wrong(failure),
    };
    match parsed {
        CommandLine::Wrong(why) if is_for_programs => CommandLine::Wrong(why.for_programs()),
        parsed => parsed,
    }
}

/// What a line is that has all settings.
pub(super) fn parse_resolved(grammar: clap::Command, line: ResolvedLine) -> CommandLine {
    match parsed(grammar, &line.words) {
        Ok(_) if line.shows => CommandLine::Answer(line.shown(&self::grammar()).into()),
        Ok(Parsed::Verb(cli)) => {
            let Cli {
                mut command,
                log,
                progress,
            } = *cli;
            if command.is_of_writers()
                && let Err(failure) = line.has_its_place()
            {
                return CommandLine::Wrong(failure);
            }
            if let Command::Plan(args) = &mut command {
                args.take_line(line.words.clone());
            }
            CommandLine::Command(Invocation(Box::new(command), log, progress, line.words))
        }
        Ok(Parsed::Shell(command)) => match command.answer(self::grammar()) {
            Ok(answer) => CommandLine::Answer(answer),
            Err(failure) => CommandLine::Wrong(failure),
        },
        // What else would be needed is what is looked for.
        Err(error) if line.shows && error.kind() == ErrorKind::MissingRequiredArgument => {
            CommandLine::Answer(line.shown(&self::grammar()).into())
        }
        Err(answer) if !answer.use_stderr() => CommandLine::Answer(answer.to_string().into()),
        Err(error) => {
            let text = error.to_string();
            let text = text.strip_prefix("error: ").unwrap_or(&text).trim_end();
            let text = &without_escape(text);
            CommandLine::Wrong(CliError::line(&format!("{text}{}", line.notes_on(text))))
        }
    }
}

/// What clap says of a flag that is none, without its advice to pass it as a value: no command takes such values.
fn without_escape(text: &str) -> String {
    let Some((before, tip)) = text.split_once("\n\n  tip: to pass '") else {
        return text.to_owned();
    };
    let after = tip.find('\n').map_or("", |end| &tip[end..]);
    format!("{before}{after}")
}

/// What is asked for: a verb of the program, or something for the shell.
enum Parsed {
    Verb(Box<Cli>),
    Shell(ShellCommand),
}

fn parsed(mut grammar: clap::Command, words: &[OsString]) -> Result<Parsed, clap::Error> {
    let mut matches = grammar.try_get_matches_from_mut(words)?;
    let name = matches.subcommand_name().unwrap_or_default();
    let parsed = if ShellCommand::has_subcommand(name) {
        ShellCommand::from_arg_matches_mut(&mut matches).map(Parsed::Shell)
    } else {
        Cli::from_arg_matches_mut(&mut matches).map(|cli| Parsed::Verb(Box::new(cli)))
    };
    parsed.map_err(|error| error.format(&mut grammar))
}

/// Two-letter spellings, which clap alone would read as `-c s`.
pub(super) const SHORT: [(&str, &str); 6] = [
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Exit;
    use msm_zarr::Version;
    use std::path::PathBuf;

    fn send(line: &str) -> SendArgs {
        match parse(line.split(' ').map(OsString::from)) {
            CommandLine::Command(Invocation(command, ..)) => match *command {
                Command::Send(args) => args,
                _ => panic!("{line} is not a send"),
            },
            CommandLine::Answer(_) => panic!("{line} is answered"),
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
    fn nobody_is_told_to_pass_a_flag_as_a_value() {
        for line in ["msm_os completions --json bash", "msm_os man --json"] {
            let CommandLine::Wrong(failure) = parse(line.split(' ').map(OsString::from)) else {
                panic!("{line}");
            };
            let text = failure.to_string();
            assert!(
                text.starts_with("unexpected argument '--json' found\n\nUsage: "),
                "{text}"
            );
        }
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
