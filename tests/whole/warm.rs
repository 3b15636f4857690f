//! Python scripts, run in forks of an interpreter that has imported the readers already (`tests/python/warm.py`): one for each of
//! the environments, as long as the tests run.
//!
//! Key function: [`end_warm`].

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::{SocketAddr, UnixStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::support::{Ended, script};

/// Those that were started: by the path of the Python, the name of the socket. They end when this process does.
static STARTED: Mutex<BTreeMap<OsString, (String, Child)>> = Mutex::new(BTreeMap::new());

/// As [`crate::support::end`] for a command that is a Python and a script of it.
#[track_caller]
pub fn end_warm(command: &Command) -> Ended {
    let begun = Instant::now();
    let files = tempfile::tempdir().unwrap();
    let [out, err] = ["out", "err"].map(|name| files.path().join(name));
    let mut request = Vec::new();
    let mut add = |word: &[u8]| {
        request.extend_from_slice(word);
        request.push(0);
    };
    for file in [&out, &err] {
        std::fs::write(file, "").unwrap();
        add(file.as_os_str().as_bytes());
    }
    add(command.get_envs().len().to_string().as_bytes());
    for (name, value) in command.get_envs() {
        add(&[name.as_bytes(), b"=", value.unwrap().as_bytes()].concat());
    }
    for word in command.get_args() {
        add(word.as_bytes());
    }
    let address = SocketAddr::from_abstract_name(socket_of(command.get_program().into()));
    let mut connection = UnixStream::connect_addr(&address.unwrap()).unwrap();
    connection.write_all(&request).unwrap();
    connection.shutdown(std::net::Shutdown::Write).unwrap();
    let mut code = String::new();
    connection.read_to_string(&mut code).unwrap();
    let text = |file| String::from_utf8_lossy(&std::fs::read(file).unwrap()).into_owned();
    Ended {
        code: code.parse().unwrap_or(-1),
        stdout: text(out),
        stderr: text(err),
        elapsed: begun.elapsed(),
    }
}

/// The socket on which this Python takes scripts.
fn socket_of(python: OsString) -> String {
    let mut started = STARTED.lock().unwrap_or_else(PoisonError::into_inner);
    let name = format!("msm-os-tests-{}-{}", std::process::id(), started.len());
    let (name, _) = started.entry(python).or_insert_with_key(|python| {
        let mut command = Command::new(python);
        command.arg(script("warm.py")).arg(&name);
        // Threads do not outlive a fork; and a fork inherits the files that other tests are writing just then, with their locks.
        command.env("OPENBLAS_NUM_THREADS", "1");
        command.env("HDF5_USE_FILE_LOCKING", "FALSE");
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut said = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut said)
            .unwrap();
        assert_eq!(said, "listening\n");
        (name, child)
    });
    name.clone()
}
