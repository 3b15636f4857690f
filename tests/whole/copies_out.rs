//! `copy` and `move` into another bucket, of the same server, of another one, or a directory.

use s3_server::{Config, Request, Server};

use crate::line::msm_os;
use crate::support::{Sandbox, is_in_the_way, objects, reads_back};

/// A server with two buckets, `ocean` and `archive`.
fn two_buckets() -> Server {
    let buckets = ["ocean", "archive"].map(str::to_owned).to_vec();
    let config = Config {
        buckets,
        ..Config::default()
    };
    Server::start(config).unwrap()
}

/// What lies in a bucket.
fn within(server: &Server, bucket: &str) -> Vec<(String, Vec<u8>)> {
    let objects = server.objects(bucket).into_iter();
    objects.map(|(key, bytes)| (key, bytes.to_vec())).collect()
}

fn is_tidy(objects: &[(String, Vec<u8>)]) {
    let left: Vec<&String> = objects.iter().map(|(key, _)| key).collect();
    let left: Vec<_> = left.into_iter().filter(|key| is_in_the_way(key)).collect();
    assert!(left.is_empty(), "{left:#?}");
}

#[test]
fn one_server_copies_between_its_buckets_by_itself() {
    for ranks in [1, 3] {
        let (sandbox, server) = (Sandbox::new(), two_buckets());
        let bucket = format!("-b ocean -c {}", sandbox.credentials(&server));
        let files = [1, 3].map(|month| sandbox.months(month, 2));
        for file in &files {
            msm_os!("send -f {file} {bucket} -v tos,sos").well();
        }
        let before = within(&server, "ocean");
        let copy = msm_os!("copy {bucket} -p T1m --to-bucket archive");
        let told = copy.and("--dry-run").well_on(ranks);
        told.says(&[
            "T1m/tos.zarr → s3://archive/T1m/tos.zarr: ",
            "would copy: 2 stores",
        ]);
        assert!(within(&server, "archive").is_empty());
        let first = server.log().len();
        copy.well_on(ranks).says(&["copied: 2 stores"]);
        assert!(within(&server, "archive") == before);
        assert!(within(&server, "ocean") == before);
        // No chunk came here to be sent back.
        let put = server.log_from(first).into_iter();
        let put: Vec<_> = put
            .filter(|r| r.method == "PUT" && r.key.contains("/c/"))
            .collect();
        let is_copy = |r: &Request| r.authorization.contains("x-amz-copy-source");
        assert!(!put.is_empty() && put.iter().all(is_copy), "{put:?}");
        copy.well_on(ranks).says(&[", there already"]);
        let archive = bucket.replace("ocean", "archive");
        msm_os!(
            "verify {archive} -p T1m --against {} {}",
            files[0],
            files[1]
        )
        .well_on(ranks);
        reads_back("s3://archive/T1m/tos.zarr", Some(&server), &files);
        // One of them goes back after it was changed, under another name.
        msm_os!("rollback {archive} -p T1m").well_on(ranks);
        copy.on(ranks)
            .refused(51, &["'s3://archive/T1m/sos.zarr' is there already"]);
        let back = msm_os!("move {archive} -p T1m --to-bucket ocean --to back/T1m");
        back.well_on(ranks)
            .says(&["s3://ocean/back/T1m/tos.zarr", "moved: 2 stores"]);
        assert!(within(&server, "archive").is_empty());
        msm_os!("verify {bucket} -p back/T1m --against {}", files[0]).well_on(ranks);
        is_tidy(&within(&server, "ocean"));
    }
}

/// From a directory to a server, to another one with other keys and a bucket of the same name, and back.
#[test]
fn objects_are_read_and_put_from_place_to_place() {
    let sandbox = Sandbox::new();
    let here = format!("-b {}", sandbox.url("ocean"));
    let config = Config {
        access_key: "other-key".to_owned(),
        secret_key: "other-secret".to_owned(),
        ..Config::default()
    };
    let (near, far) = (
        Server::start(Config::default()).unwrap(),
        Server::start(config).unwrap(),
    );
    let keys = sandbox.credentials(&near);
    let first = format!("{keys}.near");
    std::fs::rename(&keys, &first).unwrap();
    let second = sandbox.credentials_with("other-key", "other-secret", &far.endpoint());
    let file = sandbox.months(1, 3);
    msm_os!("send -f {file} {here} -v tos,thetao").well();
    let sent = sandbox.tree("ocean");
    for ranks in [1, 3] {
        msm_os!("copy {here} -p T1m --to-bucket ocean -c {first}").well_on(ranks);
        let go =
            msm_os!("move -b ocean -c {first} -p T1m --to-bucket ocean --to-credentials {second}");
        go.well_on(ranks).says(&["moved: 2 stores"]);
        assert!(within(&near, "ocean").is_empty());
        assert!(objects(&far).len() == sent.len());
        msm_os!("verify -b ocean -c {second} -p T1m --against {file}").well_on(ranks);
        let other = sandbox.url("elsewhere/ocean");
        let back = msm_os!("move -b ocean -c {second} -p T1m --to-bucket {other} --to old");
        back.well_on(ranks);
        assert!(within(&far, "ocean").is_empty());
        sandbox.reads_back("elsewhere/ocean/old/thetao.zarr", &[&file]);
        msm_os!("verify -b {other} -p old --against {file}").well_on(ranks);
        let last = sandbox.url("last");
        msm_os!("move -b {other} -p old --to-bucket {last} --to T1m").well_on(ranks);
        assert!(sandbox.tree("last") == sent);
        assert!(sandbox.tree("elsewhere/ocean").is_empty());
        std::fs::remove_dir_all(sandbox.path("last")).unwrap();
    }
}

#[test]
fn what_cannot_go_there_is_refused_and_nothing_changes() {
    let (sandbox, server) = (Sandbox::new(), two_buckets());
    let bucket = format!("-b ocean -c {}", sandbox.credentials(&server));
    let file = sandbox.months(1, 2);
    msm_os!("send -f {file} {bucket} -v tos").well();
    server.put_object("archive", "taken/tos.zarr/readme", "mine");
    let place = format!("-b {}", sandbox.url("ocean"));
    msm_os!("send -f {file} {place} -v tos").well();
    std::os::unix::fs::symlink(sandbox.path("ocean"), sandbox.path("link")).unwrap();
    let (link, inner, outer) = (
        sandbox.url("link"),
        sandbox.url("ocean/more"),
        sandbox.url(""),
    );
    let before = [within(&server, "ocean"), within(&server, "archive")];
    let tree = sandbox.tree("ocean");
    for (line, code, words) in [
        (
            format!("copy {bucket} -p T1m --to-bucket none"),
            31,
            &["none"][..],
        ),
        (
            format!("copy {bucket} -p T1m --to-bucket archive --to taken"),
            51,
            &["'s3://archive/taken/tos.zarr' is there already"],
        ),
        (
            format!("move {bucket} -p T1m --to-bucket ocean"),
            2,
            &["where the stores are"],
        ),
        (
            format!("move {place} -p T1m --to-bucket {link}"),
            2,
            &["where the stores are"],
        ),
        (
            format!("copy {place} -p T1m --to-bucket {inner}"),
            2,
            &["--to-bucket", "one is in the other"],
        ),
        (
            format!("copy {place} -p T1m --to-bucket {outer} --to new"),
            2,
            &["--to-bucket", "one is in the other"],
        ),
        (
            format!("copy {bucket} -p T1m --to new --to-credentials x.json"),
            2,
            &["--to-bucket"],
        ),
    ] {
        for ranks in [1, 3] {
            let line = msm_os!("{line}");
            line.on(ranks).refused(code, words);
        }
        assert!([within(&server, "ocean"), within(&server, "archive")] == before);
        assert!(sandbox.tree("ocean") == tree, "{line}");
    }
}
