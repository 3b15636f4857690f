//! `plan`, and `--dry-run` of what had none: what they say is what is done then, and nothing is written for it.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use nemo_like::Spec;
use s3_server::Server;
use serde_json::Value;

use crate::line::{Line, msm_os};
use crate::support::{Ended, Sandbox, end, objects, python_runs, script, served};

/// Two files of a quarter, and one of a month behind them.
fn quarters(sandbox: &Sandbox) -> [String; 3] {
    [(1, 3), (4, 3), (7, 1)].map(|(from, count)| sandbox.months(from, count))
}

pub fn document(ended: &Ended) -> Value {
    serde_json::from_str(&ended.stdout).unwrap_or_else(|error| panic!("{error}: {ended:#?}"))
}

/// Runs `line`, which changes nothing: neither what lies there, nor by any request that could.
#[track_caller]
fn looks(server: &Server, line: &Line, ranks: usize) -> Ended {
    let (before, first) = (objects(server), server.log().len());
    let ended = line.on(ranks);
    let requests = server.log_from(first);
    assert!(!requests.is_empty() || ended.code != 0, "{ended:#?}");
    let changing: Vec<_> = { requests.iter() }
        .filter(|request| !["GET", "HEAD"].contains(&request.method.as_str()))
        .collect();
    assert!(changing.is_empty(), "{changing:#?}");
    assert!(objects(server) == before);
    ended
}

/// Requests by kind, as the plan counts them.
pub fn kinds(server: &Server, first: usize) -> BTreeMap<&'static str, u64> {
    let mut kinds = BTreeMap::new();
    for request in server.log_from(first) {
        let is_listing = request.query.contains("list-type");
        let kind = match request.method.as_str() {
            "GET" if is_listing => "list",
            "GET" => "get",
            "HEAD" => "head",
            "DELETE" => "delete",
            "PUT" => "put",
            _ => "other",
        };
        *kinds.entry(kind).or_default() += 1;
    }
    kinds
}

#[test]
fn what_is_planned_is_what_is_done() {
    let (sandbox, server, bucket) = served();
    let files = quarters(&sandbox);
    let what = |files: &[String]| {
        let files = files.join(" ");
        format!(r#"-f {files} {bucket} -p T1m -v tos,thetao -cs '{{"time_counter": 3}}'"#)
    };
    let mut valid: Vec<String> = Vec::new();
    // Two files that are two transactions; then the second of them and one more, of which a chunk is not filled.
    for (round, sent) in [&files[..2], &files[1..]].into_iter().enumerate() {
        let what = what(sent);
        let plan = msm_os!("plan {what} --json --ranks 2 --rate 1M");
        let planned = document(&looks(&server, &plan, 1).well());
        let ranked = looks(&server, &msm_os!("send {what} --dry-run --json"), 2).well();
        let mut other = document(&ranked);
        // Memory is also for threads, of which ranks elsewhere may have more.
        for transaction in other["transactions"].as_array_mut().unwrap() {
            let mut all = planned["transactions"].as_array().unwrap().iter();
            let same = all.find(|one| one["number"] == transaction["number"]);
            transaction["peak_memory"] = same.unwrap()["peak_memory"].clone();
        }
        assert_eq!(ranked.stdout.lines().count(), 1, "{ranked:#?}");
        for same in ["stores", "transactions", "requests", "warnings", "bytes"] {
            assert_eq!(planned[same], other[same], "{same}");
        }
        assert_eq!(planned["work"].as_array().unwrap().len(), 2);
        assert_eq!(planned["estimate"]["rate"], 1 << 20);
        let path = sandbox.file(&format!("plan{round}.json"));
        std::fs::write(&path, planned.to_string()).unwrap();
        valid.extend(["plan-2".to_owned(), path]);

        let first = server.log().len();
        let done = msm_os!("send {what}").well();
        // Each transaction is announced as it was planned.
        for transaction in planned["transactions"].as_array().unwrap() {
            let of = |name: &str| transaction[name].as_u64().unwrap();
            done.says(&[&format!(
                "{} stores, {} arrays, {} objects, ",
                of("stores"),
                of("arrays"),
                of("objects")
            )]);
        }
        let transactions = planned["transactions"].as_array().unwrap().len();
        assert_eq!(transactions, [2, 1][round]);
        let appended = planned["stores"][0]["steps"]["appended"].as_u64().unwrap();
        let steps = if appended == 1 { "step" } else { "steps" };
        done.says(&[&format!("{appended} {steps} appended")]);
        // What was foreseen of the requests is about what was asked. A copy is a PUT, too; and what is kept of older commands, which
        // goes, is not foreseen.
        let found = kinds(&server, first);
        let foreseen = |kind: &str| planned["requests"][kind].as_u64().unwrap();
        let puts = foreseen("put") + foreseen("copy");
        for (kind, foreseen) in [
            ("put", puts),
            ("get", foreseen("get")),
            ("head", foreseen("head")),
            ("list", foreseen("list")),
        ] {
            let found = found.get(kind).copied().unwrap_or(0);
            let apart = found.abs_diff(foreseen);
            assert!(
                apart <= 3 + found / 10,
                "{kind}: {foreseen} foreseen, {found} found"
            );
        }
    }
    // The list tells of the stores what was planned last.
    let listed = document(&msm_os!("list {bucket} -p T1m --json").well());
    let planned = document(&Ended {
        stdout: std::fs::read_to_string(sandbox.path("plan1.json")).unwrap(),
        ..msm_os!("--version").well()
    });
    for store in planned["stores"].as_array().unwrap() {
        let mut all = listed.as_array().unwrap().iter();
        let listed = all.find(|one| one["store"] == store["store"]).unwrap();
        for array in store["arrays"].as_array().unwrap() {
            let mut variables = listed["variables"].as_array().unwrap().iter();
            let variable = variables.find(|one| one["name"] == array["name"]).unwrap();
            for member in ["dtype", "dimensions", "shape", "chunks", "shards", "codecs"] {
                assert_eq!(array[member], variable[member], "{member}");
            }
        }
    }
    // There is nothing left to do.
    let again = looks(&server, &msm_os!("plan {}", what(&files)), 1).well();
    again.says(&[
        "left alone: it has all 7 steps of the files",
        "nothing to do",
    ]);
    let again = looks(&server, &msm_os!("plan {} --json", what(&files)), 1).well();
    assert_eq!(document(&again)["outcome"], "nothing_to_do");
    let path = sandbox.file("again.json");
    std::fs::write(&path, &again.stdout).unwrap();
    valid.extend(["plan-2".to_owned(), path]);
    python_runs(&script("valid.py"), &valid);
}

#[test]
fn updates_rollbacks_and_parts_are_foreseen() {
    let (sandbox, server, bucket) = served();
    let files = quarters(&sandbox);
    let place = format!("{bucket} -p T1m");
    // An archive in parts, by one of two tasks.
    let shared = format!(
        "-f {} {place} -v tos --share --task 1/2 --json",
        files.join(" ")
    );
    let parts = |member: &str| -> Vec<Value> {
        let ended = looks(&server, &msm_os!("plan {shared}"), 1).well();
        // What other jobs have put out of sight is no job's that died.
        assert!(!ended.stderr.contains("died"), "{ended:#?}");
        let planned = document(&ended);
        let parts = planned["parts"].as_array().unwrap().iter();
        parts.map(|part| part[member].clone()).collect()
    };
    assert_eq!(parts("own"), [false, true, false]);
    assert_eq!(parts("steps"), [3, 3, 1]);
    // Of one task, what it would put; of all, what one job alone would.
    let count = |line: &str, member: &str| -> u64 {
        let planned = document(&looks(&server, &msm_os!("plan {line}"), 1).well());
        planned[member]
            .as_u64()
            .unwrap_or_else(|| u64::from(planned[member] == "nothing_to_do"))
    };
    let of_task = |task: &str, member: &str| count(&shared.replace("1/2", task), member);
    let tasks: Vec<u64> = { ["0/3", "1/3", "2/3"].iter() }
        .map(|task| of_task(task, "objects"))
        .collect();
    let all = count(&shared.replace("--task 1/2", ""), "objects");
    assert_eq!(tasks, [3, 3, 1]);
    // Small arrays along time are of whoever commits.
    assert!(all > 7, "{all}");
    // One task puts what is behind, and another what is before: readers see that.
    msm_os!("send {}", shared.replace("1/2 --json", "2/3")).well();
    assert_eq!(parts("committed"), [false, false, false]);
    assert_eq!(parts("waiting"), [false, false, true]);
    for (task, objects, nothing) in [("2/3", 0, 1), ("1/3", 3, 0), ("0/3", 3, 0), ("0/2", 3, 0)] {
        assert_eq!(of_task(task, "objects"), objects, "{task}");
        assert_eq!(of_task(task, "outcome"), nothing, "{task}");
    }
    msm_os!("send {}", shared.replace("1/2 --json", "0/3")).well();
    assert_eq!(parts("committed"), [true, false, false]);
    msm_os!("send {}", shared.replace("1/2 --json", "1/2")).well();
    assert_eq!(parts("committed"), [] as [Value; 0]);
    msm_os!("delete {place} --all --yes").well();
    msm_os!("send -f {} {place} -v tos", files[0]).well();
    msm_os!("send -f {} {place} -v tos", files[1]).well();
    let update = msm_os!("update -f {} {place} --dry-run", files[1]);
    looks(&server, &update, 2).well().says(&[
        "T1m/tos.zarr: 3 of its steps would be overwritten",
        "nothing was written",
    ]);
    let json = looks(&server, &update.and("--json"), 1).well();
    assert_eq!(document(&json)["verb"], "update");
    assert_eq!(document(&json)["stores"][0]["steps"]["replaced"], 3);
    // What is refused is refused with the code that a send has.
    let cut = sandbox.months(6, 2);
    let refused = format!("-f {cut} {place} -v tos");
    let code = msm_os!("send {refused}").alone().code;
    looks(&server, &msm_os!("plan {refused} --json"), 1).refused(code, &["nothing was written"]);
    assert_ne!(code, 0);
    msm_os!("plan {refused} --consolidate")
        .alone()
        .refused(2, &["--consolidate"]);
    // One command, and both.
    let rollback = msm_os!("rollback {place} --dry-run");
    looks(&server, &rollback, 2).well().says(&[
        "3 steps would go, 3 of 6 would stay along 'time_counter'",
        "nothing was written",
    ]);
    let told = looks(&server, &rollback.and("--json"), 1).well();
    assert_eq!(document(&told)["stores"][0]["lengths"][0]["after"], 3);
    let path = sandbox.file("rollback.json");
    std::fs::write(&path, &told.stdout).unwrap();
    python_runs(&script("valid.py"), &["rollback-1", &path]);
    let both = looks(&server, &rollback.and("--last 2"), 1).well();
    both.says(&["its last 2 transactions would be undone: the store would be gone"]);
    looks(&server, &rollback.and("--last 3"), 1).refused(
        msm_os!("rollback {place} --last 3").alone().code,
        &["there are no 3 commands"],
    );
    let undone = msm_os!("rollback {place}").well();
    undone.says(&["rolled back: 1 store"]);
    assert!(
        looks(&server, &rollback, 1)
            .well()
            .stdout
            .contains("would be gone")
    );
}

#[test]
fn a_batch_script_sends_what_was_planned() {
    let sandbox = Sandbox::new();
    let file = sandbox.source_called("with blank.nc", &Spec::default());
    let url = sandbox.url("ocean");
    let attributes = r#"{"licence": "it is 5 o"}"#;
    // What is set beside the line is as good as on it, and is not read again when the job runs.
    let config = sandbox.private(
        "ocean.toml",
        "prefix = \"T1m\"\n[send]\nvariables = [\"tos\"]\n[plan]\nranks = 2\n",
    );
    let line = msm_os!(
        "plan -f '{file}' -b {url} --config {config} --sbatch --rate 200M --attributes '{attributes}' --memory 1G --report '{}'",
        sandbox.file("r-$SLURM_JOB_ID.json")
    );
    let planned = line.well();
    let path = sandbox.private("job.sh", &planned.stdout);
    let mut check = Command::new("bash");
    check.args(["-n", &path]);
    end(check).well();
    planned.says(&[
        "#SBATCH --ntasks=2\n",
        "#SBATCH --mem-per-cpu=192M\n",
        " --memory 67108864",
        "#SBATCH --time=00:15:00\n",
    ]);
    std::fs::remove_file(&config).unwrap();
    // srun, as far as it matters here: it takes its own flags, and runs the rest.
    let bin = sandbox.path("bin");
    std::fs::create_dir(&bin).unwrap();
    let srun = bin.join("srun");
    let shim = "#!/bin/bash\nwhile [[ $1 == --* ]]; do shift; done\nexec mpirun -n \"$TASKS\" --oversubscribe --bind-to none \"$@\"\n";
    std::fs::write(&srun, shim).unwrap();
    std::fs::set_permissions(&srun, PermissionsExt::from_mode(0o755)).unwrap();
    let tasks = planned
        .stdout
        .lines()
        .find_map(|line| line.strip_prefix("#SBATCH --ntasks="));
    let mut job = Command::new("bash");
    let paths = format!("{}:{}", bin.display(), std::env::var("PATH").unwrap());
    job.arg(&path)
        .env("PATH", paths)
        .env("TASKS", tasks.unwrap())
        .env("SLURM_JOB_ID", "71")
        .env("MSM_OS_CONFIG", &config)
        .env("MSM_OS_KEEP_UNDO", "no number")
        .env("MSM_OS", env!("CARGO_BIN_EXE_msm_os"))
        .env("OMPI_ALLOW_RUN_AS_ROOT", "1")
        .env("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "1");
    end(job).well().says(&["sent: 1 store created"]);
    assert!(sandbox.path("r-71.json").exists());
    msm_os!("verify -b {url} -p T1m -v tos --against '{file}'").well();
    let root = std::fs::read_to_string(sandbox.path("ocean/T1m/tos.zarr/zarr.json")).unwrap();
    assert!(root.contains("it is 5 o"));
}

/// A rate is stated, or read from what `doctor` or a send has measured; by prices, the cost is told, too.
#[test]
fn time_and_cost_are_of_what_was_measured_and_stated() {
    let (sandbox, server, bucket) = served();
    let file = sandbox.months(1, 2);
    let send = |prefix: &str| format!("-f {file} {bucket} -p {prefix} -v tos");
    let report = sandbox.file("report of a send.json");
    msm_os!("send {} --report '{report}'", send("sent")).well_on(2);
    let doctor = sandbox.file("doctor.json");
    let examined = msm_os!("doctor {bucket} --json").well();
    std::fs::write(&doctor, &examined.stdout).unwrap();
    let path = sandbox.file("plan.json");
    for (rate, ranks) in [(&report, 2), (&doctor, 1)] {
        let prices = "put=5/1000,copy=0,list=0,head=0,delete=0,gb-month=2,core-hour=3600";
        let line = format!("plan {} --ranks 4 --prices {prices}", send("new"));
        let words = looks(&server, &msm_os!("{line} --rate '{rate}'"), 1).well();
        words.says(&[
            rate,
            "core-hours",
            "without GET, of which no price is stated",
        ]);
        let told = looks(&server, &msm_os!("{line} --rate '{rate}' --json"), 2).well();
        let told_document = document(&told);
        let (estimate, cost) = (&told_document["estimate"], &told_document["cost"]);
        let found: Value = serde_json::from_str(&std::fs::read_to_string(rate).unwrap()).unwrap();
        assert_eq!(estimate["measured"]["file"], rate[..]);
        assert_eq!(estimate["measured"]["format"], found["format"]);
        assert_eq!(estimate["measured"]["ranks"], ranks);
        let number = |value: &Value| {
            value
                .as_f64()
                .unwrap_or_else(|| panic!("{value} {told:#?}"))
        };
        let measured = if ranks == 2 {
            number(&found["result"]["decoded_bytes"]) / number(&found["elapsed_seconds"])
        } else {
            number(&found["put"]["bytes"]) / number(&found["put"]["seconds"])
        };
        assert_eq!(number(&estimate["rate"]), measured.floor());
        let bytes = number(&told_document["bytes"]);
        let is_near = |found: &Value, expected: f64| {
            let found = number(found);
            assert!(
                (found - expected).abs() <= expected * 1e-9,
                "{found} {expected}"
            );
        };
        let seconds = bytes / measured.floor();
        is_near(&estimate["estimated_seconds"], seconds);
        is_near(&estimate["core_hours"], seconds * 4.0 / 3600.0);
        is_near(&cost["cores"], seconds * 4.0);
        is_near(&cost["month"], bytes * 2e-9);
        is_near(
            &cost["requests"],
            number(&told_document["requests"]["put"]) * 0.005,
        );
        assert_eq!(cost["requests_without_price"], serde_json::json!(["get"]));
        std::fs::write(&path, &told.stdout).unwrap();
        python_runs(&script("valid.py"), &["plan-2", &path, "doctor-1", &doctor]);
    }
    // Without one, nothing is invented.
    let bare = msm_os!("plan {}", send("new")).well();
    bare.says(&["time: not estimated without a rate", "--rate 200M"]);
    for (rate, why) in [
        (&path[..], "msm_os/plan/2"),
        (&file[..], "--rate"),
        ("200X", "200X"),
    ] {
        looks(&server, &msm_os!("plan {} --rate '{rate}'", send("new")), 2)
            .refused(2, &[why, "doctor --json"]);
    }
    msm_os!("plan {} --prices put=cheap", send("new"))
        .alone()
        .refused(2, &["put=cheap"]);
}
