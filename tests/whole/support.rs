//! Running the program, and looking at what it left behind.
//!
//! Key types: [`Sandbox`], a directory with source files and buckets; [`Ended`], a run.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use nemo_like::Spec;
use s3_server::{Config, Server};
use tempfile::TempDir;

use crate::line::words;
use crate::warm::end_warm;

/// No run of the tests takes this long; one that does hangs.
const LIMIT_SECONDS: &str = "120";

/// A run that ended.
#[derive(Debug)]
pub struct Ended {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
    pub elapsed: Duration,
}

impl Ended {
    /// The run, if it went well.
    #[track_caller]
    pub fn well(self) -> Self {
        assert_eq!(self.code, 0, "{self:#?}");
        self
    }

    /// It ended with this code, and standard error holds each of these words.
    #[track_caller]
    pub fn refused(&self, code: i32, words: &[&str]) -> &Self {
        assert_eq!(self.code, code, "{self:#?}");
        self.warns(words)
    }

    /// Standard error holds each of these words.
    #[track_caller]
    pub fn warns(&self, words: &[&str]) -> &Self {
        for word in words {
            assert!(self.stderr.contains(word), "'{word}': {self:#?}");
        }
        self
    }

    /// Only rank 0 says why it failed, once, and whether trying again can help, unless it is the command line that makes no sense.
    #[track_caller]
    pub fn speaks_once(&self) {
        let lines = self.stderr.lines();
        // What lasts is said with its time.
        let is_progress = |line: &str| {
            line.split(' ')
                .next()
                .is_some_and(|time| time.ends_with('Z'))
        };
        let said = lines.filter_map(|line| line.strip_prefix("msm_os: "));
        let said: Vec<&str> = said.filter(|line| !is_progress(line)).collect();
        let is_of_line = self.code == 2;
        match said[..] {
            [_, advice] => assert!(advice.contains("trying again"), "{self:#?}"),
            [_] if is_of_line => {}
            _ => panic!("{self:#?}"),
        }
    }

    /// Standard output holds each of these words.
    #[track_caller]
    pub fn says(&self, words: &[&str]) -> &Self {
        for word in words {
            assert!(self.stdout.contains(word), "'{word}': {self:#?}");
        }
        self
    }

    /// It shows no secret of the tests.
    #[track_caller]
    pub fn hushed(&self) {
        let shown = format!("{}{}", self.stdout, self.stderr);
        for secret in ["test-secret", "test-session", "HUSH"] {
            assert!(!shown.contains(secret), "{self:#?}");
        }
    }
}

/// A directory with source files and buckets, gone at the end of the test.
pub struct Sandbox {
    root: TempDir,
}

impl Sandbox {
    pub fn new() -> Self {
        Self {
            root: tempfile::tempdir().unwrap(),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// The same as a text.
    pub fn file(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }

    /// A file of so many months of 1976, from this one on, with the name NEMO gives it.
    pub fn months(&self, from: u32, count: usize) -> String {
        self.source(&Spec {
            steps: count,
            start: format!("1976-{from:02}-01").parse().unwrap(),
            ..Spec::default()
        })
    }

    /// A generated source file with the name NEMO gives it.
    pub fn source(&self, spec: &Spec) -> String {
        self.source_called(&nemo_like::file_name(spec), spec)
    }

    pub fn source_called(&self, name: &str, spec: &Spec) -> String {
        let path = self.path(name);
        quietly(|| nemo_like::write(&path, spec).unwrap());
        path.to_str().unwrap().to_owned()
    }

    /// The URL of a directory in it.
    pub fn url(&self, name: &str) -> String {
        format!("file://{}", self.path(name).display())
    }

    /// A credentials file for `server`.
    pub fn credentials(&self, server: &Server) -> String {
        self.credentials_with("test-key", "test-secret", &server.endpoint())
    }

    pub fn credentials_with(&self, token: &str, secret: &str, endpoint: &str) -> String {
        let text = format!(
            r#"{{"token": "{token}", "secret": "{secret}", "endpoint_url": "{endpoint}"}}"#
        );
        self.private("credentials.json", &text)
    }

    /// A copy of `file` with some of its steps, as `tests/python/cut.py` makes it.
    #[track_caller]
    pub fn cut(&self, file: &str, name: &str, steps: &str, options: &str) -> String {
        let copy = self.file(name);
        let args = [file, &copy, steps].map(str::to_owned);
        python_runs(&script("cut.py"), &[&args[..], &words(options)].concat());
        copy
    }

    /// A copy of `file`, changed by `edit`.
    pub fn edited(
        &self,
        file: &str,
        name: &str,
        edit: impl Fn(&mut netcdf::FileMut) + Send + Sync,
    ) -> String {
        let copy = self.file(name);
        std::fs::copy(file, &copy).unwrap();
        quietly(|| edit(&mut netcdf::append(&copy).unwrap()));
        copy
    }

    /// Unpacks one of `tests/data/archives`, and names the directory `name`.
    pub fn unpack(&self, archive: &str, name: &str) {
        let packed = format!(
            "{}/tests/data/archives/{archive}.tar.gz",
            env!("CARGO_MANIFEST_DIR")
        );
        let mut tar = Command::new("tar");
        tar.args(["xzf", &packed, "-C"]).arg(self.path(""));
        end(tar).well();
        std::fs::rename(self.path(archive), self.path(name)).unwrap();
    }

    /// Stock Python readers find in the store at this path exactly what netCDF4 reads from `files`; several are parted by
    /// commas.
    #[track_caller]
    pub fn reads_back(&self, stores: &str, files: &[impl AsRef<OsStr>]) {
        let paths: Vec<String> = stores.split(',').map(|store| self.file(store)).collect();
        reads_back(&paths.join(","), None, files);
    }

    /// A file that only its owner may read, as files with secrets should be.
    pub fn private(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Every file below a directory in it, by its path there.
    pub fn tree(&self, name: &str) -> BTreeMap<String, Vec<u8>> {
        let mut files = BTreeMap::new();
        let root = self.path(name);
        collect(&root, &root, &mut files);
        files
    }

    /// The same without ledgers, which tell how a store came to be.
    pub fn stores(&self, name: &str) -> BTreeMap<String, Vec<u8>> {
        without_ledgers(self.tree(name))
    }
}

/// Runs `work` on one thread for all tests: the NetCDF library keeps HDF5 from printing its errors only on the thread
/// that uses it first.
pub fn quietly<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    static THREAD: LazyLock<rayon::ThreadPool> = LazyLock::new(|| {
        rayon::ThreadPoolBuilder::new()
            .num_threads(1)
            .build()
            .unwrap()
    });
    THREAD.install(work)
}

fn collect(root: &Path, directory: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return;
    };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, files);
        } else {
            let key = path
                .strip_prefix(root)
                .unwrap()
                .to_str()
                .unwrap()
                .to_owned();
            files.insert(key, std::fs::read(&path).unwrap());
        }
    }
}

/// `objects` without those of ledgers, which tell how a store came to be.
pub fn without_ledgers(mut objects: BTreeMap<String, Vec<u8>>) -> BTreeMap<String, Vec<u8>> {
    objects.retain(|key, _| !key.contains(".msm-os/"));
    objects
}

/// What lies in the bucket of `server`.
pub fn objects(server: &Server) -> BTreeMap<String, Vec<u8>> {
    let objects = server.objects("ocean").into_iter();
    objects.map(|(key, bytes)| (key, bytes.to_vec())).collect()
}

/// No transaction has not ended, no job holds a store, and nothing else is in the ledgers but of what is committed.
#[track_caller]
pub fn is_tidy(server: &Server) {
    let keys = objects(server).into_keys();
    let left: Vec<String> = keys.filter(|key| is_in_the_way(key)).collect();
    assert!(left.is_empty(), "{left:#?}");
}

/// Is this a key of a ledger that should not be there when no job runs?
pub fn is_in_the_way(key: &str) -> bool {
    let of_ledger = key.split_once(".msm-os/").map(|(_, below)| below);
    of_ledger.is_some_and(|below| {
        let kept = [
            "last.json",
            "transactions/",
            "manifests/",
            "undo/",
            "additions/",
        ];
        let place = below.split_once(".zarr/").map(|(_, place)| place);
        !place.is_some_and(|place| kept.iter().any(|kept| place.starts_with(kept)))
    })
}

pub fn server() -> Server {
    Server::start(Config::default()).unwrap()
}

/// A sandbox, a server, and what names its bucket on a command line.
pub fn served() -> (Sandbox, Server, String) {
    let (sandbox, server) = (Sandbox::new(), server());
    let bucket = format!("-b ocean -c {}", sandbox.credentials(&server));
    (sandbox, server, bucket)
}

/// The command that runs the program without a launcher.
pub fn alone_command(args: &[&str]) -> Command {
    let mut command = command(&[env!("CARGO_BIN_EXE_msm_os")], args);
    without_daemon(&mut command);
    // No ways to other ranks are looked for, either.
    command
        .env("OMPI_MCA_pml", "ob1")
        .env("OMPI_MCA_btl", "self");
    command
}

/// Lets a program that is started without a launcher, or those that it starts one after the other, start no `orted`: more than half of
/// the time that a short run takes. It keeps its files apart, for all such programs would have the same.
pub fn without_daemon(command: &mut Command) {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let base = format!(
        "{}/mpi/{}-{count}",
        env!("CARGO_TARGET_TMPDIR"),
        std::process::id()
    );
    command
        .env("OMPI_MCA_ess_singleton_isolated", "1")
        .env("OMPI_MCA_orte_tmpdir_base", base);
}

/// The program on `ranks` ranks.
pub fn on_ranks(ranks: usize, args: &[&str]) -> Ended {
    end(ranks_command(ranks, args))
}

/// The command that runs the program on `ranks` ranks; they may be more than there are cores.
pub fn ranks_command(ranks: usize, args: &[&str]) -> Command {
    let ranks = ranks.to_string();
    let mpirun = [
        "mpirun",
        "-n",
        &ranks,
        "--oversubscribe",
        "--bind-to",
        "none",
        env!("CARGO_BIN_EXE_msm_os"),
    ];
    command(&mpirun, args)
}

/// Variables that would lead the program, or TLS, elsewhere.
const ELSEWHERE: [&str; 24] = [
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_ENDPOINT_URL",
    "AWS_ENDPOINT_URL_S3",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_PROFILE",
    "AWS_CA_BUNDLE",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
    "AWS_ROLE_SESSION_NAME",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "ALL_PROXY",
    "all_proxy",
    "NO_PROXY",
    "no_proxy",
    "SSL_CERT_FILE",
];

/// A command under a time limit, to which the environment of the tests gives no credentials.
pub fn command(program: &[&str], args: &[&str]) -> Command {
    let mut command = Command::new("timeout");
    command
        .args(["--kill-after", "5", LIMIT_SECONDS])
        .args(program)
        .args(args);
    command
        .env("OMPI_ALLOW_RUN_AS_ROOT", "1")
        .env("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1");
    for name in ELSEWHERE {
        command.env_remove(name);
    }
    // Nor flags: what tests set besides is theirs.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("MSM_OS_") && !name.starts_with("MSM_OS_TEST_") {
            command.env_remove(&*name);
        }
    }
    // Not those in the home directory of whoever runs the tests.
    command
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("MSM_OS_TEST_SMALL_TRANSACTIONS", "true");
    command.stdin(Stdio::null());
    command
}

pub fn end(mut command: Command) -> Ended {
    let begun = Instant::now();
    // A child inherits the files that other tests are writing just then, with their locks.
    command.env("HDF5_USE_FILE_LOCKING", "FALSE");
    let output = command.output().unwrap();
    Ended {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: without_silence(&String::from_utf8_lossy(&output.stderr)),
        elapsed: begun.elapsed(),
    }
}

/// Without the lines that only say that nothing was said for long: on a machine that has much to do any command may write them.
fn without_silence(stderr: &str) -> String {
    let is_kept = |line: &&str| !line.contains("Z at work for ");
    stderr.split_inclusive('\n').filter(is_kept).collect()
}

/// The Python of `make test`'s environment.
pub fn python() -> PathBuf {
    python_of("tests/.venv")
}

/// The Python of one of `make test`'s environments.
pub fn python_of(environment: &str) -> PathBuf {
    let python = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(environment)
        .join("bin/python");
    assert!(
        python.exists(),
        "{} is missing: run `make python` first",
        python.display()
    );
    python
}

/// Stock Python readers find in `store` exactly what netCDF4 reads from `files`.
#[track_caller]
pub fn reads_back(store: &str, server: Option<&Server>, files: &[impl AsRef<OsStr>]) {
    let mut command = Command::new(python());
    command
        .arg(script("read_back.py"))
        .args([store, "time_counter"])
        .args(files);
    if let Some(server) = server {
        command
            .env("ENDPOINT", server.endpoint())
            .env("ACCESS_KEY", "test-key")
            .env("SECRET_KEY", "test-secret");
    }
    end_warm(&command).well();
}

/// The three real months, from the package `iris-sample-data`.
pub fn real_months() -> Vec<String> {
    let find = "import iris_sample_data, os; print(os.path.join(iris_sample_data.path, 'NEMO'))";
    let mut command = Command::new(python());
    command.args(["-c", find]);
    let directory = end(command).well().stdout.trim().to_owned();
    let months = [
        "20150101-20150201",
        "20150201-20150301",
        "20150301-20150401",
    ];
    months
        .map(|month| format!("{directory}/nemo_1m_{month}_grid-T.nc"))
        .to_vec()
}

/// A script of `tests/python`.
pub fn script(name: &str) -> PathBuf {
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python");
    scripts.join(name)
}

/// The source file of a year, 1976 to 1978, from which `tests/data/archives` were made.
pub fn input(year: u32) -> String {
    let archives = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/archives");
    format!("{archives}/inputs/eORCA025_1y_grid_T_{year}-{year}.nc")
}

/// Runs Python code with `args`.
#[track_caller]
pub fn python_code(code: &str, args: &[impl AsRef<OsStr>]) -> Ended {
    let mut command = Command::new(python());
    command.args(["-c", code]).args(args);
    end(command).well()
}

/// Runs a Python script with `args`.
#[track_caller]
pub fn python_runs(script: &Path, args: &[impl AsRef<OsStr>]) -> Ended {
    let mut command = Command::new(python());
    command.arg(script).args(args);
    end_warm(&command).well()
}

/// Two files, one after the other in time, with every type, layout and filter.
#[track_caller]
pub fn every_kind(sandbox: &Sandbox) -> [String; 2] {
    let files = ["first.nc", "second.nc"].map(|name| sandbox.file(name));
    python_runs(&script("every_kind.py"), &files);
    files
}
