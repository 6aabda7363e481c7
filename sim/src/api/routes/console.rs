//! Asking for a console; the websocket takes it from there.

use std::sync::PoisonError;
use std::time::Duration;

use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::Answer;
use crate::api::asked::Asked;
use crate::api::auth;
use crate::model::world::Console;
use crate::refusal::Refusal;

/// How long a proxy waits for its websocket.
const WAIT: Duration = Duration::from_secs(10);

pub(super) fn answer(name: &str, asked: &Asked) -> Option<Answer> {
    let vmid = asked.vmid();
    Some(match name {
        "POST /nodes/{node}/lxc/{vmid}/vncproxy" | "POST /nodes/{node}/qemu/{vmid}/vncproxy" => {
            open(asked, &format!("/vms/{vmid}"), "vncproxy", &vmid.to_string(), true)
        }
        "POST /nodes/{node}/lxc/{vmid}/termproxy" | "POST /nodes/{node}/qemu/{vmid}/termproxy" => {
            open(asked, &format!("/vms/{vmid}"), "vncproxy", &vmid.to_string(), false)
        }
        "POST /nodes/{node}/termproxy" => open(asked, &format!("/nodes/{}", asked.node), "vncshell", "", false),
        "POST /nodes/{node}/vncshell" => match &asked.who.token {
            Some(_) => Err(Refusal::died(format!("value '{}' does not look like a valid user name", asked.who.id()))),
            None => open(asked, &format!("/nodes/{}", asked.node), "vncshell", "", true),
        },
        _ => return None,
    })
}

fn open(asked: &Asked, path: &str, kind: &str, id: &str, vnc: bool) -> Answer {
    if let Some(vmid) = path.strip_prefix("/vms/").and_then(|id| id.parse::<u32>().ok()) {
        let (known, kind) = {
            let state = asked.world.state();
            let guest = state.guests.get(&vmid).filter(|guest| guest.node == asked.node);
            (guest.is_some(), guest.map_or(crate::model::guest::Kind::Lxc, |guest| guest.kind))
        };
        if !known {
            return Err(Refusal::died(kind.missing(&asked.node, vmid)));
        }
    }
    let used = CancellationToken::new();
    let now = asked.world.clock.now();
    let ticket = auth::ticket(&asked.world, "PVEVNC", "", path);
    let port = {
        let mut consoles = asked.world.consoles.lock().unwrap_or_else(PoisonError::into_inner);
        consoles.retain(|_, console| now - console.at < 60.0);
        let port = (5900..=5999)
            .map(|port: u32| port.to_string())
            .find(|port| !consoles.contains_key(port))
            .unwrap_or_else(|| "5900".to_owned());
        consoles.insert(
            port.clone(),
            Console {
                user: asked.who.id(),
                path: path.to_owned(),
                ticket: ticket.clone(),
                at: now,
                vnc,
                used: used.clone(),
            },
        );
        port
    };
    let opened = used.clone();
    let upid = asked.task(kind, id, move |run| async move {
        run.log(format!("starting {} console", if vnc { "vnc" } else { "terminal" }));
        // Used, the proxy lives as long as its connection; unused, it gives up.
        match tokio::time::timeout(WAIT, opened.cancelled()).await {
            Ok(()) => Ok(()),
            Err(_) => Err("connection timed out".to_owned()),
        }
    });
    let mut made = json!({"port": port, "ticket": ticket, "upid": upid, "user": asked.who.id()});
    if vnc {
        made["cert"] = json!(asked.world.state().nodes.get(&asked.node).map(|node| node.certificate.clone()));
        if asked.flag("generate-password") {
            made["password"] = json!(&crate::model::world::new_secret()[..8].to_uppercase());
        }
    }
    Ok(made.into())
}
