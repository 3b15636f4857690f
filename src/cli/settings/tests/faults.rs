//! What is wrong in settings, and where it is from.

use super::*;

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
    // Commands that have it write files as well.
    assert_eq!(
        variables(&built())["MSM_OS_OUT"].1,
        ["quicklook", "page", "report"]
    );
}
