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
