//! Keys that end while a job works: a process that prints new ones, and files that somebody writes anew, against a server that lets
//! session tokens end.
//!
//! Key type: [`EndingKeys`].

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use s3_server::{Config, Fault, Rule};

use crate::sending::Scene;
use crate::support::{Ended, end, is_tidy};

/// How long tokens are good.
const LIFE: u64 = 1500;

/// A server whose tokens end, and which is so slow that a send outlives several.
fn ending_keys() -> Scene {
    let scene = Scene::new(Config {
        ending_tokens: true,
        ..Config::default()
    });
    let slow = Rule::new(Fault::Delay(Duration::from_millis(150)));
    scene.server.faults().add(slow);
    scene
}

/// A program that prints keys which are good for [`LIFE`], and says that they end so much later; after so many times, it fails.
fn with_process(scene: &Scene, later: u64, times: u32) -> String {
    let (script, calls) = (scene.sandbox.file("give-keys"), scene.sandbox.file("calls"));
    let text = format!(
        r#"#!/bin/sh
echo "a call" >> '{calls}'
[ "$(wc -l < '{calls}')" -le {times} ] || {{ echo "no keys today, $1" >&2; exit 3; }}
end=$(($(date +%s%3N) + {LIFE}))
said=$((end + {later}))
said=@$((said / 1000)).$(printf %03d $((said % 1000)))
printf '{{"Version": 1, "AccessKeyId": "test-key", "SecretAccessKey": "test-secret", "SessionToken": "until-%s", "Expiration": "%s"}}' \
  $end "$(date -u -d $said +%Y-%m-%dT%H:%M:%S.%3NZ)"
"#
    );
    std::fs::write(&script, text).unwrap();
    std::fs::set_permissions(&script, PermissionsExt::from_mode(0o755)).unwrap();
    let profile = format!(
        "[profile lab]\ncredential_process = '{script}' 'the lab'\nendpoint_url = {}\n",
        scene.server.endpoint()
    );
    scene.sandbox.private("config", &profile)
}

fn sends(scene: &Scene, config: &str, ranks: usize) -> Ended {
    let mut command = scene.send("T1m", "--profile lab").command(ranks);
    command.env("AWS_CONFIG_FILE", config);
    end(command)
}

fn tokens(scene: &Scene) -> usize {
    let tokens: BTreeSet<String> = scene
        .server
        .log()
        .into_iter()
        .map(|request| request.session_token)
        .collect();
    tokens.len()
}

fn ended_for_the_server(scene: &Scene) -> usize {
    let log = scene.server.log();
    log.iter().filter(|request| request.status == 400).count()
}

#[test]
fn a_process_is_asked_again_before_its_keys_end() {
    let scene = ending_keys();
    let config = with_process(&scene, 0, 1000);
    sends(&scene, &config, 2).well().hushed();
    assert!(tokens(&scene) > 4, "two ranks went through several each");
    is_tidy(&scene.server);
}

#[test]
fn a_process_is_asked_again_when_the_server_says_so() {
    let scene = ending_keys();
    let config = with_process(&scene, 3_600_000, 1000);
    sends(&scene, &config, 2).well().hushed();
    assert!(tokens(&scene) > 2 && ended_for_the_server(&scene) > 0);
    is_tidy(&scene.server);
}

#[test]
fn a_process_that_fails() {
    let scene = ending_keys();
    let config = with_process(&scene, 0, 0);
    let words = [
        "AWS profile 'lab'",
        "give-keys ended with code 3",
        "no keys today, the lab",
    ];
    sends(&scene, &config, 2).refused(30, &words).hushed();
    assert!(scene.server.log().is_empty());
    std::fs::remove_file(scene.sandbox.path("calls")).unwrap();

    let config = with_process(&scene, 0, 2);
    let ended = sends(&scene, &config, 1);
    assert_ne!(ended.code, 0, "{ended:#?}");
    ended.warns(&words).hushed();
}

/// A credentials file with a token that is good from now on.
fn written(scene: &Scene) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let text = format!(
        r#"{{"token": "test-key", "secret": "test-secret", "endpoint_url": "{}", "session_token": "until-{}"}}"#,
        scene.server.endpoint(),
        now.as_millis() + u128::from(LIFE)
    );
    let new = scene.sandbox.private("new.json", &text);
    let file = scene.sandbox.file("credentials.json");
    std::fs::rename(new, &file).unwrap();
    file
}

#[test]
fn a_file_is_read_again_when_its_keys_have_ended() {
    let scene = ending_keys();
    let file = written(&scene);
    let (flags, is_over) = (format!("-c {file}"), AtomicBool::new(false));
    let ended = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                std::thread::sleep(Duration::from_millis(LIFE / 3));
                written(&scene);
            }
        });
        let ended = end(scene.send("T1m", &flags).command(2));
        is_over.store(true, Ordering::Relaxed);
        ended
    });
    ended.well().hushed();
    assert!(tokens(&scene) > 2 && ended_for_the_server(&scene) > 0);

    // Nobody writes it anew.
    written(&scene);
    let ended = end(scene.send("again", &flags).command(1));
    assert_ne!(ended.code, 0, "{ended:#?}");
    let why = ["ExpiredToken", "it has no others"];
    assert!(
        why.iter().any(|why| ended.stderr.contains(why)),
        "{ended:#?}"
    );
    ended.hushed();
}
