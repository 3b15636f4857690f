//! What a page has for a test: blocks of commands, and comments that readers do not see.
//!
//! Key types: [`Step`], one after the other; [`Block`].

/// What a page says to do next.
#[derive(Debug, PartialEq, Eq)]
pub enum Step<'a> {
    /// `<!-- archive: NAME -->`: the commands from here on are about one of `tests/data/archives`.
    Archive(&'a str),
    /// `<!-- sandbox -->`: they have an empty directory and a server with empty buckets.
    Sandbox,
    /// `<!-- run: COMMAND -->`: what has to be there for what follows.
    Unseen(&'a str),
    /// Commands, or Python.
    Block(Block<'a>),
}

/// A block of a page that somebody may copy.
#[derive(Debug, PartialEq, Eq)]
pub struct Block<'a> {
    /// Where it begins, counted from 1.
    pub line: usize,
    pub kind: Kind,
    pub lines: Vec<&'a str>,
}

#[derive(Debug, PartialEq, Eq, Clone, Copy)]
pub enum Kind {
    Shell,
    Python,
    /// What can be typed, with brackets and `…`.
    Usage,
}

/// The first words of lines that are commands.
const COMMANDS: [&str; 25] = [
    "msm_os",
    "mpirun",
    "mpiexec",
    "srun",
    "sbatch",
    "nemo-like",
    "export",
    "cargo",
    "make",
    "python",
    "python3",
    "pip",
    "sudo",
    "apt",
    "apt-get",
    "module",
    "spack",
    "apptainer",
    "git",
    "cd",
    "source",
    "chmod",
    "mkdir",
    "cat",
    "aws",
];

/// The steps of a page. A block behind `<!-- not run: WHY -->` is none.
pub fn steps(text: &str) -> Vec<Step<'_>> {
    let lines: Vec<&str> = text.lines().collect();
    let mut steps = Vec::new();
    let mut skipped = false;
    let mut at = 0;
    while at < lines.len() {
        let line = lines[at].trim();
        if let Some(comment) = comment(line) {
            match comment.split_once(": ").unwrap_or((comment, "")) {
                ("archive", name) => steps.push(Step::Archive(name)),
                ("sandbox", _) => steps.push(Step::Sandbox),
                ("run", command) => steps.push(Step::Unseen(command)),
                ("not run", why) => {
                    assert!(!why.is_empty(), "line {}: not run, but why?", at + 1);
                    skipped = true;
                }
                _ => {}
            }
            at += 1;
            continue;
        }
        let (taken, block) = block(&lines, at);
        if let Some(block) = block {
            if !std::mem::take(&mut skipped) {
                steps.push(Step::Block(block));
            }
        } else if taken == 1 && !line.is_empty() {
            assert!(!skipped, "line {}: what is not run?", at + 1);
        }
        at += taken;
    }
    steps
}

fn comment(line: &str) -> Option<&str> {
    Some(line.strip_prefix("<!-- ")?.strip_suffix(" -->")?.trim())
}

/// How many lines from here on belong together, and the block that they are, if it is one to run.
fn block<'a>(lines: &[&'a str], at: usize) -> (usize, Option<Block<'a>>) {
    let line = lines[at];
    if let Some(language) = line.trim_start().strip_prefix("```") {
        let inside = lines[at + 1..]
            .iter()
            .take_while(|line| line.trim() != "```");
        let inside: Vec<&str> = inside.copied().collect();
        let taken = inside.len() + 2;
        let kind = match language {
            "python" => Some(Kind::Python),
            "" | "sh" | "bash" | "console" => kind(&inside),
            _ => None,
        };
        return (taken, made(at + 1, kind, inside));
    }
    let begins = line.starts_with("    ")
        && (at == 0 || lines[at - 1].trim().is_empty() || comment(lines[at - 1].trim()).is_some());
    if !begins {
        return (1, None);
    }
    let inside = lines[at..]
        .iter()
        .take_while(|line| line.starts_with("    "));
    let inside: Vec<&str> = inside.copied().collect();
    let margin = line.len() - line.trim_start().len();
    let cut = inside
        .iter()
        .map(|line| line.get(margin..).unwrap_or(line.trim_start()));
    let cut: Vec<&str> = cut.collect();
    (inside.len(), made(at, kind(&cut), cut))
}

fn made(before: usize, kind: Option<Kind>, lines: Vec<&str>) -> Option<Block<'_>> {
    kind.map(|kind| Block {
        line: before + 1,
        kind,
        lines,
    })
}

fn kind(lines: &[&str]) -> Option<Kind> {
    let is_command = |line: &&&str| {
        line.split(' ')
            .next()
            .is_some_and(|word| COMMANDS.contains(&word))
    };
    if lines
        .iter()
        .any(|line| line.starts_with("import ") || line.starts_with("from "))
    {
        return Some(Kind::Python);
    }
    let first = lines.iter().find(is_command)?;
    let usage = first.starts_with("msm_os ")
        && lines
            .iter()
            .any(|line| line.contains('…') || line.contains("[-"));
    Some(if usage { Kind::Usage } else { Kind::Shell })
}

/// The commands of a block: comments left out, lines that end in a backslash joined with the next.
pub fn commands(lines: &[&str]) -> Vec<String> {
    let mut commands: Vec<String> = Vec::new();
    let mut goes_on = false;
    for line in lines
        .iter()
        .filter(|line| !line.starts_with('#') && !line.trim().is_empty())
    {
        let (text, more) = line
            .strip_suffix('\\')
            .map_or((*line, false), |text| (text, true));
        match commands.last_mut().filter(|_| goes_on) {
            Some(last) => last.push_str(text.trim_start()),
            None => commands.push(text.to_owned()),
        }
        goes_on = more;
    }
    commands
}

#[test]
fn blocks_are_found_and_only_those_that_say_why_are_left_out() {
    let page = "Words.\n\n    msm_os list -b ocean\n    msm_os du -b ocean   # code 1\n\n\
                <!-- run: touch a -->\n1. A list:\n\n       mpirun -n 2 \\\n           msm_os list\n\n\
                <!-- not run: needs root -->\n```sh\nsudo make\n```\n\n```\nmake docs\n```\n\n```toml\nmake = 1\n```\n\n    msm_os du [-b BUCKET]\n\n    a b c\n\n```python\nx = 1\n```\n";
    let steps = steps(page);
    let block = |line, kind, lines: &[&'static str]| {
        Step::Block(Block {
            line,
            kind,
            lines: lines.to_vec(),
        })
    };
    assert_eq!(
        steps,
        [
            block(
                3,
                Kind::Shell,
                &["msm_os list -b ocean", "msm_os du -b ocean   # code 1"]
            ),
            Step::Unseen("touch a"),
            block(9, Kind::Shell, &["mpirun -n 2 \\", "    msm_os list"]),
            block(18, Kind::Shell, &["make docs"]),
            block(25, Kind::Usage, &["msm_os du [-b BUCKET]"]),
            block(30, Kind::Python, &["x = 1"]),
        ]
    );
    let Step::Block(joined) = &steps[2] else {
        panic!("a block");
    };
    assert_eq!(commands(&joined.lines), ["mpirun -n 2 msm_os list"]);
}
