//! `credential_process` of an AWS profile: a program that prints keys, as the AWS tools define it.
//!
//! Key type: [`KeysOfProcess`]. No shell is asked, and no error shows what the program printed, or with which arguments it ran.

use std::fmt;
use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant, SystemTime};

use serde::Deserialize;

use super::settings::key;
use crate::store::{KeySource, TemporaryKeys};

/// How long the program may take: before a job, and in it, where leases end after 50 s without keys.
const LIMITS: [Duration; 2] = [Duration::from_secs(60), Duration::from_secs(20)];
/// From one look whether it has ended to the next.
const LOOK: Duration = Duration::from_millis(10);
/// The most bytes that it may print.
const MOST: u64 = 64 << 10;

/// Keys that a program prints.
pub(super) struct KeysOfProcess {
    /// What messages call it.
    name: String,
    words: Vec<String>,
    limits: [Duration; 2],
    /// Has it given keys already?
    has_given: AtomicBool,
}

/// What it prints.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Printed {
    version: u64,
    access_key_id: String,
    secret_access_key: String,
    session_token: Option<String>,
    expiration: Option<String>,
}

impl KeysOfProcess {
    /// What `command` prints, which the profile of this name has. It is taken apart as a shell does, and nothing in it replaced.
    ///
    /// # Errors
    /// If it is no command.
    pub(super) fn new(profile: &str, command: &str) -> Result<Self, String> {
        let words =
            shlex::split(command).ok_or("credential_process has a quote without its end")?;
        let program = words.first().ok_or("credential_process is empty")?;
        Ok(Self {
            name: format!("AWS profile '{profile}': credential_process {program}"),
            words,
            limits: LIMITS,
            has_given: AtomicBool::new(false),
        })
    }

    fn limit(&self) -> Duration {
        let [first, later] = self.limits;
        if self.has_given.load(Ordering::Relaxed) {
            later
        } else {
            first
        }
    }

    /// Runs it. What it says on standard error goes to ours.
    fn run(&self) -> Result<Vec<u8>, String> {
        let (program, args) = self.words.split_first().ok_or("is empty")?;
        let begun = Instant::now();
        let mut child = Command::new(program)
            .args(args)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .map_err(|cause| format!("cannot be started: {cause}"))?;
        let ended = self.wait(&mut child, begun);
        if !matches!(ended, Ok((_, status)) if status.is_some()) {
            // It may have ended by itself meanwhile.
            let _ = child.kill();
            let _ = child.wait();
        }
        match ended? {
            (printed, Some(status)) if status.success() => Ok(printed),
            (_, Some(status)) => Err(match status.code() {
                Some(code) => format!("ended with code {code}"),
                None => format!("ended by a signal ({status})"),
            }),
            (_, None) => Err(format!("took longer than {} s", self.limit().as_secs())),
        }
    }

    /// What it prints, and how it ends; `None` if that takes too long.
    fn wait(
        &self,
        child: &mut Child,
        begun: Instant,
    ) -> Result<(Vec<u8>, Option<ExitStatus>), String> {
        let printed = printed_by(child)?;
        let left = || self.limit().saturating_sub(begun.elapsed());
        let Ok(printed) = printed.recv_timeout(left()) else {
            return Ok((Vec::new(), None));
        };
        let printed = printed.map_err(|cause| format!("cannot be read: {cause}"))?;
        loop {
            let status = child.try_wait();
            let status = status.map_err(|cause| format!("cannot be waited for: {cause}"))?;
            if status.is_some() || left().is_zero() {
                return Ok((printed, status));
            }
            std::thread::sleep(LOOK);
        }
    }
}

/// What it prints, once that is all. It is read on a thread: a program of the program may hold the pipe for ever.
fn printed_by(child: &mut Child) -> Result<Receiver<std::io::Result<Vec<u8>>>, String> {
    let (send, receive) = channel();
    let pipe = child.stdout.take().ok_or("has no output")?;
    let read = move || {
        let mut printed = Vec::new();
        let read = pipe.take(MOST).read_to_end(&mut printed);
        // Nobody may wait for it any more.
        let _ = send.send(read.map(|_| printed));
    };
    let thread = std::thread::Builder::new().name("keys".to_owned());
    thread.spawn(read).map_err(|cause| cause.to_string())?;
    Ok(receive)
}

impl KeySource for KeysOfProcess {
    fn name(&self) -> &str {
        &self.name
    }

    fn keys(&self) -> Result<TemporaryKeys, String> {
        let printed = self.run().and_then(|printed| parse(&printed));
        if printed.is_ok() {
            self.has_given.store(true, Ordering::Relaxed);
        }
        printed.map_err(|problem| {
            format!(
                "{} {problem}; run it by hand to see what it prints",
                self.name
            )
        })
    }
}

impl fmt::Debug for KeysOfProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeysOfProcess({})", self.name)
    }
}

fn parse(printed: &[u8]) -> Result<TemporaryKeys, String> {
    // The error of the parser may quote what it read.
    let Ok(printed) = serde_json::from_slice::<Printed>(printed) else {
        return Err(
            "printed something else than JSON with Version, AccessKeyId and SecretAccessKey"
                .to_owned(),
        );
    };
    if printed.version != 1 {
        return Err(format!(
            "printed keys of Version {}; expected 1",
            printed.version
        ));
    }
    let session = printed.session_token.as_deref();
    let until = printed.expiration.as_deref().map(time).transpose()?;
    Ok(TemporaryKeys {
        token: key("AccessKeyId", &printed.access_key_id)?,
        secret: key("SecretAccessKey", &printed.secret_access_key)?,
        session: session
            .map(|value| key("SessionToken", value))
            .transpose()?,
        until,
    })
}

fn time(text: &str) -> Result<SystemTime, String> {
    let time = chrono::DateTime::parse_from_rfc3339(text.trim());
    time.map(SystemTime::from).map_err(|_| {
        "printed an Expiration that is no time such as 2026-11-27T12:00:00Z".to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(command: &str) -> KeysOfProcess {
        KeysOfProcess::new("lab", command).unwrap()
    }

    fn prints(text: &str) -> Result<TemporaryKeys, String> {
        process(&format!("printf '%s' '{text}'")).keys()
    }

    #[test]
    fn what_a_program_may_print() {
        let keys = prints(
            r#"{"Version": 1, "AccessKeyId": "id", "SecretAccessKey": "s/+=", "SessionToken": "x",
                "Expiration": "2026-11-27T13:00:00+01:00", "AccountId": "1"}"#,
        );
        let keys = keys.unwrap();
        assert_eq!((&keys.token[..], &keys.secret[..]), ("id", "s/+="));
        assert_eq!(keys.session.as_deref(), Some("x"));
        let until = humantime::parse_rfc3339("2026-11-27T12:00:00Z").unwrap();
        assert_eq!(keys.until, Some(until));
        let keys = prints(r#"{"Version": 1, "AccessKeyId": "id", "SecretAccessKey": "s"}"#);
        let keys = keys.unwrap();
        assert_eq!((keys.session, keys.until), (None, None));
    }

    #[test]
    fn what_is_refused_without_showing_it() {
        for (text, word) in [
            ("HUSH", "something else than JSON"),
            ("{\"Version\": 1, \"AccessKeyId\": \"HUSH\"}", "expected"),
            (
                r#"{"Version": 2, "AccessKeyId": "HUSH", "SecretAccessKey": "HUSH"}"#,
                "Version 2",
            ),
            (
                r#"{"Version": 1, "AccessKeyId": "HU SH", "SecretAccessKey": "HUSH"}"#,
                "'AccessKeyId' has white space",
            ),
            (
                r#"{"Version": 1, "AccessKeyId": "a", "SecretAccessKey": "HUSH", "Expiration": "HUSH"}"#,
                "no time",
            ),
        ] {
            let error = prints(text).unwrap_err();
            let word = word.replace("expected", "SecretAccessKey");
            assert!(error.contains(&word), "{error}");
            assert!(
                error.contains("'lab'") && !error.contains("HUSH"),
                "{error}"
            );
        }
    }

    #[test]
    fn how_a_program_may_end() {
        let refusal = |command: &str| {
            let error = process(command).keys().unwrap_err();
            assert!(
                error.contains("'lab'") && !error.contains("HUSH"),
                "{error}"
            );
            error
        };
        assert!(refusal("sh -c 'exit 3' HUSH").contains("ended with code 3"));
        assert!(refusal("sh -c 'kill -9 $$'").contains("signal"));
        assert!(refusal("/nowhere/helper HUSH").contains("cannot be started"));
        let slow = KeysOfProcess {
            limits: [Duration::from_millis(200), Duration::from_mins(1)],
            ..process("sleep 60")
        };
        let begun = Instant::now();
        assert!(slow.keys().unwrap_err().contains("took longer"));
        let limits = [Duration::from_mins(1), Duration::from_millis(200)];
        let once = r#"sh -c 'test -e "$0" && exec sleep 60; : > "$0"; echo "$1"'"#;
        let given = tempfile::tempdir().unwrap();
        let given = given.path().join("given");
        let keys = r#"{"Version": 1, "AccessKeyId": "id", "SecretAccessKey": "s"}"#;
        let slow = KeysOfProcess {
            limits,
            ..process(&format!("{once} {} '{keys}'", given.display()))
        };
        assert!(slow.keys().is_ok());
        let late = slow.keys().unwrap_err();
        assert!(late.contains("took longer"), "{late}");
        assert!(begun.elapsed() < Duration::from_secs(20));
        // Nothing is a shell's.
        let error = refusal("echo $HOME > /nowhere");
        assert!(error.contains("something else than JSON"), "{error}");
        assert!(KeysOfProcess::new("lab", "a 'b").is_err());
        assert!(KeysOfProcess::new("lab", " ").is_err());
    }
}
