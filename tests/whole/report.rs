//! `--report`, and `msm_os report`: what is in them is what the command said and the server saw.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use s3_server::{Fault, Rule, Server};
use serde_json::Value;

use crate::line::msm_os;
use crate::support::{Sandbox, end, python, script, served};

fn read(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Each of these files, or texts, is as the schema of that name says.
#[track_caller]
fn are_valid(pairs: &[(&str, &Path)]) {
    let mut command = Command::new(python());
    command.arg(script("valid.py"));
    for (schema, path) in pairs {
        command.arg(schema).arg(path);
    }
    end(command).well();
}

/// How many requests the server saw since then, by method; copies are PUTs, listings GETs.
fn seen(server: &Server, from: usize) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for request in &server.log()[from..] {
        *counts.entry(request.method.clone()).or_default() += 1;
    }
    counts
}

/// How many a report has.
fn told(report: &Value) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for (kind, record) in report["requests"].as_object().unwrap() {
        let method = match kind.as_str() {
            "LIST" => "GET",
            "COPY" => "PUT",
            "DELETE_MANY" => "POST",
            kind => kind,
        };
        *counts.entry(method.to_owned()).or_default() += record["count"].as_u64().unwrap();
    }
    counts
}

/// The sum of something over the ranks.
fn over_ranks(report: &Value, pointer: &str) -> u64 {
    let ranks = report["ranks"].as_array().unwrap().iter();
    ranks
        .filter_map(|rank| rank.pointer(pointer)?.as_u64())
        .sum()
}

/// The sum of what all ranks did over time.
fn sampled(report: &Value, member: &str) -> u64 {
    let ranks = report["ranks"].as_array().unwrap().iter();
    let numbers = ranks.flat_map(|rank| rank["samples"][member].as_array().unwrap());
    numbers.map(|number| number.as_u64().unwrap()).sum()
}

/// The time of a send that went well, on three ranks, is told of each stage, object and phase.
#[track_caller]
fn is_measured(report: &Value) {
    let result = &report["result"];
    let stages = &report["stages"];
    assert_eq!(stages["put"]["bytes"], result["bytes"], "{stages:#}");
    assert_eq!(stages["verify"]["bytes"], result["bytes"]);
    assert_eq!(over_ranks(report, "/stages/put/bytes"), result["bytes"]);
    for stage in ["read", "decode", "encode", "put", "verify", "wait"] {
        assert!(stages[stage]["seconds"].as_f64() > Some(0.0), "{stages:#}");
    }
    // Coordinates are encoded once, and put into each store.
    let encoded = stages["encode"]["bytes"].as_u64().unwrap();
    let decoded = result["decoded_bytes"].as_u64().unwrap();
    assert!(encoded > decoded / 4 && encoded < decoded, "{stages:#}");
    let slowest = report["slowest_objects"].as_array().unwrap();
    let times: Vec<f64> = slowest
        .iter()
        .map(|slow| slow["seconds"].as_f64().unwrap())
        .collect();
    assert!(
        times.len() == 10 && times.is_sorted_by(|a, b| a >= b),
        "{times:?}"
    );
    // The first pause before a request is made again is 50 ms at least.
    assert!(times[0] >= 0.05, "{times:?}");
    for rank in 0..3 {
        let phases = &report["ranks"][rank]["phases"];
        let transfer = phases.as_array().unwrap().iter();
        let transfer = transfer.filter(|phase| phase["phase"] == "transfer");
        let of: Vec<&Value> = transfer.map(|phase| &phase["transaction"]).collect();
        assert_eq!(of, [0], "{phases:#}");
    }
}

#[test]
#[allow(clippy::too_many_lines)] // one run, looked at from all sides
fn a_report_tells_what_the_command_said_and_the_server_saw() {
    let (sandbox, server, bucket) = served();
    let file = sandbox.months(1, 2);
    let [first, again, failed] = ["1.json", "2.json", "3.json"].map(|name| sandbox.path(name));
    let busy = Rule::new(Fault::Status(503)).method("PUT");
    server.faults().add(busy.key_contains("/c/").times(5));
    let sent = msm_os!(
        "send -f {file} {bucket} -v thetao,tos --report {}",
        first.display()
    )
    .well_on(3);
    let saw = seen(&server, 0);
    let report = read(&first);
    assert_eq!(told(&report), saw, "{report:#}");
    assert_eq!(report["retries"], serde_json::json!({"503": 5}));
    assert_eq!(over_ranks(&report, "/retries/503"), 5);
    let result = &report["result"];
    for (words, number) in [
        ("objects (", &result["objects"]),
        ("steps appended", &result["steps_appended"]),
    ] {
        sent.says(&[&format!("{number} {words}")]);
    }
    assert_eq!(report["written"]["objects"], result["objects"]);
    assert_eq!(report["written"]["bytes"], result["bytes"]);
    assert_eq!(over_ranks(&report, "/written/objects"), result["objects"]);
    is_measured(&report);
    let requests: u64 = told(&report).values().sum();
    for (samples, sum) in [
        (
            "written_bytes",
            report["written"]["bytes"].as_u64().unwrap(),
        ),
        ("requests", requests),
        ("retries", 5),
    ] {
        assert_eq!(sampled(&report, samples), sum, "{samples}: {report:#}");
    }
    let sizes = report["object_sizes"].as_object().unwrap().values();
    let sizes: u64 = sizes.map(|count| count.as_u64().unwrap()).sum();
    assert_eq!(report["written"]["objects"], sizes);
    let plan = &report["plan"]["transactions"][0];
    assert_eq!(plan["outcome"], "committed");
    assert_eq!(plan["manifest_md5"].as_str().map(str::len), Some(32));
    assert_eq!(
        report["stores"][0]["url"], "s3://ocean/T1m/thetao.zarr",
        "{report:#}"
    );
    for step in ["first_step", "last_step"] {
        assert_eq!(report["stores"][0][step], plan[step]);
        assert_eq!(report["stores"][0]["holds"][step], plan[step]);
    }
    assert_eq!(report["job"]["ranks"], 3);
    assert_eq!(report["job"]["launcher"], "mpirun");
    assert_eq!(report["guarantee"]["conditional_writes"], "enforced");

    let send = msm_os!("send -f {file} {bucket} -v thetao,tos");
    let twice = send.and(&format!("--report {}", again.display())).well();
    twice.says(&["nothing to do"]);
    let nothing = read(&again);
    assert_eq!(nothing["outcome"], "nothing_to_do");
    assert_eq!(nothing["written"]["objects"], 0);
    assert_eq!(
        nothing["stores"].as_array().unwrap().len(),
        2,
        "{nothing:#}"
    );

    let refusal = Rule::new(Fault::Status(403)).method("PUT");
    // Not those that are put back.
    server.faults().add(refusal.key_contains("thetao/c/"));
    let from = server.log().len();
    let next = sandbox.months(3, 1);
    let refused = msm_os!(
        "send -f {next} {bucket} -v thetao,tos --report {}",
        failed.display()
    )
    .on(3);
    server.faults().clear();
    refused.refused(40, &["rolled back"]);
    let report = read(&failed);
    assert_eq!(told(&report), seen(&server, from));
    assert_eq!(
        (&report["outcome"], &report["exit_code"]),
        (&"failed".into(), &40.into())
    );
    assert!(refused.stderr.contains(report["error"].as_str().unwrap()));
    assert_eq!(report["result"], Value::Null);
    let plan = &report["plan"]["transactions"][0];
    assert_eq!(plan["outcome"], "rolled_back");
    for store in report["stores"].as_array().unwrap() {
        assert_eq!(store["state"], "unchanged");
        assert_eq!(store["holds"]["steps"], 2, "{store:#}");
    }
    assert!(!report.to_string().contains("test-secret"));

    // One that was to do less does not make up for it.
    let less = sandbox.path("4.json");
    msm_os!("send -f {next} {bucket} -v tos --report {}", less.display()).well();
    let two = msm_os!("report {} {}", failed.display(), less.display()).well();
    two.says(&["3.json failed with code 40: "]);
    assert!(!two.stdout.contains("made up for"), "{}", two.stdout);

    let files = [&first, &again, &failed].map(|path| path.to_str().unwrap());
    let merge = msm_os!("report {}", files.join(" "));
    let words = merge.well();
    words.says(&[
        "3 runs on 1 host",
        "failed, code 40",
        "5 after 503",
        "s3://ocean/T1m/tos.zarr: committed; readers see 2 steps, 1976-01-",
        "3.json failed with code 40: ",
    ]);
    let merged = sandbox.path("merged.json");
    std::fs::write(&merged, merge.and("--json").well().stdout).unwrap();
    are_valid(&[
        ("report-1", &first),
        ("report-1", &again),
        ("report-1", &failed),
        ("report-merged-1", &merged),
    ]);
    let merged = read(&merged);
    assert_eq!(merged["outcome"], "failed");
    assert_eq!(merged["runs"].as_array().unwrap().len(), 3);
    let put = |report: &Value| report["requests"]["PUT"]["count"].as_u64().unwrap_or(0);
    let all = [&first, &again, &failed].map(|path| put(&read(path)));
    assert_eq!(put(&merged), all.iter().sum::<u64>());
}

#[test]
fn the_tasks_of_an_array_are_put_together() {
    let (sandbox, _server, bucket) = served();
    let files = [sandbox.months(1, 2), sandbox.months(3, 2)];
    let tasks = [0, 1].map(|task| {
        let report = sandbox.path(&format!("task-{task}.json"));
        let mut command = msm_os!(
            "send --share --task {task}/2 -f {} {bucket} -v tos --report {}",
            files.join(" "),
            report.display()
        )
        .command(1);
        command
            .env("SLURM_JOB_ID", format!("10{task}"))
            .env("SLURM_ARRAY_JOB_ID", "100")
            .env("SLURM_ARRAY_TASK_ID", task.to_string());
        end(command).well();
        report
    });
    let reports = tasks.each_ref().map(|path| read(path));
    let slurm = &reports[1]["job"]["slurm"];
    assert_eq!(
        (&slurm["job"], &slurm["array_task"]),
        (&"101".into(), &"1".into())
    );
    let kinds = |report: &Value| {
        let all = report["plan"]["transactions"].as_array().unwrap().iter();
        let kind = all.map(|one| format!("{} {}", one["kind"], one["outcome"]).replace('"', ""));
        kind.collect::<Vec<_>>()
    };
    let both = reports.each_ref().map(kinds).concat();
    let count = |what: &str| both.iter().filter(|one| *one == what).count();
    let parts = reports[1]["shared"]["parts"].as_u64().unwrap();
    assert_eq!(count("part put") as u64, parts, "{both:?}");
    assert!(count("growth committed") > 0, "{both:?}");
    let paths = tasks.each_ref().map(|path| path.to_str().unwrap());
    let merge = msm_os!("report {}", paths.join(" "));
    merge.well().says(&[
        "2 runs on 1 host",
        "task-0.json",
        "T1m/tos.zarr: committed; readers see 4 steps, 1976-01-",
    ]);
    // When the first task ended, parts were left to the second.
    let store = &reports[0]["stores"][0];
    assert_eq!(store["state"], "growing", "{store:#}");
    assert_eq!(store["shared"]["parts"].as_u64(), Some(parts));
    assert_eq!(store["last_step"], reports[0]["shared"]["last_step"]);
    msm_os!("report {}", paths[0])
        .well()
        .says(&[&format!("of {parts} parts is committed, readers see ")]);
    assert_eq!(reports[1]["stores"][0]["holds"]["steps"], 4);
    let growth = reports[1]["plan"]["transactions"].as_array().unwrap();
    let last = growth.last().unwrap();
    assert_eq!(last["last_step"], reports[1]["shared"]["last_step"]);
    let merged = sandbox.path("merged.json");
    std::fs::write(&merged, merge.and("--json").well().stdout).unwrap();
    are_valid(&[
        ("report-1", &tasks[0]),
        ("report-1", &tasks[1]),
        ("report-merged-1", &merged),
    ]);
    let merged = read(&merged);
    assert_eq!(merged["outcome"], "done");
    let objects = reports.iter().map(|r| r["written"]["objects"].as_u64());
    let objects: Option<u64> = objects.sum();
    assert_eq!(merged["written"]["objects"].as_u64(), objects);
    msm_os!("report {}", files[0])
        .alone()
        .refused(2, &["1976", "give files that --report wrote"]);
}

#[test]
fn a_report_that_cannot_be_written_is_found_before_anything_is_sent() {
    let sandbox = Sandbox::new();
    let (file, url) = (sandbox.months(1, 1), sandbox.url("ocean"));
    let place = sandbox.file("missing/run.json");
    let words = ["--report", place.as_str(), "there is no folder"];
    msm_os!("send -f {file} -b {url} --report {place}").refused_in(&sandbox, 2, &words);
}

#[test]
fn a_report_for_which_there_is_no_room_is_lost_and_the_send_is_not() {
    let (sandbox, _server, bucket) = served();
    let file = sandbox.months(1, 1);
    let report = sandbox.path("run.html");
    let line = msm_os!(
        "send -f {file} {bucket} -v tos --report {}",
        report.display()
    );
    let command = line.command(1);
    let mut cramped = Command::new("sh");
    let limited = "trap '' XFSZ; ulimit -f 4; exec \"$0\" \"$@\"";
    cramped.args(["-c", limited]).arg(command.get_program());
    cramped.args(command.get_args());
    for (name, value) in command.get_envs() {
        cramped.env(name, value.unwrap_or_default());
    }
    let ended = end(cramped);
    assert_eq!(ended.code, 1, "{}{}", ended.stdout, ended.stderr);
    ended.says(&["1 store created"]);
    let lost = format!(
        "all is done, but the report could not be written to {}: ",
        report.display()
    );
    assert!(ended.stderr.contains(&lost), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("only the report is missing"),
        "{}",
        ended.stderr
    );
    let left: Vec<String> = sandbox.tree("").into_keys().collect();
    assert!(
        left.iter().all(|name| !name.contains("run.html")),
        "{left:?}"
    );
    msm_os!("list {bucket}").well().says(&["tos.zarr"]);
}

#[test]
fn a_page_has_what_the_report_has_and_nothing_in_it_is_markup() {
    let sandbox = Sandbox::new();
    let file = sandbox.months(1, 2);
    let report = sandbox.file("<b>run.json");
    msm_os!(
        "send -f {file} -v tos -b {} --report '{report}'",
        sandbox.url("ocean")
    )
    .well_on(2);
    let page = sandbox.file("run.html");
    let merged = msm_os!("report '{report}' -o {page} --json").well();
    let merged: Value = serde_json::from_str(&merged.stdout).unwrap();
    let text = std::fs::read_to_string(&page).unwrap();
    for part in ["rank 0", "rank 1", "msm_os send: done", "&lt;b&gt;run"] {
        assert!(text.contains(part), "{part}");
    }
    assert!(!text.contains("<b>") && !text.contains(" src="));
    let (shown, embedded) = text
        .split_once("<script type=\"application/json\" id=\"report\">")
        .unwrap();
    let embedded = embedded.split_once("</script>").unwrap().0;
    assert_eq!(serde_json::from_str::<Value>(embedded).unwrap(), merged);
    // The seconds that are drawn are those of the report.
    let ranks = merged["runs"][0]["report"]["ranks"].as_array().unwrap();
    let put = ranks.iter().map(|rank| &rank["stages"]["put"]["seconds"]);
    let put: f64 = put.map(|seconds| seconds.as_f64().unwrap()).sum();
    let words = shown
        .split_once("<figcaption>What the time went into")
        .unwrap();
    let words = words.1.split_once("</figcaption>").unwrap().0;
    let drawn = words.split_once(" put ").unwrap().1;
    let mut drawn = drawn.split([' ', ',']);
    let [number, unit] = [drawn.next(), drawn.next()].map(Option::unwrap);
    let factor = match unit {
        "s" => 1.0,
        "ms" => 1e-3,
        _ => panic!("{words}"),
    };
    let drawn = factor * number.parse::<f64>().unwrap();
    assert!((drawn - put).abs() < 0.051 * factor, "{words} {put}");
    msm_os!("report '{report}' -o {page}.json")
        .alone()
        .refused(2, &["ends in .html"]);
}
