//! Recipes: what stores are like that are made by one, and what is refused.

use std::process::Command;

use s3_server::{Fault, Rule, Server};

use crate::line::{Line, msm_os};
use crate::support::{Sandbox, end, objects, python, script, served};

/// The recipe in `docs/recipe.md`.
fn of_page() -> String {
    let page = include_str!("../../docs/recipe.md");
    let (_, behind) = page.split_once("```toml\n").unwrap();
    behind.split_once("```").unwrap().0.to_owned()
}

/// A recipe with this text, in a file of this name; the flag that names it.
fn recipe(sandbox: &Sandbox, name: &str, text: &str) -> String {
    std::fs::write(sandbox.path(name), text).unwrap();
    format!("--recipe {}", sandbox.file(name))
}

/// xarray and zarr find `variable` in `store` as the recipe of the page makes it of `files`.
#[track_caller]
fn is_as_the_page_says(store: &str, server: Option<&Server>, variable: &str, files: &[String]) {
    let mut command = Command::new(python());
    command.arg(script("recipe.py"));
    command.args([store, variable]).args(files);
    if let Some(server) = server {
        command
            .env("ENDPOINT", server.endpoint())
            .env("ACCESS_KEY", "test-key")
            .env("SECRET_KEY", "test-secret");
    }
    end(command).well();
}

/// A command on the three variables of `files` that the page's recipe changes, or not.
fn line(command: &str, bucket: &str, files: &[String], more: &str) -> Line {
    let flag = match command {
        "verify" => "--against",
        _ => "-f",
    };
    msm_os!("{command} {bucket} -p t {flag} {} {more}", files.join(" "))
}

const THREE: &str = "-v temperature zos tos";

#[test]
fn the_pages_recipe_alone_on_ranks_in_a_directory_and_on_a_server() {
    for ranks in [1, 3] {
        let (sandbox, server, served) = served();
        let here = format!("-b {}", sandbox.url("ocean"));
        let flag = recipe(&sandbox, "r.toml", &of_page());
        let files = [sandbox.months(1, 2), sandbox.months(3, 1)];
        for (bucket, place, server) in [
            (&served, "s3://ocean/t".to_owned(), Some(&server)),
            (&here, sandbox.file("ocean/t"), None),
        ] {
            let given = format!("{flag} {THREE}");
            for file in &files {
                line("send", bucket, std::slice::from_ref(file), &given).well_on(ranks);
            }
            for variable in ["temperature", "zos", "tos"] {
                let store = format!("{place}/{variable}.zarr");
                is_as_the_page_says(&store, server, variable, &files);
            }
            line("verify", bucket, &files, &given).well_on(ranks);
            let again = line("send", bucket, &files, &given);
            again.well_on(ranks).says(&["nothing to do"]);
            let other = [sandbox.cut(&files[1], "c_1m_grid_T.nc", "0", "add=1")];
            line("update", bucket, &other, &given).well_on(ranks);
            let changed = [files[0].clone(), other[0].clone()];
            let store = format!("{place}/temperature.zarr");
            is_as_the_page_says(&store, server, "temperature", &changed);
            let differs = line("verify", bucket, &files, &given);
            differs.on(ranks).refused(60, &[]);
            // What undoes and moves stores keeps to the recipe.
            msm_os!("rollback {bucket} -p t").well_on(ranks);
            is_as_the_page_says(&store, server, "temperature", &files);
            line("verify", bucket, &files, &given).well_on(ranks);
        }
    }
}

/// Cut otherwise, or cut shorter by who does not know it, a store is still what a recipe made.
#[test]
fn what_a_recipe_made_is_known_in_other_chunks_and_unknown_without_a_ledger() {
    let sandbox = Sandbox::new();
    let bucket = format!("-b {}", sandbox.url("ocean"));
    let page = of_page();
    let flag = recipe(&sandbox, "r.toml", &page);
    let files = [sandbox.months(1, 2), sandbox.months(3, 1)];
    let first = &files[..1];
    line("send", &bucket, first, &format!("{flag} {THREE}")).well();
    let rechunk = msm_os!(r#"rechunk {bucket} -p t --to new -cs '{{"time": 3}}'"#);
    rechunk.refused_in(&sandbox, 17, &["'time_counter'", "give -a time"]);
    rechunk.and("-a time").well_on(3);
    let at_new = |command: &str, files: &[String], flag: &str| {
        let flags = if command == "verify" {
            "--against"
        } else {
            "-f"
        };
        msm_os!(
            "{command} {bucket} -p new {flags} {} {flag} {THREE}",
            files.join(" ")
        )
    };
    at_new("verify", first, &flag).well_on(3);
    let next = &files[1..];
    at_new("send", next, &flag).refused_in(&sandbox, 17, &["--recipe asks for"]);
    let plain = msm_os!("send {bucket} -p new -v tos -f {}", next[0]);
    plain.refused_in(&sandbox, 52, &["'new/tos.zarr'", "'time'"]);
    let uncut = page
        .lines()
        .filter(|line| !line.starts_with("chunks") && !line.starts_with("codec"));
    let uncut = uncut.collect::<Vec<_>>().join("\n");
    let uncut = recipe(&sandbox, "uncut.toml", &uncut);
    at_new("send", next, &uncut).well_on(3);
    at_new("verify", &files, &flag).well();
    // Where no ledger told, the next record does not say that there was no recipe.
    line("send", &bucket, next, &format!("{flag} {THREE}")).well();
    std::fs::remove_dir_all(sandbox.path("ocean/t/.msm-os")).unwrap();
    msm_os!("delete {bucket} -p t --all --yes -a time --time 1976-03..").well();
    let untold = line("send", &bucket, next, &format!("{flag} {THREE}"));
    untold.well().warns(&["no ledger tells by which recipe"]);
    let bits = page.replace("keep_bits = 12", "keep_bits = 7");
    let bits = recipe(&sandbox, "bits.toml", &bits);
    let other = line("send", &bucket, &files, &format!("{bits} {THREE}"));
    other.refused_in(&sandbox, 52, &["keep_bits 12", "has 7"]);
    let unused = msm_os!("verify {bucket} -p t {flag}");
    unused.refused_in(&sandbox, 2, &["--against"]);
}

#[test]
fn all_sends_to_a_store_go_by_one_recipe() {
    let sandbox = Sandbox::new();
    let bucket = format!("-b {}", sandbox.url("ocean"));
    let page = of_page();
    let flag = recipe(&sandbox, "r.toml", &page);
    let [first, next] = [sandbox.months(1, 2), sandbox.months(3, 1)].map(|file| [file]);
    let given = format!("{flag} {THREE}");
    line("send", &bucket, &first, &given).well();
    let bits = recipe(
        &sandbox,
        "bits.toml",
        &page.replace("keep_bits = 12", "keep_bits = 7"),
    );
    let units = recipe(
        &sandbox,
        "units.toml",
        &page.replace("factor = 2", "factor = 4"),
    );
    let same = recipe(
        &sandbox,
        "same.toml",
        &format!("# Only\n# other lines\n{page}"),
    );
    for command in ["send", "update --append-missing", "verify"] {
        let refused = |flag: &str, words: &[&str]| {
            let more = format!("{flag} {THREE}");
            line(command, &bucket, &next, &more).refused_in(&sandbox, 52, words);
        };
        if command != "verify" {
            refused(&bits, &["'t/temperature.zarr'", "keep_bits 12", "has 7"]);
            refused(&units, &["'t/zos.zarr'", "factor 2", "has 4"]);
        }
        // Under their own names.
        let tos = line(command, &bucket, &next, "-v tos");
        tos.refused_in(&sandbox, 52, &["'t/tos.zarr'", "'time'", "give the same"]);
        let own = line(command, &bucket, &next, "-v thetao");
        if command == "verify" {
            own.refused_in(&sandbox, 27, &["there are 't/temperature.zarr'"]);
        } else {
            let words = ["'temperature'", "'t/temperature.zarr'", "--recipe"];
            own.refused_in(&sandbox, 52, &words);
        }
    }
    line("send", &bucket, &next, &format!("{same} {THREE}")).well_on(3);
    // A store that was made without one keeps to that.
    let plain = msm_os!("send {bucket} -p plain -v zos -f {}", first[0]);
    plain.well();
    let late = recipe(&sandbox, "zos.toml", "[variables.zos]\nkeep_bits = 3");
    let late = msm_os!("send {bucket} -p plain -v zos -f {} {late}", next[0]);
    late.refused_in(
        &sandbox,
        52,
        &["'plain/zos.zarr'", "made without a recipe", "'zos'"],
    );
    // Chunks and codecs are checked as those of flags are.
    let codec = page.replace("codec = \"zstd:5\"", "codec = \"zstd:6\"");
    let codec = recipe(&sandbox, "codec.toml", &codec);
    let other = line("send", &bucket, &next, &format!("{codec} {THREE}"));
    other.refused_in(&sandbox, 17, &["zstd:5", "--recipe asks for zstd:6"]);
    // Where no ledger tells, it is gone by, and said.
    std::fs::remove_dir_all(sandbox.path("ocean/t/.msm-os")).unwrap();
    let more = [sandbox.months(4, 1)];
    let untold = line("send", &bucket, &more, &given);
    untold.well().warns(&["no ledger tells by which recipe"]);
    let all = [&first[..], &next, &more].concat();
    is_as_the_page_says(
        &sandbox.file("ocean/t/temperature.zarr"),
        None,
        "temperature",
        &all,
    );
}

#[test]
fn one_store_of_all_variables_grows_by_new_sections() {
    let sandbox = Sandbox::new();
    let bucket = format!("-b {}", sandbox.url("ocean"));
    let page = of_page();
    let flag = recipe(&sandbox, "r.toml", &page);
    let files = [sandbox.months(1, 2)];
    let compact = |more: &str| {
        let all = format!("{more} --store all.zarr");
        msm_os!("send {bucket} -f {} {all}", files[0])
    };
    compact(&format!("{flag} -v zos temperature")).well_on(3);
    is_as_the_page_says(&sandbox.file("ocean/all.zarr"), None, "temperature", &files);
    let salt = format!("{page}\n[variables.so]\nname = \"salt\"\nkeep_bits = 5\n");
    let salt = recipe(&sandbox, "salt.toml", &salt);
    compact(&format!("{salt} --add-variables -v zos temperature salt")).well_on(3);
    // It is the store's now.
    let without = compact(&format!("{flag} -v zos temperature so"));
    without.refused_in(&sandbox, 52, &["'salt' for 'so'"]);
    let verify = msm_os!(
        "verify {bucket} --store all.zarr --against {} {salt}",
        files[0]
    );
    verify.well();
}

#[test]
fn reprojected_variables_come_from_what_the_store_has() {
    let sandbox = Sandbox::new();
    let bucket = format!("-b {}", sandbox.url("ocean"));
    let flag = recipe(
        &sandbox,
        "r.toml",
        &of_page().replace("[dimensions]", "[dimensions]\ny = \"j\""),
    );
    let files = [sandbox.months(1, 2)];
    let given = format!("{flag} -v temperature");
    line(
        "send",
        &bucket,
        &files,
        &format!("{given} -r --method nearest --grid 20x10"),
    )
    .well_on(3);
    line("verify", &bucket, &files, &given).well_on(3);
    let code = "import sys, zarr, numpy as np, os
g = zarr.open_group(sys.argv[1], mode='r')
own, made = g['temperature'], g['projected_temperature']
assert 'quantization' not in made.attrs and made.attrs['units'] == 'K', dict(made.attrs)
assert np.isin(made[...], own[...]).all() and (made[...] < 1e19).any()
os._exit(0)";
    crate::support::python_code(code, &[sandbox.file("ocean/t/temperature.zarr")]);
}

#[test]
fn the_recipe_comes_with_the_commit_and_goes_back_with_it() {
    let (sandbox, server, bucket) = served();
    let text = |bits: u32| format!("[variables.tos]\nkeep_bits = {bits}\n");
    let [three, four] = [3, 4].map(|bits| recipe(&sandbox, &format!("{bits}.toml"), &text(bits)));
    let [first, next] = [sandbox.months(1, 2), sandbox.months(3, 1)];
    let send = |file: &str, flag: &str| msm_os!("send {bucket} -p t -v tos -f {file} {flag}");
    let fails = |line: &Line, key: &str, ranks: usize| {
        let before = objects(&server);
        let rule = Rule::new(Fault::Status(403)).method("PUT");
        server.faults().add(rule.key_contains(key));
        line.on(ranks).refused(40, &["rolled back"]);
        server.faults().clear();
        assert!(objects(&server) == before, "{key}");
    };
    // A create that failed binds nobody.
    fails(&send(&first, &three), "tos.zarr/zarr.json", 3);
    send(&first, &four).well_on(3);
    for (key, ranks) in [("/tos/c/", 3), ("tos.zarr/zarr.json", 1)] {
        fails(&send(&next, &four), key, ranks);
    }
    send(&next, &three)
        .alone()
        .refused(52, &["keep_bits 4", "has 3"]);
    send(&next, &four).well();
    // What undoes an append keeps what was there; what undoes the create binds nobody any more.
    msm_os!("rollback {bucket} -p t").well();
    send(&next, &three).alone().refused(52, &["keep_bits 4"]);
    let copied = msm_os!("verify {bucket} -p t -v tos --against {first} {four}");
    copied.well_on(3);
    msm_os!("delete {bucket} -p t -v tos --yes").well();
    send(&first, &three).well();
}

#[test]
fn jobs_that_share_an_archive_give_the_same() {
    let (sandbox, server, bucket) = served();
    let page = of_page();
    let flag = recipe(&sandbox, "r.toml", &page);
    let other = recipe(
        &sandbox,
        "other.toml",
        &page.replace("keep_bits = 12", "keep_bits = 7"),
    );
    let files = [sandbox.months(1, 2), sandbox.months(3, 2)];
    let send = |more: &str| line("send", &bucket, &files, &format!("{THREE} {more}"));
    send(&format!("{flag} --share --task 0/2")).well();
    send(&format!("{other} --share --task 1/2"))
        .alone()
        .refused(49, &["--recipe"]);
    send(&format!("{flag} --share")).well_on(3);
    is_as_the_page_says(
        "s3://ocean/t/temperature.zarr",
        Some(&server),
        "temperature",
        &files,
    );
    let next = [sandbox.months(5, 1)];
    let before = objects(&server);
    let refused = line("send", &bucket, &next, &format!("{THREE} {other}"));
    refused.alone().refused(52, &["keep_bits 12"]);
    assert!(objects(&server) == before);
}

#[test]
fn what_is_wrong_is_told_with_its_line() {
    are_told(&[
        ("drop = [\n\"e3t\"\n", &["no TOML", "line"]),
        (
            "\n[variable.tos]\n",
            &[
                "line 2, column 2",
                "'variable'",
                "did you mean 'variables'?",
            ],
        ),
        (
            "[variables.tos]\nkeep_bit = 3",
            &["line 2, column 1", "did you mean 'keep_bits'?"],
        ),
        (
            "[variables.tos]\nkeep_bits = 0",
            &["line 2, column 13", "from 1 to 52, found 0"],
        ),
        (
            "[variables.tos]\nfactor = \"2\"",
            &["factor: expected a number, found the text \"2\""],
        ),
        ("[variables.tos]\nfactor = 0", &["line 2", "factor: 0"]),
        (
            "[variables.tos]\ninexact = true",
            &["line 1", "inexact is of a factor"],
        ),
        (
            "[variables.tos]\ncodec = \"zsdt:1\"",
            &["line 2, column 9", "zsdt:1"],
        ),
        (
            "[variables.tos]\nchunks = { y = 0 }",
            &["line 2", "y: expected a whole number from 1"],
        ),
        (
            "[variables.tos.attributes]\n_FillValue = 1.0",
            &["line 2", "'_FillValue' cannot be changed"],
        ),
        (
            "[variables.tos.attributes]\na = true",
            &["line 2", "a: expected a text, a number", "found true"],
        ),
        (
            "drop = [\"tos\"]\n[variables.tos]\n",
            &["line 1", "'tos' is dropped", "line 2"],
        ),
        (
            "x = 1\n[dimensions]\ny = 2",
            &["2 problems", "line 1, column 1", "line 3, column 5"],
        ),
        (
            "[variables.tos]\nname = \"sea surface\"",
            &["line 2, column 8", "no blanks"],
        ),
        ("[dimensions]\ny = \"a/b\"", &["line 2, column 5", "no '/'"]),
    ]);
}

#[test]
fn what_does_not_fit_the_files_is_told_with_its_line() {
    are_told(&[
        (
            "[variables.time_counter]\nattributes = { units = \"days since 1900-01-01\" }",
            &["line 2", "tells steps apart"],
        ),
        ("drop = [\n\"e3tt\"]", &["line 2", "did you mean 'e3t'?"]),
        (
            "[dimensions]\nz = \"depth\"",
            &["line 2", "no file has a dimension called 'z'"],
        ),
        (
            "[variables.tos]\nremove_attributes = [\"unit\"]",
            &["line 2", "did you mean 'units'?"],
        ),
        (
            "[variables.tos]\nname = \"sos\"",
            &["line 2", "'tos' and 'sos'", "both"],
        ),
        (
            "[variables.deptht]\nname = \"z\"",
            &["line 2", "[dimensions]"],
        ),
        (
            "[variables.tos]\noffset = 1\nattributes = { units = \"1\" }",
            &["line 2", "inexact = true"],
        ),
        ("[variables.tos]\nfactor = 2", &["line 2", "has units"]),
        ("[variables.tos]\nkeep_bits = 24", &["line 2", "of 23 bits"]),
        (
            "[variables.time_centered]\nfactor = 2",
            &["line 2", "holds times"],
        ),
        (
            "[variables.tos]\nchunks = { yy = 2 }",
            &["line 2", "no dimension 'yy'"],
        ),
    ]);
}

/// Each of these recipes is refused with these words, and nothing is written.
#[track_caller]
fn are_told(cases: &[(&str, &[&str])]) {
    let sandbox = Sandbox::new();
    let file = sandbox.months(1, 1);
    let url = sandbox.url("ocean");
    for (text, words) in cases {
        let flag = recipe(&sandbox, "r.toml", text);
        let line = msm_os!("send -b {url} -f {file} {flag}");
        line.alone().refused(52, &[&["r.toml"], *words].concat());
        assert!(sandbox.tree("ocean").is_empty());
    }
    let line = msm_os!(
        "send -b {url} -f {file} --recipe {}",
        sandbox.file("none.toml")
    );
    line.refused_in(&sandbox, 52, &["--recipe", "none.toml"]);
}

/// Whatever the recipes say of a variable's name, there is one series of it.
#[test]
fn no_second_series_of_a_variable_is_begun_under_another_name() {
    let sandbox = Sandbox::new();
    let url = sandbox.url("ocean");
    let files = [1, 2, 3].map(|month| sandbox.months(month, 1));
    let named = ["sst", "surface"].map(|name| {
        let text = format!("[variables.tos]\nname = \"{name}\"\n");
        recipe(&sandbox, &format!("{name}.toml"), &text)
    });
    for (place, begun, others) in [
        (
            "plain",
            "-v tos",
            [
                format!("-v sst {}", named[0]),
                format!("-v surface {}", named[1]),
            ],
        ),
        (
            "named",
            &*format!("-v sst {}", named[0]),
            ["-v tos".to_owned(), format!("-v surface {}", named[1])],
        ),
    ] {
        let place = format!("-b {url} -p {place}");
        msm_os!("send -f {} {place} {begun}", files[0]).well();
        for other in others {
            let line = msm_os!("send -f {} {place} {other}", files[1]);
            line.on(1).refused(
                52,
                &["is 'tos' in the files", "sst.zarr"].map(|word| match word {
                    "sst.zarr" if begun == "-v tos" => "tos.zarr",
                    word => word,
                }),
            );
        }
        msm_os!("send -f {} {place} {begun}", files[1]).well();
    }
}

#[test]
fn the_rest_of_the_command_line_has_the_names_of_the_store() {
    let sandbox = Sandbox::new();
    let (file, url) = (sandbox.months(1, 1), sandbox.url("ocean"));
    let flag = recipe(&sandbox, "r.toml", &of_page());
    let sizes = msm_os!("send -b {url} -f {file} -v tos {flag} -cs '{{\"time_counter\": 1}}'");
    sizes.refused_in(&sandbox, 17, &["'time_counter'", "the stores call 'time'"]);
    let old = msm_os!("send -b {url} -f {file} -v thetao {flag}");
    old.refused_in(&sandbox, 14, &["the store calls 'temperature'"]);
}

#[test]
fn a_value_that_cannot_be_converted_ends_the_send() {
    let sandbox = Sandbox::new();
    let bucket = format!("-b {}", sandbox.url("ocean"));
    let text = "[variables.tos]\nfactor = 2\nattributes = { units = \"0.5 degC\" }";
    let flag = recipe(&sandbox, "r.toml", text);
    let first = sandbox.months(1, 1);
    let file = sandbox.edited(&sandbox.months(2, 1), "b_1m_grid_T.nc", |file| {
        let mut tos = file.variable_mut("tos").unwrap();
        tos.put_value(3e38f32, [0, 7, 9]).unwrap();
    });
    msm_os!("send {bucket} -p t -v tos -f {first} {flag}").well();
    let before = sandbox.stores("ocean");
    let send = msm_os!("send {bucket} -p t -v tos -f {file} {flag}");
    for ranks in [1, 3] {
        let words = [
            "b_1m_grid_T.nc",
            "'tos'",
            "[0, 7, 9]",
            "more than float32 holds",
            "rolled back",
        ];
        send.on(ranks).refused(52, &words);
        assert!(sandbox.stores("ocean") == before);
    }
}
