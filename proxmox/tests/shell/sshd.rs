//! A private sshd with a `pct` of a few lines, for the shell's tests.

use std::fs;
use std::io::Read;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command as Process, Stdio};
use std::time::Duration;

use proxmox::shell::{Auth, HostKey, Secret, Shell, ShellConfig, learn_host_key};
use tempfile::TempDir;

/// Guest 101 is this machine itself; 103 is stopped, 404 does not exist, 105 dies under its commands, 106 has a
/// `chpasswd` that only keeps what it reads, 107 is busybox.
const PCT: &str = r#"#!/bin/sh
verb=$1 vmid=$2; shift 2; [ "$1" = -- ] && shift
case $vmid in
404) echo "Configuration file 'nodes/pve1/lxc/404.conf' does not exist" >&2; exit 2 ;;
103) echo "container '103' not running!" >&2; exit 255 ;;
105) exit 137 ;;
106) path="${0%/*}:" ;;
107) path="${0%/*}/../busybox:" ;;
esac
[ "$verb" = exec ] || exit 255
# What follows is always: /usr/bin/env -i PATH=... and so on.
[ "$path" ] && { shift 3; set -- /usr/bin/env -i "PATH=$path/usr/sbin:/usr/bin:/sbin:/bin" "$@"; }
exec "$@"
"#;

pub struct Sshd {
    pub directory: TempDir,
    pub port: u16,
    process: Child,
}

impl Sshd {
    pub fn start(settings: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        for key in ["host", "user"] {
            run("ssh-keygen", &["-q", "-t", "ed25519", "-N", "", "-f", &path(&directory, key)]);
        }
        fs::copy(path(&directory, "user.pub"), path(&directory, "authorized")).unwrap();
        fs::create_dir(path(&directory, "bin")).unwrap();
        let pct = path(&directory, "bin/pct");
        fs::write(pct, PCT).unwrap();
        fs::write(path(&directory, "bin/chpasswd"), "#!/bin/sh\nexec cat >\"${0%/*}/../chpasswd\"\n").unwrap();
        for tool in ["bin/pct", "bin/chpasswd"] {
            fs::set_permissions(path(&directory, tool), fs::Permissions::from_mode(0o755)).unwrap();
        }
        fs::create_dir_all("/run/sshd").unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let config = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {host}\nAuthorizedKeysFile {authorized}\nStrictModes no\n\
             UsePAM no\nPasswordAuthentication no\nPidFile none\nPermitRootLogin yes\nMaxStartups 100\n\
             SetEnv SHLVL=5 PATH={bin}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n{settings}\n",
            host = path(&directory, "host"),
            authorized = path(&directory, "authorized"),
            bin = path(&directory, "bin"),
        );
        let file = path(&directory, "sshd_config");
        fs::write(&file, config).unwrap();
        let process = Process::new("/usr/sbin/sshd")
            .args(["-D", "-e", "-f", &file])
            .stderr(Stdio::from(fs::File::create(path(&directory, "sshd.log")).unwrap()))
            .spawn()
            .unwrap();
        let sshd = Self { directory, port, process };
        sshd.await_greeting();
        sshd
    }

    /// sshd is there when it says so.
    fn await_greeting(&self) {
        let deadline = std::time::Instant::now() + Duration::from_secs(20);
        while std::time::Instant::now() < deadline {
            let greeted = TcpStream::connect(("127.0.0.1", self.port)).and_then(|mut socket| socket.read(&mut [0; 4]));
            if greeted.is_ok_and(|count| count > 0) {
                return;
            }
            std::thread::yield_now();
        }
        panic!("sshd did not come up: {}", fs::read_to_string(path(&self.directory, "sshd.log")).unwrap());
    }

    pub async fn host_key(&self) -> HostKey {
        learn_host_key("127.0.0.1", self.port).await.unwrap()
    }

    pub fn auth(&self) -> Auth {
        Auth::Key { pem: Secret::new(fs::read(path(&self.directory, "user")).unwrap()), passphrase: None }
    }

    pub async fn config(&self) -> ShellConfig {
        let user = String::from_utf8(Process::new("id").arg("-un").output().unwrap().stdout).unwrap();
        let mut config = ShellConfig::new("127.0.0.1", user.trim(), self.auth(), self.host_key().await);
        config.port = self.port;
        config
    }

    pub async fn shell(&self) -> Shell {
        Shell::new(self.config().await).unwrap()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Kills the processes that serve connections, not the one that listens.
    pub fn drop_connections(&self) {
        run("pkill", &["-KILL", "-P", &self.process.id().to_string()]);
    }

    pub fn connections(&self) -> usize {
        let output = Process::new("pgrep").args(["-c", "-P", &self.process.id().to_string()]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().trim().parse().unwrap()
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = Process::new("pkill").args(["-KILL", "-P", &self.process.id().to_string()]).status();
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn path(directory: &TempDir, name: &str) -> String {
    directory.path().join(name).to_str().unwrap().to_owned()
}

fn run(program: &str, arguments: &[&str]) {
    assert!(Process::new(program).args(arguments).stdout(Stdio::null()).status().unwrap().success(), "{program}");
}

/// Whether a process lives (a zombie does not).
pub fn lives(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit(')').next().unwrap().trim().starts_with('Z'))
}

pub async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = std::time::Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(std::time::Instant::now() < deadline, "not in 20 s: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

pub fn pid_in(file: &Path) -> Option<u32> {
    fs::read_to_string(file).ok()?.trim().parse().ok()
}
