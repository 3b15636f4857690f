//! What comes before what: the line, the environment, the file, defaults; and what is left aside.

use super::*;

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
