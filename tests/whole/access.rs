//! Credentials from every source, and the forms of an endpoint, against a server that checks signatures.

use s3_server::Config;

use crate::line::msm_os;
use crate::sending::Scene;
use crate::support::{command, end, objects, server};

/// A server that wants temporary keys.
fn temporary() -> Scene {
    Scene::new(Config {
        session_token: Some("test-session/+=".to_owned()),
        ..Config::default()
    })
}

#[test]
fn keys_from_every_source() {
    let scene = temporary();
    let url = &scene.server.endpoint();
    let file = scene.sandbox.private(
        "c.json",
        &format!(
            r#"{{"token": "test-key", "secret": " test-secret\n", "endpoint_url": "{url}/",
                "session_token": "test-session/+=", "region": "from-file"}}"#
        ),
    );
    let home = scene.sandbox.path("home");
    scene.sandbox.private(
        "home/.aws/credentials",
        "[default]\naws_access_key_id = nobody\naws_secret_access_key = HUSH\n[lab]\naws_access_key_id = test-key\n\
         aws_secret_access_key = test-secret\naws_session_token = test-session/+=\n",
    );
    scene.sandbox.private(
        "home/.aws/config",
        &format!("[profile lab]\nregion = from-profile\nservices = lab\n[services lab]\ns3 =\n  endpoint_url = {url}\n"),
    );
    let credentials = home.join(".aws/credentials");
    let config = home.join(".aws/config");
    let profiles = [
        ("AWS_SHARED_CREDENTIALS_FILE", credentials.to_str().unwrap()),
        ("AWS_CONFIG_FILE", config.to_str().unwrap()),
    ];
    let environment = [
        ("AWS_ACCESS_KEY_ID", "test-key"),
        ("AWS_SECRET_ACCESS_KEY", "test-secret"),
        ("AWS_SESSION_TOKEN", "test-session/+="),
        ("AWS_ENDPOINT_URL", url),
        ("AWS_REGION", "from-env"),
        ("AWS_PROFILE", "lab"),
    ];
    let chosen = [&profiles[..], &[("AWS_PROFILE", "lab")]].concat();
    // A variable that is empty is as good as none: these are looked for below HOME.
    let at_home = [
        ("HOME", home.to_str().unwrap()),
        ("AWS_SHARED_CREDENTIALS_FILE", ""),
        ("AWS_CONFIG_FILE", ""),
        ("AWS_PROFILE", "lab"),
    ];
    let with_file = format!("-c {file}");
    for (flags, variables, region) in [
        (&with_file[..], &environment[..], "from-file"),
        ("", &environment, "from-env"),
        ("--profile lab", &profiles, "from-profile"),
        ("", &chosen, "from-profile"),
        ("", &at_home, "from-profile"),
    ] {
        for request in scene.sends(flags, variables) {
            assert_eq!(request.session_token, "test-session/+=");
            for part in ["Credential=test-key/", &format!("/{region}/s3/")] {
                assert!(request.authorization.contains(part), "{request:?}");
            }
        }
    }
}

#[test]
fn keys_that_do_not_open_it() {
    let scene = temporary();
    let url = &scene.server.endpoint();
    let aged = scene.sandbox.private(
        "c.json",
        &format!(
            r#"{{"token": "test-key", "secret": "test-secret", "endpoint_url": "{url}", "session_token": "HUSH"}}"#
        ),
    );
    let aged = format!("-c {aged}");
    scene.refuses(32, &["access refused", "InvalidToken"], &aged, &[]);
    let both = format!("{aged} --profile lab");
    scene.refuses(2, &["--profile"], &both, &[]);
    let words = ["'lab'", "no such profile"];
    scene.refuses(30, &words, "--profile lab", &[]);
    let words = ["no credentials", "--profile", "--anonymous"];
    scene.refuses(30, &words, "", &[]);
    let half = [
        ("AWS_ACCESS_KEY_ID", "HUSH"),
        ("AWS_ENDPOINT_URL", url.as_str()),
    ];
    scene.refuses(30, &["AWS_SECRET_ACCESS_KEY is not"], "", &half);
    let broken = [
        ("AWS_ACCESS_KEY_ID", "test-key"),
        ("AWS_SECRET_ACCESS_KEY", "HUSH\nHUSH"),
        ("AWS_ENDPOINT_URL", url),
    ];
    scene.refuses(30, &["'AWS_SECRET_ACCESS_KEY'", "position 5"], "", &broken);
    let role = "[lab]\nrole_arn = HUSH\nsource_profile = base\n";
    let role = scene.sandbox.private("credentials", role);
    let role = [("AWS_SHARED_CREDENTIALS_FILE", &role[..])];
    let words = ["'lab'", "role_arn, source_profile", "export-credentials"];
    scene.refuses(30, &words, "--profile lab", &role);
}

#[test]
fn no_signature_for_a_public_bucket() {
    let scene = Scene::new(Config {
        anonymous: true,
        ..Config::default()
    });
    let url = &scene.server.endpoint();
    let place = format!(r#"{{"endpoint_url": "{url}"}}"#);
    let place = format!("-c {}", scene.sandbox.private("c.json", &place));
    let keys = [
        ("AWS_ENDPOINT_URL_S3", url.as_str()),
        ("AWS_ACCESS_KEY_ID", "nobody"),
    ];
    for (flags, variables) in [(&place[..], &[][..]), ("", &keys)] {
        for request in scene.sends(&format!("{flags} --anonymous"), variables) {
            assert_eq!(request.authorization, "");
        }
    }
    scene.refuses(30, &["c.json", "no 'token'"], &place, &[]);

    let private = Scene::new(Config::default());
    let place = private.sandbox.credentials(&private.server);
    let words = ["access refused", "AccessDenied"];
    private.refuses(32, &words, &format!("-c {place} --anonymous"), &[]);
}

#[test]
fn a_file_that_others_may_read_is_told_of_once() {
    use std::os::unix::fs::PermissionsExt;
    let scene = Scene::new(Config::default());
    let file = scene.sandbox.credentials(&scene.server);
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
    for ended in scene.run(&format!("-c {file}"), &[]) {
        let expected = format!(
            "msm_os: warning: {file} holds secret keys, and its mode 0644 lets others read it; run `chmod 600 {file}`\n"
        );
        assert_eq!(ended.well().stderr, expected);
    }
}

#[test]
fn the_bucket_in_the_path_or_in_the_hosts_name() {
    let scene = Scene::new(Config::default());
    let url = &scene.server.endpoint();
    let at = |scene: &Scene, endpoint: &str| {
        let sandbox = &scene.sandbox;
        let file = sandbox.credentials_with("test-key", "test-secret", endpoint);
        format!("-c {file}")
    };
    let place = at(&scene, &format!("{url}/"));
    let host = url.strip_prefix("http://").unwrap();
    for request in scene.sends(&format!("{place} --addressing path"), &[]) {
        assert_eq!(request.host, host);
        assert!(request.key == "ocean" || request.key.starts_with("ocean/"));
    }
    let words = ["--addressing path", "address without a name"];
    scene.refuses(2, &words, &format!("{place} --addressing virtual"), &[]);
    // A gateway's path stays in front of the bucket. This server takes it for a bucket.
    let place = at(&scene, &format!("{url}/gateway/"));
    let seen = scene.server.log().len();
    let words = ["/gateway: there is no such bucket"];
    scene.refuses(31, &words, &place, &[]);
    for request in &scene.server.log()[seen..] {
        let is_below = request.key == "gateway/ocean" || request.key.starts_with("gateway/ocean/");
        assert!(is_below, "{request:?}");
    }

    // The server plays the proxy too: that spares a name service.
    let scene = Scene::new(Config {
        domain: Some("s3.test".to_owned()),
        ..Config::default()
    });
    let endpoint = scene.server.endpoint();
    let proxy = [("http_proxy", endpoint.as_str())];
    let place = at(&scene, "http://s3.test/");
    for request in scene.sends(&format!("{place} --addressing virtual"), &proxy) {
        assert_eq!(request.host, "ocean.s3.test");
        let is_below = request.key == "ocean" || request.key.starts_with("ocean/");
        assert!(is_below, "{request:?}");
    }
}

#[test]
fn ranks_that_would_write_to_different_servers() {
    let scene = Scene::new(Config::default());
    let other = server();
    let send = format!("send -f {} -b ocean -v tos -p ranks", scene.file());
    let [here, there] = [scene.server.endpoint(), other.endpoint()];
    let rank = |count: u32, endpoint: &str| {
        let keys = "AWS_ACCESS_KEY_ID=test-key AWS_SECRET_ACCESS_KEY=test-secret";
        let program = env!("CARGO_BIN_EXE_msm_os");
        format!("-n {count} env {keys} AWS_ENDPOINT_URL={endpoint} {program} {send}")
    };
    let all = format!("{} : {}", rank(1, &here), rank(2, &there));
    let all: Vec<&str> = all.split(' ').collect();
    let launcher = ["mpirun", "--oversubscribe", "--bind-to", "none"];
    let ended = end(command(&launcher, &all));
    scene.is_refusal(&ended, 30, &["rank 0", &here, "rank 1", &there]);
    assert!(objects(&other).is_empty());
}

#[test]
fn a_directory_needs_no_credentials_and_minds_none() {
    let scene = Scene::new(Config::default());
    let (url, file) = (scene.sandbox.url("ocean"), scene.file());
    for (prefix, flags) in [
        ("a", "-c none.json"),
        ("b", "--profile none"),
        ("c", "--anonymous"),
    ] {
        let sent = msm_os!("send -f {file} -b {url} -v tos -p {prefix} {flags}").well();
        assert_eq!(sent.stderr, "");
    }
    assert!(scene.server.log().is_empty());
}

#[test]
fn a_place_behind_the_bucket_and_an_endpoint_besides() {
    let scene = Scene::new(Config::default());
    let (file, url) = (scene.file(), scene.server.endpoint());
    // Nobody is there.
    let keys = scene
        .sandbox
        .credentials_with("test-key", "test-secret", "http://127.0.0.1:9");
    let reached = format!("-c {keys} --endpoint-url {url}");
    let sent = msm_os!("send -f {file} -b s3://ocean/run7/T1m/ -v tos {reached}");
    sent.well_on(2);
    sent.well().says(&["already"]);
    let stores = |place: &str| {
        let listed = msm_os!("list -b {place} --json {reached}").well();
        listed.stdout.matches("\"run7/T1m/tos.zarr\"").count()
    };
    assert_eq!(stores("s3://ocean/run7"), 1);
    assert_eq!(stores("s3://ocean/run7/T1m/tos.zarr"), 1);
    assert_eq!(stores("s3://ocean/run8"), 0);
    let doctor = msm_os!("doctor -b s3://ocean/run7 {reached}").well();
    doctor.says(&[&keys, "endpoint from --endpoint-url", &url]);

    let two = msm_os!("list -b s3://ocean/run7 -p run8 {reached}").alone();
    two.refused(2, &["'run7'", "-p says 'run8'"]);
    let two = msm_os!("copy -b s3://ocean/a.zarr -v tos --to b {reached}").alone();
    two.refused(2, &["--store", "-b s3://ocean/a.zarr is"]);
    let wrong = msm_os!("list -b ocean -c {keys} --endpoint-url store.example").alone();
    wrong.refused(2, &["--endpoint-url", "https://host"]);
    let none = msm_os!("list -b ocean -c {keys} --endpoint-url=").alone();
    none.refused(2, &["--endpoint-url"]);

    msm_os!("delete -b s3://ocean/run7/T1m/tos.zarr --all --yes {reached}").well();
    assert!(
        objects(&scene.server)
            .keys()
            .all(|key| !key.contains("tos"))
    );
    let directory = scene.sandbox.url("bucket");
    let told = msm_os!("send -f {file} -b {directory} -v tos --endpoint-url {url}").well();
    told.warns(&["is a directory", "--endpoint-url"]);
}
