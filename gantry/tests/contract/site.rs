//! Gantry as it is run, and a simulated cluster that it works with; each a process.

#![allow(dead_code, reason = "each test file uses its part")]

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::run::{self, Running, gantry, sqlite};

pub(crate) struct Site {
    pub(crate) url: String,
    pub(crate) token: String,
    dir: tempfile::TempDir,
    server: Running,
    _simulator: Option<Running>,
}

impl Site {
    /// No host is known.
    pub(crate) fn bare() -> Self {
        Self::bare_with(&[])
    }

    /// The server is given these settings besides.
    fn bare_with(settings: &[(&str, &str)]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let templates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra/lxc/templates");
        let database = sqlite(dir.path(), "gantry.db");
        let token = run::token(&database);
        let server = gantry(&["serve", "--listen", "127.0.0.1:0"])
            .dir(dir.path())
            .database(&database)
            .env("GANTRY_TEMPLATES__ROOT", templates.to_str().unwrap())
            .env("GANTRY_LOG__FILTER", "error");
        let mut server = settings.iter().fold(server, |server, (name, value)| server.env(name, value)).start();
        let (url, _) = server.first_words();
        Self { url, token, dir, server, _simulator: None }
    }

    /// With a host of one node.
    pub(crate) fn with_cluster() -> Self {
        Self::with_cluster_and(&[])
    }

    pub(crate) fn with_cluster_and(settings: &[(&str, &str)]) -> Self {
        let mut site = Self::bare_with(settings);
        let key = site.dir.path().join("key");
        let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key).status();
        assert!(made.unwrap().success());
        let sim = ["sim", "--listen", "127.0.0.1:0", "--ssh", "0", "--fast", "--json", "--ssh-key", "key.pub"];
        let mut simulator = gantry(&sim).dir(site.dir.path()).start();
        let told: Value = serde_json::from_str(&simulator.line()).unwrap();
        let of_node = |field: &str| told["nodes"][0][field].as_str().unwrap().trim_start_matches("https://").to_owned();
        let ssh = format!("pve1={}", of_node("ssh"));
        let add = ["host", "add", "pve", &of_node("api"), "--token", "root@pam!gantry", "--ssh-key", "key"];
        let added = gantry(&[&add[..], &["--ssh-node", &ssh, "--trust"]].concat())
            .dir(site.dir.path())
            .env("GANTRY_URL", &site.url)
            .env("GANTRY_TOKEN", &site.token)
            .env("GANTRY_HOST_SECRET", told["token"]["secret"].as_str().unwrap())
            .run();
        assert_eq!(added.code, 0, "{}{}", added.stdout, added.stderr);
        site._simulator = Some(simulator);
        site
    }

    /// Asks the server to end, and says with which code it did.
    pub(crate) fn end(self) -> i32 {
        self.server.end()
    }
}
