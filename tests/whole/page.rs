//! `page`: a static page about an archive, with maps and STAC items beside it.

use nemo_like::{Spec, Variable};

use crate::browser::{MARKUP, file_with_markup};
use crate::line::msm_os;
use crate::support::{Sandbox, python_runs, script};

#[test]
fn the_same_archive_makes_the_same_files() {
    let sandbox = Sandbox::new();
    let file = sandbox.source(&Spec {
        steps: 2,
        variables: vec![Variable::Tos, Variable::Thetao],
        ..Spec::default()
    });
    let place = format!("-b {} -p T1m", sandbox.url("ocean"));
    msm_os!("send -f {file} {place}").well();
    let page = sandbox.file("page");
    let line = msm_os!("page {place} -o {page}");
    line.well().says(&["wrote ", "2 stores, 2 maps"]);
    let first = sandbox.tree("page");
    let text = String::from_utf8(first["index.html"].clone()).unwrap();
    for part in [
        "1976-01-16 12:00:00 to 1976-02-15 12:00:00, 2 steps",
        "import xarray as xr",
        "time_counter=2 y=30 x=40",
        "read back and compared with what was sent",
        "alt=\"Map: &#x2068;tos: ",
        ".zarr",
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
    let values = ["T1m/tos.zarr", "T1m/thetao.zarr", "import xarray as xr"];
    python_runs(
        &script("page.py"),
        &[&[page.as_str()], &values[..]].concat(),
    );
    // On more ranks, over itself.
    line.well_on(3);
    assert!(sandbox.tree("page") == first);
    // What is gone from the archive goes from the page.
    let mine = sandbox.path("page/maps/mine.svg");
    std::fs::write(&mine, "<svg/>").unwrap();
    msm_os!("delete -v tos --yes {place}").well();
    line.well().says(&["1 store, 1 map"]);
    let left: Vec<String> = sandbox.tree("page").into_keys().collect();
    assert!(left.iter().all(|name| !name.contains("tos")), "{left:?}");
    assert!(mine.exists() && left.len() < first.len());
    python_runs(&script("page.py"), &[page.as_str(), "T1m/thetao.zarr"]);
}

#[test]
fn names_and_attributes_that_are_markup_are_text() {
    let sandbox = Sandbox::new();
    let file = file_with_markup(&sandbox);
    let bucket = sandbox.url("ocean");
    // A terminal is told nothing of that kind either.
    let name = "ORCA_1m_grid_T_\u{202e}\u{1b}[31m.nc";
    let renamed = sandbox.path(name);
    std::fs::rename(file, &renamed).unwrap();
    let sent = msm_os!("send -f '{}' -b {bucket} -p T1m", renamed.display()).well();
    let told = msm_os!("history -b {bucket}").well();
    for ended in [&sent, &told] {
        let said = format!("{}{}", ended.stdout, ended.stderr);
        assert!(!said.contains(['\u{202e}', '\u{1b}']), "{said}");
    }
    assert!(
        told.stdout.contains("\u{fffd}\u{fffd}[31m.nc"),
        "{}",
        told.stdout
    );
    let told = msm_os!("history -b {bucket} --json").well().stdout;
    assert!(!told.contains('\u{202e}'), "{told}");
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["commands"][0]["files"]["first"], name);
    let page = sandbox.file("page");
    msm_os!("page -b {bucket} -o {page}").well();
    python_runs(
        &script("page.py"),
        &[&[page.as_str()], &MARKUP[..]].concat(),
    );
}

#[test]
fn what_is_refused_and_what_stays() {
    let sandbox = Sandbox::new();
    let file = sandbox.source(&Spec {
        variables: vec![Variable::Tos],
        ..Spec::default()
    });
    let place = format!("-b {}", sandbox.url("ocean"));
    msm_os!("send -f {file} {place}").well();
    let own = sandbox.private("site/index.html", "<h1>mine</h1>");
    let site = sandbox.file("site");
    msm_os!("page {place} -o {site}")
        .alone()
        .refused(2, &["none of this command"]);
    assert_eq!(std::fs::read_to_string(&own).unwrap(), "<h1>mine</h1>");
    msm_os!("page {place} -o {site}/no/page")
        .alone()
        .refused(2, &["there is no folder"]);
    msm_os!("page {place} -p none -o {site}/page")
        .alone()
        .refused(27, &["no store that can be opened"]);
    assert!(!sandbox.path("site/page").exists());
    // A store that cannot be read does not keep the others from their page.
    let broken = sandbox.path("ocean/T1m/sos.zarr");
    std::fs::create_dir_all(&broken).unwrap();
    std::fs::write(broken.join("zarr.json"), "{").unwrap();
    let page = sandbox.file("page");
    let ended = msm_os!("page {place} -o {page}").alone();
    assert_eq!(ended.code, 25, "{}{}", ended.stdout, ended.stderr);
    ended.says(&["T1m/sos.zarr: BROKEN: "]);
    python_runs(&script("page.py"), &[page.as_str(), "BROKEN"]);
    // What others have put into a folder stays, and where nothing can be written is known before anything is read.
    let nowhere = "page -b file:///no/such/bucket";
    for (name, why) in [
        ("collection.json", "is in the way"),
        ("maps/mine.svg", "is in the way"),
    ] {
        let file = sandbox.private(&format!("mine/{name}"), "mine");
        msm_os!("{nowhere} -o {}", sandbox.file("mine"))
            .alone()
            .refused(2, &[why]);
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "mine");
        std::fs::remove_file(&file).unwrap();
    }
    msm_os!("{nowhere} -o /proc/page")
        .alone()
        .refused(2, &["cannot be written"]);
}

#[test]
fn an_object_that_is_damaged_or_gone_costs_one_map() {
    let sandbox = Sandbox::new();
    let file = sandbox.source(&Spec {
        variables: vec![Variable::Tos, Variable::Thetao],
        ..Spec::default()
    });
    let place = format!("-b {} -p T1m", sandbox.url("ocean"));
    msm_os!("send -f {file} {place} -v tos thetao").well();
    let object = |array: &str| {
        let mut object = sandbox.path(&format!("ocean/T1m/tos.zarr/{array}/c"));
        while object.is_dir() {
            object = std::fs::read_dir(&object)
                .unwrap()
                .next()
                .unwrap()
                .unwrap()
                .path();
        }
        object
    };
    let (values, longitudes) = (object("tos"), object("nav_lon"));
    let mut bytes = std::fs::read(&values).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x55;
    std::fs::write(&values, bytes).unwrap();
    let page = sandbox.file("page");
    let line = msm_os!("page {place} -o {page}");
    for ranks in [1, 3] {
        let ended = line.on(ranks);
        assert_eq!(ended.code, 25, "{}{}", ended.stdout, ended.stderr);
        ended.says(&["2 stores, 1 map"]);
        assert!(ended.stderr.contains("tos.zarr/tos/c/"), "{}", ended.stderr);
        python_runs(
            &script("page.py"),
            &[page.as_str(), "No map: ", "Map: thetao: "],
        );
    }
    std::fs::remove_file(longitudes).unwrap();
    let ended = line.alone();
    assert_eq!(ended.code, 25, "{}{}", ended.stdout, ended.stderr);
    ended.says(&["nav_lon/c/0/0", "it is gone", "2 stores, 1 map"]);
    let stac = sandbox.file("stac.json");
    let ended = msm_os!("open {place} --stac {stac}").alone();
    assert_eq!(ended.code, 25, "{}{}", ended.stdout, ended.stderr);
    assert!(
        sandbox.path("stac/thetao.json").exists(),
        "{}",
        ended.stderr
    );
}
