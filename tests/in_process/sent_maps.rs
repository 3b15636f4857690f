//! Maps in the page of `--report`: those that `quicklook` draws of the same fields, though nothing is read for them.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use msm_chart::{Chart, Picture};
use nemo_like::{Format, Spec, Variable};
use serde_json::Value;

use super::dataset::Objects;
use super::quicklook::drawn;
use super::support::{LONG, Line, line, readable, run_on, set_lease_times};
use crate::cli::Exit;
use crate::store::simulated::{Link, Mishap, Request, Rule, World};
use crate::store::{Conditional, Spot};
use crate::verbs::quicklook::{Quicklook, StepChoice};

/// Objects whose rows and columns do not fit into the grid as a whole.
const CHUNKS: &str = r#"{"time_counter": 2, "deptht": 3, "y": 7, "x": 16}"#;

/// A file of so many months from this one on, of 1976, with a variable that has levels and others that have none.
fn months(root: &Path, first: u32, steps: usize, seed: u64) -> String {
    let path = root.join(format!("ORCA_1m_grid_T_{first}_{steps}_{seed}.nc"));
    let spec = Spec {
        grid: "36x24x4".parse().unwrap(),
        variables: vec![Variable::Thetao, Variable::Zos],
        start: format!("1976-{first:02}-01").parse().unwrap(),
        steps,
        format: Format::Classic,
        seed,
        ..Spec::default()
    };
    nemo_like::write(&path, &spec).unwrap();
    path.to_str().unwrap().to_owned()
}

/// A run that has written a report.
struct Reported {
    world: Arc<World>,
    text: String,
    /// How often objects were asked for, on all ranks.
    gets: usize,
}

impl Reported {
    /// Of `command` on so many ranks, in a copy of `before`; its report is called `name`.
    fn of(before: &Objects, ranks: usize, command: &Line, report: &Path) -> Self {
        set_lease_times(LONG);
        let world = World::holding(Conditional::Enforced, before);
        let links: Mutex<Vec<Link>> = Mutex::default();
        let link = |_| {
            let link = world.link(Vec::new());
            links.lock().unwrap().push(link.clone());
            link
        };
        let words = ["--report", report.to_str().unwrap()];
        let command = [&command[..], &line(&words)].concat();
        assert_eq!(run_on(ranks, link, &command), Exit::Ok);
        let links = links.into_inner().unwrap();
        let ended = links.iter().flat_map(Link::ended);
        Self {
            gets: ended.filter(|one| one.request == Request::Get).count(),
            text: std::fs::read_to_string(report).unwrap(),
            world,
        }
    }

    /// The maps: what lies between the tags of each picture that has one.
    fn maps(&self) -> Vec<&str> {
        let figures = self.text.split("<svg ").skip(1);
        let figures = figures.map(|rest| rest.split("</svg>").next().unwrap());
        figures.filter(|svg| svg.contains("<title>Map: ")).collect()
    }

    fn document(&self) -> Value {
        let json = match self.text.split_once("id=\"report\">") {
            Some((_, rest)) => rest.split("</script>").next().unwrap(),
            None => &self.text,
        };
        serde_json::from_str(json).unwrap()
    }
}

/// The same as `quicklook` draws it of this step of `objects`.
fn looked_at(objects: &Objects, step: u64) -> Vec<String> {
    let asked = Quicklook {
        spot: Spot::Below("T1m".to_owned()),
        is_page: true,
        steps: vec![StepChoice::Number(step)],
        ..Quicklook::default()
    };
    let charts: Vec<Chart> = drawn(objects, 1, &asked).picture.charts;
    let width = Picture::plot_width_in_page(charts.len());
    let whole = charts.iter().map(|chart| chart.svg(width).unwrap());
    whole
        .map(|svg| {
            let (_, rest) = svg.split_once("<svg ").unwrap();
            rest.split("</svg>").next().unwrap().to_owned()
        })
        .collect()
}

#[track_caller]
fn are_those_of_quicklook(reported: &Reported, step: u64) {
    let expected = looked_at(&reported.world.objects(), step);
    let found = reported.maps();
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(&expected) {
        let title = |svg: &str| svg.split("</title>").next().unwrap().to_owned();
        assert_eq!(title(found), title(expected));
        assert!(found == expected, "{}", title(found));
    }
    assert!(!reported.text.contains("Grey") && !reported.text.contains("No map"));
}

#[test]
fn a_send_and_an_update_show_what_they_wrote_as_quicklook_does_and_read_no_more_for_it() {
    let root = tempfile::tempdir().unwrap();
    let file = |first, steps, seed| months(root.path(), first, steps, seed);
    let (page, json) = (root.path().join("run.html"), root.path().join("run.json"));
    let send = |file: &str| line(&["send", "-f", file, "-cs", CHUNKS]);
    let create = send(&file(1, 3, 0));
    let created = Reported::of(&Objects::new(), 1, &create, &page);
    are_those_of_quicklook(&created, 2);
    let without = Reported::of(&Objects::new(), 1, &create, &json);
    assert!(without.maps().is_empty());
    assert_eq!(created.gets, without.gets);
    let read = |of: &Reported| of.document()["stages"]["read"]["bytes"].clone();
    assert_eq!(read(&created), read(&without));
    let readers_see = |of: &Reported| readable(of.world.objects());
    assert!(readers_see(&created) == readers_see(&without));
    // Coordinates are there already, and half of an object.
    let before = created.world.objects();
    let append = send(&file(4, 2, 0));
    let appended = Reported::of(&before, 3, &append, &page);
    are_those_of_quicklook(&appended, 4);
    let alone = Reported::of(&before, 1, &append, &page);
    assert_eq!(alone.maps(), appended.maps());
    let update = line(&["update", "-f", &file(2, 1, 1)]);
    let updated = Reported::of(&appended.world.objects(), 2, &update, &page);
    are_those_of_quicklook(&updated, 1);
    assert_ne!(updated.maps(), created.maps());
    // What was not sent is not drawn.
    let again = line(&["update", "-f", &file(2, 1, 2), "-v", "zos"]);
    let one = Reported::of(&updated.world.objects(), 1, &again, &page);
    assert_eq!(one.maps().len(), 1);
    assert!(one.maps()[0].contains("<title>Map: &#x2068;zos"));
}

#[test]
fn what_is_reprojected_or_shared_out_is_drawn_as_well() {
    let root = tempfile::tempdir().unwrap();
    let file = months(root.path(), 1, 3, 0);
    let page = root.path().join("run.html");
    let send = |words: &[&str]| line(&[&["send", "-cs", CHUNKS, "-f", &file], words].concat());
    let projected = Reported::of(&Objects::new(), 2, &send(&["-r", "--grid", "30x20"]), &page);
    are_those_of_quicklook(&projected, 2);
    assert!(projected.maps()[0].contains("reprojected to "));
    let more = months(root.path(), 4, 2, 0);
    let parts = send(&[&more, "--share", "--transaction", "chunk"]);
    are_those_of_quicklook(&Reported::of(&Objects::new(), 2, &parts, &page), 4);
    let small = Reported::of(&Objects::new(), 1, &send(&["--memory", "16M"]), &page);
    assert!(small.maps().is_empty() && small.text.contains("No maps: for them each rank would"));
    let compact = send(&["-v", "compact"]);
    are_those_of_quicklook(&Reported::of(&Objects::new(), 1, &compact, &page), 2);
}

#[test]
fn what_an_earlier_run_had_put_is_grey_and_said_to_be() {
    let root = tempfile::tempdir().unwrap();
    let file = months(root.path(), 1, 1, 0);
    let page = root.path().join("run.html");
    let send = line(&["send", "-f", &file, "-cs", CHUNKS, "--resume"]);
    let world = World::new(Conditional::Enforced);
    set_lease_times(LONG);
    // While one is late, the journal gets the others.
    let late = || Rule::new(Mishap::Late(Duration::from_millis(400))).of(Request::Put);
    let link = |_| world.link(vec![late().key("zos.zarr/zos/c/").times(1)]);
    assert_eq!(run_on(1, link, &send), Exit::Ok);
    let whole = world.objects();
    let half = world.history().states().into_iter().rfind(|state| {
        let is_put = |key: &&String| key.contains("/c/") && !key.contains(".msm-os/");
        let put = state.keys().filter(is_put).count();
        let of_all = whole.keys().filter(is_put).count();
        let is_noted = state.keys().any(|key| key.contains(".done"));
        is_noted && put < of_all
    });
    let resumed = Reported::of(&half.unwrap(), 1, &send, &page);
    assert!(readable(resumed.world.objects()) == readable(whole));
    assert_eq!(resumed.maps().len(), 2);
    assert!(
        resumed.text.contains("for this run had no values of "),
        "none is grey"
    );
    assert_ne!(resumed.maps(), looked_at(&resumed.world.objects(), 0));
}
