//! The same command again: it finishes what it began, and "there already" means the same data.

use nemo_like::Spec;
use rustix::process::Signal;

use crate::resume_scene::{At, STORES, Scene, Stop, Whom};
use crate::support::{Sandbox, is_tidy, on_ranks, reads_back};

fn months(sandbox: &Sandbox, from: u32, count: usize) -> String {
    let start = format!("1976-{from:02}-01").parse().unwrap();
    sandbox.source(&Spec {
        steps: count,
        start,
        ..Spec::default()
    })
}

#[test]
fn a_send_killed_between_its_transactions_is_finished_by_the_same_command() {
    for options in [&[][..], &["--resume"]] {
        let scene = Scene::empty();
        let files: Vec<String> = (0..4).map(|pair| scene.months(2 * pair, 2, 0)).collect();
        let files: Vec<&str> = files.iter().map(String::as_str).collect();
        let chunks = ["-cs", r#"{"time_counter": 2, "deptht": 1}"#];
        let args = [&chunks[..], options].concat();
        let stop = Stop {
            signal: Signal::KILL,
            whom: Whom::All,
            at: At::Key("/thetao/c/2/"),
        };
        let killed = scene.send(1, &files, &args, Some(stop));
        assert_ne!(killed.ended.code, 0, "{:#?}", killed.ended);
        let committed = |scene: &Scene| {
            let keys = scene.objects().into_keys();
            keys.filter(|key| key.contains("/transactions/")).count()
        };
        assert_eq!(committed(&scene), 2 * STORES.len());
        let again = scene.send(1, &files, &args, None).ended.well();
        let said = "2 of 4 files are there already, skipped";
        assert!(again.stdout.contains(said), "{again:#?}");
        assert_eq!(committed(&scene), 4 * STORES.len());
        is_tidy(&scene.server);
        // And once more: nothing is left to do.
        let third = scene.send(1, &files, &args, None).ended.well();
        assert!(third.stdout.contains("nothing to do"), "{third:#?}");
        for store in STORES {
            let name = format!("s3://ocean/{store}");
            let all: Vec<String> = files.iter().map(|&file| file.to_owned()).collect();
            reads_back(&name, Some(&scene.server), &all);
        }
    }
}

#[test]
fn each_store_is_judged_file_by_file() {
    for compact in [false, true] {
        let sandbox = Sandbox::new();
        let files = [
            months(&sandbox, 1, 2),
            months(&sandbox, 3, 1),
            months(&sandbox, 4, 3),
        ];
        let url = sandbox.url("ocean");
        let send = |files: &[&str], variables: &[&str], more: &[&str]| {
            let kind = if compact { &["compact"][..] } else { &[] };
            let args = ["send", "-b", &url, "-p", "T1m"];
            on_ranks(
                2,
                &[&args[..], more, &["-f"], files, &["-v"], kind, variables].concat(),
            )
        };
        let [first, second, third] = [0, 1, 2].map(|i| files[i].as_str());
        let variables = ["tos", "sos"];
        send(&[first], &variables, &[]).well();
        if !compact {
            // One store is ahead of the other.
            send(&[second], &variables[..1], &[]).well();
        }
        // A file of which a store has one step and lacks others, among files that are whole.
        let half = months(&sandbox, 2, 2);
        let before = sandbox.tree("ocean");
        let refused = send(&[&half, third], &variables, &[]);
        let said = format!("already has 1 of the 2 steps of {half}");
        assert!(
            refused.code == 24 && refused.stderr.contains(&said),
            "{refused:#?}"
        );
        // A gap between what is there and what is new is one, whichever files are given.
        let gap = send(&[first, third], &variables, &[]);
        assert!([16, 24].contains(&gap.code), "{gap:#?}");
        assert!(gap.stderr.contains("--allow-gaps"), "{gap:#?}");
        assert!(sandbox.tree("ocean") == before);
        let done = send(&[first, second, third], &variables, &[]).well();
        assert!(done.stdout.contains("of 3 files are there"), "{done:#?}");
        let stores: &[&str] = if compact {
            &["T1m"]
        } else {
            &["T1m/tos", "T1m/sos"]
        };
        for store in stores {
            let path = sandbox.path(&format!("ocean/{store}.zarr"));
            reads_back(path.to_str().unwrap(), None, &files);
        }
        let again = send(&[first, second, third], &variables, &["--resume"]).well();
        assert!(again.stdout.contains("nothing to do"), "{again:#?}");
        let error = send(&[first, second], &variables, &["--on-overlap", "error"]);
        assert_eq!(error.code, 24, "{error:#?}");
    }
}
