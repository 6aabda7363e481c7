//! A guest's network card, features and disk size as Proxmox writes them, read and written anew with all else kept.

use domain::container::{Features, Ipv4, Ipv6, Network};
use proxmox::LxcConfig;

/// What of a card is ours to say; its hardware address, firewall and rate are not.
const OURS: [&str; 6] = ["bridge", "tag", "ip", "gw", "ip6", "gw6"];
const FEATURES: [&str; 3] = ["nesting", "keyctl", "fuse"];

fn parts(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.split(',').filter_map(|part| part.trim().split_once('='))
}

fn part<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    parts(text).find(|(key, _)| *key == name).map(|(_, value)| value)
}

/// Without a card the bridge is empty.
pub(crate) fn network(config: &LxcConfig) -> Network {
    let card = config.get("net0").unwrap_or_default();
    let text = |name| part(card, name).map(str::to_owned);
    Network {
        bridge: text("bridge").unwrap_or_default(),
        vlan: part(card, "tag").and_then(|tag| tag.parse().ok()),
        ipv4: match part(card, "ip") {
            Some("dhcp") => Ipv4::Dhcp,
            None | Some("manual") => Ipv4::None,
            Some(address) => Ipv4::Static { address: address.to_owned(), gateway: text("gw") },
        },
        ipv6: match part(card, "ip6") {
            Some("dhcp") => Ipv6::Dhcp,
            Some("auto") => Ipv6::Auto,
            None | Some("manual") => Ipv6::None,
            Some(address) => Ipv6::Static { address: address.to_owned(), gateway: text("gw6") },
        },
        nameservers: config.get("nameserver").unwrap_or_default().split_whitespace().map(str::to_owned).collect(),
        domain: config.get("searchdomain").map(str::to_owned).filter(|domain| !domain.is_empty()),
    }
}

pub(crate) fn features(config: &LxcConfig) -> Features {
    let text = config.get("features").unwrap_or_default();
    let on = |name| part(text, name) == Some("1");
    Features { nesting: on("nesting"), keyctl: on("keyctl"), fuse: on("fuse") }
}

/// In whole GB, as far as there is a size.
pub(crate) fn disk_gb(config: &LxcConfig) -> Option<u32> {
    let bytes = crate::steps::size_of(config.get("rootfs")?)?;
    u32::try_from(bytes.div_ceil(1 << 30)).ok()
}

/// The card with what is wanted of it, all else as it is.
pub(crate) fn with_wanted(now: Option<&str>, wanted: &str) -> String {
    let Some(now) = now else { return wanted.to_owned() };
    let kept = parts(now).filter(|(key, _)| *key != "name" && !OURS.contains(key));
    kept.fold(wanted.to_owned(), |text, (key, value)| format!("{text},{key}={value}"))
}

/// None: there is none left.
pub(crate) fn with_features(now: Option<&str>, wanted: Features) -> Option<String> {
    let on = [wanted.nesting, wanted.keyctl, wanted.fuse];
    let ours = FEATURES.iter().zip(on).filter(|(_, on)| *on).map(|(name, _)| format!("{name}=1"));
    let others = parts(now.unwrap_or_default()).filter(|(key, _)| !FEATURES.contains(key));
    let all: Vec<String> = ours.chain(others.map(|(key, value)| format!("{key}={value}"))).collect();
    (!all.is_empty()).then(|| all.join(","))
}

/// The same parts, in whatever order, and with whatever Proxmox adds by itself.
pub(crate) fn is_same_list(one: &str, other: &str) -> bool {
    let sorted = |text: &str| {
        let mut all: Vec<String> =
            parts(text).filter(|(key, _)| *key != "type").map(|(key, value)| format!("{key}={value}")).collect();
        all.sort_unstable();
        all
    };
    sorted(one) == sorted(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_card_keeps_what_is_not_ours_to_say() {
        let now = "name=eth0,bridge=vmbr9,firewall=1,gw=192.0.2.1,hwaddr=BC:24:11:00:00:01,ip=192.0.2.7/24,type=veth";
        let made = with_wanted(Some(now), "name=eth0,bridge=vmbr0,ip=dhcp");
        assert_eq!(made, "name=eth0,bridge=vmbr0,ip=dhcp,firewall=1,hwaddr=BC:24:11:00:00:01,type=veth");
        assert!(is_same_list(&made, "ip=dhcp,name=eth0,hwaddr=BC:24:11:00:00:01,bridge=vmbr0,firewall=1"));
        assert!(!is_same_list(&made, now));
        assert_eq!(with_wanted(None, "name=eth0,bridge=vmbr0"), "name=eth0,bridge=vmbr0");
    }

    #[test]
    fn features_keep_those_that_only_proxmox_knows() {
        let nesting = Features { nesting: true, ..Features::default() };
        assert_eq!(with_features(Some("keyctl=1,mknod=1"), nesting).as_deref(), Some("nesting=1,mknod=1"));
        assert_eq!(with_features(Some("keyctl=1"), Features::default()), None);
    }
}
