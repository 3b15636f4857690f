//! One sequence of commands on a server of its own, with what comes in their way, held against the model after each.
//!
//! Key types: [`Run`], the sequence so far; [`Fault`], what comes in the way of a command.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::thread;

use super::super::dataset::Objects;
use super::super::support::{LONG, Line, run, run_on, set_lease_times};
use super::places::{Months, Places};
use super::world::{Command, Outcome, Overlap, Store, World, Write};
use crate::cli::Exit;
use crate::store::Conditional;
use crate::store::simulated::{self, Effect, Failure, Mishap, Rule};

/// What comes in the way of a command.
#[derive(Clone, Debug)]
pub enum Fault {
    None,
    /// All ranks are killed behind the request of this number that changes anything.
    Kill(usize),
    /// One request to a key that contains this is refused, after so many.
    Deny(&'static str, usize),
    /// Another command runs at the same time.
    Rival(Command),
}

/// A command that ended, and whether what was to come in its way did. If it was killed, it ended with nothing.
struct Done {
    code: Option<i32>,
    struck: bool,
}

/// A sequence of commands.
pub struct Run {
    /// What lies in the store.
    objects: Objects,
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
        let places = Places::new(compact, variables);
        let stores = places.stores.len();
        let strategy = format!(r#"{{"time_counter": {chunk}}}"#);
        let settings = ["-cs", &strategy, "-zv", &version.to_string()].map(str::to_owned);
        Self {
            objects: Objects::new(),
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
            let _ = write!(told, " → {:?}, struck: {}", done.code, done.struck);
            self.judge(command, fault, &done)
        };
        self.log.push(told);
        result.map_err(|problem| {
            let keys = self.objects.keys();
            let ledger: Vec<&String> = keys.filter(|key| key.contains(".msm-os/")).collect();
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
    fn line(&self, command: &Command) -> Line {
        let mut line: Vec<String> = Vec::new();
        let mut add = |words: &[&str]| line.extend(words.iter().map(|&w| w.to_owned()));
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
                add(&stores
                    .as_ref()
                    .map_or(vec!["--all"], |stores| named(stores)));
            }
            Command::Rollback(stores) => {
                add(&["rollback"]);
                add(&stores.as_ref().map_or(Vec::new(), |stores| named(stores)));
            }
            Command::Recover { orphans } => {
                add(&["recover"]);
                add(if *orphans { &["--orphans"] } else { &[] });
            }
            Command::Verify => {
                add(&["verify"]);
            }
            Command::List => {
                add(&["list"]);
            }
        }
        line
    }

    /// Runs it; what dead jobs left is old by then.
    fn run(&mut self, line: &Line, ranks: usize, fault: &Fault) -> Done {
        let world = simulated::World::holding(Conditional::Enforced, &self.objects);
        let denied = match *fault {
            Fault::Deny(key, skip) => Some((key, skip)),
            _ => None,
        };
        // One rank meets it.
        let refusing = world.link(
            denied
                .map(|(key, skip)| {
                    let refused = Mishap::Fails(Failure::Status(403), Effect::None);
                    Rule::new(refused).key(key).skip(skip).times(1)
                })
                .into_iter()
                .collect(),
        );
        let ended = run_on(
            ranks,
            |rank| match rank {
                0 => refusing.clone(),
                _ => world.link(Vec::new()),
            },
            line,
        );
        self.objects = world.objects();
        let mut done = Done {
            code: Some(ended.code()),
            struck: refusing.struck() > 0,
        };
        if let Fault::Kill(number) = *fault
            && let Some(objects) = world.history().states().into_iter().nth(number - 1)
        {
            self.objects = objects;
            done = Done {
                code: None,
                struck: true,
            };
        }
        done
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
            // A ledger of which no store is left yet is found first, and nothing behind it; or it goes with what is healed.
            Command::Rollback(named) if touched.iter().any(is_remnant) => {
                let is_meant = |&store: &usize| {
                    !is_remnant(&store) && (named.is_some() || world[store].steps.is_some())
                };
                let others: Vec<usize> = touched.iter().copied().filter(is_meant).collect();
                let mut outcomes = vec![other(36, world.clone())];
                if others.is_empty() {
                    outcomes.push(other(0, world.clone()));
                } else {
                    outcomes.extend(Command::Rollback(Some(others)).outcomes(world));
                }
                outcomes
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
        let outcomes = self.outcomes(command);
        let touched = command.touched(self.stores());
        let undone = [Exit::TransferFailed.code(), Exit::VerifyFailed.code()];
        let (worlds, healed) = match (done.code, fault) {
            (Some(code), Fault::Deny(..)) if done.struck && code == 0 => {
                (ended_with(&outcomes, 0), false)
            }
            (Some(code), Fault::Deny(..)) if done.struck && undone.contains(&code) => {
                // All but the last transaction are done.
                let all = outcomes.iter();
                let all = all.flat_map(|o| o.trail.iter().take(o.trail.len().max(2) - 1));
                (all.cloned().collect(), false)
            }
            (Some(code), _) if !done.struck => (ended_with(&outcomes, code), command.heals(code)),
            _ => {
                let all = outcomes.iter().flat_map(Outcome::interrupted);
                (all.collect(), false)
            }
        };
        if worlds.is_empty() {
            let allowed: HashSet<i32> = outcomes.iter().map(|outcome| outcome.code).collect();
            return Err(format!(
                "code {:?}; the model allows {allowed:?}",
                done.code
            ));
        }
        for &store in &touched {
            if healed {
                self.dirty[store] = false;
            } else if done.struck {
                self.dirty[store] = true;
            }
        }
        self.observe(&worlds)
    }

    /// Keeps those of `worlds` that the bucket agrees with.
    fn observe(&mut self, worlds: &[World]) -> Result<(), String> {
        let objects = self.objects.clone();
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
        let (line, other) = (self.line(command), self.line(rival));
        let world = simulated::World::holding(Conditional::Enforced, &self.objects);
        let (first, second) = thread::scope(|scope| {
            let second = scope.spawn(|| {
                set_lease_times(LONG);
                run(&world.link(Vec::new()), &other).code()
            });
            let first = run_on(ranks, |_| world.link(Vec::new()), &line).code();
            (first, second.join().unwrap())
        });
        self.objects = world.objects();
        let _ = write!(told, " → {first}; {} → {second}", other.join(" "));
        let mut worlds = Vec::new();
        for (a, b) in [
            ((command, first), (rival, second)),
            ((rival, second), (command, first)),
        ] {
            for between in ended_with(&self.outcomes(a.0), a.1) {
                worlds.extend(ended_with(&b.0.outcomes(&between), b.1));
            }
        }
        if worlds.is_empty() {
            return Err("the model does not allow these codes".to_owned());
        }
        for (command, code) in [(command, first), (rival, second)] {
            for store in command.touched(self.stores()) {
                self.dirty[store] &= !command.heals(code);
            }
        }
        self.observe(&worlds)
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
