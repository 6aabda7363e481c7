//! What runs inside of the guest: the library for scripts, files by their policies, packages.

mod packages;
mod runs;

use sha2::{Digest as _, Sha256};

pub use packages::{GuestScript, package_scripts};
pub(crate) use runs::{guest_failure, has_ended, run_all};

/// What every template's script may call.
pub const LIBRARY: &str = include_str!("library.sh");

/// Puts one file in place by its policy.
pub const DEPLOY: &str = include_str!("deploy.sh");

/// Tells what Gantry wrote into files, and what they have now.
pub const LOOK: &str = include_str!("look.sh");

/// Tells what is in the guest.
pub const INVENTORY: &str = include_str!("inventory.sh");

/// Asks whether what the template installed works.
pub const HEALTH: &str = include_str!("health.sh");

pub(crate) fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::Command;

    fn deploy(dir: &Path, policy: &str, content: &str) -> String {
        let source = dir.join("source");
        std::fs::write(&source, content).unwrap();
        let target = dir.join("etc/app/conf");
        let script = super::DEPLOY.replace("/var/lib/gantry", &dir.join("state").display().to_string());
        let out = Command::new("sh")
            .args(["-c", &script, "sh"])
            .args([target.as_os_str(), policy.as_ref(), "0640".as_ref(), "".as_ref(), source.as_os_str()])
            .output()
            .unwrap();
        assert!(out.status.success() && !source.exists(), "{}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap().trim().to_owned()
    }

    /// A server on this machine that answers everything with that status.
    fn server(status: &'static str) -> u16 {
        use std::io::{Read as _, Write as _};
        let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(mut stream) = stream else { break };
                // Whole: what is closed with something unread is reset, and the answer lost. bash writes line by line.
                let (mut asked, mut some) = (Vec::new(), [0; 1024]);
                while !asked.ends_with(b"\r\n\r\n") {
                    match stream.read(&mut some) {
                        Ok(n) if n > 0 => asked.extend_from_slice(&some[..n]),
                        _ => break,
                    }
                }
                let _ = write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            }
        });
        port
    }

    fn health(kind: &str, port: u16, bin: &Path) -> (i32, String) {
        let arguments = ["-c", super::HEALTH, "sh", "0", kind, &port.to_string(), "/health"];
        let out = Command::new("/bin/sh").args(arguments).env("PATH", bin).output().unwrap();
        (out.status.code().unwrap(), String::from_utf8(out.stdout).unwrap())
    }

    #[test]
    fn health_is_asked_with_whatever_the_guest_has() {
        let (good, bad) = (server("200 OK"), server("503 Service Unavailable"));
        let closed = {
            let listener = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
            listener.local_addr().unwrap().port()
        };
        let mut asked = 0;
        for tool in ["curl", "wget", "nc", "bash"] {
            let bin = tempfile::tempdir().unwrap();
            let real =
                |name: &str| ["/usr/bin", "/bin"].map(|dir| Path::new(dir).join(name)).into_iter().find(|p| p.exists());
            for name in ["date", "grep", "tail", "sleep", tool] {
                let Some(real) = real(name) else { continue };
                std::os::unix::fs::symlink(real, bin.path().join(name)).unwrap();
            }
            if !bin.path().join(tool).exists() {
                continue;
            }
            asked += 1;
            if tool != "nc" {
                assert_eq!(health("http", good, bin.path()), (0, String::new()), "{tool}");
                let (code, said) = health("http", bad, bin.path());
                assert!(code == 75 && said.contains("503"), "{tool}: {said}");
                assert_eq!(health("http", closed, bin.path()).0, 75, "{tool}");
            }
            if tool == "nc" || tool == "bash" {
                assert_eq!(health("tcp", good, bin.path()), (0, String::new()), "{tool}");
                let (code, said) = health("tcp", closed, bin.path());
                assert!(code == 75 && said.contains("nothing takes a connection"), "{tool}: {said}");
            }
        }
        assert!(asked > 0, "bash at least is everywhere");
    }

    #[test]
    fn each_policy_does_what_it_says_and_nothing_when_run_again() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("etc/app/conf");
        assert_eq!(deploy(dir.path(), "default", "one"), "created");
        assert_eq!(std::fs::metadata(&target).unwrap().permissions().mode() & 0o777, 0o640);
        assert_eq!(deploy(dir.path(), "default", "two"), "kept");
        assert_eq!(std::fs::read_to_string(&target).unwrap(), "one");
        assert_eq!(deploy(dir.path(), "backup", "two"), "backed-up");
        assert_eq!(deploy(dir.path(), "backup", "two"), "unchanged");
        assert_eq!(deploy(dir.path(), "replace", "three"), "replaced");
        let mut names: Vec<_> = std::fs::read_dir(target.parent().unwrap())
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names.len(), 2, "{names:?}");
        assert!(names[1].starts_with("conf.backup-"), "{names:?}");
    }
}
