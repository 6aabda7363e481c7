//! The guest agent of a virtual machine. It answers where something runs that has one: a machine with a cloud-init drive
//! boots a cloud image, whose agent is up as soon as it has started. A machine with a blank disk stays silent.

use std::time::Duration;

use serde_json::{Value, json};

use super::Answer;
use crate::api::asked::Asked;
use crate::api::dispatch::not_simulated;
use crate::model::config;
use crate::model::guest::{Guest, Kind, Status};
use crate::model::stats::{self, Card};
use crate::refusal::Refusal;

pub(super) async fn answer(rest: &str, asked: &Asked) -> Answer {
    let (now, delay) = (asked.world.clock.now(), asked.world.options.dhcp_delay.as_secs_f64());
    let found = asked.guest(Kind::Qemu, asked.vmid(), |guest| {
        if !guest.running() {
            return Err(Refusal::died(format!("VM {} is not running", guest.vmid)));
        }
        if !guest.text("agent").unwrap_or_default().starts_with('1') {
            return Err(Refusal::died("No QEMU guest agent configured"));
        }
        Ok((guest.status == Status::Running && boots_cloud_image(guest))
            .then(|| interfaces(guest, now - guest.started >= delay)))
    })?;
    let Some(interfaces) = found else {
        asked.world.pause(Duration::from_secs(3)).await;
        return Err(Refusal::died("QEMU guest agent is not running"));
    };
    match rest {
        "/{vmid}/agent/ping" => Ok(json!({"result": {}}).into()),
        "/{vmid}/agent/network-get-interfaces" => Ok(json!({"result": interfaces}).into()),
        _ => not_simulated(rest),
    }
}

fn boots_cloud_image(guest: &Guest) -> bool {
    let cloud = |(key, value): (&String, &Value)| {
        config::is_disk(Kind::Qemu, key) && value.as_str().is_some_and(|disk| disk.contains("cloudinit"))
    };
    guest.config.iter().any(cloud)
}

fn interfaces(guest: &Guest, leased: bool) -> Value {
    let own = ["127.0.0.1/8", "::1/128"].map(str::to_owned);
    let mut all = vec![row("lo", "00:00:00:00:00:00", &own)];
    all.extend(stats::cards(guest).iter().map(|card| row(&card.name, &card.mac.to_lowercase(), &card.known(leased))));
    Value::Array(all)
}

fn row(name: &str, mac: &str, addresses: &[String]) -> Value {
    let mut row = json!({"name": name, "hardware-address": mac,
        "statistics": {"rx-bytes": 0, "rx-dropped": 0, "rx-errs": 0, "rx-packets": 0, "tx-bytes": 0, "tx-dropped": 0, "tx-errs": 0, "tx-packets": 0}});
    let list: Vec<Value> = addresses.iter().map(|address| {
        let (ip, prefix) = Card::split(address);
        json!({"ip-address": ip, "ip-address-type": if ip.contains(':') { "ipv6" } else { "ipv4" }, "prefix": prefix})
    }).collect();
    // An interface without an address has no list at all.
    if !list.is_empty() {
        row["ip-addresses"] = Value::Array(list);
    }
    row
}
