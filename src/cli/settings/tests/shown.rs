//! What is shown of settings: where each came from, and no secret.

use super::*;

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
fn no_flag_has_the_variable_of_something_else() {
    let all = variables(&built());
    assert!(all.len() > 50);
    for name in all.keys() {
        let is_taken = name.starts_with("MSM_OS_TEST_") || name.ends_with("_SEEDS");
        assert!(!is_taken, "{name} is the tests' own");
    }
}
