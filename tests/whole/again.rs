//! The same command again: it finishes what it began, and "there already" means the same data.

use nemo_like::Spec;
use rustix::process::Signal;
use s3_server::{Fault, Rule};

use crate::refusals::{edited, refused};
use crate::resume_scene::{At, STORES, Scene, Stop, Whom};
use crate::support::{Sandbox, alone, cut, is_tidy, on_ranks, python_runs, reads_back};

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
fn no_transaction_follows_one_whose_ledger_is_not_tidy() {
    let scene = Scene::empty();
    let files: Vec<String> = (0..3).map(|pair| scene.months(2 * pair, 2, 0)).collect();
    let files: Vec<&str> = files.iter().map(String::as_str).collect();
    let args = ["-cs", r#"{"time_counter": 2, "deptht": 1}"#];
    // The first transaction's entry; the retry at the end of it, and the healing before the job ends, are refused too.
    let refused = Rule::new(Fault::Status(403)).method("DELETE");
    scene.server.faults().add(refused.key_contains(".open"));
    let sent = scene.send(1, &files, &args, None).ended;
    assert_eq!(sent.code, 40, "{sent:#?}");
    for said in ["not tidy yet", "before another can follow"] {
        assert!(sent.stderr.contains(said), "{sent:#?}");
    }
    scene.server.faults().clear();
    // Another program touches the root of what has been committed.
    let root = format!("{}/zarr.json", STORES[0]);
    let mut changed = scene.objects()[&root].to_vec();
    changed.push(b'\n');
    scene.server.put_object("ocean", &root, changed);
    let again = scene.send(1, &files, &args, None).ended.well();
    assert!(
        again.stdout.contains("1 of 3 files are there already"),
        "{again:#?}"
    );
    is_tidy(&scene.server);
    for store in STORES {
        let name = format!("s3://ocean/{store}");
        let all: Vec<String> = files.iter().map(|&file| file.to_owned()).collect();
        reads_back(&name, Some(&scene.server), &all);
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

/// A copy of `file` with two variables that name each other in `coordinates`, so that neither is data.
fn with_a_pair(sandbox: &Sandbox, name: &str, file: &str) -> String {
    edited(sandbox, name, file, |f| {
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
    let file = months(&sandbox, 1, 2);
    let spec = Spec {
        steps: 2,
        ..Spec::default()
    };
    let wider = Spec {
        grid: "42x30x5".parse().unwrap(),
        ..spec.clone()
    };
    // The default prefix tells grid and frequency, not the configuration.
    let wider = sandbox.source_called("eORCA025_1m_grid_T_1976-1976.nc", &wider);
    let name = |what: &str| format!("{what}_1m_grid_T.nc");
    let moved = edited(&sandbox, &name("moved"), &file, |f| {
        let mut latitude = f.variable_mut("nav_lat").unwrap();
        latitude.put_value(12.5f32, [3, 4]).unwrap();
    });
    let depths = edited(&sandbox, &name("depths"), &file, |f| {
        let mut depth = f.variable_mut("deptht").unwrap();
        depth.put_value(0.25f32, [1]).unwrap();
    });
    let units = edited(&sandbox, &name("units"), &file, |f| {
        let mut tos = f.variable_mut("tos").unwrap();
        tos.put_attribute("units", "K").unwrap();
    });
    let packed = edited(&sandbox, &name("packed"), &file, |f| {
        let mut tos = f.variable_mut("tos").unwrap();
        tos.put_attribute("scale_factor", 0.5f32).unwrap();
    });
    let dropped = ["drop=nav_lat", "drop=bounds_lat"];
    let bare = cut(&sandbox, &file, &name("bare"), "0,1", &dropped);
    for kind in [&[][..], &["compact"]] {
        let send = |file: &str, more: &[&str]| {
            let args = ["send", "-f", file, "-b", &url, "-v"];
            let args = [&args[..], kind, &["tos", "thetao"], more].concat();
            args.into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        let refuse = |code, words: &[&str], file: &str, more: &[&str]| {
            let args = send(file, more);
            let args: Vec<&str> = args.iter().map(String::as_str).collect();
            refused(&sandbox, code, words, &args);
        };
        let run = |more: &[&str]| {
            let args = send(&file, more);
            let args: Vec<&str> = args.iter().map(String::as_str).collect();
            on_ranks(2, &args).well()
        };
        let made = ["--codec", "zstd:3", "-cs", r#"{"y": 7}"#];
        run(&made);
        for more in [&[][..], &["--on-overlap", "skip"], &["--resume"]] {
            refuse(20, &["'x'", "40", "42"], &wider, more);
            refuse(22, &["'nav_lat'", "[3, 4]", "12.5"], &moved, more);
            refuse(22, &["'deptht'", "[1]", "0.25"], &depths, more);
            refuse(23, &["'tos'", "units", "\"K\""], &units, more);
            refuse(23, &["'tos'", "scale_factor", "0.5"], &packed, more);
        }
        // Without coordinates, nothing tells of which grid it is.
        refuse(26, &["'nav_lat'", "of the same grid"], &bare, &[]);
        for (code, flags, words) in [
            (17, &["-cs", r#"{"x": 7}"#][..], "keeps its chunks"),
            (17, &["--shards", r#"{"y": 14}"#], "keeps its shards"),
            (
                17,
                &["--codec", "zstd:5"],
                "has the codec zstd:3, --codec asks for zstd:5",
            ),
            (17, &["--codec", "none"], "keeps its codecs"),
            (28, &["-zv", "2"], "keeps its version"),
        ] {
            refuse(code, &[words], &file, flags);
        }
        // Also where there is something to do.
        let later = months(&sandbox, 3, 1);
        refuse(17, &["keeps its codecs"], &later, &["--codec", "blosc"]);
        // The store's own may be asked for.
        let again = run(&[&made[..], &["-zv", "3"]].concat());
        let said = "all 2 steps are there already, skipped";
        assert!(again.stdout.contains(said), "{again:#?}");
        assert!(again.stdout.contains("nothing to do"), "{again:#?}");
    }
    // A static variable has neither steps nor, at times, anything to do.
    let send = ["send", "-f", &file, "-b", &url, "-v", "nav_lat"];
    alone(&[&send[..], &["-cs", r#"{"y": 7}"#]].concat()).well();
    let other = [&send[..], &["-cs", r#"{"y": 9}"#]].concat();
    refused(&sandbox, 17, &["keeps its chunks"], &other);
    let other = ["send", "-f", &moved, "-b", &url, "-v", "nav_lat"];
    refused(&sandbox, 22, &["'nav_lat'", "12.5"], &other);
    // Of version 2, the same.
    let send = [&send[..], &["-p", "two", "-zv", "2"]].concat();
    alone(&send).well();
    let other = [&send[..], &["--codec", "none"]].concat();
    let words = "has the codec blosc:lz4:5:shuffle, --codec asks for none";
    refused(&sandbox, 17, &[words], &other);
    let same = [&send[..], &["--codec", "blosc:lz4:5:shuffle"]].concat();
    assert!(alone(&same).well().stdout.contains("nothing to do"));
}

#[test]
fn pieces_of_a_field_are_no_archive() {
    let sandbox = Sandbox::new();
    let url = sandbox.url("ocean");
    let piece = |number: u32, total: &str| {
        let month = months(&sandbox, 1 + number, 1);
        let name = format!("ORCA_1m_grid_T_{number:04}_{total}.nc");
        let total: Result<i32, _> = total.parse();
        edited(&sandbox, &name, &month, |f| {
            match &total {
                Ok(total) => f.add_attribute("DOMAIN_number_total", *total).unwrap(),
                Err(_) => f.add_attribute("DOMAIN_number_total", "4").unwrap(),
            };
        })
    };
    let [whole, first, second, text] =
        [(0, "1"), (0, "4"), (1, "4"), (1, "text")].map(|(n, total)| piece(n, total));
    let send = ["send", "-b", &url, "-v", "tos", "-p", "T1m", "-f"];
    alone(&[&send[..], &[&whole]].concat()).well();
    let words = ["DOMAIN_number_total", "rebuild_nemo", "one of 4 pieces"];
    for files in [
        &[&first][..],
        &[&second],
        &[&text],
        &[&first, &second],
        &[&whole, &second],
    ] {
        let files: Vec<&str> = files.iter().map(|file| file.as_str()).collect();
        refused(&sandbox, 16, &words, &[&send[..], &files].concat());
    }
    let both = [&send[..], &[&first, &second]].concat();
    let ended = alone(&both);
    assert!(ended.stderr.contains("2 problems"), "{ended:#?}");
    let update = ["update", "-b", &url, "-v", "tos", "-p", "T1m", "-f", &first];
    refused(&sandbox, 16, &words, &update);
    let fresh = ["send", "-b", &url, "-p", "fresh", "-f", &first, &second];
    refused(&sandbox, 16, &words, &fresh);
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
    let bare = sandbox.path("bare_1m_grid_T.nc");
    let bare = bare.to_str().unwrap().to_owned();
    let script = "import sys, netCDF4
old, new = netCDF4.Dataset(sys.argv[1]), netCDF4.Dataset(sys.argv[2], 'w')
for name, size in (('time_counter', None), ('y', 30), ('x', 40)):
    new.createDimension(name, size)
for name in ('time_counter', 'uo', 'vo'):
    copy = new.createVariable(name, old[name].dtype, old[name].dimensions)
    copy.setncatts(old[name].__dict__)
    copy[:] = old[name][:]";
    let path = sandbox.private("bare.py", script);
    python_runs(std::path::Path::new(&path), &[&mixed, &bare]);
    let why = [
        "bare_1m_grid_T.nc: has no data variable",
        "'time_counter' (the coordinate of a dimension)",
        "'uo' (named by 'vo' in its coordinates)",
        "'vo' (named by 'uo' in its coordinates)",
        "-v",
    ];
    for command in ["send", "update"] {
        let args = [command, "-f", &bare, "-b", &url];
        refused(&sandbox, 14, &why, &args);
        let compact = [&args[..], &["-v", "compact"]].concat();
        refused(&sandbox, 14, &why, &compact);
    }
    // Named, they are sent.
    alone(&["send", "-f", &bare, "-b", &url, "-p", "named", "-v", "uo"]).well();
    let store = sandbox.path("ocean/named/uo.zarr");
    reads_back(store.to_str().unwrap(), None, std::slice::from_ref(&bare));
    let against = ["verify", "-b", &url, "-p", "named", "--against", &bare];
    refused(&sandbox, 14, &why, &against);
    // Beside others, there is a notice, and the others are sent.
    let notice = alone(&["send", "-f", &mixed, "-b", &url]).well();
    for word in ["not sent", why[2], why[3]] {
        assert!(notice.stderr.contains(word), "{notice:#?}");
    }
    assert!(!notice.stderr.contains("'nav_lat'"), "{notice:#?}");
    assert!(notice.stdout.contains("1 stores created"), "{notice:#?}");
    let quiet = alone(&["send", "-f", &mixed, "-b", &url, "-v", "tos"]).well();
    assert!(quiet.stderr.is_empty(), "{quiet:#?}");
    let quiet = alone(&["send", "-f", &file, "-b", &url]).well();
    assert!(quiet.stderr.is_empty(), "{quiet:#?}");
    // A store of other variables is nothing to update.
    alone(&[
        "send", "-f", &bare, "-b", &url, "-p", "c", "-v", "compact", "uo",
    ])
    .well();
    let update = [
        "update", "-f", &file, "-b", &url, "-p", "c", "-v", "compact",
    ];
    refused(&sandbox, 27, &["c.zarr", "holds none"], &update);
}
