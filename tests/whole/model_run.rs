//! One sequence of commands on a server of its own, with what comes in their way, held against the model after each.
//!
//! Key types: [`Run`], the sequence so far; [`Fault`], what comes in the way of a command.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rustix::process::Signal;
use s3_server::{Fault as Struck, Go, Rule, Server, When};

use crate::model_bucket::{Months, PREFIX, Places};
use crate::model_world::{Command, Outcome, Overlap, Store, World, Write};
use crate::processes;
use crate::support::{Ended, Sandbox, alone_command, end, ranks_command, server};

/// What comes in the way of a command.
#[derive(Clone, Debug)]
pub enum Fault {
    None,
    /// It is killed at its request of this number, before or after that takes effect.
    Kill(u64, bool),
    /// It gets SIGTERM at its request of this number.
    Term(u64),
    /// One request to a key that contains this is refused, after so many.
    Deny(&'static str, u64),
    /// So many requests to a key that contains this find the server busy.
    Busy(&'static str, u64),
    /// Another command runs at the same time.
    Rival(Command),
}

/// A command that ended, and whether what was to come in its way did.
struct Done {
    ended: Ended,
    struck: bool,
}

/// A sequence of commands.
pub struct Run {
    sandbox: Sandbox,
    server: Server,
    places: Places,
    /// What every command is told of new stores.
    settings: Vec<String>,
    compact: bool,
    /// Every state that the stores may have.
    worlds: Vec<World>,
    /// Which stores may have a transaction that has not ended.
    dirty: Vec<bool>,
    /// What was done, and how it ended.
    pub log: Vec<String>,
}

impl Run {
    pub fn new(compact: bool, version: u8, chunk: usize, variables: usize) -> Self {
        let (sandbox, server) = (Sandbox::new(), server());
        sandbox.credentials(&server);
        let places = Places::new(compact, variables);
        let stores = places.stores.len();
        let strategy = format!(r#"{{"time_counter": {chunk}}}"#);
        let settings = ["-cs", &strategy, "-zv", &version.to_string()].map(str::to_owned);
        Self {
            sandbox,
            server,
            places,
            settings: settings.to_vec(),
            compact,
            worlds: vec![vec![Store::default(); stores]],
            dirty: vec![false; stores],
            log: Vec::new(),
        }
    }

    /// The number of stores that there may be.
    pub fn stores(&self) -> usize {
        self.places.stores.len()
    }

    /// A state that the stores may have.
    pub fn world(&self) -> &World {
        &self.worlds[0]
    }

    /// Runs `command` on so many ranks, while `fault` comes in its way.
    ///
    /// # Errors
    /// If it ends otherwise than the model allows, or leaves something else.
    pub fn turn(&mut self, command: &Command, ranks: usize, fault: &Fault) -> Result<(), String> {
        let args = self.line(command);
        let mut told = format!("{} [{ranks} ranks, {fault:?}]", args.join(" "));
        let result = if let Fault::Rival(rival) = fault {
            self.race(command, rival, ranks, &mut told)
        } else {
            let done = self.run(&args, ranks, fault);
            let _ = write!(told, " → {}, struck: {}", done.ended.code, done.struck);
            self.judge(command, fault, &done)
                .map_err(|problem| format!("{problem}\n{}{}", done.ended.stdout, done.ended.stderr))
        };
        self.log.push(told);
        result.map_err(|problem| {
            let keys: Vec<String> = self.server.objects("ocean").into_keys().collect();
            let ledger: Vec<&String> = keys.iter().filter(|k| k.contains(".msm-os/")).collect();
            format!(
                "{}\n{problem}\nthe model has {:?}\nthe ledgers {ledger:#?}",
                self.log.join("\n"),
                self.worlds
            )
        })
    }

    /// Heals what is left, and checks that everything is sound.
    pub fn end(&mut self) -> Result<(), String> {
        if self.dirty.contains(&true) {
            self.turn(&Command::Recover { orphans: true }, 1, &Fault::None)?;
        }
        self.turn(&Command::Verify, 1, &Fault::None)
    }

    /// The command line.
    fn line(&self, command: &Command) -> Vec<String> {
        let mut line: Vec<String> = Vec::new();
        let mut add = |words: &[&str]| line.extend(words.iter().map(|&w| w.to_owned()));
        let place = ["-b", "ocean", "-p", PREFIX];
        let named = |stores: &[usize]| -> Vec<&str> {
            let name = |&store: &usize| {
                if self.compact {
                    "compact"
                } else {
                    self.places.stores[store].1[0]
                }
            };
            [&["-v"], &stores.iter().map(name).collect::<Vec<_>>()[..]].concat()
        };
        match command {
            Command::Write(write) => {
                add(&[if write.update { "update" } else { "send" }]);
                add(&place);
                add(&["-f"]);
                for file in &write.files {
                    add(&[&Months::shared().file(file)]);
                }
                add(&named(&write.stores));
                add(&["--keep-undo", &write.keep.to_string()]);
                add(&[
                    "--transaction",
                    if write.together { "all" } else { "chunk" },
                ]);
                if write.resume {
                    add(&["--resume"]);
                }
                if write.update {
                    if write.appends {
                        add(&["--append-missing"]);
                    }
                } else {
                    let settings: Vec<&str> = self.settings.iter().map(String::as_str).collect();
                    add(&settings);
                    match write.overlap {
                        Overlap::AllOrNothing => {}
                        Overlap::Skip => add(&["--on-overlap", "skip"]),
                        Overlap::Error => add(&["--on-overlap", "error"]),
                        Overlap::Replace => add(&["--on-overlap", "replace"]),
                    }
                    if write.gaps {
                        add(&["--allow-gaps"]);
                    }
                }
            }
            Command::Delete(stores) => {
                add(&["delete", "--yes"]);
                add(&place);
                add(&stores
                    .as_ref()
                    .map_or(vec!["--all"], |stores| named(stores)));
            }
            Command::Rollback(stores) => {
                add(&["rollback"]);
                add(&place);
                add(&stores.as_ref().map_or(Vec::new(), |stores| named(stores)));
            }
            Command::Recover { orphans } => {
                add(&["recover"]);
                add(&place);
                add(if *orphans { &["--orphans"] } else { &[] });
            }
            Command::Verify => {
                add(&["verify"]);
                add(&place);
            }
            Command::List => {
                add(&["list"]);
                add(&place);
            }
        }
        line
    }

    fn command(&self, args: &[String], ranks: usize) -> std::process::Command {
        let credentials = self.sandbox.path("credentials.json");
        let mut args: Vec<&str> = args.iter().map(String::as_str).collect();
        args.extend(["-c", credentials.to_str().unwrap()]);
        let mut command = match ranks {
            1 => alone_command(&args),
            ranks => ranks_command(ranks, &args),
        };
        command.env("HDF5_USE_FILE_LOCKING", "FALSE");
        command
    }

    fn run(&self, args: &[String], ranks: usize, fault: &Fault) -> Done {
        let struck_before = self.server.faults().struck();
        let hit = Arc::new(AtomicBool::new(false));
        let launcher: Arc<OnceLock<u32>> = Arc::default();
        let (number, when, signal) = match *fault {
            Fault::Kill(number, before) => {
                let when = if before { When::Before } else { When::After };
                (number, when, Signal::KILL)
            }
            Fault::Term(number) => (number, When::Before, Signal::TERM),
            _ => (0, When::Before, Signal::KILL),
        };
        match *fault {
            Fault::Deny(key, skip) => {
                let rule = Rule::new(Struck::Status(403)).key_contains(key).skip(skip);
                self.server.faults().add(rule.once());
            }
            Fault::Busy(key, times) => {
                let rule = Rule::new(Struck::Status(503)).key_contains(key);
                self.server.faults().add(rule.times(times));
            }
            _ => {}
        }
        {
            let (hit, launcher) = (Arc::clone(&hit), Arc::clone(&launcher));
            self.server.on_mutation(move |mutation| {
                if (mutation.number, mutation.when) != (number, when) {
                    return Go::On;
                }
                hit.store(true, Ordering::SeqCst);
                processes::signal(*launcher.wait(), None, signal);
                if signal == Signal::KILL {
                    Go::Freeze
                } else {
                    Go::On
                }
            });
        }
        let mut command = self.command(args, ranks);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        launcher.set(child.id()).unwrap();
        let output = child.wait_with_output().unwrap();
        self.server.thaw();
        self.server.on_mutation(|_| Go::On);
        self.server.faults().clear();
        let denied = self.server.faults().struck() > struck_before;
        Done {
            ended: Ended {
                code: output.status.code().unwrap_or(-1),
                stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
                stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
                elapsed: Duration::ZERO,
            },
            struck: hit.load(Ordering::SeqCst) || denied && matches!(fault, Fault::Deny(..)),
        }
    }

    /// Every way in which `command` may end, whichever state the stores have.
    fn outcomes(&self, command: &Command) -> Vec<Outcome> {
        let each = self.worlds.iter().flat_map(|world| {
            let mut all = command.outcomes(world);
            all.extend(self.excused(command, world));
            all
        });
        each.collect()
    }

    /// What else may become of a command, for what dead ones left in stores.
    fn excused(&self, command: &Command, world: &World) -> Vec<Outcome> {
        let touched = command.touched(self.stores());
        let is_remnant = |&store: &usize| self.dirty[store] && world[store].steps.is_none();
        let other = |code: i32, after: World| Outcome {
            code,
            trail: vec![world.clone(), after],
        };
        match command {
            // A ledger of which no store is left yet is found first, and nothing behind it.
            Command::Rollback(_) if touched.iter().any(is_remnant) => {
                vec![other(36, world.clone())]
            }
            // What is left of it is deleted.
            Command::Delete(_) if touched.iter().any(is_remnant) => {
                let mut after = world.clone();
                for &store in &touched {
                    after[store] = Store::default();
                }
                vec![other(0, after)]
            }
            // It tells of what was left, and need not know of stores that are not there yet.
            Command::Verify if self.dirty.contains(&true) => {
                [0, 27, 60].map(|code| other(code, world.clone())).to_vec()
            }
            _ => Vec::new(),
        }
    }

    /// Holds a command that ended against the model.
    fn judge(&mut self, command: &Command, fault: &Fault, done: &Done) -> Result<(), String> {
        let Ended { code, stderr, .. } = &done.ended;
        let outcomes = self.outcomes(command);
        let touched = command.touched(self.stores());
        let fault = if done.struck { fault } else { &Fault::None };
        let writes = matches!(command, Command::Write(_));
        let resumes = matches!(command, Command::Write(write) if write.resume);
        let rolled_back = || -> Vec<World> {
            let all = outcomes
                .iter()
                .flat_map(|o| o.trail.iter().take(o.trail.len().max(2) - 1));
            all.cloned().collect()
        };
        let (worlds, healed) = match fault {
            Fault::None | Fault::Busy(..) | Fault::Rival(_) => {
                (ended_with(&outcomes, *code), command.heals(*code))
            }
            _ if *code == 0 => {
                let healed = command.heals(0) && !stderr.contains("is not tidy yet");
                (ended_with(&outcomes, 0), healed)
            }
            Fault::Deny(..) | Fault::Term(_)
                if writes && stderr.contains("nothing has changed") =>
            {
                (rolled_back(), !self.dirty.contains(&true))
            }
            Fault::Term(_) if *code == 44 && !resumes => {
                return Err("the signal's end does not say that nothing has changed".to_owned());
            }
            _ => {
                let all = outcomes.iter().flat_map(Outcome::interrupted);
                (all.collect(), false)
            }
        };
        if worlds.is_empty() {
            let allowed: HashSet<i32> = outcomes.iter().map(|outcome| outcome.code).collect();
            return Err(format!("code {code}; the model allows {allowed:?}"));
        }
        for &store in &touched {
            if healed {
                self.dirty[store] = false;
            } else if done.struck {
                self.dirty[store] = true;
            }
        }
        self.observe(&worlds)?;
        let objects = self.server.objects("ocean");
        let is_leased = |&&store: &&usize| self.places.is_leased(store, &objects);
        match touched.iter().find(is_leased) {
            Some(store) if healed && *code == 0 && matches!(fault, Fault::None) => {
                Err(format!("{}: a lease is left", self.places.stores[*store].0))
            }
            _ => Ok(()),
        }
    }

    /// Keeps those of `worlds` that the bucket agrees with.
    fn observe(&mut self, worlds: &[World]) -> Result<(), String> {
        let objects = self.server.objects("ocean");
        let mut problems = Vec::new();
        let mut kept: Vec<World> = Vec::new();
        let mut tried = HashSet::new();
        for world in worlds {
            if !tried.insert(world.clone()) {
                continue;
            }
            let mut clean = (0..self.stores()).filter(|&store| !self.dirty[store]);
            let checked = clean.try_for_each(|store| self.places.is(store, world, &objects));
            match checked {
                Ok(()) => kept.push(world.clone()),
                Err(problem) => problems.push(problem),
            }
        }
        if kept.is_empty() {
            return Err(problems.join("; or "));
        }
        for store in (0..self.stores()).filter(|&store| self.dirty[store]) {
            let states: Vec<_> = kept
                .iter()
                .map(|world| world[store].steps.as_ref())
                .collect();
            self.places.is_one_of(store, &states, &objects)?;
        }
        self.worlds = kept;
        if !self.dirty.contains(&true) {
            let litter = self.places.litter(&objects);
            if !litter.is_empty() {
                return Err(format!("left behind: {litter:?}"));
            }
        }
        Ok(())
    }

    /// Runs two commands at a time: one comes after the other.
    fn race(
        &mut self,
        command: &Command,
        rival: &Command,
        ranks: usize,
        told: &mut String,
    ) -> Result<(), String> {
        let first = self.command(&self.line(command), ranks);
        let second = self.command(&self.line(rival), 1);
        let (first, second) = std::thread::scope(|scope| {
            let second = scope.spawn(|| end(second));
            (end(first), second.join().unwrap())
        });
        let _ = write!(
            told,
            " → {}; {} → {}",
            first.code,
            self.line(rival).join(" "),
            second.code
        );
        let mut worlds = Vec::new();
        for (a, b) in [
            ((command, first.code), (rival, second.code)),
            ((rival, second.code), (command, first.code)),
        ] {
            for between in ended_with(&self.outcomes(a.0), a.1) {
                worlds.extend(ended_with(&b.0.outcomes(&between), b.1));
            }
        }
        let told = || {
            format!(
                "{}{}{}{}",
                first.stdout, first.stderr, second.stdout, second.stderr
            )
        };
        if worlds.is_empty() {
            return Err(format!("the model does not allow these codes\n{}", told()));
        }
        for (command, code) in [(command, first.code), (rival, second.code)] {
            for store in command.touched(self.stores()) {
                self.dirty[store] &= !command.heals(code);
            }
        }
        self.observe(&worlds)
            .map_err(|problem| format!("{problem}\n{}", told()))
    }
}

/// The stores after those of `outcomes` that end with this code.
fn ended_with(outcomes: &[Outcome], code: i32) -> Vec<World> {
    let those = outcomes.iter().filter(|outcome| outcome.code == code);
    those.map(|outcome| outcome.after().clone()).collect()
}

/// A write that can be run beside another.
pub fn beside(write: Write) -> Command {
    Command::Write(Write {
        resume: false,
        ..write
    })
}
