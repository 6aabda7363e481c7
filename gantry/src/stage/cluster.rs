//! The simulated cluster that Gantry is shown and tried on, and the SSH key that it lets in.

use russh::keys::{Algorithm, PrivateKey, ssh_key::LineEnding};
use sim::{Options, Sim, SimError};

use crate::{
    exit::{Outcome, While as _},
    output::{Colour, Output},
};

/// Fast enough to be watched to the end, slow enough to be followed.
const SPEED: f64 = 0.25;

pub(crate) struct Cluster {
    pub(crate) sim: Sim,
    pub(crate) ssh_key: zeroize::Zeroizing<String>,
    dry: bool,
}

impl Cluster {
    /// Where the kernel keeps no guests apart, scripts are not run: that is said, and the rest goes on.
    pub(crate) async fn start(dry: bool, out: Output) -> Outcome<Self> {
        let key = PrivateKey::random(&mut rand::rng(), Algorithm::Ed25519).during("making an SSH key")?;
        let public = key.public_key().to_openssh().during("making an SSH key")?;
        let ssh_key = key.to_openssh(LineEnding::LF).during("making an SSH key")?;
        let options = Options {
            nodes: vec!["pve1".to_owned(), "pve2".to_owned()],
            speed: SPEED,
            dhcp_delay: std::time::Duration::from_secs(1),
            ssh_keys: vec![public],
            dry_shell: dry,
            ..Options::default()
        };
        match sim::start(options.clone()).await {
            Ok(sim) => Ok(Self { sim, ssh_key, dry }),
            Err(SimError::Guest(error)) if !dry => {
                out.say(out.paint(Colour::Busy, &format!("{error}")));
                out.say(
                    out.paint(Colour::Busy, "Going on without: scripts are shown and NOT RUN (as with --dry-shell)."),
                );
                let sim = sim::start(Options { dry_shell: true, ..options }).await.during("starting the simulator")?;
                Ok(Self { sim, ssh_key, dry: true })
            }
            Err(error) => Err(error).during("starting the simulator"),
        }
    }

    pub(crate) fn is_dry(&self) -> bool {
        self.dry
    }

    pub(crate) fn in_words(&self) -> String {
        let nodes: Vec<String> =
            self.sim.nodes().iter().map(|node| format!("{} at https://{}", node.name, node.api)).collect();
        let dry = if self.dry { " (dry shell: no command in a guest is run)" } else { "" };
        format!("{}{dry}", nodes.join(", "))
    }

    pub(crate) async fn stop(self) {
        self.sim.stop().await;
    }
}
