//! The same command again: it finishes what it began, and "there already" means the same data.

use nemo_like::Spec;
use rustix::process::Signal;
use s3_server::{Fault, Rule};

use crate::line::msm_os;
use crate::resume_scene::{At, STORES, Scene, Stop, Whom};
use crate::support::{Sandbox, is_tidy, python_code, reads_back, served};

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
        again.says(&["2 of 4 files are there already, skipped"]);
        assert_eq!(committed(&scene), 4 * STORES.len());
        is_tidy(&scene.server);
        // And once more: nothing is left to do.
        let third = scene.send(1, &files, &args, None).ended.well();
        third.says(&["nothing to do"]);
        for store in STORES {
            let name = format!("s3://ocean/{store}");
            reads_back(&name, Some(&scene.server), &files);
        }
    }
}

#[test]
fn no_transaction_follows_one_whose_ledger_is_not_tidy() {
    let scene = Scene::empty();
    let files: Vec<String> = (0..3).map(|pair| scene.months(2 * pair, 2, 0)).collect();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let args = ["-cs", r#"{"time_counter": 2, "deptht": 1}"#];
    // The first transaction's entry; the retry at the end of it, and the healing before the job ends, are refused too.
    let refused = Rule::new(Fault::Status(403)).method("DELETE");
    scene.server.faults().add(refused.key_contains(".open"));
    let sent = scene.send(1, &files, &args, None).ended;
    sent.refused(40, &["not tidy yet", "before another can follow"]);
    scene.server.faults().clear();
    // Another program touches the root of what has been committed.
    let root = format!("{}/zarr.json", STORES[0]);
    let mut changed = scene.objects()[&root].to_vec();
    changed.push(b'\n');
    scene.server.put_object("ocean", &root, changed);
    let again = scene.send(1, &files, &args, None).ended.well();
    again.says(&["1 of 3 files is there already"]);
    is_tidy(&scene.server);
    for store in STORES {
        let name = format!("s3://ocean/{store}");
        reads_back(&name, Some(&scene.server), &files);
    }
}

#[test]
fn each_store_is_judged_file_by_file() {
    for compact in [false, true] {
        let sandbox = Sandbox::new();
        let files = [(1, 2), (3, 1), (4, 3)].map(|(from, count)| sandbox.months(from, count));
        let [first, second, third] = &files;
        let url = sandbox.url("ocean");
        let variables = if compact {
            "compact tos sos"
        } else {
            "tos sos"
        };
        let send = |line: &str| msm_os!("send -b {url} -p T1m {line} -v {variables}").on(2);
        send(&format!("-f {first}")).well();
        if !compact {
            // One store is ahead of the other.
            msm_os!("send -b {url} -p T1m -f {second} -v tos").well_on(2);
        }
        // A file of which a store has one step and lacks others, among files that are whole.
        let half = sandbox.months(2, 2);
        let before = sandbox.tree("ocean");
        let said = format!("already has 1 of the 2 steps of {half}");
        send(&format!("-f {half} {third}")).refused(24, &[&said]);
        // A gap between what is there and what is new is one, whichever files are given.
        let gap = send(&format!("-f {first} {third}"));
        assert!([16, 24].contains(&gap.code), "{gap:#?}");
        gap.warns(&["--allow-gaps"]);
        assert!(sandbox.tree("ocean") == before);
        let all = format!("-f {first} {second} {third}");
        send(&all).well().says(&["of 3 files "]);
        let stores = if compact {
            "ocean/T1m.zarr"
        } else {
            "ocean/T1m/tos.zarr,ocean/T1m/sos.zarr"
        };
        sandbox.reads_back(stores, &files);
        let again = send(&format!("--resume {all}")).well();
        again.says(&["nothing to do"]);
        send(&format!("--on-overlap error -f {first} {second}")).refused(24, &[]);
    }
}

/// A copy of `file` with two variables that name each other in `coordinates`, so that neither is data.
fn with_a_pair(sandbox: &Sandbox, name: &str, file: &str) -> String {
    sandbox.edited(file, name, |f| {
        for (name, other) in [("uo", "vo"), ("vo", "uo")] {
            let dimensions = ["time_counter", "y", "x"];
            let mut variable = f.add_variable::<f32>(name, &dimensions).unwrap();
            variable.put_attribute("coordinates", other).unwrap();
        }
    })
}

#[test]
fn what_is_there_already_is_the_same_data() {
    let sandbox = Sandbox::new();
    let url = sandbox.url("ocean");
    let file = sandbox.months(1, 2);
    // The default prefix tells grid and frequency, not the configuration.
    let wider = Spec {
        steps: 2,
        grid: "42x30x5".parse().unwrap(),
        ..Spec::default()
    };
    let wider = sandbox.source_called("eORCA025_1m_grid_T_1976-1976.nc", &wider);
    let moved = sandbox.edited(&file, "moved_1m_grid_T.nc", |f| {
        let mut latitude = f.variable_mut("nav_lat").unwrap();
        latitude.put_value(12.5f32, [3, 4]).unwrap();
    });
    let depths = sandbox.edited(&file, "depths_1m_grid_T.nc", |f| {
        let mut depth = f.variable_mut("deptht").unwrap();
        depth.put_value(0.25f32, [1]).unwrap();
    });
    let units = sandbox.edited(&file, "units_1m_grid_T.nc", |f| {
        let mut tos = f.variable_mut("tos").unwrap();
        tos.put_attribute("units", "K").unwrap();
    });
    let packed = sandbox.edited(&file, "packed_1m_grid_T.nc", |f| {
        let mut tos = f.variable_mut("tos").unwrap();
        tos.put_attribute("scale_factor", 0.5f32).unwrap();
    });
    let dropped = "drop=nav_lat drop=bounds_lat";
    let bare = sandbox.cut(&file, "bare_1m_grid_T.nc", "0,1", dropped);
    let later = sandbox.months(3, 1);
    for kind in ["", "compact"] {
        let send =
            |file: &str, more: &str| msm_os!("send -f {file} -b {url} -v {kind} tos thetao {more}");
        let refuse = |code, words: &[&str], file: &str, more: &str| {
            send(file, more).refused_in(&sandbox, code, words);
        };
        let made = r#"--codec zstd:3 -cs '{"y": 7}'"#;
        send(&file, made).well_on(2);
        for more in ["", "--on-overlap skip", "--resume"] {
            refuse(20, &["'x'", "40", "42"], &wider, more);
            refuse(22, &["'nav_lat'", "[3, 4]", "12.5"], &moved, more);
            refuse(22, &["'deptht'", "[1]", "0.25"], &depths, more);
            refuse(23, &["'tos'", "units", "\"K\""], &units, more);
            refuse(23, &["'tos'", "scale_factor", "0.5"], &packed, more);
        }
        // Without coordinates, nothing tells of which grid it is.
        refuse(26, &["'nav_lat'", "of the same grid"], &bare, "");
        for (code, flags, words) in [
            (17, r#"-cs '{"x": 7}'"#, "keeps its chunks"),
            (17, r#"--shards '{"y": 14}'"#, "keeps its shards"),
            (
                17,
                "--codec zstd:5",
                "has the codec zstd:3, --codec asks for zstd:5",
            ),
            (17, "--codec none", "keeps its codecs"),
            (28, "-zv 2", "keeps its version"),
        ] {
            refuse(code, &[words], &file, flags);
        }
        // Also where there is something to do.
        refuse(17, &["keeps its codecs"], &later, "--codec blosc");
        // The store's own may be asked for.
        let again = send(&file, &format!("{made} -zv 3")).well_on(2);
        again.says(&["all 2 steps are there already, skipped", "nothing to do"]);
    }
    // A static variable has neither steps nor, at times, anything to do.
    let send = |file: &str, more: &str| msm_os!("send -f {file} -b {url} -v nav_lat {more}");
    send(&file, r#"-cs '{"y": 7}'"#).well();
    let other = send(&file, r#"-cs '{"y": 9}'"#);
    other.refused_in(&sandbox, 17, &["keeps its chunks"]);
    send(&moved, "").refused_in(&sandbox, 22, &["'nav_lat'", "12.5"]);
    // Of version 2, the same.
    let send = send(&file, "-p two -zv 2");
    send.well();
    let words = "has the codec blosc:lz4:5:shuffle, --codec asks for none";
    send.and("--codec none").refused_in(&sandbox, 17, &[words]);
    let same = send.and("--codec blosc:lz4:5:shuffle").well();
    same.says(&["nothing to do"]);
}

#[test]
fn pieces_of_a_field_are_no_archive() {
    let sandbox = Sandbox::new();
    let url = sandbox.url("ocean");
    let piece = |number: u32, total: &str| {
        let month = sandbox.months(1 + number, 1);
        let name = format!("ORCA_1m_grid_T_{number:04}_{total}.nc");
        let total: Result<i32, _> = total.parse();
        sandbox.edited(&month, &name, |f| {
            match &total {
                Ok(total) => f.add_attribute("DOMAIN_number_total", *total).unwrap(),
                Err(_) => f.add_attribute("DOMAIN_number_total", "4").unwrap(),
            };
        })
    };
    let [whole, first, second, text] =
        [(0, "1"), (0, "4"), (1, "4"), (1, "text")].map(|(n, total)| piece(n, total));
    let send = msm_os!("send -b {url} -v tos -p T1m -f");
    send.and(&whole).well();
    let words = ["DOMAIN_number_total", "rebuild_nemo", "one of 4 pieces"];
    let (both, beside) = (format!("{first} {second}"), format!("{whole} {second}"));
    for files in [&first, &second, &text, &both, &beside] {
        send.and(files).refused_in(&sandbox, 16, &words);
    }
    send.and(&both).alone().warns(&["2 problems"]);
    for line in [
        msm_os!("update -b {url} -v tos -p T1m -f {first}"),
        msm_os!("send -b {url} -p fresh -f {both}"),
    ] {
        line.refused_in(&sandbox, 16, &words);
    }
}

#[test]
fn a_file_without_data_says_what_it_left_out() {
    let sandbox = Sandbox::new();
    let url = sandbox.url("ocean");
    let file = sandbox.source(&Spec {
        variables: vec![nemo_like::Variable::Tos],
        ..Spec::default()
    });
    let mixed = with_a_pair(&sandbox, "mixed_1m_grid_T.nc", &file);
    let bare = sandbox.file("bare_1m_grid_T.nc");
    let script = "import sys, netCDF4
old, new = netCDF4.Dataset(sys.argv[1]), netCDF4.Dataset(sys.argv[2], 'w')
for name, size in (('time_counter', None), ('y', 30), ('x', 40)):
    new.createDimension(name, size)
for name in ('time_counter', 'uo', 'vo'):
    copy = new.createVariable(name, old[name].dtype, old[name].dimensions)
    copy.setncatts(old[name].__dict__)
    copy[:] = old[name][:]";
    python_code(script, &[&mixed, &bare]);
    let why = [
        "bare_1m_grid_T.nc: has no data variable",
        "'time_counter' (the coordinate of a dimension)",
        "'uo' (named by 'vo' in its coordinates)",
        "'vo' (named by 'uo' in its coordinates)",
        "-v",
    ];
    for command in ["send", "update"] {
        let line = msm_os!("{command} -f {bare} -b {url}");
        line.refused_in(&sandbox, 14, &why);
        line.and("-v compact").refused_in(&sandbox, 14, &why);
    }
    // Named, they are sent.
    msm_os!("send -f {bare} -b {url} -p named -v uo").well();
    sandbox.reads_back("ocean/named/uo.zarr", &[&bare]);
    msm_os!("verify -b {url} -p named --against {bare}").refused_in(&sandbox, 14, &why);
    // Beside others, there is a notice, and the others are sent.
    let notice = msm_os!("send -f {mixed} -b {url}").well();
    notice.warns(&["not sent", why[2], why[3]]);
    assert!(!notice.stderr.contains("'nav_lat'"), "{notice:#?}");
    notice.says(&["1 store created"]);
    for line in [
        msm_os!("send -f {mixed} -b {url} -v tos"),
        msm_os!("send -f {file} -b {url}"),
    ] {
        assert_eq!(line.well().stderr, "");
    }
    // A store of other variables is nothing to update.
    msm_os!("send -f {bare} -b {url} -p c -v compact uo").well();
    let update = msm_os!("update -f {file} -b {url} -p c -v compact");
    update.refused_in(&sandbox, 27, &["c.zarr", "holds none"]);
}

/// Which rank finds what first is chance; what is named is not.
#[test]
fn of_several_differences_the_first_is_named_on_any_number_of_ranks() {
    let (sandbox, _server, bucket) = served();
    let file = sandbox.source(&Spec::default());
    let store = format!("{bucket} -p T1m");
    msm_os!(r#"send -f {file} {store} -cs '{{"y": 8, "x": 8}}'"#).well();
    let moved = sandbox.edited(&file, "moved_1m_grid_T.nc", |f| {
        for name in ["deptht", "nav_lat", "nav_lon"] {
            let mut variable = f.variable_mut(name).unwrap();
            let shape: Vec<usize> = variable
                .dimensions()
                .iter()
                .map(netcdf::Dimension::len)
                .collect();
            let values = vec![77.5f32; shape.iter().product()];
            variable.put_values(&values, ..).unwrap();
        }
    });
    let send = msm_os!("send -f {moved} {store}");
    let named = |ranks: usize| {
        let ended = send.on(ranks);
        ended.refused(22, &["differs from"]);
        let mut lines = ended.stderr.lines();
        let line = lines.rfind(|line| line.contains("differs from"));
        line.unwrap().to_owned()
    };
    let first = named(1);
    for ranks in [1, 2, 3, 3] {
        assert_eq!(named(ranks), first, "{ranks}");
    }
}
