//! Running the real program.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

use std::path::Path;
use std::process::Command;

pub struct Call(Command);

pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

/// The program with nothing of this environment's settings.
pub fn gantry(arguments: &[&str]) -> Call {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gantry"));
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("GANTRY_") || name.starts_with("OTEL_") || name == "DATABASE_URL" || name == "REDIS_URL" {
            command.env_remove(name);
        }
    }
    command.args(arguments);
    Call(command)
}

impl Call {
    pub fn database(self, url: &str) -> Self {
        self.env("DATABASE_URL", url)
    }

    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.0.env(name, value);
        self
    }

    pub fn dir(mut self, dir: &Path) -> Self {
        self.0.current_dir(dir);
        self
    }

    pub fn run(mut self) -> Ran {
        let output = self.0.output().unwrap();
        Ran {
            code: output.status.code().unwrap_or(-1),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    pub fn command(self) -> Command {
        self.0
    }
}

/// What it answers with `--json`.
pub fn json(call: Call) -> serde_json::Value {
    let ran = call.run();
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    serde_json::from_str(&ran.stdout).unwrap_or_else(|e| panic!("{e}: {}", ran.stdout))
}

pub fn sqlite(dir: &Path, file: &str) -> String {
    format!("sqlite:{}", dir.join(file).display())
}

/// The token of an installation that no server runs of yet.
pub fn token(database: &str) -> String {
    let migrated = gantry(&["migrate"]).database(database).run();
    assert_eq!(migrated.code, 0, "{}", migrated.stderr);
    json(gantry(&["token", "new", "--json"]).database(database))["token"].as_str().unwrap().to_owned()
}

/// A program that runs on, ended when this goes.
pub struct Running {
    child: std::process::Child,
    lines: std::io::Lines<std::io::BufReader<std::process::ChildStdout>>,
}

impl Call {
    pub fn start(mut self) -> Running {
        use std::io::BufRead as _;
        let mut child = self.0.stdout(std::process::Stdio::piped()).spawn().unwrap();
        let lines = std::io::BufReader::new(child.stdout.take().unwrap()).lines();
        Running { child, lines }
    }
}

impl Running {
    /// The next line that it says.
    pub fn line(&mut self) -> String {
        self.lines.next().unwrap_or_else(|| panic!("it ended")).unwrap()
    }

    /// Of a server: where it answers, and the link of the first administrator while there is none.
    pub fn first_words(&mut self) -> (String, String) {
        let mut link = String::new();
        loop {
            let line = self.line();
            if line.contains("/welcome/setup#") {
                line.trim().clone_into(&mut link);
                continue;
            }
            if line.contains("gantry setup") {
                continue;
            }
            if let Some(url) = line.split_whitespace().find(|word| word.starts_with("http://")) {
                return (url.to_owned(), link);
            }
        }
    }

    /// Asks it to end, and says with which code it did.
    pub fn end(mut self) -> i32 {
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(asked.success());
        self.child.wait().unwrap().code().unwrap_or(-1)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
