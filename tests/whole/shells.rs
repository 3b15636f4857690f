//! Completions in the shells that they are for, and man pages by the programs that show them.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::line::msm_os;
use crate::support::{Ended, Sandbox, end};

/// Writes the completions for `shell` to the sandbox.
fn completions(sandbox: &Sandbox, shell: &str, name: &str) -> String {
    let script = msm_os!("completions {shell}").well().stdout;
    sandbox.private(name, &script)
}

fn run(program: &str, args: &[&str]) -> Ended {
    let mut command = Command::new("timeout");
    command.args(["60", program]).args(args);
    end(command)
}

#[test]
fn bash_completes() {
    let sandbox = Sandbox::new();
    let script = completions(&sandbox, "bash", "msm_os.bash");
    let complete = r#"
        source "$0"
        COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
        "$(complete -p msm_os | sed 's/.*-F \([^ ]*\) .*/\1/')" msm_os "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        printf '%s\n' "${COMPREPLY[@]}""#;
    let completed = |words: &[&str]| {
        let args = [&["--norc", "-c", complete, &script, "msm_os"], words].concat();
        let ended = run("bash", &args).well();
        assert_eq!(ended.stderr, "");
        ended.stdout.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(completed(&["se"]), ["send"]);
    assert_eq!(
        completed(&["send", "--verify", ""]),
        ["full", "etag", "server", "none"]
    );
    assert_eq!(completed(&["send", "--ver"]), ["--verify"]);
    assert_eq!(completed(&["rechunk", "-zv", ""]), ["2", "3"]);
    assert_eq!(
        completed(&["completions", ""])
            .join(" ")
            .matches("fish")
            .count(),
        1
    );
}

#[test]
fn fish_completes() {
    let sandbox = Sandbox::new();
    let script = completions(&sandbox, "fish", "msm_os.fish");
    let completed = |line: &str| {
        let code = format!("source {script}; complete -C '{line}'");
        let ended = run("fish", &["--no-config", "-c", &code]).well();
        assert_eq!(ended.stderr, "");
        let lines = ended.stdout.lines();
        let words = lines.map(|line| line.split('\t').next().unwrap().to_owned());
        words.collect::<Vec<_>>()
    };
    assert_eq!(completed("msm_os se"), ["send"]);
    let mut choices = completed("msm_os send --verify ");
    choices.sort();
    assert_eq!(choices, ["etag", "full", "none", "server"]);
    assert_eq!(completed("msm_os send --ver"), ["--verify"]);
    let mut versions = completed("msm_os rechunk -zv ");
    versions.sort();
    assert_eq!(versions, ["2", "3"]);
}

#[test]
fn zsh_completes() {
    let sandbox = Sandbox::new();
    completions(&sandbox, "zsh", "_msm_os");
    // An interactive shell on a terminal of its own, which is typed at; Control-G tells what the line has become.
    let session = r#"
        zmodload zsh/zpty
        typed() { zpty -n -w shell "$1"; sleep 0.1 }
        awaited() { local told; zpty -r -m shell told "*$1*" || exit 3; print -r -- "$told" }
        zpty shell "TERM=dumb PS1='' zsh -f -i"
        zpty -w shell "fpath=($1 \$fpath); autoload -Uz compinit; compinit -u -d $1/dump; zstyle ':completion:*' verbose no"
        zpty -w shell "tell() { print -r -- \"line=\$BUFFER.\"; BUFFER= }; zle -N tell; bindkey '^G' tell; print rea''dy"
        awaited ready
        typed $'msm_os se\t\a'; awaited 'line=*.'
        typed $'msm_os send --ver\t\a'; awaited 'line=*.'
        typed $'msm_os send --verify \t\a'; awaited 'line=*.'
        zpty -d shell
    "#;
    let ended = run("zsh", &["-f", "-c", session, "zsh", &sandbox.file("")]).well();
    ended.says(&["line=msm_os send .", "line=msm_os send --verify=."]);
    let choices = ended
        .stdout
        .rsplit("line=msm_os send --verify=.")
        .next()
        .unwrap()
        .to_owned();
    for choice in ["full", "etag", "server", "none"] {
        assert!(choices.contains(choice), "{choice}: {ended:#?}");
    }
}

#[test]
fn man_pages_are_whole() {
    let sandbox = Sandbox::new();
    let pages = sandbox.file("man1");
    msm_os!("man --out {pages}").well().says(&["man pages in"]);
    let written: Vec<PathBuf> = { std::fs::read_dir(&pages).unwrap() }
        .map(|entry| entry.unwrap().path())
        .collect();
    let send = Path::new(&pages).join("msm_os-send.1");
    assert!(
        written.contains(&send) && written.contains(&send.with_file_name("msm_os.1")),
        "{written:?}"
    );
    let names: Vec<&str> = written.iter().map(|path| path.to_str().unwrap()).collect();
    let set = run(
        "groff",
        &[&["-man", "-Kutf8", "-ww", "-Tutf8", "-z"], &names[..]].concat(),
    )
    .well();
    assert_eq!(set.stderr, "");
    let lint = run(
        "mandoc",
        &[&["-T", "lint", "-W", "error"], &names[..]].concat(),
    );
    assert_eq!(lint.stdout, "");
    assert_eq!(
        msm_os!("man send").well().stdout,
        std::fs::read_to_string(&send).unwrap()
    );
    let shown = run(
        "groff",
        &[
            "-man",
            "-Kutf8",
            "-Tutf8",
            "-P-cbou",
            send.to_str().unwrap(),
        ],
    )
    .well();
    shown.says(&[
        "msm_os-send(1)",
        "FILES AND STORES",
        "--filepaths",
        "msm_os help exit-codes",
    ]);
    msm_os!("man snd").alone().refused(2, &["'snd'"]);
}
