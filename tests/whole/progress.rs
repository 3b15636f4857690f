//! How far work is, on a terminal, in a batch log, and for programs; what lasts is said while it lasts; a signal is answered at once.
//!
//! Key types: [`Slow`], an archive to send to a server that takes its time; [`Session`], what came to a terminal.

use std::collections::BTreeSet;
use std::num::NonZeroU16;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use nemo_like::{Spec, Variable};
use rustix::process::Signal;
use s3_server::{Fault, Rule, Server};
use serde::Deserialize;

use crate::line::{Line, msm_os};
use crate::processes;
use crate::support::{Ended, Sandbox, end, is_tidy, python, script, served};

/// What lets tests start MPI without a launcher sooner than users do.
const ISOLATED: &str = "OMPI_MCA_ess_singleton_isolated";
/// The part of keys that those of data have.
const DATA: &str = "tos/c/";

/// An archive of 72 objects with data, and a server.
struct Slow {
    sandbox: Sandbox,
    server: Server,
    line: Line,
    bucket: String,
}

impl Slow {
    /// PUTs of data take so long.
    fn new(delay: Duration) -> Self {
        let slow = Self::fast();
        let put = Rule::new(Fault::Delay(delay))
            .method("PUT")
            .key_contains(DATA);
        slow.server.faults().add(put);
        slow
    }

    fn fast() -> Self {
        let (sandbox, server, bucket) = served();
        let file = sandbox.source(&Spec {
            variables: vec![Variable::Tos],
            steps: 72,
            ..Spec::default()
        });
        let bucket = format!("{bucket} -p T1m");
        let line = msm_os!("send -f {file} {bucket} -cs {{\"time_counter\":1}}");
        Self {
            sandbox,
            server,
            line,
            bucket,
        }
    }

    fn start(&self, ranks: usize, more: &str) -> Child {
        let mut command = self.line.and(more).command(ranks);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    /// Waits until so many data objects are asked for.
    fn wait_for_puts(&self, count: usize) {
        let begun = Instant::now();
        let is_put =
            |request: &&s3_server::Request| request.method == "PUT" && request.key.contains(DATA);
        while self.server.log().iter().filter(is_put).count() < count {
            assert!(begun.elapsed() < Duration::from_secs(60), "nothing is put");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

/// What came to a terminal.
#[derive(Debug, Deserialize)]
struct Session {
    code: i32,
    /// With the columns that the terminal had then.
    output: Vec<(u16, String)>,
    /// Of each step, the seconds until something came after it.
    answers: Vec<f64>,
    /// The seconds from the last step to the end, if nothing came in between.
    ended: Option<f64>,
}

impl Session {
    /// That of `line` on a terminal of 80 columns, where these `steps` are taken.
    #[track_caller]
    fn of(line: &Line, steps: &str) -> Self {
        Self::of_command(&line.command(1), steps)
    }

    #[track_caller]
    fn of_command(program: &Command, steps: &str) -> Self {
        let mut command = Command::new(python());
        command.arg(script("terminal.py")).args(["80", steps]);
        command.arg(program.get_program()).args(program.get_args());
        for (name, value) in program.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        serde_json::from_str(&end(command).well().stdout).unwrap()
    }

    /// The rows of the screen after each piece of output, with the columns that it had, drawn on one that is wide enough for everything:
    /// what is too long for the terminal is seen to be.
    fn screens(&self) -> Vec<(u16, Vec<String>)> {
        let [rows, columns] = [60, 500].map(|size| NonZeroU16::new(size).unwrap());
        let mut screen = vt100::Parser::new(rows, columns, 0);
        let drawn = self.output.iter().map(|(columns, piece)| {
            screen.process(piece.as_bytes());
            // The terminal shows that Ctrl-C was typed.
            let rows = screen
                .screen()
                .rows(0, 500)
                .map(|row| row.replace("^C", ""));
            (*columns, rows.filter(|row| !row.is_empty()).collect())
        });
        drawn.collect()
    }

    /// The rows that are there at the end, on a screen that is no wider than the terminal.
    fn last_screen(&self) -> Vec<String> {
        let size = |columns: u16| [24, columns].map(|size| NonZeroU16::new(size).unwrap());
        let [rows, columns] = size(80);
        let mut screen = vt100::Parser::new(rows, columns, 0);
        for (columns, piece) in &self.output {
            let [rows, columns] = size(*columns);
            screen.screen_mut().set_size(rows, columns);
            screen.process(piece.as_bytes());
        }
        screen.screen().rows(0, 80).collect()
    }
}

/// Is this a row with a bar, or what is left of one?
fn is_bar(row: &str) -> bool {
    !row.starts_with("msm_os: ") && !row.contains("stores,") && row.contains(" %")
}

#[test]
fn the_bar_fits_into_the_terminal_and_is_gone_at_the_end() {
    let slow = Slow::new(Duration::from_millis(2500));
    // Half of the objects are on their way at first, and there at once.
    let steps = r#"[
        {"text": " left", "seconds": 0.3, "columns": 60},
        {"text": "sending", "seconds": 0.4, "columns": 40},
        {"text": "sending", "seconds": 0.4, "type": "\u0003"}
    ]"#;
    let session = Session::of(&slow.line, steps);
    assert_eq!(session.code, 44, "{session:#?}");
    let screens = session.screens();
    let mut widths = BTreeSet::new();
    let mut before = 80;
    for (columns, rows) in &screens {
        let bars: Vec<&String> = rows.iter().filter(|row| is_bar(row)).collect();
        assert!(bars.len() <= 1, "{rows:#?}");
        for bar in bars {
            // What was drawn while the window changed may come after that.
            let widest = before.max(*columns);
            assert!(bar.len() < usize::from(widest), "{columns}: {bar}");
            widths.insert(*columns);
        }
        before = *columns;
    }
    assert_eq!(widths, BTreeSet::from([40, 60, 80]), "{session:#?}");
    let wide = screens.iter().flat_map(|(_, rows)| rows);
    assert!(
        wide.clone()
            .any(|row| row.contains("[=") && row.ends_with(" left")),
        "{session:#?}"
    );
    let (_, last) = screens.last().unwrap();
    let left = session.last_screen();
    for rows in [last, &left] {
        assert!(!rows.iter().any(|row| is_bar(row)), "{rows:#?}");
    }
    let said = |row: &&String| row.contains(" stopping: ");
    let stopping = last.iter().find(said).unwrap();
    assert!(
        stopping.ends_with(" objects in flight; Ctrl-C again to leave the rest to recover"),
        "{stopping}"
    );
    // What is typed is echoed first.
    assert!(session.answers[2] < 1.0, "{session:#?}");
    is_tidy(&slow.server);
}

#[test]
fn the_second_ctrl_c_ends_the_process_and_recover_heals_what_it_leaves() {
    let slow = Slow::new(Duration::from_secs(20));
    let steps = r#"[
        {"text": "sending", "seconds": 0.3, "type": "\u0003"},
        {"text": "recover", "seconds": 0.8, "type": "\u0003"}
    ]"#;
    // MPI is started as users start it, with what it puts into the environment then.
    let mut program = slow.line.command(1);
    program.env_remove(ISOLATED);
    let session = Session::of_command(&program, steps);
    assert_eq!(session.code, 44, "{session:#?}");
    let said: String = session.output.iter().map(|(_, said)| &**said).collect();
    let answer = " objects in flight; Ctrl-C again to leave the rest to recover";
    assert!(said.contains(answer), "{session:#?}");
    for told in [
        "a second Ctrl-C ended the run where it was",
        "or recover, brings it to its end; trying again can help: it heals what was left first",
    ] {
        assert!(said.contains(told), "{session:#?}");
    }
    let answered = session.answers.get(1).copied().or(session.ended).unwrap();
    assert!(answered < 5.0, "{session:#?}");
    slow.server.faults().clear();
    let bucket = &slow.bucket;
    msm_os!("recover {bucket}").well().warns(&["rolled back"]);
    is_tidy(&slow.server);
}

/// The lines with a time, without it.
fn timed(stderr: &str) -> Vec<&str> {
    let lines = stderr
        .lines()
        .filter_map(|line| line.strip_prefix("msm_os: "));
    let lines = lines.filter_map(|line| line.split_once(' '));
    let is_time = |time: &str| time.len() == 20 && time.ends_with('Z');
    lines
        .filter(|(time, _)| is_time(time))
        .map(|(_, line)| line)
        .collect()
}

#[test]
fn under_mpirun_lines_come_after_2_and_5_seconds() {
    let slow = Slow::new(Duration::from_millis(3000));
    let ended = end(slow.line.command(2)).well();
    let lines = timed(&ended.stderr);
    let sending: Vec<&&str> = lines
        .iter()
        .filter(|line| line.contains(": sending: "))
        .collect();
    assert!((2..=3).contains(&sending.len()), "{ended:#?}");
    for line in sending {
        for part in [
            "1976-01-16 12:00:00 to 1981-12-16 12:00:00: sending: ",
            " %, ",
            " of 80 objects, ",
            "B/s over the last ",
        ] {
            assert!(line.contains(part), "{part}: {ended:#?}");
        }
    }
    assert!(
        !ended.stderr.contains('\r') && !ended.stderr.contains('\u{1b}'),
        "{ended:#?}"
    );
}

#[test]
fn a_server_that_stalls_is_told_of_and_so_is_its_return() {
    let slow = Slow::fast();
    // All that is asked for at once waits, and then is answered.
    let stall = Rule::new(Fault::Delay(Duration::from_millis(7500)));
    slow.server.faults().add(stall.key_contains(DATA).times(32));
    let ended = end(slow.line.command(1)).well();
    let lines = timed(&ended.stderr);
    let is_told = |start: &str, part: &str| {
        let told = |line: &&str| line.starts_with(start) && line.contains(part);
        assert!(lines.iter().any(told), "{start}: {ended:#?}");
    };
    is_told(
        "no answer from the server for 5 s, since ",
        "requests in flight, the oldest ",
    );
    is_told("the server answers again after ", " s");
}

#[test]
fn requests_that_are_made_again_are_told_of_when_it_lasts_as_events_that_fit_their_schema() {
    let slow = Slow::fast();
    let busy = Rule::new(Fault::Status(503))
        .method("PUT")
        .key_contains(DATA);
    slow.server.faults().add(busy);
    let child = slow.start(1, "--progress json");
    slow.wait_for_puts(1);
    std::thread::sleep(Duration::from_secs(4));
    slow.server.faults().clear();
    // So that the command is there still when it is seen that the server answers.
    let late = Rule::new(Fault::Delay(Duration::from_millis(500))).method("PUT");
    slow.server.faults().add(late.key_contains(DATA));
    let Output { status, stderr, .. } = child.wait_with_output().unwrap();
    assert!(status.success());
    let file = slow.sandbox.path("events");
    std::fs::write(&file, &stderr).unwrap();
    let mut valid = Command::new(python());
    valid
        .arg(script("valid.py"))
        .args(["--lines", "event-1"])
        .arg(&file);
    end(valid).well();
    let stderr = String::from_utf8(stderr).unwrap();
    let events: Vec<serde_json::Value> = stderr
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let named = |name: &'static str| events.iter().filter(move |event| event["event"] == name);
    for name in [
        "planned",
        "work_begun",
        "progress",
        "work_ended",
        "committed",
        "answers_again",
    ] {
        assert!(named(name).next().is_some(), "{name}: {stderr}");
    }
    // Not a line a request.
    let retrying: Vec<_> = named("retrying").collect();
    assert!((1..=3).contains(&retrying.len()), "{stderr}");
    assert_eq!(retrying[0]["cause"], "503 Service Unavailable");
    assert!(retrying[0]["attempts"].as_u64().unwrap() > 10, "{stderr}");
    assert!(
        !stderr.contains("test-secret") && !stderr.contains("test-key"),
        "{stderr}"
    );
}

#[test]
fn with_progress_none_nothing_is_said_but_the_answer_to_a_signal() {
    let slow = Slow::new(Duration::from_millis(2600));
    let quiet = slow.start(1, "--progress none");
    let Output { status, stderr, .. } = quiet.wait_with_output().unwrap();
    assert!(status.success());
    // Less memory than a rank may have is a message of its own.
    let said = String::from_utf8(stderr).unwrap();
    assert_eq!(timed(&said), [""; 0], "{said}");

    let bucket = &slow.bucket;
    msm_os!("delete --all --yes {bucket}").well();
    let before = slow.server.log().len();
    let stopped = slow.start(2, "--progress none");
    let begun = Instant::now();
    while !slow
        .server
        .log_from(before)
        .iter()
        .any(|seen| seen.method == "PUT" && seen.key.contains(DATA))
    {
        assert!(begun.elapsed() < Duration::from_secs(60), "nothing is put");
        std::thread::sleep(Duration::from_millis(20));
    }
    processes::signal(stopped.id(), Some(1), Signal::TERM);
    let Output { status, stderr, .. } = stopped.wait_with_output().unwrap();
    let stderr = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(44), "{stderr}");
    let lines = timed(&stderr);
    assert!(
        matches!(lines[..], [line] if line.starts_with("stopping: ") && line.ends_with("; what the launcher cuts off is left to recover")),
        "{stderr}"
    );
    is_tidy(&slow.server);
}

/// What a wait for another job's lease looks like stays as it was.
#[test]
fn forms_are_taken_by_every_verb_and_others_are_refused() {
    let sandbox = Sandbox::new();
    let url = sandbox.url("ocean");
    for form in ["bar", "plain", "json", "none"] {
        let ended: Ended = msm_os!("list -b {url} --progress {form}").well();
        assert_eq!(ended.stderr, "", "{form}");
    }
    msm_os!("list -b {url} --progress loud")
        .alone()
        .refused(2, &["loud", "--progress"]);
}
