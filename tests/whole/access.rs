//! Credentials from every source, and the forms of an endpoint, against a server that checks signatures.

use s3_server::Config;

use crate::sending::Scene;
use crate::support::{alone_command, command, end, objects, server};

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
    for (flags, variables, region) in [
        (&["-c", &file][..], &environment[..], "from-file"),
        (&[], &environment, "from-env"),
        (&["--profile", "lab"], &profiles, "from-profile"),
        (&[], &chosen, "from-profile"),
        (&[], &at_home, "from-profile"),
    ] {
        for request in scene.sends(flags, variables) {
            assert_eq!(request.session_token, "test-session/+=");
            assert!(
                request.authorization.contains("Credential=test-key/")
                    && request.authorization.contains(&format!("/{region}/s3/")),
                "{request:?}"
            );
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
    scene.refuses(32, &["access refused", "InvalidToken"], &["-c", &aged], &[]);
    scene.refuses(2, &["--profile"], &["-c", &aged, "--profile", "lab"], &[]);
    scene.refuses(
        30,
        &["'lab'", "no such profile"],
        &["--profile", "lab"],
        &[],
    );
    scene.refuses(
        30,
        &["no credentials", "--profile", "--anonymous"],
        &[],
        &[],
    );
    let half = [
        ("AWS_ACCESS_KEY_ID", "HUSH"),
        ("AWS_ENDPOINT_URL", url.as_str()),
    ];
    scene.refuses(30, &["AWS_SECRET_ACCESS_KEY is not"], &[], &half);
    let broken = [
        ("AWS_ACCESS_KEY_ID", "test-key"),
        ("AWS_SECRET_ACCESS_KEY", "HUSH\nHUSH"),
        ("AWS_ENDPOINT_URL", url),
    ];
    scene.refuses(30, &["'AWS_SECRET_ACCESS_KEY'", "position 5"], &[], &broken);
    let role = scene.sandbox.private(
        "credentials",
        "[lab]\nrole_arn = HUSH\nsource_profile = base\n",
    );
    scene.refuses(
        30,
        &["'lab'", "role_arn, source_profile", "export-credentials"],
        &["--profile", "lab"],
        &[("AWS_SHARED_CREDENTIALS_FILE", &role)],
    );
}

#[test]
fn no_signature_for_a_public_bucket() {
    let scene = Scene::new(Config {
        anonymous: true,
        ..Config::default()
    });
    let url = &scene.server.endpoint();
    let place = scene
        .sandbox
        .private("c.json", &format!(r#"{{"endpoint_url": "{url}"}}"#));
    let keys = [
        ("AWS_ENDPOINT_URL_S3", url.as_str()),
        ("AWS_ACCESS_KEY_ID", "nobody"),
    ];
    for (flags, variables) in [(&["-c", &place][..], &[][..]), (&[], &keys)] {
        let requests = scene.sends(&[flags, &["--anonymous"]].concat(), variables);
        assert!(
            requests
                .iter()
                .all(|request| request.authorization.is_empty())
        );
    }
    scene.refuses(30, &["c.json", "no 'token'"], &["-c", &place], &[]);

    let private = Scene::new(Config::default());
    let place = private.sandbox.credentials(&private.server);
    let flags = ["-c", &place, "--anonymous"];
    private.refuses(32, &["access refused", "AccessDenied"], &flags, &[]);
}

#[test]
fn a_file_that_others_may_read_is_told_of_once() {
    use std::os::unix::fs::PermissionsExt;
    let scene = Scene::new(Config::default());
    let file = scene.sandbox.credentials(&scene.server);
    std::fs::set_permissions(&file, PermissionsExt::from_mode(0o644)).unwrap();
    for ended in scene.run(&["-c", &file], &[]) {
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
    let file = scene
        .sandbox
        .credentials_with("test-key", "test-secret", &format!("{url}/"));
    let host = url.strip_prefix("http://").unwrap();
    for request in scene.sends(&["-c", &file, "--addressing", "path"], &[]) {
        assert_eq!(request.host, host);
        assert!(request.key == "ocean" || request.key.starts_with("ocean/"));
    }
    let flags = ["-c", &file, "--addressing", "virtual"];
    scene.refuses(
        2,
        &["--addressing path", "address without a name"],
        &flags,
        &[],
    );
    // A gateway's path stays in front of the bucket. This server takes it for a bucket.
    let file =
        scene
            .sandbox
            .credentials_with("test-key", "test-secret", &format!("{url}/gateway/"));
    let seen = scene.server.log().len();
    scene.refuses(
        31,
        &["/gateway: there is no such bucket"],
        &["-c", &file],
        &[],
    );
    assert!(
        scene.server.log()[seen..]
            .iter()
            .all(|request| request.key == "gateway/ocean")
    );

    // The server plays the proxy too: that spares a name service.
    let scene = Scene::new(Config {
        domain: Some("s3.test".to_owned()),
        ..Config::default()
    });
    let proxy = [("http_proxy", scene.server.endpoint())];
    let proxy = proxy
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    let file = scene
        .sandbox
        .credentials_with("test-key", "test-secret", "http://s3.test/");
    for request in scene.sends(&["-c", &file, "--addressing", "virtual"], &proxy) {
        assert_eq!(request.host, "ocean.s3.test");
        assert!(
            request.key == "ocean" || request.key.starts_with("ocean/"),
            "{request:?}"
        );
    }
}

#[test]
fn ranks_that_would_write_to_different_servers() {
    let scene = Scene::new(Config::default());
    let other = server();
    let args = scene.args("ranks", &[]);
    let rank = |count: &str, endpoint: &str| {
        let endpoint = format!("AWS_ENDPOINT_URL={endpoint}");
        let keys = [
            "AWS_ACCESS_KEY_ID=test-key",
            "AWS_SECRET_ACCESS_KEY=test-secret",
        ];
        let start = [
            "-n",
            count,
            "env",
            keys[0],
            keys[1],
            &endpoint,
            env!("CARGO_BIN_EXE_msm_os"),
        ];
        [&start[..], &args].concat().join("\n")
    };
    let [first, rest] = [
        rank("1", &scene.server.endpoint()),
        rank("2", &other.endpoint()),
    ];
    let all: Vec<&str> = first.lines().chain([":"]).chain(rest.lines()).collect();
    let ended = end(command(
        &["mpirun", "--oversubscribe", "--bind-to", "none"],
        &all,
    ));
    let [here, there] = [scene.server.endpoint(), other.endpoint()];
    scene.is_refusal(&ended, 30, &["rank 0", &here, "rank 1", &there]);
    assert!(objects(&other).is_empty());
}

#[test]
fn a_directory_needs_no_credentials_and_minds_none() {
    let scene = Scene::new(Config::default());
    let url = scene.sandbox.url("ocean");
    let args = ["send", "-f", scene.file(), "-b", &url, "-v", "tos", "-p"];
    for (prefix, flags) in [
        ("a", &["-c", "none.json"][..]),
        ("b", &["--profile", "none"]),
        ("c", &["--anonymous"]),
    ] {
        let args = [&args[..], &[prefix], flags].concat();
        assert_eq!(end(alone_command(&args)).well().stderr, "");
    }
    assert!(scene.server.log().is_empty());
}
