//! What commands make of stores, in memory: which version of which month each of their steps holds, and what `rollback` can
//! undo.
//!
//! Key types: [`World`], the stores; [`Command`], what is done; [`Outcome`], how it may end.

/// A month, counted from January 1976, and the version of its values.
pub type Step = (u32, u64);

/// Steps that cannot be sent to a store, or updated in it.
const TIME_CONFLICT: i32 = 24;
const NO_STORE: i32 = 27;
const NOTHING_TO_UNDO: i32 = 36;

/// A store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Store {
    /// What it holds; `None` if it is not there.
    pub steps: Option<Vec<Step>>,
    /// Its transactions.
    pub done: Vec<Transaction>,
}

/// A transaction of a store.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Transaction {
    /// What the store held before.
    pub before: Option<Vec<Step>>,
    /// The number of its command, among those that wrote.
    pub command: usize,
    /// Did it only add steps?
    pub is_addition: bool,
    /// Is what it replaced kept?
    pub is_kept: bool,
}

/// All stores.
pub type World = Vec<Store>;

/// What becomes of steps that a store has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overlap {
    AllOrNothing,
    Skip,
    Error,
    Replace,
}

/// `send` or `update`.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools)] // they are flags of a command line
pub struct Write {
    pub update: bool,
    pub stores: Vec<usize>,
    /// The steps of each file.
    pub files: Vec<Vec<Step>>,
    pub overlap: Overlap,
    /// Are steps appended that the store does not have?
    pub appends: bool,
    pub gaps: bool,
    pub keep: usize,
    pub resume: bool,
    /// Are all files one transaction?
    pub together: bool,
}

#[derive(Clone, Debug)]
pub enum Command {
    Write(Write),
    /// Of some stores, or of all.
    Delete(Option<Vec<usize>>),
    Rollback(Option<Vec<usize>>),
    Recover {
        orphans: bool,
    },
    Verify,
    List,
}

/// A way in which a command may end.
#[derive(Clone, Debug)]
pub struct Outcome {
    pub code: i32,
    /// The stores before, and after each transaction.
    pub trail: Vec<World>,
}

impl Outcome {
    fn refused(code: i32, world: &World) -> Vec<Self> {
        vec![Self {
            code,
            trail: vec![world.clone()],
        }]
    }

    fn done(world: &World, after: World) -> Vec<Self> {
        vec![Self {
            code: 0,
            trail: vec![world.clone(), after],
        }]
    }

    /// The undoing of the last `transactions` of each of `stores`, one store after the other, in whichever order.
    fn undone(world: &World, stores: &[(usize, usize)]) -> Vec<Self> {
        let rotations = 0..stores.len().max(1);
        let orders = rotations.flat_map(|first| {
            let (ends, begins) = stores.split_at(first);
            let order = [begins, ends].concat();
            let other = order.iter().rev().copied().collect();
            [order, other]
        });
        orders
            .map(|order: Vec<(usize, usize)>| {
                let mut trail = vec![world.clone()];
                for (store, transactions) in order {
                    for _ in 0..transactions {
                        let mut after = trail[trail.len() - 1].clone();
                        after[store].undo();
                        trail.push(after);
                    }
                }
                Self { code: 0, trail }
            })
            .collect()
    }

    /// The stores when nothing came in the way.
    pub fn after(&self) -> &World {
        self.trail.last().unwrap()
    }

    /// Every state of the stores when it dies: each has been switched, or not yet.
    pub fn interrupted(&self) -> Vec<World> {
        let mut all = vec![self.trail[0].clone()];
        for pair in self.trail.windows(2) {
            let mut some: Vec<World> = vec![Vec::new()];
            for (old, new) in pair[0].iter().zip(&pair[1]) {
                let ends: &[&Store] = if old == new { &[old] } else { &[old, new] };
                let longer = |world: World| {
                    ends.iter()
                        .map(move |&end| [&world[..], std::slice::from_ref(end)].concat())
                };
                some = some.into_iter().flat_map(longer).collect();
            }
            all.extend(some);
        }
        all
    }
}

impl Store {
    /// The next transaction, one of `command`, makes it hold `steps`; is that an addition?
    fn commit(&mut self, steps: Vec<Step>, is_addition: bool, keep: usize, command: usize) {
        self.done.push(Transaction {
            before: self.steps.replace(steps),
            command,
            is_addition,
            is_kept: true,
        });
        let older = self.done.len().saturating_sub(keep);
        for transaction in &mut self.done[..older] {
            transaction.is_kept = transaction.is_addition;
        }
    }

    fn undo(&mut self) {
        self.steps = self.done.pop().unwrap().before;
        if self.steps.is_none() {
            *self = Self::default();
        }
    }

    /// The number of the last command.
    fn last(&self) -> usize {
        self.done.last().map_or(0, |last| last.command)
    }

    /// The last transactions that are of `command`.
    fn of(&self, command: usize) -> impl Iterator<Item = &Transaction> {
        let last = self.done.iter().rev();
        last.take_while(move |transaction| transaction.command == command)
    }
}

impl Command {
    /// The stores that it may write, of so many.
    pub fn touched(&self, stores: usize) -> Vec<usize> {
        match self {
            Self::Write(write) => write.stores.clone(),
            Self::Delete(Some(named)) | Self::Rollback(Some(named)) => named.clone(),
            Self::Delete(None) | Self::Rollback(None) | Self::Recover { .. } => {
                (0..stores).collect()
            }
            Self::Verify | Self::List => Vec::new(),
        }
    }

    /// Has it healed the stores that it touches, when it ends with this code and nothing came in the way?
    pub fn heals(&self, code: i32) -> bool {
        match self {
            Self::Write(write) => code == 0 || !write.resume,
            Self::Delete(_) => code == 0,
            Self::Rollback(_) => code != NO_STORE,
            Self::Recover { .. } => true,
            Self::Verify | Self::List => false,
        }
    }

    /// What it makes of `world`.
    pub fn outcomes(&self, world: &World) -> Vec<Outcome> {
        let there = |stores: &Option<Vec<usize>>| {
            let all = || (0..world.len()).filter(|&s| world[s].steps.is_some());
            let stores = stores.clone().unwrap_or_else(|| all().collect());
            let sound = !stores.is_empty() && stores.iter().all(|&s| world[s].steps.is_some());
            sound.then_some(stores)
        };
        match self {
            Self::Write(write) => write.outcomes(world),
            Self::Verify if there(&None).is_none() => Outcome::refused(NO_STORE, world),
            Self::Recover { .. } | Self::List | Self::Verify => Outcome::refused(0, world),
            Self::Delete(stores) => there(stores).map_or_else(
                || Outcome::refused(NO_STORE, world),
                |stores| {
                    let mut after = world.clone();
                    for store in stores {
                        after[store] = Store::default();
                    }
                    Outcome::done(world, after)
                },
            ),
            Self::Rollback(stores) => match there(stores) {
                None => Outcome::refused(NO_STORE, world),
                Some(stores) => {
                    let last = stores.iter().map(|&s| world[s].last()).max();
                    let of_last = |s: usize| world[s].of(last.unwrap_or_default());
                    if stores.iter().any(|&s| of_last(s).any(|one| !one.is_kept)) {
                        return Outcome::refused(NOTHING_TO_UNDO, world);
                    }
                    let each = stores.iter().map(|&s| (s, of_last(s).count()));
                    Outcome::undone(world, &each.collect::<Vec<_>>())
                }
            },
        }
    }
}

impl Write {
    fn outcomes(&self, world: &World) -> Vec<Outcome> {
        let is_there = |&store: &usize| world[store].steps.is_some();
        if self.update && !self.stores.iter().all(is_there) {
            return Outcome::refused(NO_STORE, world);
        }
        if !self.stores.iter().all(|&s| self.fits(&world[s])) {
            return Outcome::refused(TIME_CONFLICT, world);
        }
        let command = world.iter().map(Store::last).max().unwrap_or_default() + 1;
        self.groupings()
            .into_iter()
            .map(|groups| {
                let mut trail = vec![world.clone()];
                for group in groups {
                    let mut after = trail[trail.len() - 1].clone();
                    for &store in &self.stores {
                        self.write(&mut after[store], &group, command);
                    }
                    trail.push(after);
                }
                Outcome { code: 0, trail }
            })
            .collect()
    }

    /// Can the files go to the store? Of each, it has all steps or none, unless told otherwise.
    fn fits(&self, store: &Store) -> bool {
        let Some(held) = &store.steps else {
            return true;
        };
        let is_held = |step: &&Step| held.iter().any(|(month, _)| *month == step.0);
        let overlaps = self.files.iter().any(|file| {
            let there = file.iter().filter(is_held).count();
            match self.overlap {
                Overlap::AllOrNothing => there > 0 && there < file.len(),
                Overlap::Error => there > 0,
                Overlap::Skip | Overlap::Replace => false,
            }
        });
        let (end, _) = held[held.len() - 1];
        let follows = match self.files.iter().flatten().find(|step| !is_held(step)) {
            None => true,
            Some((first, _)) => self.appends && *first > end && (self.gaps || *first == end + 1),
        };
        !overlaps && follows
    }

    fn write(&self, store: &mut Store, steps: &[Step], command: usize) {
        let mut held = store.steps.clone().unwrap_or_default();
        let mut is_idle = store.steps.is_some();
        let mut is_addition = true;
        for step in steps {
            match held.iter_mut().find(|(month, _)| *month == step.0) {
                None => held.push(*step),
                Some(place) if self.overlap == Overlap::Replace => {
                    *place = *step;
                    is_addition = false;
                }
                Some(_) => continue,
            }
            is_idle = false;
        }
        if !is_idle {
            store.commit(held, is_addition, self.keep, command);
        }
    }

    /// The steps of each transaction, in all the ways in which files can be grouped: chunk boundaries decide, which may
    /// lie otherwise in each store.
    fn groupings(&self) -> Vec<Vec<Vec<Step>>> {
        if self.together {
            return vec![vec![self.files.concat()]];
        }
        let cuts = self.files.len() - 1;
        (0..1u32 << cuts)
            .map(|cut| {
                let mut groups = vec![self.files[0].clone()];
                for (place, file) in self.files[1..].iter().enumerate() {
                    if cut >> place & 1 == 1 {
                        groups.push(file.clone());
                    } else {
                        groups.last_mut().unwrap().extend(file);
                    }
                }
                groups
            })
            .collect()
    }
}
