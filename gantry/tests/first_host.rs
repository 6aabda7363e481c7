//! The README's way to a first real host, with a simulated one: each command as it is typed, each part a process.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod run;

use std::path::Path;
use std::process::Command;

use run::{Running, gantry, json, sqlite};
use serde_json::Value;

struct Site {
    dir: tempfile::TempDir,
    simulator: Running,
    told: Value,
    server: Running,
    url: String,
    token: String,
}

impl Site {
    fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-f"])
            .arg(dir.path().join("key"))
            .status();
        assert!(made.unwrap().success());
        let sim = ["sim", "--nodes", "2", "--listen", "127.0.0.1:0", "--ssh", "0", "--fast", "--json"];
        let mut simulator = gantry(&[&sim[..], &["--ssh-key", "key.pub"]].concat()).dir(dir.path()).start();
        let told = serde_json::from_str(&simulator.line()).unwrap();
        let templates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra/lxc/templates");
        let token = run::token(&sqlite(dir.path(), "gantry.db"));
        let mut server = gantry(&["serve", "--listen", "127.0.0.1:0"])
            .dir(dir.path())
            .database(&sqlite(dir.path(), "gantry.db"))
            .env("GANTRY_TEMPLATES__ROOT", templates.to_str().unwrap())
            .env("GANTRY_LOG__FILTER", "error")
            .start();
        let (url, _) = server.first_words();
        Self { dir, simulator, told, server, url, token }
    }

    fn call(&self, arguments: &[&str]) -> run::Call {
        gantry(arguments)
            .dir(self.dir.path())
            .database(&sqlite(self.dir.path(), "gantry.db"))
            .env("GANTRY_URL", &self.url)
            .env("GANTRY_TOKEN", &self.token)
            .env("GANTRY_HOST_SECRET", self.told["token"]["secret"].as_str().unwrap())
    }

    fn does(&self, arguments: &[&str]) -> run::Ran {
        let ran = self.call(arguments).run();
        assert_eq!(ran.code, 0, "{arguments:?}: {}{}", ran.stdout, ran.stderr);
        ran
    }

    fn nodes(&self, field: &str) -> Vec<String> {
        let text = |node: &Value| node[field].as_str().unwrap().trim_start_matches("https://").to_owned();
        self.told["nodes"].as_array().unwrap().iter().map(text).collect()
    }
}

#[test]
fn a_cluster_is_registered_examined_and_used_on_every_node() {
    let site = Site::start();
    let (apis, ssh) = (site.nodes("api"), site.nodes("ssh"));
    let mut add = vec!["host", "add", "pve", &apis[0], &apis[1], "--token", "root@pam!gantry", "--ssh-key", "key"];
    let nodes = [format!("pve1={}", ssh[0]), format!("pve2={}", ssh[1])];
    add.extend(["--ssh-node", &nodes[0], "--ssh-node", &nodes[1]]);

    let unseen = site.call(&add).run();
    assert!(unseen.code == 2 && unseen.stderr.contains("--trust"), "{}{}", unseen.stdout, unseen.stderr);
    let told = site.does(&[&add[..], &["--trust"]].concat()).stdout;
    for key in site.nodes("ssh_fingerprint").iter().chain(&site.nodes("fingerprint")) {
        assert!(told.contains(key.as_str()), "{key}: {told}");
    }
    assert!(site.does(&["doctor", "pve"]).stdout.contains("SSH of pve2"));
    assert!(site.does(&["host", "pin", "pve"]).stdout.contains("already"), "nothing new to look at");

    // A node whose SSH leads to another machine is told, and mended by trusting the right one.
    let wrong = format!("pve2={}", ssh[0]);
    site.does(&["host", "pin", "pve", "--ssh-node", &wrong, "--trust"]);
    let sick = site.call(&["doctor", "pve"]).run();
    assert!(sick.code == 1 && sick.stdout.contains("is pve1, not pve2"), "{}", sick.stdout);
    site.does(&["host", "pin", "pve", "--ssh-node", &nodes[1], "--trust"]);
    site.does(&["doctor", "pve"]);

    // What an author has made is tried on it.
    let template = Path::new(env!("CARGO_MANIFEST_DIR")).join("../infra/lxc/templates/memcached");
    let tried = site.does(&["template", "test", template.to_str().unwrap(), "--host", "pve"]).stdout;
    assert!(tried.contains("✓ memcached does what it says, and the second time nothing"), "{tried}");
    let none = site.call(&["template", "test", template.to_str().unwrap(), "--host", "none"]).run();
    assert!(none.code != 0 && none.stderr.contains("none"), "{}{}", none.stdout, none.stderr);

    for node in ["pve1", "pve2"] {
        let name = format!("web-{node}");
        site.does(&["create", &name, "--template", "nginx", "--host", "pve", "--node", node]);
        let shown = json(site.call(&["show", &name, "--json"]));
        assert_eq!((shown["lifecycle"].as_str(), shown["node"].as_str()), (Some("ready"), Some(node)), "{shown}");
        for (action, power) in
            [("stop", "stopped"), ("start", "running"), ("reboot", "running"), ("shutdown", "stopped")]
        {
            site.does(&[action, &name]);
            assert_eq!(json(site.call(&["show", &name, "--json"]))["live"]["power"], power, "{action}");
        }
        site.does(&["start", &name]);
        site.does(&["resize", &name, "--memory", "1024", "--disk", "40"]);
        site.does(&["change", &name, "--tag", "shop", "--description", "Ann's shop"]);
        let told = site.does(&["password", &name, "--generate"]).stdout;
        assert!(told.contains("it is not shown again"), "{told}");
        let shown = json(site.call(&["show", &name, "--json"]));
        assert_eq!((shown["memory_mb"].as_u64(), shown["disk_gb"].as_u64()), (Some(1024), Some(40)), "{shown}");
        assert_eq!((shown["description"].as_str(), shown["tags"][0].as_str()), (Some("Ann's shop"), Some("shop")));
        let shrunk = site.call(&["resize", &name, "--disk", "1"]).run();
        assert!(shrunk.code == 6 && shrunk.stderr.contains("disk_gb"), "{}", shrunk.stderr);
        site.does(&["delete", &name, "--yes"]);
    }
    assert_eq!(site.server.end(), 0);
    assert_eq!(site.simulator.end(), 0);
}
