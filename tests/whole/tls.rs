//! https with a private CA: trusted with `--ca-bundle` only, and never for another host or after its time.
//!
//! Key types: [`Authority`], a CA of the test's own; [`Proxy`], TLS in front of the test server.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use s3_server::{Config, Server};

use crate::sending::Scene;
use crate::support::{end, python, script};

/// A certificate authority in a directory.
struct Authority {
    directory: PathBuf,
}

impl Authority {
    fn new(directory: PathBuf) -> Self {
        std::fs::create_dir(&directory).unwrap();
        let authority = Self { directory };
        authority.openssl(&format!(
            "req -x509 {KEY} -keyout ca.key -out ca.pem -days 2 -subj /CN=Test -addext basicConstraints=critical,CA:TRUE"
        ));
        authority
    }

    fn path(&self, name: &str) -> String {
        self.directory.join(name).to_str().unwrap().to_owned()
    }

    fn openssl(&self, line: &str) {
        let mut command = Command::new("openssl");
        command.args(line.split(' ')).current_dir(&self.directory);
        end(command).well();
    }

    /// A certificate for 127.0.0.1 that is valid for `days`, and its key.
    fn certify(&self, name: &str, days: i32) -> [String; 2] {
        std::fs::write(self.path("names"), "subjectAltName=IP:127.0.0.1\n").unwrap();
        self.openssl(&format!(
            "req {KEY} -keyout {name}.key -out {name}.csr -subj /CN={name}"
        ));
        self.openssl(&format!(
            "x509 -req -in {name}.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days {days} -extfile names -out {name}.pem"
        ));
        ["pem", "key"].map(|kind| self.path(&format!("{name}.{kind}")))
    }
}

/// How a key is made.
const KEY: &str = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes";

/// TLS in front of a server, until dropped.
struct Proxy {
    child: Child,
    port: String,
}

impl Proxy {
    fn new([certificate, key]: &[String; 2], server: &Server) -> Self {
        let endpoint = server.endpoint();
        let (_, port) = endpoint.rsplit_once(':').unwrap();
        let mut child = Command::new(python())
            .arg(script("tls_proxy.py"))
            .args([certificate, key, port])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut port = String::new();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        lines.read_line(&mut port).unwrap();
        let port = port.trim().to_owned();
        assert!(!port.is_empty(), "the proxy did not start");
        Self { child, port }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

#[test]
fn a_private_authority_is_trusted_when_it_is_named() {
    let scene = Scene::new(Config::default());
    let authority = Authority::new(scene.sandbox.path("ca"));
    let proxy = Proxy::new(&authority.certify("good", 2), &scene.server);
    let (bundle, port) = (authority.path("ca.pem"), &proxy.port);
    let credentials = |endpoint: &str| {
        scene
            .sandbox
            .credentials_with("test-key", "test-secret", endpoint)
    };
    let file = credentials(&format!("https://127.0.0.1:{port}"));
    let plain = format!("-c {file}");
    let told = format!("-c {file} --ca-bundle {bundle}");
    let words = [
        "not secure",
        "no authority this machine trusts",
        "--ca-bundle",
    ];
    scene.refuses(33, &words, &plain, &[]);
    for request in scene.sends(&told, &[]) {
        assert_eq!(request.host, format!("127.0.0.1:{port}"));
        assert_eq!(request.content_sha256, "UNSIGNED-PAYLOAD");
    }
    scene.sends(&plain, &[("AWS_CA_BUNDLE", &bundle)]);

    // Several certificates in one file; the right one is the second.
    let other = Authority::new(scene.sandbox.path("other"));
    let both = scene.sandbox.file("both.pem");
    let read = |path: &str| std::fs::read_to_string(path).unwrap();
    let texts = read(&other.path("ca.pem")) + "\nthe right one:\n" + &read(&bundle);
    std::fs::write(&both, texts).unwrap();
    scene.sends(&format!("-c {file} --ca-bundle {both}"), &[]);
    let wrong = format!("-c {file} --ca-bundle {}", other.path("ca.pem"));
    scene.refuses(33, &words, &wrong, &[]);
    // A bundle adds to the system's authorities and does not replace them.
    scene.sends(&wrong, &[("SSL_CERT_FILE", &bundle)]);

    let file = credentials(&format!("https://localhost:{port}"));
    let told = format!("-c {file} --ca-bundle {bundle}");
    scene.refuses(33, &["another host", "--ca-bundle"], &told, &[]);
    let expired = Proxy::new(&authority.certify("old", -1), &scene.server);
    let file = credentials(&format!("https://127.0.0.1:{}", expired.port));
    let told = format!("-c {file} --ca-bundle {bundle}");
    scene.refuses(33, &["has expired", "--ca-bundle"], &told, &[]);
    // http where https is meant is no secret to the server, https where http is meant is a riddle.
    let file = credentials(&scene.server.endpoint().replace("http:", "https:"));
    scene.refuses(33, &["does not speak TLS"], &format!("-c {file}"), &[]);
}

#[test]
fn bundles_that_hold_no_certificate() {
    let scene = Scene::new(Config::default());
    let file = scene.sandbox.credentials(&scene.server);
    let begin = "-----BEGIN CERTIFICATE-----\n";
    let finish = "-----END CERTIFICATE-----\n";
    for (text, word) in [
        (None, "cannot be read"),
        (Some(String::new()), "is empty"),
        (
            Some("{\"not\": \"PEM\"}".to_owned()),
            "holds no certificate",
        ),
        (Some(format!("{begin}!!!!\n{finish}")), "not sound PEM"),
        (Some(format!("{begin}AAAA\n{finish}")), "cannot be used"),
    ] {
        let bundle = scene.sandbox.file("bundle.pem");
        if let Some(text) = text {
            std::fs::write(&bundle, text).unwrap();
        }
        let words = ["bundle.pem", word, "--ca-bundle"];
        let told = format!("-c {file} --ca-bundle {bundle}");
        scene.refuses(30, &words, &told, &[]);
        let variable = [("AWS_CA_BUNDLE", &bundle[..])];
        scene.refuses(30, &words, &format!("-c {file}"), &variable);
    }
}
