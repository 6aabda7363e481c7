//! A static address with its prefix and gateway, of either family.

use std::net::IpAddr;

use crate::field::{FieldError, wrong};

/// All that is wrong with `address` (as `192.0.2.10/24`) and `gateway` under `field` (as `network.ipv4`).
pub(super) fn faults(field: &str, address: &str, gateway: Option<&str>, is_v6: bool) -> Vec<FieldError> {
    let mut errors = vec![];
    let example = if is_v6 { "2001:db8::10/64" } else { "192.0.2.10/24" };
    let own = parse_cidr(address, is_v6);
    match own {
        None => errors.push(wrong(
            format!("{field}.address"),
            format!("{address:?} is no address with prefix"),
            format!("write it like {example}"),
        )),
        Some((ip, prefix)) => {
            if let Some(problem) = no_host(ip, prefix) {
                let fix = "choose the address of one machine in that network";
                errors.push(wrong(format!("{field}.address"), problem, fix));
            }
        }
    }
    if let Some(text) = gateway {
        let problem = match (text.parse::<IpAddr>().ok().filter(|ip| ip.is_ipv6() == is_v6), own) {
            (None, _) => Some(format!("{text:?} is no address of that family")),
            (Some(gateway), Some((ip, _))) if gateway == ip => Some("is the container's own address".to_owned()),
            (Some(IpAddr::V6(gateway)), _) if gateway.is_unicast_link_local() => None,
            (Some(gateway), Some((ip, prefix))) if network(gateway, prefix) != network(ip, prefix) => {
                Some(format!("{gateway} is not in the network of {address}"))
            }
            _ => None,
        };
        errors.extend(problem.map(|problem| {
            wrong(format!("{field}.gateway"), problem, "give the router's address in the container's network, or none")
        }));
    }
    errors
}

fn parse_cidr(text: &str, is_v6: bool) -> Option<(IpAddr, u32)> {
    let (ip, prefix) = text.split_once('/')?;
    let ip = ip.parse::<IpAddr>().ok().filter(|ip| ip.is_ipv6() == is_v6)?;
    let prefix = Some(prefix).filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))?.parse().ok()?;
    (1..=bits(ip)).contains(&prefix).then_some((ip, prefix))
}

/// Why no machine can have the address.
fn no_host(ip: IpAddr, prefix: u32) -> Option<&'static str> {
    if ip.is_loopback() || ip.is_unspecified() || ip.is_multicast() {
        return Some("is not an address of one machine");
    }
    let host_bits = bits(ip) - prefix;
    // Networks of two or one have neither a network's nor a broadcast address; IPv6 has no broadcast at all.
    if ip.is_ipv6() || host_bits < 2 {
        return None;
    }
    let host = number(ip) & ((1 << host_bits) - 1);
    match host {
        0 => Some("is the address of the network itself"),
        _ if host == (1 << host_bits) - 1 => Some("is the network's broadcast address"),
        _ => None,
    }
}

fn network(ip: IpAddr, prefix: u32) -> u128 {
    number(ip).checked_shr(bits(ip) - prefix).unwrap_or_default()
}

const fn bits(ip: IpAddr) -> u32 {
    if ip.is_ipv6() { 128 } else { 32 }
}

fn number(ip: IpAddr) -> u128 {
    match ip {
        IpAddr::V4(ip) => u128::from(ip.to_bits()),
        IpAddr::V6(ip) => ip.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(address: &str, gateway: Option<&str>, is_v6: bool) -> Vec<String> {
        faults("ip", address, gateway, is_v6).into_iter().map(|error| error.field).collect()
    }

    #[test]
    fn addresses_that_fit_pass() {
        assert!(fields("192.0.2.10/24", Some("192.0.2.1"), false).is_empty());
        assert!(fields("192.0.2.10/31", Some("192.0.2.11"), false).is_empty());
        assert!(fields("192.0.2.10/32", None, false).is_empty());
        assert!(fields("2001:db8::10/64", Some("2001:db8::1"), true).is_empty());
        assert!(fields("2001:db8::10/64", Some("fe80::1"), true).is_empty());
        assert!(fields("2001:db8::/128", None, true).is_empty());
    }

    #[test]
    fn addresses_that_do_not_are_named() {
        for bad in ["192.0.2.10", "192.0.2.10/0", "192.0.2.10/33", "192.0.2/24", "192.0.2.10/+8", "2001:db8::1/64", ""]
        {
            assert_eq!(fields(bad, None, false), ["ip.address"], "{bad}");
        }
        for bad in ["192.0.2.0/24", "192.0.2.255/24", "127.0.0.1/8", "224.0.0.1/4", "0.0.0.0/8"] {
            assert_eq!(fields(bad, None, false), ["ip.address"], "{bad}");
        }
        for bad in ["192.0.3.1", "192.0.2.10", "2001:db8::1", "router"] {
            assert_eq!(fields("192.0.2.10/24", Some(bad), false), ["ip.gateway"], "{bad}");
        }
        assert_eq!(fields("x", Some("y"), true), ["ip.address", "ip.gateway"]);
    }
}
