use std::{
    fmt::Write as _,
    io::Read as _,
    net::{Ipv4Addr, SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};

use super::{free_port, is_root, process::Process, program};

/// A private OpenSSH server that lets the current user in with its own key.
#[derive(Debug)]
pub struct Sshd {
    process: Process,
    port: u16,
    user: String,
}

impl Sshd {
    /// # Errors
    /// When the OpenSSH server is not installed or doesn't start.
    pub fn start() -> Result<Self> {
        Self::start_with(&[])
    }

    /// With lines of sshd_config, for example `ForceCommand …`.
    ///
    /// # Errors
    /// When the OpenSSH server is not installed or doesn't start.
    pub fn start_with(lines: &[&str]) -> Result<Self> {
        let user = Command::new("id").arg("-un").output().context("running id")?;
        let user = String::from_utf8_lossy(&user.stdout).trim().to_owned();
        let mut server = Self { process: Process::new("sshd")?, port: free_port()?, user };
        server.configure(lines)?;
        server.run()?;
        Ok(server)
    }

    #[must_use]
    pub fn url(&self) -> String {
        format!("ssh://{}@127.0.0.1:{}", self.user, self.port)
    }

    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The file with the private key that is let in (OpenSSH format, ed25519, no passphrase).
    #[must_use]
    pub fn key(&self) -> PathBuf {
        self.dir().join("user")
    }

    /// The file with the server's public key, `ssh-ed25519 AAAA…`.
    #[must_use]
    pub fn host_key(&self) -> PathBuf {
        self.dir().join("host.pub")
    }

    #[must_use]
    pub fn dir(&self) -> &Path {
        self.process.dir()
    }

    pub fn stop(&mut self) {
        self.process.stop("TERM");
    }

    pub fn kill(&mut self) {
        self.process.kill();
    }

    /// # Errors
    /// When it doesn't start.
    pub fn restart(&mut self) -> Result<()> {
        self.stop();
        self.run()
    }

    fn configure(&self, lines: &[&str]) -> Result<()> {
        let dir = self.dir();
        for key in ["host", "user"] {
            let made = Command::new(program("ssh-keygen")?)
                .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                .arg(dir.join(key))
                .status()?;
            ensure!(made.success(), "ssh-keygen failed");
        }
        let at = dir.display();
        let mut text = format!(
            "Port {}\nListenAddress 127.0.0.1\nHostKey {at}/host\nAuthorizedKeysFile {at}/user.pub\nStrictModes no\nUsePAM no\n\
             PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\nPidFile none\n",
            self.port
        );
        for line in lines {
            writeln!(text, "{line}")?;
        }
        // Debian's bash takes a command over SSH for a login and reads ~/.bashrc, unless it sees that it is nested.
        // sshd takes the first SetEnv, so one given in `lines` wins.
        text.push_str("SetEnv SHLVL=5\n");
        std::fs::write(dir.join("sshd_config"), text)?;
        if is_root() {
            std::fs::create_dir_all("/run/sshd").context("making /run/sshd, which sshd separates its privileges in")?;
        }
        Ok(())
    }

    fn run(&mut self) -> Result<()> {
        // sshd starts itself again for every connection, and refuses to be called by a relative path.
        let (server, config, port) = (program("sshd")?, self.dir().join("sshd_config"), self.port);
        self.process.start(
            || {
                let mut command = Command::new(&server);
                command.args(["-D", "-e", "-f"]).arg(&config);
                Ok(command)
            },
            || greeting(port).unwrap_or(false),
        )
    }
}

fn greeting(port: u16) -> std::io::Result<bool> {
    let mut stream = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))?;
    stream.set_read_timeout(Some(Duration::from_secs(2)))?;
    let mut words = [0; 4];
    stream.read_exact(&mut words)?;
    Ok(&words == b"SSH-")
}
