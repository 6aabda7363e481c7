//! A server whose data is on a small disk that only it sees, so that a test can fill it.

use std::path::{Path, PathBuf};
use std::process::Command;

/// Arguments: the directory of data, the disk's size, then the server.
const MOVE_THERE: &str = r#"
data=$1 size=$2; shift 2
mkdir -p "$data.small" && mount -t tmpfs -o "size=$size,mode=0777" small "$data.small" &&
    cp -a "$data/." "$data.small/" && chmod --reference="$data" "$data.small" && chown --reference="$data" "$data.small" &&
    mount --bind "$data.small" "$data" && exec "$@"
"#;

/// Starts `server` with its data as it is now on such a disk. Root gives up its rights again to become `user`; others
/// get the right to mount in a namespace of their own, and are nobody special in one inside of that.
#[must_use]
pub fn command(server: &Path, data: &Path, size: &str, user: Option<(u32, u32)>) -> Command {
    let mut command = Command::new("unshare");
    if user.is_none() {
        command.args(["--user", "--map-root-user"]);
    }
    command.args(["--mount", "sh", "-c", MOVE_THERE, "sh"]).arg(data).arg(size);
    match user {
        Some((uid, gid)) => {
            command.arg("setpriv").arg(format!("--reuid={uid}")).arg(format!("--regid={gid}")).arg("--clear-groups")
        }
        None => command.args(["unshare", "--user", "--map-user=1000", "--map-group=1000"]),
    };
    command.arg(server);
    command
}

/// The disk, as others see it who may look at the server's process.
#[must_use]
pub fn seen_from_outside(pid: u32, data: &Path) -> PathBuf {
    let own = data.strip_prefix("/").unwrap_or(data);
    Path::new("/proc").join(pid.to_string()).join("root").join(own)
}
