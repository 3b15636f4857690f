//! Places that go with their buckets.

use super::*;

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
