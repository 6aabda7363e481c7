//! A node with containers, without the API in front of it.

use std::future::Future;
use std::pin::Pin;
use std::process::Output;
use std::sync::Arc;

use sim::guest::pct::{Act, Container, Model};
use sim::guest::ssh::{Door, SshOptions, SshServer};
use sim::guest::{Boot, Fresh, Guests, Interface, Node, Os, Shell};

pub struct Host {
    pub guests: Guests,
    pub node: Arc<Node>,
}

/// Container 103 is there but stopped, 999 is not.
struct Fixed(Guests);

impl Model for Fixed {
    fn containers(&self, _: &str) -> Vec<Container> {
        (100..110)
            .filter(|vmid| self.0.exists(*vmid))
            .map(|vmid| Container { vmid, name: format!("ct{vmid}"), running: self.0.is_running(vmid), lock: None })
            .collect()
    }

    fn config(&self, _: &str, vmid: u32) -> Option<Vec<(String, String)>> {
        Some(vec![("arch".to_owned(), "amd64".to_owned()), ("hostname".to_owned(), format!("ct{vmid}"))])
    }

    fn act<'a>(
        &'a self,
        _: &'a str,
        vmid: u32,
        act: Act,
    ) -> Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>> {
        Box::pin(async move {
            match act {
                Act::Start if self.0.is_running(vmid) => Err(format!("CT {vmid} already running")),
                Act::Start => self.0.start(vmid, &boot(vmid)).await.map_err(|e| e.to_string()),
                Act::Stop if !self.0.is_running(vmid) => Err(format!("CT {vmid} not running")),
                Act::Stop => self.0.stop(vmid).await.map_err(|e| e.to_string()),
                _ => Ok(()),
            }
        })
    }
}

pub fn boot(vmid: u32) -> Boot {
    let eth0 = Interface {
        name: "eth0".to_owned(),
        mac: "bc:24:11:00:00:01".to_owned(),
        addresses: vec![format!("10.0.0.{vmid}/24"), "fe80::1/64".to_owned()],
    };
    Boot { hostname: format!("ct{vmid}"), interfaces: vec![eth0], ..Boot::default() }
}

pub fn fresh(vmid: u32) -> Fresh {
    Fresh {
        os: Os::default(),
        hostname: format!("ct{vmid}"),
        root_password: Some("secret".to_owned()),
        ssh_keys: Vec::new(),
    }
}

impl Host {
    pub async fn new() -> Self {
        Self::with(Guests::open(None, Shell::Run).await.unwrap()).await
    }

    pub async fn with(guests: Guests) -> Self {
        for vmid in [101, 103] {
            if !guests.exists(vmid) {
                guests.create(vmid, &fresh(vmid)).await.unwrap();
            }
        }
        guests.start(101, &boot(101)).await.unwrap();
        let node = Arc::new(guests.node("pve1", Arc::new(Fixed(guests.clone()))).await.unwrap());
        Self { guests, node }
    }

    /// A command line in container 101.
    pub async fn ct(&self, line: &str) -> Output {
        self.guests.command(101, &["/bin/sh".into(), "-c".into(), line.into()]).unwrap().output().await.unwrap()
    }

    /// Its standard output; it must succeed.
    pub async fn said(&self, line: &str) -> String {
        let output = self.ct(line).await;
        assert!(output.status.success(), "{line}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    /// A command line on the node.
    pub async fn on_node(&self, line: &str) -> Output {
        self.node.command(line.as_bytes()).unwrap().unwrap().output().await.unwrap()
    }

    pub async fn ssh(&self, door: impl Door) -> SshServer {
        SshServer::start(self.node.clone(), Arc::new(door), SshOptions::default(), None).await.unwrap()
    }
}
