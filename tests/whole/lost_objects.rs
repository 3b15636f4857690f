//! Stores that have lost an object, or have another in its place: what is read of them is what the manifests say, or an error, and nothing
//! is in the way of whoever mends them.

use crate::line::msm_os;
use crate::support::Sandbox;

/// What is wrong with one of the objects.
#[derive(Clone, Copy, Debug)]
enum Wrong {
    Gone,
    /// It is that of another chunk, which decodes.
    Another,
}

/// A store of months, a month or two an object; files of the months; and its keys of objects.
struct Scene {
    sandbox: Sandbox,
    place: String,
    files: Vec<String>,
    objects: [String; 6],
}

impl Scene {
    /// Without the month `without`.
    fn new(flags: &str, without: usize) -> Self {
        let sandbox = Sandbox::new();
        let place = format!("-b {} --store a/tos.zarr", sandbox.url("ocean"));
        let files: Vec<String> = (1..=7).map(|month| sandbox.months(month, 1)).collect();
        let mut sent = files.clone();
        sent.remove(without - 1);
        let files_sent = sent.join(" ");
        let chunks = r#"-cs '{"time_counter": 1}'"#;
        msm_os!("send -f {files_sent} {place} -v tos {chunks} --allow-gaps {flags}").well();
        let is_v2 = flags.contains("-zv 2");
        let name = |month: usize| {
            if is_v2 {
                format!("a/tos.zarr/tos/{month}.0.0")
            } else {
                format!("a/tos.zarr/tos/c/{month}/0/0")
            }
        };
        Self {
            sandbox,
            place,
            files,
            objects: std::array::from_fn(name),
        }
    }

    fn file(&self, object: usize) -> String {
        self.sandbox
            .file(&format!("ocean/{}", self.objects[object]))
    }

    fn spoil(&self, object: usize, wrong: Wrong) {
        match wrong {
            Wrong::Gone => std::fs::remove_file(self.file(object)).unwrap(),
            Wrong::Another => {
                let kept = std::fs::read(self.file(object)).unwrap();
                let other = std::fs::read(self.file(object - 1)).unwrap();
                assert_eq!(kept.len(), other.len());
                std::fs::write(self.file(object), other).unwrap();
            }
        }
    }
}

/// Those that a command reads of what lies behind, and nothing has to be mended before the store can be.
#[test]
fn nothing_is_moved_and_an_update_mends_it() {
    for wrong in [Wrong::Gone, Wrong::Another] {
        for flags in ["--codec none", "--codec none -zv 2"] {
            let scene = Scene::new(flags, 3);
            let Scene { place, files, .. } = &scene;
            scene.spoil(4, wrong);
            let before = scene.sandbox.stores("ocean");
            for ranks in [1, 3] {
                let insert = msm_os!("send -f {} {place} -v tos --insert", files[2]);
                insert.on(ranks).refused(40, &[&scene.objects[4]]);
                let delete = msm_os!("delete {place} --time 1976-02..1976-02 --yes");
                delete.on(ranks).refused(25, &[&scene.objects[4]]);
                let made = format!("-b {} -p made", scene.sandbox.url("ocean"));
                let rechunk = msm_os!("rechunk {place} --to made/tos.zarr -cs '{{\"x\": 7}}'");
                rechunk.on(ranks).refused(40, &[&scene.objects[4]]);
                msm_os!("list {made}").well().says(&["there are no stores"]);
                msm_os!("recover {place}").well_on(ranks);
                assert!(scene.sandbox.stores("ocean") == before, "{wrong:?}");
            }
            if matches!(wrong, Wrong::Another) {
                let copied = msm_os!("copy {place} --to copy/tos.zarr").well();
                copied.says(&["1 object is not what its manifest says"]);
            }
            // Steps that go, and are not read, may be lost.
            msm_os!("update -f {} {place} -v tos", files[5]).well_on(3);
            msm_os!("send -f {} {place} -v tos --insert", files[2]).well_on(3);
            msm_os!("verify {place}").well();
            scene
                .sandbox
                .reads_back("ocean/a/tos.zarr", &files.iter().collect::<Vec<_>>());
        }
    }
}

/// What is lost goes with its steps.
#[test]
fn steps_that_are_lost_can_be_taken_off() {
    let scene = Scene::new("--codec none", 7);
    let Scene { place, files, .. } = &scene;
    scene.spoil(3, Wrong::Gone);
    msm_os!("delete {place} --time 1976-04..1976-04 --yes").well();
    msm_os!("send -f {} {place} -v tos --insert", files[3]).well_on(3);
    msm_os!("verify {place}").well();
    let sent: Vec<&String> = files[..6].iter().collect();
    scene.sandbox.reads_back("ocean/a/tos.zarr", &sent);
}
