//! Numbers that move, and addresses that arrive.

use serde_json::{Value, json};

use super::State;
use super::config;
use super::guest::{Guest, Kind, Status};
use super::storage::GIB;

/// A network card of a running guest.
pub(crate) struct Card {
    pub(crate) name: String,
    pub(crate) mac: String,
    /// With their prefix.
    pub(crate) addresses: Vec<String>,
    /// Some of them come by DHCP, a while after the start.
    pub(crate) dhcp: bool,
}

impl Card {
    /// Its addresses, those by DHCP only once they are `leased`.
    pub(crate) fn known(&self, leased: bool) -> Vec<String> {
        let known = |address: &&String| leased || !self.dhcp || address.starts_with("fe80");
        self.addresses.iter().filter(known).cloned().collect()
    }

    /// An address and its prefix.
    pub(crate) fn split(address: &str) -> (&str, u8) {
        let (ip, prefix) = address.split_once('/').unwrap_or((address, "32"));
        (ip, prefix.parse().unwrap_or(32))
    }
}

pub(crate) fn cards(guest: &Guest) -> Vec<Card> {
    let mut all = Vec::new();
    for (key, value) in guest.config.iter().filter(|(key, _)| config::is_net(key)) {
        let mut parts = config::parts(guest.kind, key, value.as_str().unwrap_or_default());
        let mac = parts.get("hwaddr").or_else(|| parts.get("macaddr")).cloned().unwrap_or_default();
        let number: u32 = key.trim_start_matches("net").parse().unwrap_or_default();
        if let Some(by_cloud_init) = guest.text(&format!("ipconfig{number}")) {
            parts.extend(config::parts(guest.kind, &format!("ipconfig{number}"), by_cloud_init));
        }
        let leased = guest.vmid + number * 97;
        let mut addresses = Vec::new();
        let mut dhcp = false;
        match parts.get("ip").map(String::as_str) {
            Some("dhcp") => {
                dhcp = true;
                addresses.push(format!(
                    "10.{}.{}.{}/16",
                    64 + leased / 65_025 % 64,
                    leased / 255 % 255,
                    leased % 254 + 1
                ));
            }
            Some("manual") | None => {}
            Some(fixed) => addresses.push(fixed.to_owned()),
        }
        match parts.get("ip6").map(String::as_str) {
            Some("dhcp" | "auto") => {
                dhcp = true;
                addresses.push(format!("fd00::{leased:x}/64"));
            }
            Some("manual") | None => {}
            Some(fixed) => addresses.push(fixed.to_owned()),
        }
        addresses.push(format!("{}/64", link_local(&mac)));
        all.push(Card {
            name: parts.get("name").cloned().unwrap_or_else(|| format!("eth{number}")),
            mac,
            addresses,
            dhcp,
        });
    }
    all
}

/// The address that an interface gives itself by its hardware address.
fn link_local(mac: &str) -> String {
    let bytes: Vec<u8> = mac.split(':').filter_map(|byte| u8::from_str_radix(byte, 16).ok()).collect();
    match bytes.as_slice() {
        [a, b, c, d, e, f] => {
            let word = |high: u8, low: u8| u16::from(high) << 8 | u16::from(low);
            std::net::Ipv6Addr::new(0xfe80, 0, 0, 0, word(a ^ 2, *b), word(*c, 0xff), word(0xfe, *d), word(*e, *f))
                .to_string()
        }
        _ => "fe80::1".to_owned(),
    }
}

/// What `/interfaces` answers of a running container.
pub(crate) fn interfaces(guest: &Guest, leased: bool) -> Value {
    let mut all = vec![interface("lo", "00:00:00:00:00:00", &["127.0.0.1/8".to_owned(), "::1/128".to_owned()])];
    for card in cards(guest) {
        all.push(interface(&card.name, &card.mac.to_lowercase(), &card.known(leased)));
    }
    Value::Array(all)
}

fn interface(name: &str, mac: &str, addresses: &[String]) -> Value {
    let mut row = json!({"name": name, "hwaddr": mac, "hardware-address": mac});
    let mut list = Vec::new();
    for address in addresses {
        let (ip, prefix) = Card::split(address);
        let family = if ip.contains(':') { "inet6" } else { "inet" };
        // Only the last of a family is left here.
        row[family] = json!(address);
        list.push(json!({"ip-address": ip, "prefix": prefix.to_string(), "ip-address-type": family}));
    }
    row["ip-addresses"] = json!(list);
    row
}

/// A number that wanders between 0 and 1, the same for the same guest and time.
pub(crate) fn wander(seed: u32, at: f64) -> f64 {
    let phase = f64::from(seed % 628) / 100.0;
    0.5 + 0.3 * (at / 37.0 + phase).sin() + 0.2 * (at / 11.0 + phase * 3.0).sin()
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "measurements, which are positive and need no last digit"
)]
fn part(of: u64, share: f64) -> u64 {
    (of as f64 * share) as u64
}

#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "seconds since a start, which is in the past"
)]
pub(crate) fn uptime(guest: &Guest, now: f64) -> u64 {
    if guest.running() { (now - guest.started).max(0.0) as u64 } else { 0 }
}

/// `status/current` of a guest, and its row in the node's list.
pub(crate) fn current(state: &State, guest: &Guest, now: f64) -> Value {
    let creating = guest.lock() == Some("create");
    let cpus = guest.number("cores").unwrap_or(2) * guest.number("sockets").unwrap_or(1);
    let memory = if creating { 512 } else { guest.number("memory").unwrap_or(512) } << 20;
    let size = if creating { 4 * GIB } else { state.disk_size(guest.vmid) };
    let up = uptime(guest, now);
    let busy = if guest.running() { wander(guest.vmid, now) } else { 0.0 };
    let mut all = json!({
        "vmid": guest.vmid, "name": guest.name(), "status": if guest.running() { "running" } else { "stopped" }, "cpus": cpus, "cpu": busy * 0.05, "uptime": up,
        "maxmem": memory, "mem": part(memory, busy * 0.4), "maxdisk": size, "disk": if guest.running() && guest.kind == Kind::Lxc { guest.disk_used } else { 0 },
        "netin": up * 97, "netout": up * 31, "diskread": up * 512, "diskwrite": up * 1024,
    });
    if let Some(lock) = guest.lock() {
        all["lock"] = json!(lock);
    }
    if let Some(tags) = guest.text("tags") {
        all["tags"] = json!(tags);
    }
    if guest.flag("template") {
        all["template"] = json!(1);
    }
    if guest.running() {
        all["pid"] = json!(guest.pid);
        let pressure = if guest.kind == Kind::Lxc { Value::Null } else { json!(0) };
        for what in ["cpu", "io", "memory"] {
            for how in ["some", "full"] {
                all[format!("pressure{what}{how}")] = pressure.clone();
            }
        }
    }
    match guest.kind {
        Kind::Lxc => {
            all["type"] = json!("lxc");
            all["swap"] = json!(0);
            all["maxswap"] = json!(if creating { 0 } else { guest.number("swap").unwrap_or(512) << 20 });
        }
        Kind::Qemu => {
            all["memhost"] = json!(0);
            if let Some(fields) = all.as_object_mut() {
                fields.remove("diskread");
                fields.remove("diskwrite");
            }
        }
    }
    all
}

/// What only `status/current` of a VM tells.
pub(crate) fn qmp(guest: &Guest) -> &'static str {
    match guest.status {
        Status::Stopped => "stopped",
        Status::Running => "running",
        Status::Paused => "paused",
    }
}

/// A guest's row in `/cluster/resources`.
pub(crate) fn resource(state: &State, guest: &Guest, now: f64) -> Value {
    let current = current(state, guest, now);
    let field = |name: &str| current.get(name).cloned().unwrap_or(json!(0));
    let mut row = json!({
        "id": format!("{}/{}", guest.kind.word(), guest.vmid), "type": guest.kind.word(), "vmid": guest.vmid, "node": guest.node, "name": guest.name(), "status": field("status"),
        "template": u8::from(guest.flag("template")), "uptime": field("uptime"), "cpu": field("cpu"), "maxcpu": field("cpus"), "mem": field("mem"), "memhost": 0, "maxmem": field("maxmem"),
        "disk": field("disk"), "maxdisk": field("maxdisk"), "netin": field("netin"), "netout": field("netout"), "diskread": field("diskread"), "diskwrite": field("diskwrite"),
    });
    for name in ["lock", "tags"] {
        if let Some(value) = current.get(name) {
            row[name] = value.clone();
        }
    }
    if let Some(pool) = state.pool_of(guest.vmid) {
        row["pool"] = json!(pool);
    }
    row
}
