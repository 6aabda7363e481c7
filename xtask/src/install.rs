//! The servers that tests need, from Debian's packages.

use std::process::{Command, Stdio};

use anyhow::{Result, bail, ensure};
use xtask::servers::find;

/// A program that must exist, and the package that brings it.
const NEEDED: &[(&str, &str)] = &[
    ("initdb", "postgresql"),
    ("pg_isready", "postgresql-client"),
    ("redis-server", "redis-server"),
    ("sshd", "openssh-server"),
    ("ssh", "openssh-client"),
    ("python3", "python3"),
    ("pip3", "python3-pip"),
    ("busybox", "busybox-static"),
    // A bare Debian has neither: tests end processes, and the simulator's guests bring up their loopback.
    ("pkill", "procps"),
    ("ip", "iproute2"),
    ("npm", "npm"),
    // `gantry template lint` asks it where it is: with it the library is held to more.
    ("shellcheck", "shellcheck"),
];

/// # Errors
/// When something is missing and we may not install it: the message is the command to run.
pub(crate) fn missing() -> Result<()> {
    let mut packages: Vec<&str> =
        NEEDED.iter().filter(|(program, _)| find(program).is_none()).map(|&(_, package)| package).collect();
    // This one brings a module and no program.
    if !succeeds("python3 -c 'import ensurepip'") {
        packages.push("python3-venv");
    }
    if packages.is_empty() {
        return Ok(());
    }
    let list = packages.join(" ");
    let sudo: &[&str] = if succeeds("test \"$(id -u)\" = 0") {
        &[]
    } else if succeeds("sudo -n true") {
        &["sudo", "-n"]
    } else {
        bail!("tests need {list}; run: sudo apt-get install --yes --no-install-recommends {list}");
    };
    ensure!(
        find("apt-get").is_some(),
        "tests need {list}, and this is not Debian: install them by your system's means"
    );
    println!("installing {list}");
    apt(sudo, &["update", "--quiet=2"])?;
    // Their services would take the standard ports and run beside our private instances.
    let arguments: Vec<&str> =
        ["install", "--yes", "--quiet=2", "--no-install-recommends"].into_iter().chain(packages).collect();
    apt(sudo, &arguments)
}

fn apt(sudo: &[&str], arguments: &[&str]) -> Result<()> {
    let words: Vec<&str> =
        sudo.iter().copied().chain(["env", "DEBIAN_FRONTEND=noninteractive", "RUNLEVEL=1", "apt-get"]).collect();
    if let [first, rest @ ..] = words.as_slice() {
        let done = Command::new(first).args(rest).args(arguments).stdout(Stdio::null()).status()?;
        ensure!(done.success(), "apt-get {} failed", arguments.join(" "));
    }
    Ok(())
}

fn succeeds(script: &str) -> bool {
    Command::new("sh").args(["-c", script]).stderr(Stdio::null()).status().is_ok_and(|status| status.success())
}
