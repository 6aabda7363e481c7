use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use proxmox::shell::{Command, Followed, Script, Secret};
use tracing_subscriber::fmt::MakeWriter;

use super::sshd::Sshd;

const SECRET: &str = "hunter2-but-longer";

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Log {
    type Writer = Log;

    fn make_writer(&'a self) -> Log {
        self.clone()
    }
}

/// Every process of this machine: arguments and environments.
fn seen_by_ps() -> String {
    let mut seen = String::new();
    for entry in std::fs::read_dir("/proc").unwrap().filter_map(Result::ok) {
        // This test itself knows the secret.
        if entry.file_name().to_string_lossy() == std::process::id().to_string() {
            continue;
        }
        for file in ["cmdline", "environ"] {
            seen.push_str(&String::from_utf8_lossy(&std::fs::read(entry.path().join(file)).unwrap_or_default()));
        }
    }
    seen
}

#[tokio::test]
#[ignore = "needs sshd: cargo xtask test"]
async fn no_secret_in_the_process_list_or_the_log() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(log.clone()).finish();
    // For the whole program: a subscriber of one thread is overlooked by call sites that another thread met first.
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let sshd = Sshd::start("");
    let shell = sshd.shell().await;

    let reads = Command::new("sh").args(["-c", "read -r x; echo up; sleep 300", "sh", "an-argument"]);
    let mut running = shell.start(reads.stdin(Secret::from(SECRET))).unwrap();
    running.next().await.unwrap();
    assert!(seen_by_ps().contains("an-argument"), "this test does not see the processes it looks at");
    assert!(!seen_by_ps().contains(SECRET));
    running.kill().await;

    let guest = shell.guest(106);
    guest.set_root_password(&Secret::from(SECRET)).await.unwrap();
    assert!(!seen_by_ps().contains(SECRET));

    // A detached script's own environment has it, as it must; nothing on the way there does.
    let run = format!("test-{:016x}", rand::random::<u64>()).parse().unwrap();
    let written = Script {
        body: b"unset TOKEN; echo up; exec sleep 300".to_vec(),
        env: vec![("TOKEN".to_owned(), Secret::from(SECRET))],
        limit: Duration::from_secs(60),
    };
    let scripts = guest.detached();
    scripts.launch(&run, &written).await.unwrap();
    let mut attached = scripts.attach(&run, 0);
    assert!(matches!(attached.next().await.unwrap(), Followed::Line(_)));
    for entry in std::fs::read_dir("/proc").unwrap().filter_map(Result::ok) {
        let arguments = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        let own = entry.file_name().to_string_lossy() == std::process::id().to_string();
        assert!(own || !String::from_utf8_lossy(&arguments).contains(SECRET));
    }
    assert!(!std::path::Path::new(&format!("/run/gantry/{run}/env")).exists());
    scripts.stop(&run).await.unwrap();
    scripts.forget(&run).await.unwrap();

    let error = shell.output(Command::new("false").arg(SECRET).stdin(Secret::from(SECRET))).await;
    assert_eq!(error.unwrap().code, 1);
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(log.contains("chpasswd"), "this test does not see the log: {log}");
    assert!(!log.contains(SECRET), "{log}");
    assert!(!format!("{:?}", Command::new("false").arg(SECRET)).contains(SECRET));
}
