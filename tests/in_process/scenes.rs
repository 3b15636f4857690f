//! Every command that writes, on every kind of store.
//!
//! Key types: [`Scene`]; [`Layout`], the kind of store; [`Workshop`], which makes what they begin with.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use nemo_like::Variable;
use serde_json::{Value, json};

use super::dataset::Objects;
use super::expected::Expected;
use super::strangers::scenes_of_strangers;
use super::support::{Line, line, months, run, seen};
use crate::cli::Exit;
use crate::store::Conditional;
use crate::store::simulated::World;

/// The store of all variables.
const COMPACT: &str = "T1m.zarr";

/// How a store is laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Layout {
    Zarr3,
    Zarr2,
    Shards,
    Compact,
    Reprojected,
}

impl Layout {
    pub const ALL: [Self; 5] = [
        Self::Zarr3,
        Self::Zarr2,
        Self::Shards,
        Self::Compact,
        Self::Reprojected,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Zarr3 => "zarr3",
            Self::Zarr2 => "zarr2",
            Self::Shards => "shards",
            Self::Compact => "compact",
            Self::Reprojected => "reprojected",
        }
    }

    /// Those of one variable each, or that of all.
    pub fn stores(self) -> &'static [&'static str] {
        match self {
            Self::Zarr3 => &["T1m/sos.zarr", "T1m/tos.zarr"],
            Self::Compact => &[COMPACT],
            _ => &["T1m/tos.zarr"],
        }
    }

    /// The same, and where copies of them go.
    fn stores_and_copies(self) -> &'static [&'static str] {
        match self {
            Self::Zarr3 => &[
                "T1m/sos.zarr",
                "T1m/tos.zarr",
                "T1m/old/sos.zarr",
                "T1m/old/tos.zarr",
            ],
            Self::Compact => &[COMPACT, "T1m/old.zarr"],
            _ => &["T1m/tos.zarr", "T1m/old/tos.zarr"],
        }
    }

    /// The same, and where what replaces them is made.
    fn stores_and_what_replaces_them(self) -> &'static [&'static str] {
        match self {
            Self::Zarr3 => &[
                "T1m/sos.zarr",
                "T1m/tos.zarr",
                "being-rechunked/T1m/sos.zarr",
                "being-rechunked/T1m/tos.zarr",
            ],
            Self::Compact => &[COMPACT, "being-rechunked/T1m.zarr"],
            _ => &["T1m/tos.zarr", "being-rechunked/T1m/tos.zarr"],
        }
    }

    /// The same, and where they go in another bucket.
    fn stores_and_others(self) -> &'static [&'static str] {
        match self {
            Self::Zarr3 => &[
                "T1m/sos.zarr",
                "T1m/tos.zarr",
                "T1m/other/T1m/sos.zarr",
                "T1m/other/T1m/tos.zarr",
            ],
            Self::Compact => &[COMPACT, "T1m/other/T1m.zarr"],
            _ => &["T1m/tos.zarr", "T1m/other/T1m/tos.zarr"],
        }
    }

    /// The words that name the variables.
    pub fn variables(self) -> &'static [&'static str] {
        match self {
            Self::Zarr3 => &["-v", "tos", "sos"],
            Self::Compact => &["-v", "compact"],
            _ => &["-v", "tos"],
        }
    }

    /// What a new store is told. An object holds two steps, so that the second month fills up a half-full one.
    pub fn settings(self) -> &'static [&'static str] {
        const CHUNKS: &str = r#"{"time_counter": 2}"#;
        match self {
            Self::Zarr3 | Self::Compact => &["-cs", CHUNKS],
            Self::Zarr2 => &["-cs", CHUNKS, "-zv", "2"],
            Self::Shards => &["-cs", r#"{"time_counter": 1}"#, "--shards", CHUNKS],
            Self::Reprojected => &["-cs", CHUNKS, "-r", "--grid", "3x2"],
        }
    }
}

/// A command in a certain state of the bucket.
#[derive(Clone)]
pub struct Scene {
    pub name: &'static str,
    /// The stores that it touches.
    pub stores: &'static [&'static str],
    pub line: Line,
    /// What is in the bucket before, after each of its transactions but the last, and in the end.
    pub stages: Vec<Objects>,
    /// Does a reader meet new objects beside old ones while it runs?
    pub in_place: bool,
    /// What is done after a kill, in turn.
    pub next: &'static [Next],
    /// What the command ends with when it has come to its end before: nothing is left to do then.
    pub idle: Exit,
    /// Does `verify` find fault with what it begins with, and with what it makes of that?
    pub uneven: bool,
}

impl Scene {
    /// One with a single transaction, of a command that may be resumed.
    pub fn new(name: &'static str, start: &Objects, line: Line) -> Self {
        let end = after(start, &line);
        Self {
            name,
            stores: &[],
            line,
            stages: vec![start.clone(), end],
            in_place: false,
            next: WRITES,
            idle: Exit::Ok,
            uneven: false,
        }
    }

    /// An error if `verify` finds faults.
    pub fn is_sound(&self, world: &Arc<World>) -> Result<(), String> {
        if self.uneven || seen(world).is_empty() {
            return Ok(());
        }
        match run(&world.link(Vec::new()), &line(&["verify"])) {
            Exit::Ok => Ok(()),
            other => Err(format!("verify ended with {other:?}")),
        }
    }
}

/// What is done after a kill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// The same command again.
    Same,
    /// The same command, which goes on where it was killed.
    Resume,
    /// `recover`.
    Recover,
}

pub const WRITES: &[Next] = &[Next::Same, Next::Recover, Next::Resume];
pub const ENDS: &[Next] = &[Next::Same, Next::Recover];
const HEALS: &[Next] = &[Next::Same];
const UNDOES: &[Next] = &[Next::Recover];

/// All scenes, and what readers may see in each.
pub fn all_scenes(root: &Path) -> Vec<(Layout, Scene, Expected)> {
    let layouts = Layout::ALL.into_iter();
    let scenes = layouts.flat_map(|layout| {
        let scenes = Workshop::new(root, layout).scenes().into_iter();
        scenes.map(move |scene| {
            let expected = Expected::new(scene.stores, &scene.stages, scene.in_place);
            (layout, scene, expected)
        })
    });
    scenes.collect()
}

/// Makes stores, each once.
struct Workshop<'a> {
    root: &'a Path,
    layout: Layout,
    made: Mutex<HashMap<Vec<Line>, Arc<Objects>>>,
}

impl<'a> Workshop<'a> {
    pub fn new(root: &'a Path, layout: Layout) -> Self {
        Self {
            root,
            layout,
            made: Mutex::default(),
        }
    }

    /// The stores that these commands make, one after the other.
    fn made(&self, lines: &[Line]) -> Arc<Objects> {
        let Some((last, before)) = lines.split_last() else {
            return Arc::default();
        };
        if let Some(made) = self.made.lock().unwrap().get(lines) {
            return Arc::clone(made);
        }
        let start = self.made(before);
        let made = Arc::new(after(&start, last));
        let mut all = self.made.lock().unwrap();
        Arc::clone(all.entry(lines.to_vec()).or_insert(made))
    }

    fn months(&self, first: u32, steps: usize, seed: u64) -> String {
        let variables = [Variable::Tos, Variable::Sos];
        months(self.root, first, steps, seed, &variables)
    }

    fn send(&self, first: u32, steps: usize) -> Line {
        let file = self.months(first, steps, 0);
        let words = ["send", "-f", &file];
        line(&[&words, self.layout.variables(), self.layout.settings()].concat())
    }

    fn update(&self, first: u32, steps: usize) -> Line {
        let file = self.months(first, steps, 1);
        line(&[&["update", "-f", &file], self.layout.variables()].concat())
    }

    /// The first month, and the two behind it.
    fn three(&self) -> [Line; 2] {
        [self.send(1, 1), self.send(2, 2)]
    }

    /// A scene that begins with what `lines` make.
    fn scene(&self, name: &'static str, lines: &[Line], line: Line) -> Scene {
        self.scene_from(name, &self.made(lines), line)
    }

    fn scene_from(&self, name: &'static str, start: &Objects, line: Line) -> Scene {
        Scene {
            stores: self.layout.stores(),
            ..Scene::new(name, start, line)
        }
    }

    pub fn scenes(&self) -> Vec<Scene> {
        [
            self.sends(),
            self.updates(),
            self.undone(),
            self.healed(),
            self.copied(),
            self.by_recipe(),
            self.rechunked(),
            self.merged(),
        ]
        .into_iter()
        .flatten()
        .chain(self.of_one_store())
        .chain(scenes_of_strangers(self.root, self.layout))
        .collect()
    }

    fn sends(&self) -> Vec<Scene> {
        let first = self.send(1, 1);
        let mut several = self.scene("several", std::slice::from_ref(&first), self.several());
        let between = self.made(&[first.clone(), self.send(2, 1)]);
        several.stages.insert(1, (*between).clone());
        vec![
            self.scene("create", &[], first.clone()),
            self.scene("append", std::slice::from_ref(&first), self.send(2, 2)),
            several,
        ]
    }

    /// The first of three files fills up an object, and the others make the next one.
    fn several(&self) -> Line {
        let files = [2, 3, 4].map(|month| self.months(month, 1, 0));
        let words = ["send", "-f", &files[0], &files[1], &files[2]];
        line(&[&words[..], self.layout.variables(), self.layout.settings()].concat())
    }

    /// The first month and two later ones, and those that come between: some objects become what others were as a whole.
    fn inserted(&self) -> [Line; 3] {
        let with = |line: Line, flag: &str| [&line[..], &[flag.to_owned()]].concat();
        let later = with(self.send(4, 2), "--allow-gaps");
        [self.send(1, 1), later, with(self.send(2, 2), "--insert")]
    }

    fn updates(&self) -> Vec<Scene> {
        let three = self.three();
        let mut appends = self.update(2, 2);
        appends.push("--append-missing".to_owned());
        let lines = self.inserted();
        let in_place = |scene| Scene {
            in_place: true,
            next: ENDS,
            ..scene
        };
        vec![
            in_place(self.scene("update", &three, self.update(2, 2))),
            in_place(self.scene(
                "update-append",
                &[self.send(1, 1), self.send(2, 1)],
                appends,
            )),
            Scene {
                next: WRITES,
                ..in_place(self.scene("insert", &lines[..2], lines[2].clone()))
            },
        ]
    }

    /// What the same command finds in the ledger after a kill is its recipe with what was made by it, or neither.
    fn by_recipe(&self) -> Vec<Scene> {
        let recipe = self.root.join("recipe.toml");
        std::fs::write(&recipe, "[variables.tos]\nkeep_bits = 3\n").unwrap();
        let flag = line(&["--recipe", recipe.to_str().unwrap()]);
        let [first, next] = self.three().map(|send| [&send[..], &flag].concat());
        vec![
            self.scene("recipe-create", &[], first.clone()),
            self.scene("recipe-append", &[first], next),
        ]
    }

    /// Stores with a ledger that holds copies of objects, too.
    fn copied(&self) -> Vec<Scene> {
        let [first, second] = self.three();
        let scene = |name, verb, to: [&'static str; 2], next, idle| {
            let words = [&[verb], self.layout.variables(), &to].concat();
            let stores = match to[0] {
                "--to" => self.layout.stores_and_copies(),
                _ => self.layout.stores_and_others(),
            };
            Scene {
                stores,
                next,
                idle,
                ..self.scene(name, &[first.clone(), second.clone()], line(&words))
            }
        };
        let (within, other) = (["--to", "T1m/old"], ["--to-bucket", "other"]);
        // When all has moved, the same command finds nothing, and leaves a dead job's lease where it went to.
        vec![
            scene("copy", "copy", within, ENDS, Exit::Ok),
            scene("move", "move", within, UNDOES, Exit::NoStore),
            // Of another bucket, a recover here knows nothing.
            scene("copy-out", "copy", other, HEALS, Exit::Ok),
        ]
    }

    /// Stores beside those that are made of them, of the other version and in other chunks.
    fn rechunked(&self) -> Vec<Scene> {
        let [first, second] = self.three();
        let other = match self.layout {
            Layout::Zarr2 => "3",
            _ => "2",
        };
        let cut = ["-cs", r#"{"x": 3}"#, "-zv", other];
        let words = |to: &[&'static str]| {
            let words = [&["rechunk"], self.layout.variables(), &cut[..], to].concat();
            line(&words)
        };
        let beside = Scene {
            stores: self.layout.stores_and_copies(),
            next: ENDS,
            ..self.scene(
                "rechunk",
                &[first.clone(), second.clone()],
                words(&["--to", "T1m/old"]),
            )
        };
        let mut replacing = Scene {
            stores: self.layout.stores_and_what_replaces_them(),
            // After a `recover`, which moves nothing, there may be no store at its place.
            next: HEALS,
            ..self.scene(
                "replace",
                &[first.clone(), second.clone()],
                words(&["--replace"]),
            )
        };
        // In between, there is only what was made.
        let made = words(&["--to", "being-rechunked/T1m"]);
        let mut only_made = (*self.made(&[first, second, made])).clone();
        only_made.retain(|key, _| key.starts_with("being-rechunked/"));
        replacing.stages.insert(1, only_made);
        vec![beside, replacing]
    }

    fn undone(&self) -> Vec<Scene> {
        let rollback = || line(&["rollback"]);
        let [first, second] = self.three();
        let scene = |name, lines: &[Line]| Scene {
            next: UNDOES,
            ..self.scene(name, lines, rollback())
        };
        // What its copies were made of fills up objects.
        let unkept = [&second[..], &line(&["--keep-undo", "0"])].concat();
        // Of two objects, one goes, and a part of the other.
        let shorten = line(&["delete", "--all", "--time", "1976-02..", "--yes"]);
        let within = line(&["delete", "--all", "--time", "1976-02..1976-02", "--yes"]);
        // A command of two transactions.
        let several = self.several();
        let mut years = scene("rollback-several", &[first.clone(), several]);
        let between = self.made(&[first.clone(), self.send(2, 1)]);
        years.stages.insert(1, (*between).clone());
        vec![
            scene("rollback-create", std::slice::from_ref(&first)),
            scene("rollback-append", &[first.clone(), second.clone()]),
            scene("rollback-unkept", &[first.clone(), unkept]),
            years,
            Scene {
                in_place: true,
                ..scene("rollback-update", &[first, second, self.update(2, 2)])
            },
            Scene {
                next: ENDS,
                idle: Exit::NoStore,
                ..self.scene("delete", &self.three(), line(&["delete", "--all", "--yes"]))
            },
            Scene {
                next: ENDS,
                idle: Exit::TimeConflict,
                ..self.scene("delete-time", &self.three(), shorten.clone())
            },
            Scene {
                in_place: true,
                next: ENDS,
                idle: Exit::TimeConflict,
                ..self.scene("delete-time-within", &self.three(), within.clone())
            },
            Scene {
                in_place: true,
                ..scene(
                    "rollback-delete-time-within",
                    &[&self.three()[..], &[within]].concat(),
                )
            },
            Scene {
                in_place: true,
                ..scene("rollback-insert", &self.inserted())
            },
            scene(
                "rollback-delete-time",
                &[&self.three()[..], &[shorten]].concat(),
            ),
        ]
    }

    /// A send after which the ledger is merged, with what was merged before; and a rollback that needs a part of that. On one kind of
    /// store, for the ledger knows nothing of kinds.
    fn merged(&self) -> Vec<Scene> {
        if self.layout != Layout::Zarr2 {
            return Vec::new();
        }
        let sends: Vec<Line> = (1..=12).map(|month| self.send(month, 1)).collect();
        let mut rollback = self.scene(
            "rollback-merged",
            &sends,
            line(&["rollback", "--last", "2"]),
        );
        rollback.next = UNDOES;
        let between = self.made(&sends[..11]);
        rollback.stages.insert(1, (*between).clone());
        let merge = self.scene("merge", &sends[..11], sends[11].clone());
        let own = |objects: &Objects| {
            let keys = objects.keys();
            keys.filter(|key| key.contains("/additions/")).count()
        };
        // Else it would show nothing.
        assert_eq!((own(&merge.stages[0]), own(&merge.stages[1])), (4, 1));
        vec![merge, rollback]
    }

    fn healed(&self) -> Vec<Scene> {
        let scene = |name, start: &Objects, words: &[&str]| Scene {
            next: HEALS,
            ..self.scene_from(name, start, line(words))
        };
        let [first, second] = self.three();
        let begun = self.made(std::slice::from_ref(&first));
        let states = states_of(&begun, &second);
        let has = |state: &Objects, part: &str| state.keys().any(|key| key.contains(part));
        let open = states
            .iter()
            .rfind(|s| has(s, ".open") && !has(s, ".prepared"));
        let prepared = states.iter().rfind(|s| has(s, ".prepared"));
        let three = self.made(&self.three());
        let mut strays = (*three).clone();
        for store in self.layout.stores() {
            for key in ["tos/c/9/0/0", "tos/9.0.0", "sos/c/8/0/0"] {
                strays.insert(format!("{store}/{key}"), "stray".into());
            }
        }
        let mut short = (*three).clone();
        for store in self.layout.stores() {
            cut_time(&mut short, store);
        }
        let cut = ["recover", "--truncate"];
        let restored = after(&short, &line(&cut));
        vec![
            scene("recover-open", open.unwrap(), &["recover"]),
            scene("recover-prepared", prepared.unwrap(), &["recover"]),
            scene("orphans", &strays, &["recover", "--orphans"]),
            scene("truncate", &short, &cut),
            Scene {
                next: UNDOES,
                uneven: true,
                ..scene("rollback-truncate", &restored, &["rollback"])
            },
        ]
    }

    /// Those of the store of all variables, whatever the others are like.
    fn of_one_store(&self) -> Vec<Scene> {
        let send = |variables: &[&str]| {
            let words = ["send", "-f", &self.months(1, 2, 0), "-v", "compact"];
            line(&[&words, variables, self.layout.settings()].concat())
        };
        let delete = line(&["delete", "-v", "compact", "--array", "sos", "--yes"]);
        let mut add = send(&["tos", "sos"]);
        add.push("--add-variables".to_owned());
        let both = send(&["tos", "sos"]);
        let scene = |name, lines: &[Line], line| Scene {
            stores: &[COMPACT],
            ..self.scene(name, lines, line)
        };
        vec![
            scene("add-variables", &[send(&["tos"])], add),
            Scene {
                next: ENDS,
                idle: Exit::NoStore,
                ..scene("delete-array", std::slice::from_ref(&both), delete.clone())
            },
            Scene {
                next: UNDOES,
                ..scene(
                    "rollback-delete-array",
                    &[both, delete],
                    line(&["rollback"]),
                )
            },
        ]
    }
}

/// What `line` makes of `start`.
pub fn after(start: &Objects, line: &Line) -> Objects {
    let world = World::holding(Conditional::Enforced, start);
    let ended = run(&world.link(Vec::new()), line);
    assert_eq!(ended, Exit::Ok, "{line:?}");
    world.objects()
}

/// What lies there after each request of `line`.
pub fn states_of(start: &Objects, line: &Line) -> Vec<Objects> {
    let world = World::holding(Conditional::Enforced, start);
    assert_eq!(run(&world.link(Vec::new()), line), Exit::Ok, "{line:?}");
    world.history().states()
}

/// Gives the time axis of a store one step, as the append of another program leaves it that died.
pub fn cut_time(objects: &mut Objects, store: &str) {
    for (document, path) in [
        ("time_counter/zarr.json", "/shape/0"),
        (
            "zarr.json",
            "/consolidated_metadata/metadata/time_counter/shape/0",
        ),
        ("time_counter/.zarray", "/shape/0"),
        (".zmetadata", "/metadata/time_counter~1.zarray/shape/0"),
    ] {
        if let Some(text) = objects.get_mut(&format!("{store}/{document}")) {
            let mut document: Value = serde_json::from_slice(text).unwrap();
            *document.pointer_mut(path).unwrap() = json!(1);
            *text = document.to_string().into();
        }
    }
}
