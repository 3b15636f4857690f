//! Directories as object stores: files that a killed job staged go, and symbolic links are not followed by what deletes.

use std::fs;
use std::os::unix::fs::symlink;

use nemo_like::{Spec, Variable};

use crate::line::msm_os;
use crate::support::{Ended, Sandbox};

fn sent(sandbox: &Sandbox) -> String {
    let spec = Spec {
        variables: vec![Variable::Tos],
        ..Spec::default()
    };
    let file = sandbox.source(&spec);
    run(sandbox, &format!("send -f {file} -p T1m")).well();
    file
}

fn run(sandbox: &Sandbox, line: &str) -> Ended {
    msm_os!("{line} -b {}", sandbox.url("ocean")).alone()
}

#[test]
fn what_a_killed_job_staged_goes_with_the_next_recover_or_delete() {
    let sandbox = Sandbox::new();
    let file = sent(&sandbox);
    let staged = [
        "T1m/tos.zarr/zarr.json#1",
        "T1m/tos.zarr/tos/c/0/0/0#2",
        "T1m/tos.zarr/tos/c/9/9/9#1",
        "T1m/.msm-os/tos.zarr/last.json#1",
    ];
    let others = [
        "T1m/tos.zarr/notes#1",
        "T1m/tos.zarr/tos/c/0/0/notes#1",
        "notes#1",
    ];
    let leave = || {
        for name in staged.iter().chain(&others) {
            let path = sandbox.path("ocean").join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "half").unwrap();
        }
    };
    let are_there = |names: &[&str]| {
        let there = |name: &&&str| sandbox.path("ocean").join(name).exists();
        names.iter().filter(there).count()
    };
    leave();
    run(&sandbox, "recover -p T1m").well();
    assert_eq!((are_there(&staged), are_there(&others)), (0, 3));
    run(&sandbox, "verify -p T1m").well();
    // The next command that heals what the job left.
    leave();
    let journal =
        sandbox.path("ocean/T1m/.msm-os/tos.zarr/journal/00000009-0123abcd.done/0123abcd-0");
    fs::create_dir_all(journal.parent().unwrap()).unwrap();
    fs::write(&journal, "{}").unwrap();
    run(&sandbox, &format!("send -f {file} -p T1m")).well();
    assert_eq!((are_there(&staged), are_there(&others)), (0, 3));
    assert!(!journal.exists());
    leave();
    run(&sandbox, "delete --all --yes -p T1m").well();
    assert_eq!((are_there(&staged), are_there(&others)), (0, 3));
}

#[test]
fn nothing_behind_a_link_is_deleted() {
    let sandbox = Sandbox::new();
    sent(&sandbox);
    // Another store, and what is no store at all, behind links.
    let elsewhere = sandbox.path("elsewhere");
    fs::create_dir_all(elsewhere.join("a")).unwrap();
    fs::write(elsewhere.join("a/precious"), "mine").unwrap();
    run(&sandbox, "list").well();
    let copied = sandbox.path("ocean/T1m/tos.zarr");
    fs::rename(&copied, elsewhere.join("tos.zarr")).unwrap();
    let links =
        ["T1m/tos.zarr", "T1m/others", "T1m/deep/er"].map(|name| sandbox.path("ocean").join(name));
    fs::create_dir_all(links[2].parent().unwrap()).unwrap();
    symlink(elsewhere.join("tos.zarr"), &links[0]).unwrap();
    symlink(elsewhere.join("a"), &links[1]).unwrap();
    symlink(&elsewhere, &links[2]).unwrap();
    let before = sandbox.tree("elsewhere");
    for line in [
        "delete --all --yes -p T1m",
        "delete --yes -v tos -p T1m",
        "delete --yes -v tos -p T1m --force",
        "delete --all --yes -p T1m/others --force",
    ] {
        run(&sandbox, line).refused(29, &["is a symbolic link to "]);
        assert!(sandbox.tree("elsewhere") == before);
    }
    // One that leads to another place in the same bucket.
    let way = sandbox.path("ocean/way");
    symlink(sandbox.path("ocean/T1m"), &way).unwrap();
    for force in ["", "--force"] {
        run(&sandbox, &format!("delete --all --yes -p way {force}")).refused(29, &[]);
        assert!(links.iter().all(|link| link.is_symlink()));
    }
    fs::remove_file(&way).unwrap();
    run(&sandbox, "delete --all --yes -p T1m --force").well();
    assert!(sandbox.tree("elsewhere") == before);
    assert!(sandbox.tree("ocean").is_empty());
    assert!(!sandbox.path("ocean/T1m").exists());
}
