//! Pages as a browser shows them: of an archive, of runs, and with maps; with names and attributes that are markup.

use std::path::Path;
use std::process::Command;

use nemo_like::{Spec, Variable};
use serde_json::Value;

use crate::line::msm_os;
use crate::support::{Sandbox, python_code, python_runs, script};

/// What names and attributes of the file are: its variable's, `title`, `units`, `license`, and what the variable means.
pub const MARKUP: [&str; 5] = [
    "v<img src=x onerror=alert(1)>",
    "</title></style><script>alert(2)</script>",
    "\" onload=\"alert(3)",
    "https://example.org/' src='maps/x.svg",
    "<!-- ]]> &lt;b&gt; <a href=\"javascript:alert(4)\">",
];

/// A file with such names.
pub fn file_with_markup(sandbox: &Sandbox) -> String {
    let file = sandbox.source(&Spec {
        variables: vec![Variable::Tos],
        ..Spec::default()
    });
    let edit = "import sys, netCDF4\n\
        file, name, title, units, license, meaning = sys.argv[1:]\n\
        with netCDF4.Dataset(file, 'a') as data:\n\
        \u{20}   data.setncatts({'title': title, 'license': license, name: meaning})\n\
        \u{20}   data.setncatts({'comment': 'a\\u202eb\\u2066c\\x1b[31md'})\n\
        \u{20}   data['tos'].setncatts({'long_name': meaning, 'units': units})\n\
        \u{20}   data.renameVariable('tos', name)\n";
    python_code(edit, &[&[file.as_str()], &MARKUP[..]].concat()).well();
    file
}

/// The browser of this machine; `make setup-test` installs one where there is apt.
fn chromium() -> Option<&'static str> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    names.into_iter().find(|name| {
        let found = Command::new(name).arg("--version").output();
        found.is_ok_and(|found| found.status.success())
    })
}

/// The JSON that a page has for programs.
fn embedded(page: &Path) -> Value {
    let text = std::fs::read_to_string(page).unwrap();
    let tag = "<script type=\"application/json\" id=\"report\">";
    let (_, json) = text.split_once(tag).unwrap();
    serde_json::from_str(json.split_once("</script>").unwrap().0).unwrap()
}

#[test]
fn pages_ask_for_nothing_and_fit_into_their_windows() {
    let sandbox = Sandbox::new();
    let file = file_with_markup(&sandbox);
    let bucket = sandbox.url("ocean<i>");
    let [sent, verified, together, map] = ["sent", "verified", "together", "map"]
        .map(|name| sandbox.path(&format!("{name}<b>&.html")));
    let typed = |path: &Path| format!("'{}'", path.display());
    msm_os!("send -f {file} -b '{bucket}' --report {}", typed(&sent)).well_on(2);
    let report = embedded(&sent);
    assert_eq!(report["format"], "msm_os/report/1");
    assert_eq!(report["job"]["ranks"], 2);
    let text = std::fs::read_to_string(&sent).unwrap();
    assert_eq!(text.matches("<title>Map: ").count(), 1);
    let verify = msm_os!("verify -b '{bucket}' --report {} --json", typed(&verified));
    let told: Value = serde_json::from_str(&verify.well().stdout).unwrap();
    let found = &embedded(&verified)["verified"];
    for member in ["objects", "bytes", "faults", "stores", "not_compared"] {
        assert_eq!(found[member], told[member], "{member}");
    }
    // Pages are read as the JSON is, also those that are of several runs.
    let both = msm_os!(
        "report {} {} -o {}",
        typed(&sent),
        typed(&verified),
        typed(&together)
    );
    both.well();
    let again = msm_os!("report {} --json", typed(&together)).well();
    let again: Value = serde_json::from_str(&again.stdout).unwrap();
    assert_eq!(again, embedded(&together));
    assert_eq!(again["runs"][0]["report"], report);
    msm_os!("quicklook -b '{bucket}' -o {}", typed(&map)).well();
    let page = sandbox.path("page");
    msm_os!("page -b '{bucket}' -o {}", typed(&page)).well();
    let Some(chromium) = chromium() else {
        eprintln!("no browser is installed: not looked at in one");
        return;
    };
    let pages = [sent, verified, together, map, page.join("index.html")];
    let pages = pages.iter().map(|page| page.to_str().unwrap());
    let words: Vec<&str> = [chromium].into_iter().chain(pages).collect();
    python_runs(&script("browser.py"), &words);
}
