//! Programs that a sandbox cannot really have (package and service commands, network tools), as small scripts that keep their state in
//! the guest's own files. They cover the host's programs of the same name.

use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

const LIBRARY: &str = include_str!("standins/lib.sh");
const PACKAGES: &str = include_str!("standins/packages.txt");
const HOME: &str = "usr/lib/gantry-sim";

struct StandIn {
    /// Where the real program lives, and under which other names.
    paths: &'static [&'static str],
    text: &'static str,
    family: Option<&'static str>,
}

const fn any(paths: &'static [&'static str], text: &'static str) -> StandIn {
    StandIn { paths, text, family: None }
}

const fn only(family: &'static str, paths: &'static [&'static str], text: &'static str) -> StandIn {
    StandIn { paths, text, family: Some(family) }
}

const STAND_INS: &[StandIn] = &[
    only(
        "debian",
        &[
            "usr/bin/apt-get",
            "usr/bin/apt",
            "usr/bin/apt-cache",
            "usr/bin/apt-mark",
            "usr/bin/apt-key",
            "usr/bin/add-apt-repository",
            "usr/bin/apt-config",
        ],
        include_str!("standins/apt.sh"),
    ),
    only(
        "debian",
        &["usr/bin/dpkg", "usr/bin/dpkg-query", "usr/sbin/dpkg-reconfigure", "usr/bin/debconf-set-selections"],
        include_str!("standins/dpkg.sh"),
    ),
    only("alpine", &["usr/sbin/apk"], include_str!("standins/apk.sh")),
    only("rhel", &["usr/bin/dnf", "usr/bin/yum", "usr/bin/microdnf", "usr/bin/rpm"], include_str!("standins/dnf.sh")),
    any(
        &[
            "usr/bin/systemctl",
            "usr/sbin/service",
            "usr/sbin/rc-service",
            "usr/sbin/rc-update",
            "usr/sbin/invoke-rc.d",
            "usr/sbin/update-rc.d",
        ],
        include_str!("standins/systemctl.sh"),
    ),
    any(&["usr/bin/journalctl", "usr/bin/systemd-cat", "usr/bin/logger"], include_str!("standins/journalctl.sh")),
    any(&["usr/bin/ss", "usr/bin/netstat"], include_str!("standins/ss.sh")),
    any(
        &["usr/sbin/ip", "usr/bin/ip", "usr/sbin/ifconfig", "usr/bin/hostname", "usr/bin/hostnamectl"],
        include_str!("standins/ip.sh"),
    ),
    any(&["usr/bin/curl", "usr/bin/wget"], include_str!("standins/curl.sh")),
    any(
        &["usr/bin/ping", "usr/bin/git", "usr/bin/nc", "usr/bin/dig", "usr/bin/host", "usr/bin/nslookup"],
        include_str!("standins/network.sh"),
    ),
    any(
        &[
            "usr/bin/timedatectl",
            "usr/bin/localectl",
            "usr/sbin/locale-gen",
            "usr/sbin/update-locale",
            "usr/sbin/ufw",
            "usr/sbin/sysctl",
            "usr/sbin/mkswap",
            "usr/sbin/swapon",
            "usr/sbin/swapoff",
            "usr/sbin/modprobe",
            "usr/sbin/iptables",
            "usr/sbin/nft",
            "usr/bin/dmesg",
            "usr/sbin/poweroff",
            "usr/sbin/reboot",
            "usr/sbin/shutdown",
            "usr/sbin/halt",
            "usr/bin/loginctl",
            "usr/bin/free",
            "usr/bin/crontab",
        ],
        include_str!("standins/system.sh"),
    ),
    any(
        &[
            "usr/sbin/useradd",
            "usr/sbin/adduser",
            "usr/sbin/usermod",
            "usr/sbin/userdel",
            "usr/sbin/deluser",
            "usr/sbin/groupadd",
            "usr/sbin/addgroup",
            "usr/sbin/groupdel",
            "usr/bin/gpasswd",
            "usr/sbin/chpasswd",
            "usr/bin/passwd",
            "usr/bin/su",
            "usr/bin/sudo",
            "usr/sbin/runuser",
            "usr/bin/chsh",
            "usr/sbin/visudo",
            "usr/bin/chage",
        ],
        include_str!("standins/users.sh"),
    ),
    any(&["usr/bin/chown", "usr/bin/chgrp", "usr/bin/stat"], include_str!("standins/owners.sh")),
    any(
        &[
            "usr/bin/docker",
            "usr/bin/npm",
            "usr/bin/npx",
            "usr/bin/pip",
            "usr/bin/pip3",
            "usr/bin/pipx",
            "usr/bin/yarn",
            "usr/bin/pnpm",
        ],
        include_str!("standins/tools.sh"),
    ),
];

/// Names that only come with a package: until then they are hidden, whether or not this machine has them.
const COME_WITH_A_PACKAGE: &[&str] = &[
    "docker",
    "npm",
    "npx",
    "pip",
    "pip3",
    "pipx",
    "yarn",
    "pnpm",
    "git",
    "nginx",
    "node",
    "nodejs",
    "ufw",
    "redis-server",
    "mysqld",
    "psql",
    "policy-rc.d",
    "postgres",
];

/// Tells one set of stand-ins from another, so that a newer simulator makes its own.
pub(super) fn mark() -> String {
    use sha2::Digest;
    let mut hash = sha2::Sha256::new();
    hash.update(LIBRARY);
    hash.update(PACKAGES);
    hash.update(include_str!("standins.rs"));
    for stand_in in STAND_INS {
        hash.update(stand_in.text);
    }
    hex::encode(&hash.finalize()[..6])
}

/// Writes the layer that goes between the host's `/usr` and a guest's own: the stand-ins, and the directories that packages write to.
/// Its content is what lies below `usr`, as the lower directory of an overlay on `/usr`.
pub(super) fn lay_out(dir: &Path, family: &str, real: bool) -> io::Result<()> {
    fs::create_dir_all(dir)?;
    if !real {
        return Ok(());
    }
    directories(Path::new("/usr"), dir, 3)?;
    let at = |path: &str| dir.join(path.strip_prefix("usr/").unwrap_or(path));
    fs::create_dir_all(at(HOME).join("real"))?;
    fs::create_dir_all(at(HOME).join("dormant"))?;
    fs::write(at(HOME).join("lib.sh"), LIBRARY)?;
    fs::write(at(HOME).join("packages.txt"), PACKAGES)?;
    for name in ["curl", "wget", "chown", "chgrp", "stat", "hostname", "git"] {
        if let Some(real) = host(name) {
            fs::copy(real, at(HOME).join("real").join(name))?;
        }
    }
    for stand_in in STAND_INS {
        let ours = stand_in.family.is_none_or(|only| only == family);
        for path in stand_in.paths {
            let name = path.rsplit('/').next().unwrap_or(path);
            for place in places(path, name) {
                if ours && !COME_WITH_A_PACKAGE.contains(&name) {
                    script(&at(&place), stand_in.text)?;
                } else {
                    hide(&at(&place))?;
                }
            }
            if ours {
                script(&at(HOME).join("dormant").join(name), stand_in.text)?;
            }
        }
    }
    for name in COME_WITH_A_PACKAGE {
        for place in ["usr/bin", "usr/sbin"] {
            if Path::new("/").join(place).join(name).symlink_metadata().is_ok()
                && at(place).join(name).symlink_metadata().is_err()
            {
                hide(&at(place).join(name))?;
            }
        }
    }
    Ok(())
}

/// The canonical path and every other place where this machine has that name.
fn places(path: &str, name: &str) -> Vec<String> {
    let mut all = vec![path.to_owned()];
    for dir in ["usr/bin", "usr/sbin"] {
        let other = format!("{dir}/{name}");
        if other != path && Path::new("/").join(&other).symlink_metadata().is_ok() {
            all.push(other);
        }
    }
    all
}

fn host(name: &str) -> Option<std::path::PathBuf> {
    ["/usr/bin", "/usr/sbin", "/bin", "/sbin"].iter().map(|dir| Path::new(dir).join(name)).find(|path| path.is_file())
}

fn script(path: &Path, text: &str) -> io::Result<()> {
    if let Some(dir) = path.parent() {
        fs::create_dir_all(dir)?;
    }
    fs::write(path, text)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

/// An overlay shows a character device 0/0 of an upper layer as "not there".
fn hide(path: &Path) -> io::Result<()> {
    if path.symlink_metadata().is_ok() {
        return Ok(());
    }
    let made = std::process::Command::new("mknod").arg(path).args(["c", "0", "0"]).output()?;
    if made.status.success() {
        return Ok(());
    }
    // Some kernels do not let ordinary users make one; a program that fails is the next best thing to none.
    script(path, "#!/bin/sh\necho \"sh: 1: ${0##*/}: not found\" >&2\nexit 127\n")
}

/// The same directories, empty.
fn directories(from: &Path, to: &Path, depth: u32) -> io::Result<()> {
    let Ok(entries) = fs::read_dir(from) else { return Ok(()) };
    for entry in entries.flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) && entry.file_name() != "local" {
            let made = to.join(entry.file_name());
            fs::create_dir_all(&made)?;
            if depth > 1 {
                directories(&entry.path(), &made, depth - 1)?;
            }
        }
    }
    Ok(())
}
