//! What a fresh container has in its own files.

use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use super::Fresh;
use super::isolation::Isolation;
use super::layers::{own, random_name};

const DIRS: &[&str] = &[
    "boot",
    "dev",
    "etc/alternatives",
    "etc/apt/apt.conf.d",
    "etc/apt/keyrings",
    "etc/apt/preferences.d",
    "etc/apt/sources.list.d",
    "etc/apt/trusted.gpg.d",
    "etc/cron.d",
    "etc/cron.daily",
    "etc/default",
    "etc/init.d",
    "etc/logrotate.d",
    "etc/network/interfaces.d",
    "etc/profile.d",
    "etc/security",
    "etc/skel",
    "etc/ssh/sshd_config.d",
    "etc/ssl/certs",
    "etc/ssl/private",
    "etc/sudoers.d",
    "etc/sysctl.d",
    "etc/systemd/system/multi-user.target.wants",
    "etc/systemd/network",
    "etc/tmpfiles.d",
    "home",
    "media",
    "mnt",
    "opt",
    "proc",
    "root/.ssh",
    "run",
    "srv",
    "sys",
    "tmp",
    "usr",
    "var/backups",
    "var/cache/apt/archives",
    "var/lib/apt/lists",
    "var/lib/dpkg/info",
    "var/lib/sim/ports",
    "var/lib/sim/units",
    "var/lib/sim/packages",
    "var/lib/sim/owners",
    "var/lib/systemd",
    "var/local",
    "var/log/apt",
    "var/mail",
    "var/opt",
    "var/spool/cron/crontabs",
    "var/tmp",
    "var/www",
];

const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\ndaemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\nbin:x:2:2:bin:/bin:/usr/sbin/nologin\nsys:x:3:3:sys:/dev:/usr/sbin/nologin\n\
man:x:6:12:man:/var/cache/man:/usr/sbin/nologin\nmail:x:8:8:mail:/var/mail:/usr/sbin/nologin\nwww-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\nbackup:x:34:34:backup:/var/backups:/usr/sbin/nologin\n\
_apt:x:42:65534::/nonexistent:/usr/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\nsystemd-network:x:998:998:systemd Network Management:/:/usr/sbin/nologin\n\
messagebus:x:100:107::/nonexistent:/usr/sbin/nologin\nsshd:x:101:65534::/run/sshd:/usr/sbin/nologin\n";
const GROUP: &str = "root:x:0:\ndaemon:x:1:\nbin:x:2:\nsys:x:3:\nadm:x:4:\ntty:x:5:\ndisk:x:6:\nman:x:12:\nmail:x:8:\nkmem:x:15:\nsudo:x:27:\nwww-data:x:33:\nbackup:x:34:\nshadow:x:42:\nvideo:x:44:\n\
staff:x:50:\nusers:x:100:\nmessagebus:x:107:\nsystemd-network:x:998:\nsystemd-journal:x:999:\nnogroup:x:65534:\n";

/// The private layer alone, over an empty shared one.
pub(super) fn bare(dir: &Path, fresh: &Fresh, isolation: Option<&Isolation>) -> io::Result<()> {
    for part in ["layer/rootfs", "layer/usr", "layer/local", "work", "boot/root", "boot/run", "lower", "snapshots"] {
        fs::create_dir_all(dir.join(part))?;
    }
    if isolation.is_none() {
        return Ok(());
    }
    let root = dir.join("layer/rootfs");
    for part in DIRS {
        fs::create_dir_all(root.join(part))?;
    }
    for part in ["bin", "etc", "games", "include", "lib", "sbin", "share", "src"] {
        fs::create_dir_all(dir.join("layer/local").join(part))?;
    }
    for (path, mode) in [
        ("root", 0o700),
        ("root/.ssh", 0o700),
        ("tmp", 0o1777),
        ("var/tmp", 0o1777),
        ("etc/ssl/private", 0o710),
        ("var/mail", 0o2775),
    ] {
        fs::set_permissions(root.join(path), fs::Permissions::from_mode(mode))?;
    }
    from_the_host(&root)?;
    etc(&root, fresh)?;
    for part in ["layer", "work", "boot/run"] {
        own(&dir.join(part), isolation)?;
    }
    Ok(())
}

/// What the host's programs need to find each other: links, the linker's cache, certificates. Nothing that tells who the host is.
fn from_the_host(root: &Path) -> io::Result<()> {
    for name in ["bin", "sbin", "lib", "lib32", "lib64", "libx32"] {
        if let Ok(target) = fs::read_link(Path::new("/").join(name)) {
            symlink(target.strip_prefix("/").unwrap_or(&target), root.join(name))?;
        }
    }
    if let Ok(entries) = fs::read_dir("/etc/alternatives") {
        for entry in entries.flatten() {
            if let Ok(target) = fs::read_link(entry.path()) {
                symlink(target, root.join("etc/alternatives").join(entry.file_name()))?;
            }
        }
    }
    for name in [
        "ld.so.cache",
        "ld.so.conf",
        "ssl/openssl.cnf",
        "ssl/certs/ca-certificates.crt",
        "services",
        "protocols",
        "mime.types",
        "login.defs",
    ] {
        if let Ok(content) = fs::read(Path::new("/etc").join(name)) {
            fs::write(root.join("etc").join(name), content)?;
        }
    }
    Ok(())
}

fn etc(root: &Path, fresh: &Fresh) -> io::Result<()> {
    let put = |name: &str, text: String| fs::write(root.join(name), text);
    let os = &fresh.os;
    put("etc/passwd", PASSWD.to_owned())?;
    put("etc/group", GROUP.to_owned())?;
    put("etc/shells", "/bin/sh\n/bin/bash\n/usr/bin/bash\n".to_owned())?;
    put(
        "etc/nsswitch.conf",
        "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nservices: files\n".to_owned(),
    )?;
    put("etc/os-release", os.release())?;
    put("etc/issue", format!("{} {} \\n \\l\n", os.id, os.version))?;
    put("etc/hostname", format!("{}\n", fresh.hostname))?;
    put(
        "etc/hosts",
        format!("127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n127.0.1.1\t{}\n", fresh.hostname),
    )?;
    put("etc/resolv.conf", "# no network here\n".to_owned())?;
    put("etc/profile", "export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\nfor f in /etc/profile.d/*.sh; do [ -r \"$f\" ] && . \"$f\"; done\n".to_owned())?;
    put("etc/bash.bashrc", String::new())?;
    put("etc/environment", String::new())?;
    put("etc/fstab", "# UNCONFIGURED FSTAB FOR BASE SYSTEM\n".to_owned())?;
    put("etc/timezone", "Etc/UTC\n".to_owned())?;
    put("etc/locale.gen", "# en_US.UTF-8 UTF-8\n# de_DE.UTF-8 UTF-8\n".to_owned())?;
    put("etc/machine-id", format!("{}{}\n", random_name(), random_name()))?;
    put("etc/ssh/sshd_config", "Include /etc/ssh/sshd_config.d/*.conf\n#Port 22\n#PermitRootLogin prohibit-password\n#PasswordAuthentication yes\n".to_owned())?;
    put("etc/sysctl.conf", String::new())?;
    put("etc/network/interfaces", "auto lo\niface lo inet loopback\n".to_owned())?;
    put("etc/adduser.conf", String::new())?;
    put("etc/subuid", String::new())?;
    put("etc/subgid", String::new())?;
    put("var/lib/dpkg/status", String::new())?;
    put("var/lib/dpkg/lock-frontend", String::new())?;
    put("var/lib/dpkg/lock", String::new())?;
    put("var/log/dpkg.log", String::new())?;
    put("var/log/syslog", String::new())?;
    symlink("/usr/share/zoneinfo/Etc/UTC", root.join("etc/localtime"))?;
    symlink("/proc/self/mounts", root.join("etc/mtab"))?;
    symlink("/run", root.join("var/run"))?;
    symlink("/run/lock", root.join("var/lock"))?;
    if os.family() != "alpine" {
        for unit in ["ssh", "cron"] {
            let wanted = root.join(format!("etc/systemd/system/multi-user.target.wants/{unit}.service"));
            symlink(format!("/lib/systemd/system/{unit}.service"), wanted)?;
        }
    }
    match os.family() {
        "alpine" => {
            fs::create_dir_all(root.join("etc/apk"))?;
            put("etc/alpine-release", format!("{}.0\n", os.version))?;
            put("etc/apk/repositories", format!("https://dl-cdn.alpinelinux.org/alpine/v{}/main\n", os.version))?;
        }
        "rhel" => {
            fs::create_dir_all(root.join("etc/yum.repos.d"))?;
            put("etc/redhat-release", format!("{} release {}\n", os.id, os.version))?;
        }
        _ => {
            put(
                "etc/debian_version",
                format!("{}\n", if os.id == "debian" { os.version.as_str() } else { "trixie/sid" }),
            )?;
            put("etc/apt/sources.list", format!("deb http://deb.debian.org/debian {} main\n", os.codename()))?;
        }
    }
    let hash = fresh.root_password.as_deref().map_or_else(|| "*".to_owned(), sealed);
    let shadow: String = PASSWD
        .lines()
        .filter_map(|line| line.split(':').next())
        .map(|user| format!("{user}:{}:20000:0:99999:7:::\n", if user == "root" { &hash } else { "*" }))
        .collect();
    put("etc/shadow", shadow)?;
    fs::set_permissions(root.join("etc/shadow"), fs::Permissions::from_mode(0o640))?;
    if !fresh.ssh_keys.is_empty() {
        put("root/.ssh/authorized_keys", fresh.ssh_keys.iter().map(|key| format!("{}\n", key.trim())).collect())?;
        fs::set_permissions(root.join("root/.ssh/authorized_keys"), fs::Permissions::from_mode(0o600))?;
    }
    put("root/.bashrc", String::new())?;
    put("root/.profile", "[ -f ~/.bashrc ] && [ -n \"$BASH\" ] && . ~/.bashrc\n".to_owned())
}

/// Salted and hashed, but not by crypt(3): nobody logs in to a simulated container with it.
fn sealed(password: &str) -> String {
    use sha2::Digest;
    let salt = random_name();
    format!("$sim${salt}${}", hex::encode(sha2::Sha256::digest(format!("{salt}{password}"))))
}
