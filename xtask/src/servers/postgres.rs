use std::{
    os::unix::{fs::chown, process::CommandExt as _},
    path::PathBuf,
    process::{Command, Stdio},
};

use anyhow::{Context as _, Result, ensure};

use super::{free_port, is_root, process::Process, program, small_disk};

/// A private Postgres whose superuser is `postgres`, without a password, on localhost only.
#[derive(Debug)]
pub struct Postgres {
    process: Process,
    port: u16,
    settings: Vec<(String, String)>,
    user: Option<(u32, u32)>,
    /// Of a disk of its own.
    disk: Option<String>,
}

impl Postgres {
    /// As in production: every commit is on disk before it is answered.
    ///
    /// # Errors
    /// When Postgres is not installed or doesn't start.
    pub fn start() -> Result<Self> {
        Self::start_with(&[])
    }

    /// With settings of postgresql.conf, for example `("fsync", "off")`.
    ///
    /// # Errors
    /// When Postgres is not installed or doesn't start.
    pub fn start_with(settings: &[(&str, &str)]) -> Result<Self> {
        let process = Process::new("postgres")?;
        let user = if is_root() { Some(unprivileged()?) } else { None };
        let settings = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let mut server = Self { process, port: free_port()?, settings, user, disk: None };
        server.init()?;
        server.run()?;
        Ok(server)
    }

    #[must_use]
    pub fn url(&self) -> String {
        self.url_of("postgres")
    }

    #[must_use]
    pub fn url_of(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port)
    }

    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// A fast shutdown: connections are closed, everything is written.
    pub fn stop(&mut self) {
        self.process.stop("INT");
    }

    /// As if the machine had lost power.
    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// Stops it if it runs, and starts it again on the same port and data.
    ///
    /// # Errors
    /// When it doesn't start.
    pub fn restart(&mut self) -> Result<()> {
        self.stop();
        self.run()
    }

    /// Starts it again with its data on a disk of that size (`96m`), and says where that is seen.
    ///
    /// # Errors
    /// When it doesn't start: mounting has to be allowed, if only in a namespace of its own.
    pub fn on_small_disk(&mut self, size: &str) -> Result<PathBuf> {
        self.stop();
        self.disk = Some(size.to_owned());
        self.run()?;
        let pid = self.process.id().context("it runs no more")?;
        Ok(small_disk::seen_from_outside(pid, &self.data()))
    }

    fn init(&self) -> Result<()> {
        let data = self.data();
        std::fs::create_dir(&data)?;
        if let Some((uid, gid)) = self.user {
            chown(&data, Some(uid), Some(gid))?;
        }
        let made = self
            .command("initdb")?
            .args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync", "-D"])
            .arg(&data)
            .stdin(Stdio::null())
            .output()
            .context("running initdb")?;
        ensure!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        Ok(())
    }

    fn run(&mut self) -> Result<()> {
        let (server, port) = (self.command("postgres")?, self.port.to_string());
        let (server, user, data) = (server.get_program().to_owned(), self.user, self.data());
        let ready = program("pg_isready")?;
        let (settings, disk) = (self.settings.clone(), self.disk.clone());
        self.process.start(
            || {
                let mut command = match &disk {
                    Some(size) => small_disk::command(server.as_ref(), &data, size, user),
                    None => as_user(&server, user),
                };
                command.arg("-D").arg(&data).args([
                    "-p",
                    &port,
                    "-h",
                    "127.0.0.1",
                    "-k",
                    "",
                    "-c",
                    "max_connections=200",
                ]);
                for (key, value) in &settings {
                    command.arg("-c").arg(format!("{key}={value}"));
                }
                Ok(command)
            },
            || {
                let asked = Command::new(&ready).args(["-q", "-h", "127.0.0.1", "-p", &port]).status();
                asked.is_ok_and(|status| status.success())
            },
        )
    }

    fn command(&self, name: &str) -> Result<Command> {
        let mut command = as_user(program(name)?.as_os_str(), self.user);
        command.current_dir(self.process.dir());
        Ok(command)
    }

    fn data(&self) -> PathBuf {
        self.process.dir().join("data")
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Killed at once, its children would still write into the directory that is being removed.
        self.process.stop("QUIT");
    }
}

fn as_user(program: &std::ffi::OsStr, user: Option<(u32, u32)>) -> Command {
    let mut command = Command::new(program);
    if let Some((uid, gid)) = user {
        command.gid(gid).uid(uid);
    }
    command
}

/// initdb refuses root, so root lends it another's name.
fn unprivileged() -> Result<(u32, u32)> {
    let users = std::fs::read_to_string("/etc/passwd")?;
    let ids = |name: &str| {
        let line = users.lines().find(|line| line.starts_with(&format!("{name}:")))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    ids("postgres").or_else(|| ids("nobody")).context("neither user postgres nor nobody exists to run Postgres as")
}
