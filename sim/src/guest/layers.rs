//! The files of a guest: a private layer (all of `/` but `/usr`, and what was written below `/usr`) over the host's read-only userland.

use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use super::copies;
use super::error::GuestError;
use super::isolation::{FIRST_ID, Isolation, Mode};
use super::sandbox::{Boot, Interface};
use super::{Fresh, Guests, standins};

/// The distribution a container claims to be. The programs are this machine's; the names, files and package commands are its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Os {
    pub id: String,
    pub version: String,
}

impl Default for Os {
    fn default() -> Self {
        Self { id: "debian".to_owned(), version: "12".to_owned() }
    }
}

impl Os {
    /// From the name of an image: `local:vztmpl/debian-12-standard_12.7-1_amd64.tar.zst` is Debian 12.
    #[must_use]
    pub fn of_image(image: &str) -> Self {
        let name = image.rsplit(['/', ':']).next().unwrap_or(image);
        let mut words = name.split(['-', '_']);
        let id = words.next().unwrap_or_default().to_ascii_lowercase();
        let version = words.next().filter(|word| word.starts_with(|c: char| c.is_ascii_digit()));
        let newest = match id.as_str() {
            "debian" => "12",
            "ubuntu" => "24.04",
            "alpine" => "3.22",
            "fedora" => "42",
            "rockylinux" | "almalinux" | "centos" => "9",
            _ => return Self::default(),
        };
        Self { id, version: version.unwrap_or(newest).to_owned() }
    }

    /// Which package commands it has.
    #[must_use]
    pub fn family(&self) -> &'static str {
        match self.id.as_str() {
            "alpine" => "alpine",
            "fedora" | "rockylinux" | "almalinux" | "centos" => "rhel",
            _ => "debian",
        }
    }

    fn codename(&self) -> &str {
        match (self.id.as_str(), self.version.as_str()) {
            ("debian", "11") => "bullseye",
            ("debian", "12") => "bookworm",
            ("debian", "13") => "trixie",
            ("ubuntu", "22.04") => "jammy",
            ("ubuntu", "24.04") => "noble",
            ("ubuntu", "25.04") => "plucky",
            _ => "",
        }
    }

    fn release(&self) -> String {
        let Self { id, version } = self;
        let codename = self.codename();
        let name = match id.as_str() {
            "debian" => "Debian GNU/Linux",
            "ubuntu" => "Ubuntu",
            "alpine" => "Alpine Linux",
            "fedora" => "Fedora Linux",
            "rockylinux" => "Rocky Linux",
            "almalinux" => "AlmaLinux",
            _ => "CentOS Stream",
        };
        let id = if id == "rockylinux" { "rocky" } else { id };
        let like = match (id, self.family()) {
            ("ubuntu", _) => "ID_LIKE=debian\n",
            ("rocky" | "almalinux", _) => "ID_LIKE=\"rhel centos fedora\"\n",
            _ => "",
        };
        let words = if codename.is_empty() { String::new() } else { format!(" ({codename})") };
        let code = if codename.is_empty() { String::new() } else { format!("VERSION_CODENAME={codename}\n") };
        format!(
            "PRETTY_NAME=\"{name} {version}{words}\"\nNAME=\"{name}\"\nVERSION_ID=\"{version}\"\nVERSION=\"{version}{words}\"\n{code}ID={id}\n{like}"
        )
    }
}

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

impl Guests {
    /// Lays a fresh root file system out in `dir`.
    pub(super) async fn make(&self, dir: &Path, fresh: &Fresh) -> Result<(), GuestError> {
        let isolation = self.inner.isolation.clone();
        let lower = self.lower(fresh.os.family()).await?;
        let (dir, fresh) = (dir.to_path_buf(), fresh.clone());
        // A half-made directory must not look like a container: it gets its name last.
        let making = dir.with_extension(format!("making-{}", uuid_like()));
        let work = making.clone();
        let made = tokio::task::spawn_blocking(move || {
            bare(&work, &fresh, isolation.as_ref())?;
            fs::remove_file(work.join("lower")).or_else(|_| fs::remove_dir_all(work.join("lower")))?;
            symlink(lower, work.join("lower"))?;
            fs::rename(&work, dir)
        })
        .await
        .map_err(io::Error::other)
        .flatten();
        if made.is_err() {
            copies::remove_now(self.inner.isolation.as_ref(), &making);
        }
        made.map_err(|e| GuestError::io("lay out a root file system", e))
    }

    /// The layer that all guests of a family share: the stand-ins, and the upper directories of `/usr` in the guests' own name, so that
    /// their root may write there.
    pub(super) async fn lower(&self, family: &'static str) -> Result<std::path::PathBuf, GuestError> {
        let _turn = self.inner.layers.lock().await;
        let isolation = self.inner.isolation.clone();
        let path = self.inner.dir.join("base").join(format!("{family}-{}", standins::mark()));
        let made = path.clone();
        tokio::task::spawn_blocking(move || {
            if made.exists() {
                return Ok(());
            }
            let making = made.with_extension(format!("making-{}", uuid_like()));
            standins::lay_out(&making, family, isolation.is_some())?;
            own(&making, isolation.as_ref())?;
            fs::rename(&making, &made)
        })
        .await
        .map_err(io::Error::other)
        .flatten()
        .map_err(|e| GuestError::io("lay out the shared layer", e))?;
        Ok(path)
    }
}

/// Names for unfinished directories only have to differ within one process and from those of a dead one.
fn uuid_like() -> String {
    use rand::RngExt;
    format!("{:016x}", rand::rng().random::<u64>())
}

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
    put("etc/machine-id", format!("{}{}\n", uuid_like(), uuid_like()))?;
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
    let salt = uuid_like();
    format!("$sim${salt}${}", hex::encode(sha2::Sha256::digest(format!("{salt}{password}"))))
}

/// Gives a tree to the guests' root.
fn own(path: &Path, isolation: Option<&Isolation>) -> io::Result<()> {
    if isolation.is_none_or(|isolation| isolation.mode != Mode::Root) {
        return Ok(());
    }
    std::os::unix::fs::lchown(path, Some(FIRST_ID), Some(FIRST_ID))?;
    if path.symlink_metadata()?.is_dir() {
        for entry in fs::read_dir(path)? {
            own(&entry?.path(), isolation)?;
        }
    }
    Ok(())
}

/// One line an interface: its name, its hardware address, its addresses.
pub(super) fn interface_lines(interfaces: &[Interface]) -> String {
    interfaces.iter().map(|i| format!("{} {} {}\n", i.name, i.mac, i.addresses.join(" "))).collect()
}

/// What a boot starts from: an empty `/run`, the hostname in its files, the interfaces that commands will show.
pub(super) async fn clean_boot(dir: &Path, isolation: &Isolation, boot: &Boot) -> Result<(), GuestError> {
    let run = dir.join("boot/run");
    copies::remove(Some(isolation), &run).await?;
    let (isolation, boot) = (isolation.clone(), boot.clone());
    tokio::task::spawn_blocking(move || {
        for part in ["lock", "sim/units", "sim/ports", "systemd/system", "user"] {
            fs::create_dir_all(run.join(part))?;
        }
        fs::set_permissions(run.join("lock"), fs::Permissions::from_mode(0o1777))?;
        fs::write(run.join("sim/net"), interface_lines(&boot.interfaces))?;
        fs::write(run.join("sim/hostname"), &boot.hostname)?;
        fs::write(run.join("sim/memory"), boot.memory_mib.to_string())?;
        own(&run, Some(&isolation))
    })
    .await
    .map_err(io::Error::other)
    .flatten()
    .map_err(|e| GuestError::io("clear /run", e))
}

/// Gives one directory and what is in it to the guests' root.
pub(super) fn give(path: &Path, isolation: Option<&Isolation>) -> Result<(), GuestError> {
    own(path, isolation).map_err(|e| GuestError::io("hand a directory over", e))
}

/// What a node has beside a plain root file system.
pub(super) fn node_files(dir: &Path, isolation: Option<&Isolation>) -> Result<(), GuestError> {
    let usr = dir.join("layer/usr");
    let lay = || {
        for part in ["bin", "sbin"] {
            fs::create_dir_all(usr.join(part))?;
        }
        if usr.join("sbin/pct").symlink_metadata().is_err() {
            symlink("/run/pct/pct", usr.join("sbin/pct"))?;
        }
        fs::write(
            usr.join("bin/pveversion"),
            "#!/bin/sh\necho 'pve-manager/9.1.7/0000000000000000 (running kernel: 6.17.0-simulated-pve)'\n",
        )?;
        fs::set_permissions(usr.join("bin/pveversion"), fs::Permissions::from_mode(0o755))?;
        own(&usr, isolation)
    };
    lay().map_err(|e: io::Error| GuestError::io("lay out a node", e))
}
