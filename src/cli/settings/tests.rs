use std::ffi::OsString;
use std::path::Path;

use clap::Command;
use msm_zarr::Version;

use super::*;
use crate::cli::Exit;
use crate::cli::args::{self, CommandLine, Invocation, grammar, parse_among};
use crate::cli::rate::RateArg;
use crate::cli::send::SendArgs;
use crate::transfer::Verification;

type Set<'a> = &'a [(&'a str, &'a str)];

fn parsed(line: &str, environment: Set<'_>) -> CommandLine {
    let variable = |name: &str| {
        let found = environment.iter().find(|(set, _)| *set == name);
        found.map(|(_, value)| OsString::from(value))
    };
    parse_among(line.split(' ').map(OsString::from), &variable)
}

fn send(line: &str, environment: Set<'_>) -> SendArgs {
    match parsed(line, environment) {
        CommandLine::Command(Invocation(command, ..)) => match *command {
            args::Command::Send(args) => args,
            _ => panic!("{line} is not a send"),
        },
        CommandLine::Answer(answer) => panic!("{}", answer.text()),
        CommandLine::Wrong(failure) => panic!("{failure}"),
    }
}

fn wrong(line: &str, environment: Set<'_>) -> String {
    match parsed(line, environment) {
        CommandLine::Wrong(failure) => {
            assert_eq!(Exit::from(&failure), Exit::Usage);
            failure.to_string()
        }
        _ => panic!("{line} is not wrong"),
    }
}

fn shown(line: &str, environment: Set<'_>) -> String {
    match parsed(line, environment) {
        CommandLine::Answer(answer) => answer.text().to_owned(),
        CommandLine::Wrong(failure) => panic!("{failure}"),
        CommandLine::Command(_) => panic!("{line} shows nothing"),
    }
}

/// A file of settings, and the line that names it.
fn configured(line: &str, text: &str) -> (tempfile::TempDir, String) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("ocean.toml");
    std::fs::write(&path, text).unwrap();
    let line = format!("{line} --config {}", path.display());
    (directory, line)
}

fn built() -> Command {
    let mut grammar = grammar();
    grammar.build();
    grammar
}

#[test]
fn the_line_comes_before_the_environment_before_the_file_before_the_default() {
    let file = "verify = \"none\"\nprefix = \"file\"\ncodec = \"zstd:1\"\n[send]\nprefix = \"table\"\nkeep_undo = 3\n";
    let (_kept, line) = configured("msm_os send -f a.nc -b ocean", file);
    let plain = send("msm_os send -f a.nc -b ocean", &[]);
    assert_eq!(
        (plain.files.verify, plain.files.keep_undo),
        (Verification::Full, 1)
    );

    let by_file = send(&line, &[]);
    assert_eq!(by_file.files.verify, Verification::None);
    assert_eq!(by_file.files.store.prefix.as_deref(), Some("table"));
    assert_eq!(
        (by_file.files.keep_undo, by_file.codec.as_deref()),
        (3, Some("zstd:1"))
    );

    let environment = [("MSM_OS_VERIFY", "etag"), ("MSM_OS_PREFIX", "variable")];
    let by_environment = send(&line, &environment);
    assert_eq!(by_environment.files.verify, Verification::Etag);
    assert_eq!(
        by_environment.files.store.prefix.as_deref(),
        Some("variable")
    );
    assert_eq!(by_environment.files.keep_undo, 3);

    let typed = send(&format!("{line} -p typed --verify full"), &environment);
    assert_eq!(typed.files.verify, Verification::Full);
    assert_eq!(typed.files.store.prefix.as_deref(), Some("typed"));
    assert_eq!(typed.files.keep_undo, 3);
}

#[test]
fn every_kind_of_flag_is_given_by_both() {
    let environment = [
        ("MSM_OS_BUCKET", "ocean"),
        ("MSM_OS_FILEPATHS", "a, b.nc\nc.nc"),
        ("MSM_OS_VARIABLES", "tos,sos mldr"),
        ("MSM_OS_APPEND_DIM", "time"),
        ("MSM_OS_ZARR_VERSION", "2"),
        ("MSM_OS_RESUME", "1"),
        ("MSM_OS_ALLOW_GAPS", "false"),
        ("MSM_OS_CODEC", ""),
    ];
    let file = "bucket = \"ocean\"\nfilepaths = [\"a, b.nc\", \"c.nc\"]\nvariables = [\"tos\", \"sos\", \"mldr\"]\n\
                append-dim = \"time\"\nzarr_version = 2\nresume = true\nallow_gaps = false\n";
    let (_kept, line) = configured("msm_os send", file);
    for args in [send("msm_os send", &environment), send(&line, &[])] {
        assert_eq!(
            args.files.store.bucket.to_string(),
            send("msm_os send -f x -b ocean", &[])
                .files
                .store
                .bucket
                .to_string()
        );
        assert_eq!(
            args.files.filepaths,
            [Path::new("a, b.nc"), Path::new("c.nc")]
        );
        assert_eq!(args.files.variables, ["tos", "sos", "mldr"]);
        assert_eq!(args.files.append_dim, "time");
        assert_eq!(args.zarr_version, Some(Version::V2));
        assert!(args.files.resume && !args.order.allow_gaps);
        assert_eq!(args.codec, None);
    }
    // What is false for once is no more what the file says.
    let once = send(&line, &[("MSM_OS_RESUME", "false")]);
    assert!(!once.files.resume);
}

#[test]
fn settings_stand_behind_the_command_whatever_its_line_is_like() {
    let environment = [
        ("MSM_OS_BUCKET", "ocean"),
        ("MSM_OS_LOG", "debug"),
        ("MSM_OS_STORE", "here"),
    ];
    for line in [
        "msm_os send -f a.nc b.nc",
        "msm_os --log warn send -f a.nc b.nc",
        "msm_os --log=warn send -f a.nc b.nc --",
        "msm_os send --log warn -f a.nc b.nc",
    ] {
        let args = send(line, &environment);
        assert_eq!(args.files.filepaths.len(), 2, "{line}");
        assert_eq!(args.files.store.store.as_deref(), Some("here"), "{line}");
    }
}

#[test]
fn what_contradicts_the_line_is_left_aside() {
    let file = "prefix = \"T1y\"\nprofile = \"lab\"\nshare = true\n[delete]\nvariables = [\"tos\"]\narray = [\"x\"]\n";
    let (_kept, line) = configured("msm_os send -f a.nc -b ocean", file);
    let args = send(&format!("{line} --store here -c keys.json --insert"), &[]);
    assert_eq!(args.files.store.prefix, None);
    assert_eq!(args.files.store.profile, None);
    assert!(args.order.insert && !args.share.share);
    // The environment comes before the file in this, too.
    let args = send(&line, &[("MSM_OS_STORE", "here")]);
    assert_eq!(
        (
            args.files.store.prefix.as_deref(),
            args.files.store.store.as_deref()
        ),
        (None, Some("here"))
    );
    // What excludes each other by a group, or the other way round.
    let (_kept, line) = configured("msm_os delete -b ocean --time 1978..", file);
    assert!(matches!(parsed(&line, &[]), CommandLine::Command(_)));
    let (_kept, line) = configured("msm_os delete -b ocean --all", file);
    assert!(matches!(parsed(&line, &[]), CommandLine::Command(_)));
    // What was set twice beside the line is for the user to settle.
    let both = [("MSM_OS_STORE", "here"), ("MSM_OS_PREFIX", "there")];
    let message = wrong("msm_os list -b ocean", &both);
    assert!(
        message.contains("--store is from: environment, MSM_OS_STORE"),
        "{message}"
    );
}

#[test]
fn a_bucket_may_have_a_place_in_it_everywhere() {
    let environment = [("MSM_OS_BUCKET", "s3://ocean/T1y")];
    let store = |line: &str| send(line, &environment).files.store;
    let plain = store("msm_os send -f a.nc");
    assert!(!plain.bucket.to_string().contains("T1y"));
    assert_eq!(plain.prefix.as_deref(), Some("T1y"));
    let typed = store("msm_os send -f a.nc -p T1m");
    assert_eq!(typed.prefix.as_deref(), Some("T1m"));
    let other = store("msm_os send -f a.nc --store T1m/tos.zarr");
    assert_eq!(other.prefix, None);
    let whole = store("msm_os send -f a.nc -b s3://ocean/T1d");
    assert_eq!(whole.prefix.as_deref(), Some("T1d"));
}

#[test]
fn what_needs_a_flag_that_is_not_given_is_left_aside() {
    let file = "keep_undo = 4\nappend_dim = \"t\"\nmethod = \"bilinear\"\nresolution = 0.5\n";
    let (_kept, line) = configured("msm_os send -f a.nc -b ocean", file);
    let args = send(&line, &[]);
    assert_eq!(
        (args.files.keep_undo, args.files.append_dim.as_str()),
        (4, "t")
    );
    assert!(args.files.reproject.reprojection().is_none());
    let asked = send(&format!("{line} -r"), &[])
        .files
        .reproject
        .reprojection()
        .unwrap();
    assert_eq!(
        (asked.method, asked.grid.resolution),
        (Some(msm_reproject::Method::Bilinear), Some(0.5))
    );
    for line in [
        "msm_os delete -b ocean --all",
        "msm_os delete -b ocean -v tos --time 1978..",
    ] {
        let (_kept, line) = configured(line, file);
        assert!(
            matches!(parsed(&line, &[]), CommandLine::Command(_)),
            "{line}"
        );
    }
    // What the line itself lacks is told.
    let (_kept, line) = configured("msm_os send", file);
    let message = wrong(&line, &[]);
    assert!(
        message.contains("--filepaths") && message.contains("--bucket"),
        "{message}"
    );
}

#[test]
fn what_is_set_for_a_send_counts_for_its_plan() {
    let file = "codec = \"zstd:1\"\n[send]\nprefix = \"sent\"\nkeep_undo = 3\nverify = \"none\"\n[plan]\nverify = \"etag\"\nrate = \"1M\"\n\
                [update]\nkeep_undo = 9\n";
    let (_kept, line) = configured("msm_os plan -f a.nc -b ocean", file);
    let CommandLine::Command(Invocation(command, ..)) = parsed(&line, &[]) else {
        panic!("{line} is no command");
    };
    let args::Command::Plan(plan) = *command else {
        panic!("{line} is no plan");
    };
    let files = &plan.send.files;
    assert_eq!(files.store.prefix.as_deref(), Some("sent"));
    assert_eq!(
        (files.keep_undo, plan.rate),
        (3, Some(RateArg::Stated(1 << 20)))
    );
    assert_eq!(files.verify, Verification::Etag);
    let text = plan.line.join(std::ffi::OsStr::new(" "));
    let text = text.to_string_lossy();
    assert!(text.contains("--codec=zstd:1") && text.contains("--prefix=sent"));
    // Of another command it does not.
    let (_kept, line) = configured("msm_os update -f a.nc -b ocean --show-config", file);
    assert!(!shown(&line, &[]).contains("sent"));
}

#[test]
fn values_that_make_no_sense_are_told_with_where_they_are_from() {
    let (_kept, line) = configured("msm_os send -f a.nc -b ocean", "\nverify = \"half\"\n");
    let message = wrong(&line, &[]);
    assert!(
        message.contains("'half'") && message.ends_with("ocean.toml, line 2"),
        "{message}"
    );
    let message = wrong("msm_os send -f a.nc -b ocean", &[("MSM_OS_VERIFY", "half")]);
    assert!(
        message.ends_with("--verify is from: environment, MSM_OS_VERIFY"),
        "{message}"
    );
    // Nothing of that where it is the line's own.
    let message = wrong(
        "msm_os send -f a.nc -b ocean --verify half",
        &[("MSM_OS_CODEC", "none")],
    );
    assert!(!message.contains("is from"), "{message}");
    let message = wrong(
        "msm_os send -f a.nc -b ocean",
        &[("MSM_OS_RESUME", "perhaps")],
    );
    assert_eq!(
        message,
        "MSM_OS_RESUME is 'perhaps': expected true or 1, or false or 0"
    );
}

#[test]
fn a_file_is_read_whole_and_its_faults_are_told_with_their_lines() {
    let told = |text: &str| {
        let problems = config::settings_of(Path::new("x"), text, &built(), "send").unwrap_err();
        let told = problems.iter().map(ToString::to_string);
        told.collect::<Vec<_>>().join("; ")
    };
    for (text, expected) in [
        (
            "bukcet = \"x\"",
            "line 1, column 1: unknown key 'bukcet': no command has a flag --bukcet (did you mean 'bucket'?)",
        ),
        (
            "\n[send]\nolder = \"7days\"",
            "line 3, column 1: unknown key 'older': send has no flag --older",
        ),
        (
            "[sned]\n",
            "line 1, column 2: there is no command 'sned' (did you mean 'send'?)",
        ),
        (
            "config = \"y\"",
            "line 1, column 1: unknown key 'config': no command has a flag --config",
        ),
        (
            "resume = \"yes\"",
            "line 1, column 10: resume: expected true or false, found the text \"yes\"",
        ),
        (
            "codec = true",
            "line 1, column 9: codec: expected a text or a number, found true",
        ),
        (
            "codec = [\"a\"]",
            "line 1, column 9: codec: expected a text or a number, found a list",
        ),
        (
            "append_dim = \"t\"\nappend-dim = \"u\"",
            "line 2, column 1: --append_dim is set twice, here and in line 1",
        ),
        (
            "[list]\nbrief = 1\n[du]\njsn = true",
            "line 2, column 9: brief: expected true or false, found 1; line 4, column 1: unknown key 'jsn': du has no flag --jsn (did you mean 'json'?)",
        ),
        ("bucket = ", "line 1, column 10: no TOML"),
        (
            "verify = \"none\"\n[verify]\nmemory = \"2G\"\n",
            "line 2, column 2: no TOML: duplicate key; [verify] is the table of the command verify, and so the flag --verify has to stand in \
             the tables",
        ),
        (
            "log = \"off\"\nlog = \"off\"\n",
            "line 2, column 1: no TOML: duplicate key",
        ),
        (
            "list = 4",
            "line 1, column 1: list is a command; its settings go into a table [list]",
        ),
        (
            "[[list]]\nbrief = true",
            "line 1, column 3: list is a command; its settings go into a table [list]",
        ),
        (
            "[[verify]]\nbrief = true",
            "line 1, column 3: verify is a command; its settings go into a table [verify]",
        ),
        (
            "chunk_strategy = {y=1}",
            "line 1, column 18: chunk_strategy: expected JSON as a text, such as '{\"y\": 100}', found a table",
        ),
        (
            "[send.shards]\ny = 1",
            "line 1, column 1: shards: expected JSON as a text",
        ),
        (
            "prefix = {y=1}",
            "line 1, column 10: prefix: expected a text or a number, found a table",
        ),
        (
            "[man]\n",
            "line 1, column 2: the command 'man' takes no settings",
        ),
    ] {
        let told = told(text);
        assert!(told.starts_with(expected), "{text}: {told}");
    }
    // Also those of other commands' tables.
    let (_kept, line) = configured("msm_os list -b ocean", "[send]\nx = 1");
    assert!(wrong(&line, &[]).contains("ocean.toml, line 2, column 1"));
    assert!(wrong("msm_os list -b x --config /none/such.toml", &[]).contains("/none/such.toml"));
}

#[test]
fn each_setting_is_shown_with_where_it_came_from() {
    let file = "verify = \"etag\"\nstore = \"x\"\n";
    let (kept, line) = configured("msm_os send -b ocean -f a.nc --resume --show-config", file);
    let environment = [("MSM_OS_VARIABLES", "tos sos"), ("MSM_OS_PREFIX", "T1y")];
    let text = shown(&line, &environment);
    let path = kept.path().join("ocean.toml");
    let lines: Vec<String> = { text.lines() }
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect();
    let by_file = format!("verify = \"etag\" # {}, line 1", path.display());
    let left = format!(
        "# store of {}, line 2 is left aside: --prefix is given",
        path.display()
    );
    for expected in [
        "[send]",
        "bucket = \"ocean\" # flag",
        "filepaths = [\"a.nc\"] # flag",
        "variables = [\"tos\", \"sos\"] # environment, MSM_OS_VARIABLES",
        &by_file,
        "resume = true # flag",
        "share = false # default",
        "lock-wait = \"120s\" # default",
        "keep-undo = 1 # default",
        "# codec = # not set",
        &left,
    ] {
        assert!(
            lines.iter().any(|line| line == expected),
            "{expected}\n{text}"
        );
    }
    // Also where flags are missing.
    assert!(shown("msm_os send --show-config", &[]).contains("\n# bucket = "));
    let environment = [("MSM_OS_CONFIG", path.to_str().unwrap())];
    let named = shown("msm_os list --show-config", &environment);
    assert!(named.contains("# environment, MSM_OS_CONFIG\n"), "{named}");
    // A value that makes no sense is told.
    assert!(wrong("msm_os send --show-config --verify half", &[]).contains("half"));
    // No secret.
    let hidden = shown(
        "msm_os list --show-config -b ocean -p https://me:HUSH@host/x",
        &[],
    );
    assert!(
        hidden.contains("# prefix = \"https://****@host/x\""),
        "{hidden}"
    );
    assert!(!hidden.contains("HUSH"), "{hidden}");
}

/// Where a line goes: bucket, prefix or store.
fn place(line: &str, environment: Set<'_>) -> Result<String, String> {
    match parsed(line, environment) {
        CommandLine::Command(Invocation(command, ..)) => {
            let (store, to) = match *command {
                args::Command::Delete(args) => (args.store, None),
                args::Command::Copy(args) => (args.store, Some((args.to_bucket, args.to))),
                _ => panic!("{line}"),
            };
            if let Some((bucket, to)) = to {
                let bucket = bucket.map(|bucket| bucket.to_string());
                return Ok(format!("{bucket:?} {to:?}"));
            }
            let bucket = store.bucket.to_string();
            let bucket = bucket.trim_start_matches("s3://").trim_end_matches('/');
            Ok(match (store.prefix, store.store) {
                (Some(prefix), None) => format!("{bucket} prefix {prefix}"),
                (None, Some(store)) => format!("{bucket} store {store}"),
                _ => bucket.to_owned(),
            })
        }
        CommandLine::Answer(answer) => panic!("{}", answer.text()),
        CommandLine::Wrong(failure) => Err(failure.to_string()),
    }
}

const RUN7: Set<'static> = &[("MSM_OS_BUCKET", "s3://other/run7")];
const BOTH: Set<'static> = &[
    ("MSM_OS_BUCKET", "s3://ocean/run7"),
    ("MSM_OS_PREFIX", "T1y"),
];
const REFUSED: &str = "'run7' in the bucket, but --prefix says 'T1y'";
// The line, the environment, the file: where it goes, or why not.
const CASES: [(&str, Set<'static>, &str, Result<&str, &str>); 21] = [
    ("", RUN7, "", Ok("other prefix run7")),
    ("-b ocean", RUN7, "", Ok("ocean")),
    ("-b ocean -p T1y", RUN7, "", Ok("ocean prefix T1y")),
    ("-b s3://ocean/T1m", RUN7, "", Ok("ocean prefix T1m")),
    ("-p T1y", RUN7, "", Ok("other prefix T1y")),
    ("--store a", RUN7, "", Ok("other store a")),
    ("-b ocean", &[], "bucket = 's3://other/run7'", Ok("ocean")),
    (
        "",
        &[("MSM_OS_BUCKET", "ocean")],
        "bucket = 's3://other/run7'",
        Ok("ocean"),
    ),
    (
        "",
        &[],
        "bucket = 's3://other/a.zarr'\n[delete]\nbucket = 'ocean'",
        Ok("ocean"),
    ),
    (
        "",
        &[("MSM_OS_STORE", "a")],
        "bucket = 's3://other/run7'",
        Ok("other store a"),
    ),
    // One source says two things.
    ("", BOTH, "", Err(REFUSED)),
    (
        "",
        &[],
        "bucket = 's3://ocean/run7'\nprefix = 'T1y'",
        Err(REFUSED),
    ),
    (
        "",
        &[],
        "prefix = 'T1y'\nbucket = 's3://ocean/run7'",
        Err(REFUSED),
    ),
    (
        "",
        &[],
        "[delete]\nprefix = 'T1y'\nbucket = 's3://ocean/run7'",
        Err(REFUSED),
    ),
    (
        "",
        &[],
        "store = 'T1y'\nbucket = 's3://ocean/run7'",
        Err("but --store says 'T1y'"),
    ),
    (
        "",
        &[],
        "prefix = 'run7/'\nbucket = 's3://ocean/run7'",
        Ok("ocean prefix run7/"),
    ),
    // Which of them is meant, a source that comes before says.
    ("-p x", BOTH, "", Ok("ocean prefix x")),
    ("-b s3://x/y", BOTH, "", Ok("x prefix y")),
    // The table comes before what is for all, the environment before both.
    (
        "",
        &[],
        "bucket = 's3://ocean/run7'\n[delete]\nprefix = 'T1y'",
        Ok("ocean prefix T1y"),
    ),
    (
        "",
        &[],
        "prefix = 'T1y'\n[delete]\nbucket = 's3://ocean/run7'",
        Ok("ocean prefix run7"),
    ),
    ("", RUN7, "prefix = 'T1y'\n", Ok("other prefix run7")),
];

#[test]
fn a_place_never_outlives_its_bucket() {
    let delete = "msm_os delete --all";
    for (typed, environment, file, expected) in CASES {
        let line = format!("{delete} {typed}");
        let (_kept, line) = configured(line.trim_end(), file);
        let found = place(&line, environment);
        match expected {
            Ok(expected) => assert_eq!(found.as_deref(), Ok(expected), "{line} {file}"),
            Err(expected) => {
                let found = found.unwrap_err();
                assert!(found.contains(expected), "{line} {file}: {found}");
            }
        }
    }
}

#[test]
fn a_bucket_that_is_named_again_does_not_widen_what_is_changed() {
    let c3: Set<'_> = &[("MSM_OS_BUCKET", "s3://ocean/c3")];
    let store: Set<'_> = &[("MSM_OS_BUCKET", "s3://ocean/c.zarr")];
    let apart: Set<'_> = &[
        ("MSM_OS_BUCKET", "ocean"),
        ("MSM_OS_TO_BUCKET", "s3://ocean/c3"),
    ];
    for (line, environment, advice) in [
        ("delete --all -b ocean", c3, "--prefix c3"),
        ("delete --all --dry-run -b s3://ocean", c3, "--prefix c3"),
        ("delete -v tos -b ocean", store, "--store c.zarr"),
        ("send -f a.nc -b ocean", c3, "--prefix c3"),
        ("plan -f a.nc -b ocean", c3, "--prefix c3"),
        ("copy -p a --to-bucket ocean", apart, "--to c3"),
    ] {
        let told = wrong(&format!("msm_os {line}"), environment);
        assert!(
            told.contains(advice) && told.contains("s3://ocean/"),
            "{told}"
        );
    }
    // Of two sources that are not the line, too.
    let (_kept, line) = configured("msm_os delete --all", "bucket = 's3://ocean/c3'");
    let told = wrong(&line, &[("MSM_OS_BUCKET", "ocean")]);
    assert!(told.contains("line 1"), "{told}");
    let delete = "msm_os delete --all";
    for (typed, expected) in [
        ("-b s3://ocean/", "ocean"),
        ("-b ocean -p T1y", "ocean prefix T1y"),
        ("-b s3://ocean/T1y", "ocean prefix T1y"),
        ("-b oceans", "oceans"),
    ] {
        let found = place(&format!("{delete} {typed}"), c3);
        assert_eq!(found.as_deref(), Ok(expected), "{typed}");
    }
    // What is only read is what was asked for.
    let list = parsed("msm_os list -b ocean", c3);
    assert!(matches!(list, CommandLine::Command(_)));
}

#[test]
fn what_a_place_gives_way_to_is_told() {
    let delete = "msm_os delete --all";
    let told = wrong(delete, BOTH);
    for origin in [
        "(environment, MSM_OS_BUCKET)",
        "(environment, MSM_OS_PREFIX)",
    ] {
        assert!(told.contains(origin), "{told}");
    }
    // The other bucket of a copy.
    let to: Set<'_> = &[("MSM_OS_TO_BUCKET", "s3://other/run7")];
    for (line, expected) in [
        (
            "msm_os copy -b a -p q",
            r#"Some("s3://other") Some("run7")"#,
        ),
        (
            "msm_os copy -b a -p q --to_bucket ocean",
            r#"Some("s3://ocean") None"#,
        ),
        (
            "msm_os copy -b a -p q --to x",
            r#"Some("s3://other") Some("x")"#,
        ),
    ] {
        assert_eq!(place(line, to).as_deref(), Ok(expected), "{line}");
    }
    let two: Set<'_> = &[to[0], ("MSM_OS_TO", "x")];
    assert!(wrong("msm_os copy -b a -p q", two).contains("--to says 'x'"));
    // Without its store, a command would be for the whole bucket.
    for store in [
        ("MSM_OS_BUCKET", "s3://ocean/a.zarr"),
        ("MSM_OS_STORE", "a.zarr"),
    ] {
        let told = wrong(
            "msm_os copy -b ocean -v tos --to x",
            &[store, ("MSM_OS_STORE", "a.zarr")],
        );
        assert!(told.contains("--store is from"), "{told}");
    }
    let told = wrong(
        "msm_os copy -v tos --to x",
        &[("MSM_OS_BUCKET", "s3://ocean/a.zarr")],
    );
    assert!(
        told.contains("--store is from: environment, MSM_OS_BUCKET"),
        "{told}"
    );
    // What was left aside is shown.
    for (typed, why) in [
        ("-b ocean", "--bucket is given"),
        ("-p T1y", "--prefix is given"),
    ] {
        let text = shown(&format!("{delete} --show-config {typed}"), RUN7);
        let line = format!(
            "# prefix of environment, MSM_OS_BUCKET is left aside: it is 'run7' in s3://other, and {why}\n"
        );
        assert!(text.contains(&line), "{text}");
    }
}

#[test]
fn what_is_shown_can_be_read() {
    let values = |text: &str| -> Vec<String> {
        let lines = text
            .lines()
            .map(|line| line.split("  # ").next().unwrap_or_default());
        let lines = lines.filter(|line| !line.starts_with('#'));
        lines.map(|line| line.trim_end().to_owned()).collect()
    };
    let file = "log = \"warn\"\nmax_rate = \"1M\"\nappend_dim = \"t\"\n";
    for line in [
        "send -b s3://ocean/T1y -f a.nc b.nc -v tos --resume",
        "send -b ocean -f a.nc --static -r --bbox=-20,0,20,40",
        "update -b ocean -f a\u{7f}\"'.nc",
        "verify -b ocean --static",
        "delete -b ocean --all",
        "delete -b ocean -v tos --time 1978..",
        "copy -b ocean -p q --to-bucket s3://other/run7",
        "rechunk -b ocean -p q --to x",
        "report a.json b.json",
        "recover -b ocean --truncate",
        "man send",
        "completions bash",
        "list -p https://me:HUSH@host/x",
    ] {
        let (_kept, typed) = configured(&format!("msm_os {line} --show-config"), file);
        let text = shown(&typed, &[]);
        let verb = line.split(' ').next().unwrap();
        let (_kept, again) = configured(&format!("msm_os {verb} --show-config"), &text);
        assert_eq!(values(&shown(&again, &[])), values(&text), "{line}");
    }
    for command in built()
        .get_subcommands()
        .filter(|command| command.get_name() != "help")
    {
        let line = format!("msm_os {} --show-config", command.get_name());
        let text = shown(&line, &[]);
        let (_kept, again) = configured(&line, &text);
        assert_eq!(values(&shown(&again, &[])), values(&text), "{line}");
    }
}

#[test]
fn no_secret_is_told() {
    let list = "msm_os list -b ocean";
    let (_kept, by_file) = configured(list, "endpoint_url = \"http://u:HUSH@h\"");
    let (_kept2, wrong_type) = configured(list, "anonymous = \"http://u:HUSH@h\"");
    let url = "http://u:HUSH@h";
    for (line, environment) in [
        (format!("{list} --endpoint-url {url}"), &[][..]),
        (format!("{list} --endpoint-url={url} --json"), &[]),
        (list.to_owned(), &[("MSM_OS_ENDPOINT_URL", url)]),
        (list.to_owned(), &[("MSM_OS_ANONYMOUS", url)]),
        (
            list.to_owned(),
            &[("MSM_OS_BUCKET", "x"), ("MSM_OS_MAX_RATE", url)],
        ),
        (
            "msm_os list".to_owned(),
            &[("MSM_OS_BUCKET", "s3://u:HUSH@ocean/T1y")],
        ),
        ("msm_os list -b s3://u:HUSH@ocean/T1y".to_owned(), &[]),
        ("msm_os list -b s3://u:HUSH@ocean/T1y -p x".to_owned(), &[]),
        (format!("msm_os {url}"), &[]),
        (by_file, &[]),
        (wrong_type, &[]),
    ] {
        let told = wrong(&line, environment);
        assert!(
            !told.contains("HUSH") && told.contains("****@"),
            "{line}: {told}"
        );
    }
}

#[test]
fn a_variable_that_is_no_text_is_named() {
    use std::os::unix::ffi::OsStringExt;
    let odd = || OsString::from_vec(b"T1\xff".to_vec());
    let told = |line: &str, variable: &str| {
        let line = line.split(' ').map(OsString::from);
        match parse_among(line, &|name| (name == variable).then(odd)) {
            CommandLine::Wrong(failure) => failure.to_string(),
            _ => String::new(),
        }
    };
    for (variable, flag) in [
        ("MSM_OS_PREFIX", "--prefix"),
        ("MSM_OS_VARIABLES", "--variables"),
    ] {
        let told = told("msm_os list -b ocean", variable);
        assert!(told.contains(variable) && told.contains(flag), "{told}");
    }
    assert_eq!(told("msm_os list -b ocean -p x", "MSM_OS_PREFIX"), "");
    assert_eq!(told("msm_os list -b ocean", "MSM_OS_CREDENTIALS"), "");
}

#[test]
fn what_is_for_the_shell_takes_no_settings() {
    let environment = [
        ("MSM_OS_CONFIG", "/none/such.toml"),
        ("MSM_OS_LOG", "?"),
        ("MSM_OS_OUT", "/none/such"),
    ];
    for line in [
        "msm_os completions bash",
        "msm_os man",
        "msm_os man send",
        "msm_os help exit-codes",
        "msm_os help send",
        "msm_os send --help",
    ] {
        assert!(shown(line, &environment).len() > 100, "{line}");
    }
    assert!(!variables(&built()).contains_key("MSM_OS_OUT"));
}

#[test]
fn no_flag_has_the_variable_of_something_else() {
    let all = variables(&built());
    assert!(all.len() > 50);
    for name in all.keys() {
        let is_taken = name.starts_with("MSM_OS_TEST_") || name.ends_with("_SEEDS");
        assert!(!is_taken, "{name} is the tests' own");
    }
}
