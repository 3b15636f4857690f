//! Which source wins, what profiles say, and that no error shows a secret.

use std::collections::HashMap;
use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;

use super::*;

/// A home directory and an environment.
struct Scene {
    home: TempDir,
    variables: HashMap<&'static str, String>,
}

impl Scene {
    fn new(variables: &[(&'static str, &str)]) -> Self {
        let home = tempfile::tempdir().unwrap();
        std::fs::create_dir(home.path().join(".aws")).unwrap();
        let set = |&(name, value): &(&'static str, &str)| (name, value.to_owned());
        let mut variables: HashMap<_, _> = variables.iter().map(set).collect();
        variables.insert("HOME", home.path().to_str().unwrap().to_owned());
        Self { home, variables }
    }

    fn file(&self, name: &str, text: &str) -> std::path::PathBuf {
        let path = self.home.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o600)).unwrap();
        path
    }

    fn find<'a>(
        &'a self,
        edit: impl FnOnce(&mut AccessFlags<'a>),
    ) -> Result<FoundAccess, StoreError> {
        let mut asked = AccessFlags {
            credentials: None,
            profile: None,
            anonymous: false,
            endpoint: None,
            addressing: None,
            ca_bundle: None,
        };
        edit(&mut asked);
        find(&asked, &|name| self.variables.get(name).cloned())
    }

    #[track_caller]
    fn access<'a>(&'a self, edit: impl FnOnce(&mut AccessFlags<'a>)) -> Access {
        self.find(edit).unwrap().access.unwrap()
    }

    #[track_caller]
    fn refusal<'a>(&'a self, edit: impl FnOnce(&mut AccessFlags<'a>)) -> String {
        let error = self.find(edit).unwrap_err().to_string();
        assert!(!error.contains("HUSH"), "{error}");
        error
    }
}

fn token(access: &Access) -> &str {
    match &access.keys {
        Keys::Pair { token, .. } => token,
        Keys::Renewed(_) => access.secrets().remove(0).leak(),
        Keys::Cloud(_) => "cloud",
        Keys::Anonymous => "anonymous",
    }
}

fn url(access: &Access) -> &str {
    access.endpoint.as_ref().map_or("AWS", |url| url.as_str())
}

const KEYS: [(&str, &str); 3] = [
    ("AWS_ACCESS_KEY_ID", "from-env"),
    ("AWS_SECRET_ACCESS_KEY", "HUSH"),
    ("AWS_ENDPOINT_URL", "http://env"),
];

const PROFILES: &str = "[default]
aws_access_key_id = from-default
aws_secret_access_key = HUSH
[lab]
aws_access_key_id = from-lab
aws_secret_access_key = HU#SH;HU=SH
aws_session_token = HUSH2
[bare]
region = eu-west-2
";

#[test]
fn flag_then_profile_then_environment_then_usual_profile() {
    let mut scene = Scene::new(&KEYS);
    scene.file(".aws/credentials", PROFILES);
    scene.file(
        ".aws/config",
        "[default]\nendpoint_url = http://default\n[profile lab]\nendpoint_url = http://lab/s3/\nregion=r-1\n",
    );
    let json = scene.file(
        "c.json",
        r#"{"token": "from-file", "secret": "HUSH", "endpoint_url": "http://file"}"#,
    );
    let access = scene.access(|asked| asked.credentials = Some(&json));
    assert_eq!(
        (token(&access), url(&access)),
        ("from-file", "http://file/")
    );
    let access = scene.access(|asked| asked.profile = Some("lab"));
    assert_eq!(
        (token(&access), url(&access)),
        ("from-lab", "http://lab/s3/")
    );
    assert_eq!(access.region.as_deref(), Some("r-1"));
    assert_eq!(access.secrets(), ["from-lab", "HU#SH;HU=SH", "HUSH2"]);
    let access = scene.access(|_| ());
    assert_eq!((token(&access), url(&access)), ("from-env", "http://env/"));

    // Keys from the environment are not put together with a profile's; where they lead may be.
    scene.variables.remove("AWS_ENDPOINT_URL");
    let access = scene.access(|_| ());
    assert_eq!(
        (token(&access), url(&access)),
        ("from-env", "http://default/")
    );
    scene.variables.remove("AWS_ACCESS_KEY_ID");
    assert!(scene.refusal(|_| ()).contains("AWS_ACCESS_KEY_ID is not"));
    scene.variables.remove("AWS_SECRET_ACCESS_KEY");
    let access = scene.access(|_| ());
    assert_eq!(
        (token(&access), url(&access)),
        ("from-default", "http://default/")
    );
    scene.variables.insert("AWS_PROFILE", "lab".to_owned());
    let access = scene.access(|_| ());
    assert_eq!(
        (token(&access), url(&access)),
        ("from-lab", "http://lab/s3/")
    );
    let s3 = "http://env-s3".to_owned();
    scene.variables.insert("AWS_ENDPOINT_URL_S3", s3);
    let access = scene.access(|_| ());
    assert_eq!(
        (token(&access), url(&access)),
        ("from-lab", "http://env-s3/")
    );
    let access = scene.access(|asked| asked.profile = Some("default"));
    assert_eq!(
        (token(&access), url(&access)),
        ("from-default", "http://default/")
    );
}

#[test]
fn an_endpoint_that_is_asked_for_wins() {
    let scene = Scene::new(&KEYS);
    scene.file(".aws/credentials", PROFILES);
    scene.file(
        ".aws/config",
        "[profile lab]\nendpoint_url = http://lab\nregion = r-1\n",
    );
    let text = r#"{"token": "from-file", "secret": "HUSH", "endpoint_url": "http://file"}"#;
    let json = scene.file("c.json", text);
    let bare = scene.file("bare.json", r#"{"token": "from-bare", "secret": "HUSH"}"#);
    let asked = Url::parse("http://asked").unwrap();
    for (file, profile, from) in [
        (Some(&json), None, "from-file"),
        (Some(&bare), None, "from-bare"),
        (None, Some("lab"), "from-lab"),
        (None, None, "from-env"),
    ] {
        let found = scene.find(|flags| {
            flags.credentials = file.map(std::path::PathBuf::as_path);
            flags.profile = profile;
            flags.endpoint = Some(&asked);
        });
        let found = found.unwrap();
        let origins = found.origins;
        assert_eq!(origins.endpoint.as_deref(), Some("--endpoint-url"));
        let access = found.access.unwrap();
        assert_eq!((token(&access), url(&access)), (from, "http://asked/"));
    }
    let error = scene.refusal(|flags| flags.credentials = Some(&bare));
    assert!(error.contains("no 'endpoint_url'"), "{error}");
}

#[test]
fn where_it_was_found_is_told() {
    let mut scene = Scene::new(&KEYS);
    scene.file(".aws/credentials", PROFILES);
    let origins = |scene: &Scene, profile| {
        let found = scene.find(|asked| asked.profile = profile);
        let Origins { keys, endpoint } = found.unwrap().origins;
        (keys.unwrap_or_default(), endpoint.unwrap_or_default())
    };
    let (keys, endpoint) = origins(&scene, None);
    assert!(keys.contains("AWS_ACCESS_KEY_ID"), "{keys}");
    assert!(endpoint.contains("AWS_ENDPOINT_URL"), "{endpoint}");
    let (keys, _) = origins(&scene, Some("lab"));
    let words = ["'lab'", ".aws/credentials"];
    assert!(words.iter().all(|word| keys.contains(word)), "{keys}");
    scene.variables.clear();
    let conf = "[default]\ncredential_process = echo '{\"Version\": 1, \"AccessKeyId\": \"printed\", \"SecretAccessKey\": \"HUSH\"}'\n";
    let config = scene.file("conf", conf);
    let config = config.to_str().unwrap().to_owned();
    scene.variables.insert("AWS_CONFIG_FILE", config);
    assert_eq!(token(&scene.access(|_| ())), "printed");
    let (keys, _) = origins(&scene, None);
    assert_eq!(keys, "AWS profile 'default': credential_process echo");
}

#[test]
fn a_profile_may_leave_the_endpoint_to_the_environment() {
    let scene = Scene::new(&KEYS);
    scene.file(".aws/credentials", PROFILES);
    let access = scene.access(|asked| asked.profile = Some("lab"));
    assert_eq!((token(&access), url(&access)), ("from-lab", "http://env/"));
}

#[test]
fn files_elsewhere_and_services() {
    let mut scene = Scene::new(&[]);
    let credentials = scene.file("keys", PROFILES);
    let config = scene.file(
        "conf",
        "[profile \"lab\"]\nservices = jasmin\nendpoint_url = http://not-this\n\
         [services jasmin]\ndynamodb =\n  endpoint_url = http://nor-this\n\
         s3 =\n  # ours\n  addressing_style = path\n  endpoint_url = http://this\n",
    );
    for (name, path) in [
        ("AWS_SHARED_CREDENTIALS_FILE", credentials),
        ("AWS_CONFIG_FILE", config),
    ] {
        scene
            .variables
            .insert(name, path.to_str().unwrap().to_owned());
    }
    let access = scene.access(|asked| asked.profile = Some("lab"));
    assert_eq!((token(&access), url(&access)), ("from-lab", "http://this/"));
    scene
        .variables
        .insert("AWS_CONFIG_FILE", "~/more".to_owned());
    scene.file("more", "[profile lab]\nservices = none\n");
    let error = scene.refusal(|asked| asked.profile = Some("lab"));
    assert!(error.contains("[services none]"), "{error}");
}

#[test]
fn profiles_that_cannot_do() {
    let scene = Scene::new(&[]);
    let lab = |asked: &mut AccessFlags| asked.profile = Some("lab");
    let error = scene.refusal(lab);
    assert!(
        error.contains("'lab'") && error.contains("~/.aws/credentials"),
        "{error}"
    );
    for (text, word) in [
        (
            "[lab]\nrole_arn = HUSH\nsource_profile = HUSH\n",
            "role_arn, source_profile",
        ),
        ("[lab]\nsso_session = HUSH\n", "sso_session"),
        (
            "[lab]\ncredential_process = /nowhere/helper HUSH\n",
            "credential_process /nowhere/helper cannot be started",
        ),
        (
            "[lab]\naws_access_key_id = HUSH\n",
            "has no aws_secret_access_key",
        ),
        (
            "[lab]\naws_secret_access_key = HUSH\n",
            "has no aws_access_key_id",
        ),
        (
            "[lab]\naws_access_key_id = HU SH\naws_secret_access_key = HUSH\n",
            "position 3",
        ),
        ("[lab]\nregion = r\n", "has no aws_access_key_id"),
        ("[lab\naws_secret_access_key = HUSH\n", "line 1"),
        ("= HUSH\n", "line 1"),
        ("[other]\n", "no such profile"),
    ] {
        scene.file(".aws/credentials", text);
        let error = scene.refusal(lab);
        assert!(error.contains(word), "{word}: {error}");
    }
    // With keys of its own, a role is not needed.
    scene.file(
        ".aws/credentials",
        "[lab]\nAWS_ACCESS_KEY_ID = mine\naws_secret_access_key = HUSH\nrole_arn = x\n",
    );
    assert_eq!(token(&scene.access(lab)), "mine");
    assert!(url(&scene.access(lab)) == "AWS");
}

#[test]
fn no_keys_anywhere_and_none_needed() {
    let mut scene = Scene::new(&[]);
    assert!(scene.find(|_| ()).unwrap().access.is_none());
    let anonymous = |asked: &mut AccessFlags| asked.anonymous = true;
    assert_eq!(url(&scene.access(anonymous)), "AWS");
    let json = scene.file("c.json", r#"{"endpoint_url": "http://file"}"#);
    let access = scene.access(|asked| {
        asked.anonymous = true;
        asked.credentials = Some(&json);
    });
    assert_eq!(
        (token(&access), url(&access)),
        ("anonymous", "http://file/")
    );
    scene.file(
        ".aws/config",
        "[default]\nendpoint_url = http://conf\nsso_session = x\n",
    );
    assert_eq!(url(&scene.access(anonymous)), "http://conf/");
    assert!(scene.refusal(|_| ()).contains("sso_session"));
    scene
        .variables
        .insert("AWS_ACCESS_KEY_ID", "no secret".to_owned());
    scene
        .variables
        .insert("AWS_ENDPOINT_URL", "http://env".to_owned());
    let access = scene.access(anonymous);
    assert_eq!((token(&access), url(&access)), ("anonymous", "http://env/"));
}

#[test]
fn what_a_cloud_gives_its_pods() {
    let mut scene = Scene::new(&[("AWS_WEB_IDENTITY_TOKEN_FILE", "/token")]);
    assert!(scene.find(|_| ()).unwrap().access.is_none(), "half of it");
    scene.variables.insert("AWS_ROLE_ARN", "arn".to_owned());
    assert_eq!(token(&scene.access(|_| ())), "cloud");
    scene.file(".aws/credentials", PROFILES);
    scene.variables.insert("AWS_PROFILE", "lab".to_owned());
    assert_eq!(token(&scene.access(|_| ())), "from-lab");
}

#[test]
fn a_file_that_others_may_read_is_told_of() {
    let scene = Scene::new(&[]);
    let path = scene.file(".aws/credentials", PROFILES);
    let json = scene.file(
        "c.json",
        r#"{"token": "t", "secret": "HUSH", "endpoint_url": "http://file"}"#,
    );
    let warnings = |anonymous| {
        let profile = scene.find(|asked| {
            asked.profile = Some("lab");
            asked.anonymous = anonymous;
        });
        let file = scene.find(|asked| {
            asked.credentials = Some(&json);
            asked.anonymous = anonymous;
        });
        [profile.unwrap().warning, file.unwrap().warning]
    };
    assert_eq!(warnings(false), [None, None]);
    for path in [&path, &json] {
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o640)).unwrap();
    }
    assert_eq!(warnings(true), [None, None], "no keys are used");
    for (warning, path) in warnings(false).into_iter().zip([&path, &json]) {
        let warning = warning.unwrap();
        let chmod = format!("`chmod 600 {}`", path.display());
        assert!(
            warning.contains("0640") && warning.contains(&chmod),
            "{warning}"
        );
    }
}
