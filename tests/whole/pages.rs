//! Every block of commands in the pages is run, line by line, in a directory with a server: the pages say in comments what is
//! there, and of a block that cannot be run why not. A line ends with 0, or as it says: `# code 25`.

mod text;

use std::path::Path;
use std::process::Command;

use s3_server::{Config, Server};

use self::text::{Block, Kind, Step, commands, steps};
use crate::support::{Ended, Sandbox, command, end, input, python, without_daemon};

/// How the pages on archives of other tools say where the archive is.
const PLACES: [&str; 2] = [
    "-b eorca025 -c credentials.json",
    "-c credentials.json -b eorca025",
];

/// A test for each of these pages, so that they are run side by side, and their names.
macro_rules! pages {
    ($($test:ident: $page:literal,)*) => {
        const PAGES: &[&str] = &[$($page),*];
        $(#[test] fn $test() { run($page); })*
    };
}

pages! {
    readme: "README.md",
    contributing: "CONTRIBUTING.md",
    security: "SECURITY.md",
    slurm: "slurm/README.md",
    appending: "docs/appending.md",
    chunking: "docs/chunking.md",
    for_who_comes_from_oceandatastore: "docs/coming-from-oceandatastore.md",
    for_who_comes_from_the_python_msm_os: "docs/coming-from-python-msm-os.md",
    conditional_writes: "docs/conditional-writes.md",
    copying: "docs/copying.md",
    fixing: "docs/fixing.md",
    installing: "docs/installing.md",
    job_arrays: "docs/job-arrays.md",
    looking: "docs/looking.md",
    opening: "docs/open.md",
    about_an_archive: "docs/page.md",
    operations: "docs/operations.md",
    performance: "docs/performance.md",
    quick_start: "docs/quick-start.md",
    rechunking: "docs/rechunking.md",
    recipe: "docs/recipe.md",
    reprojection: "docs/reprojection.md",
    runbook: "docs/runbook.md",
    sending: "docs/sending.md",
    user_guide: "docs/user-guide.md",
}

/// Those that have no test of their own, one after the other: no page is left out.
#[test]
fn other_pages() {
    let entries = std::fs::read_dir(top().join("docs")).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let pages = names.map(|name| format!("docs/{name}"));
    let is_page = |page: &String| Path::new(page).extension().is_some_and(|end| end == "md");
    for page in pages.filter(is_page) {
        if !PAGES.contains(&&*page) {
            run(&page);
        }
    }
}

/// Runs what the page has to run, in order.
fn run(page: &str) {
    let text = std::fs::read_to_string(top().join(page)).unwrap();
    let mut stage = None;
    for step in steps(&text) {
        match step {
            Step::Archive(name) => stage = Some(Stage::with_archive(name)),
            Step::Sandbox => stage = Some(Stage::new()),
            Step::Unseen(line) => stage.get_or_insert_with(Stage::new).ends_well(line, page),
            Step::Block(block) => {
                let place = format!("{page}:{}", block.line);
                stage.get_or_insert_with(Stage::new).runs(&block, &place);
            }
        }
    }
}

/// Where the commands of a page are run.
struct Stage {
    sandbox: Sandbox,
    server: Server,
    /// The lines with `export` so far.
    exports: String,
    /// What takes the place of the bucket and its credentials where an archive lies in a directory.
    place: Option<String>,
}

impl Stage {
    /// A directory with the files of three years, a server, and its credentials in a file.
    fn new() -> Self {
        let sandbox = Sandbox::new();
        for year in 1976..1979 {
            let file = input(year);
            let name = Path::new(&file).file_name().unwrap().to_str().unwrap();
            std::fs::copy(&file, sandbox.path(name)).unwrap();
        }
        let server = Server::start(Config {
            buckets: ["ocean", "eorca025", "archive"].map(str::to_owned).to_vec(),
            ..Config::default()
        });
        let server = server.unwrap();
        sandbox.credentials(&server);
        std::fs::create_dir_all(sandbox.path("target/release")).unwrap();
        let program = sandbox.path("target/release/msm_os");
        std::os::unix::fs::symlink(env!("CARGO_BIN_EXE_msm_os"), program).unwrap();
        Self {
            sandbox,
            server,
            exports: String::new(),
            place: None,
        }
    }

    /// The same, and one of `tests/data/archives` in a directory.
    fn with_archive(name: &str) -> Self {
        let mut stage = Self::new();
        stage.sandbox.unpack(name, "ocean");
        stage.place = Some(format!("-b '{}'", stage.sandbox.url("ocean")));
        stage
    }

    fn runs(&mut self, block: &Block<'_>, place: &str) {
        match block.kind {
            Kind::Shell => {
                for line in commands(&block.lines) {
                    self.ends_well(&line, place);
                }
            }
            Kind::Python => {
                let code = block.lines.join("\n");
                let ended = end(self.command(&[python().to_str().unwrap(), "-c", &code]));
                assert_eq!(ended.code, 0, "{place}: {code}: {ended:#?}");
            }
            Kind::Usage => self.knows(block, place),
        }
    }

    /// The line ends with the code that it says, 0 if it says none.
    fn ends_well(&mut self, line: &str, place: &str) {
        if line.starts_with("export ") {
            self.exports.push_str(line);
            self.exports.push('\n');
            return;
        }
        let (typed, code) = line.split_once("# code ").unwrap_or((line, "0"));
        let here = self.sandbox.path(".").display().to_string();
        // No page writes outside of the sandbox, nor reads there.
        let mut typed = typed.replace("file:///", &format!("file://{here}/"));
        typed = typed.replace("'/archive/", &format!("'{here}/archive/"));
        if let Some(archive) = &self.place {
            let said = PLACES.iter().find(|said| typed.contains(*said));
            typed = typed.replace(said.expect("a place"), archive);
        }
        let ended = self.ended(&typed);
        assert_eq!(
            ended.code.to_string(),
            code.trim(),
            "{place}: {line}: {ended:#?}"
        );
    }

    fn ended(&self, typed: &str) -> Ended {
        let mut shell = self.command(&["bash", "-c", &format!("{}{typed}", self.exports)]);
        if !typed.contains("mpirun") {
            without_daemon(&mut shell);
        }
        end(shell)
    }

    /// The program's help has every flag that the block names.
    fn knows(&self, block: &Block<'_>, place: &str) {
        let verb = block.lines[0].split(' ').nth(1).unwrap();
        let help = self.ended(&format!("msm_os {verb} --help")).well().stdout;
        let text = block.lines.join(" ");
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-'));
        for flag in words.filter(|word| word.starts_with("--") && word.len() > 2) {
            assert!(help.contains(flag), "{place}: {verb} has no {flag}: {help}");
        }
    }

    /// A command in the sandbox that finds the programs, and the server by the environment.
    fn command(&self, typed: &[&str]) -> Command {
        let programs = Path::new(env!("CARGO_BIN_EXE_msm_os")).parent().unwrap();
        assert!(
            programs.join("nemo-like").exists(),
            "run `make build` first"
        );
        let venv = python().parent().unwrap().display().to_string();
        let path = std::env::var("PATH").unwrap();
        let mut command = command(&typed[..1], &typed[1..]);
        command
            .current_dir(self.sandbox.path("."))
            .env("PATH", format!("{}:{venv}:{path}", programs.display()))
            .env("AWS_ENDPOINT_URL", self.server.endpoint())
            .env("AWS_ACCESS_KEY_ID", "test-key")
            .env("AWS_SECRET_ACCESS_KEY", "test-secret")
            // More ranks than there are cores.
            .env("OMPI_MCA_rmaps_base_oversubscribe", "1")
            .env("OMPI_MCA_hwloc_base_binding_policy", "none");
        command
    }
}

fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
