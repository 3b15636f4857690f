//! Texts of any length are sent and appended, and what cannot be sent is refused by name, with nothing written.

use crate::line::msm_os;
use crate::support::{Ended, Sandbox, python_code};

/// What every file here has, before a test's own lines; `time` is its first step.
const BEGIN: &str = r#"
import sys, netCDF4, numpy as np
path, first = sys.argv[1], int(sys.argv[2])
f = netCDF4.Dataset(path, "w", format="NETCDF4")
f.createDimension("time_counter", None)
f.createDimension("n", 2)
t = f.createVariable("time_counter", "f8", ("time_counter",))
t.units = "days since 2000-01-01"
t[:] = [first, first + 1]
"#;

/// Writes `name` with two steps from `first` on, by the Python `lines`.
pub fn file(sandbox: &Sandbox, name: &str, first: u32, lines: &str) -> String {
    let path = sandbox.file(name);
    let script = format!("{BEGIN}{lines}\nf.close()\n");
    python_code(&script, &[&path, &first.to_string()]);
    path
}

fn send(ranks: usize, sandbox: &Sandbox, files: &[String]) -> Ended {
    let (url, files) = (sandbox.url("ocean"), files.join(" "));
    msm_os!("send -b {url} -p t -f {files}").on(ranks)
}

/// A file whose texts along time are `words`, beside a static one.
pub fn worded(sandbox: &Sandbox, first: u32, words: [&str; 2], fixed: &str) -> String {
    let lines = format!(
        r#"
v = f.createVariable("word", str, ("time_counter",)); v[:] = np.array({words:?}, object)
v.coordinates = "fixed"
f.createVariable("fixed", str, ("n",))[:] = np.array(["{fixed}", "b"], object)
"#
    );
    file(sandbox, &format!("{first}.nc"), first, &lines)
}

#[test]
fn texts_may_grow_and_shrink_from_file_to_file() {
    for ranks in [1, 3] {
        let sandbox = Sandbox::new();
        let long = "l".repeat(200);
        let words = [["a", "bb"], ["cccc", ""], [&long, "é"], ["d", "ee"]];
        let files: Vec<String> = (0..)
            .zip(words)
            .map(|(i, words)| worded(&sandbox, 2 * i, words, "same"))
            .collect();
        // Two at once, then one that is longer, then one that is shorter than what the store holds.
        for sent in [&files[..2], &files[2..3], &files[3..]] {
            send(ranks, &sandbox, sent).well();
        }
        sandbox.reads_back("ocean/t/word.zarr", &files);
    }
}

#[test]
fn static_texts_that_differ_are_shown() {
    let sandbox = Sandbox::new();
    let first = worded(&sandbox, 0, ["a", "b"], "Arctic");
    let second = worded(&sandbox, 2, ["a", "b"], "Antarctic");
    send(1, &sandbox, &[first]).well();
    let before = sandbox.tree("ocean");
    let words = ["'fixed'", "'Arctic'", "'Antarctic'"];
    send(1, &sandbox, &[second]).refused(22, &words);
    assert_eq!(sandbox.tree("ocean"), before);
}

#[test]
fn characters_of_a_classic_file() {
    let sandbox = Sandbox::new();
    let classic = r#"
f.close()
f = netCDF4.Dataset(path, "w", format="NETCDF3_CLASSIC")
f.createDimension("time_counter", None); f.createDimension("n", 2); f.createDimension("strlen", 5)
t = f.createVariable("time_counter", "f8", ("time_counter",))
t.units = "days since 2000-01-01"
v = f.createVariable("word", "S1", ("time_counter", "n", "strlen"))
for i in range(2):
    t[i] = first + i
    v[i] = netCDF4.stringtochar(np.array(["ab ", ""], "S5"))
"#;
    let files = [0, 2].map(|first| file(&sandbox, &format!("{first}.nc"), first, classic));
    for sent in &files {
        send(3, &sandbox, std::slice::from_ref(sent)).well();
    }
    sandbox.reads_back("ocean/t/word.zarr", &files);
}

#[test]
fn what_cannot_be_sent_is_refused_by_name() {
    let number = r#"v = f.createVariable("bad", "i2", ("time_counter",)); v[:] = [1, 2]; "#;
    let cases = [
        (
            r#"f.createGroup("deep/er").createVariable("x", "f4", ())"#.to_owned(),
            15,
            &["'/deep', '/deep/er'", "ncks -G :"][..],
        ),
        (
            r#"f.createVariable("bad", f.createCompoundType(np.dtype([("a", "f4")]), "pair"), ("n",))"#.to_owned(),
            15,
            &["'bad'", "compound"],
        ),
        (
            r#"f.createVariable("bad", f.createEnumType("u1", "sky", {"clear": 0}), ("n",))"#.to_owned(),
            15,
            &["'bad'", "enum"],
        ),
        (
            r#"f.createVariable("bad", f.createVLType("i4", "ragged"), ("n",))"#.to_owned(),
            15,
            &["'bad'", "variable-length"],
        ),
        (
            r#"v = f.createVariable("bad", "S1", ("n",)); v[:] = [b"\xe9", b"a"]"#.to_owned(),
            12,
            &["'bad'", "not UTF-8", "latin-1"],
        ),
        (
            r#"v = f.createVariable("bad", "S1", ("n",)); v._Encoding = "koi8-r""#.to_owned(),
            15,
            &["'bad'", "koi8-r"],
        ),
        (
            // NetCDF-4 reserves the name; the classic formats do not.
            format!(
                r#"
f.close()
f = netCDF4.Dataset(path, "w", format="NETCDF3_CLASSIC")
f.createDimension("time_counter", None)
t = f.createVariable("time_counter", "f8", ("time_counter",))
t.units = "days since 2000-01-01"
t[:] = [0, 1]
{number}v.setncattr("_ARRAY_DIMENSIONS", "n")"#
            ),
            15,
            &["'bad'", "_ARRAY_DIMENSIONS"],
        ),
        (
            format!("{number}v.scale_factor = np.nan"),
            15,
            &["'bad'", "scale_factor"],
        ),
        (
            r#"v = f.createVariable("bad", "f4", ("time_counter",)); v.missing_value = np.float32(np.inf)"#.to_owned(),
            15,
            &["'bad'", "missing_value", "infinity"],
        ),
    ];
    for (lines, code, shown) in cases {
        let sandbox = Sandbox::new();
        let path = file(&sandbox, "bad.nc", 0, &lines);
        let refused = send(1, &sandbox, &[path]);
        refused.refused(code, shown).warns(&["bad.nc"]);
        assert!(sandbox.tree("ocean").is_empty());
    }
}
