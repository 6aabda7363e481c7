//! The rules behind the schema's named formats, which exist only in Proxmox's Perl.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Checks a value against a named format; one that is not known here passes.
///
/// # Errors
/// In Proxmox's words.
pub(super) fn check(name: &str, text: &str) -> Result<(), String> {
    if let Some(of) = name.strip_suffix("-list") {
        return text.split([',', ';', ' ', '\0']).filter(|item| !item.is_empty()).try_for_each(|item| check(of, item));
    }
    let fail = |fits: bool, words: String| if fits { Ok(()) } else { Err(words) };
    match name {
        "pve-vmid" => fail(
            text.parse::<u32>().is_ok_and(|id| (100..=999_999_999).contains(&id))
                && !text.starts_with('0')
                && !text.starts_with('+'),
            "value does not look like a valid VM ID\n".to_owned(),
        ),
        "pve-node" => fail(host_label(text), "value does not look like a valid node name\n".to_owned()),
        "pve-configid" => fail(
            text.len() > 1
                && text.starts_with(|c: char| c.is_ascii_alphabetic())
                && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-'),
            format!("invalid configuration ID '{text}'\n"),
        ),
        "pve-storage-id" => fail(
            text.len() > 1
                && text.starts_with(|c: char| c.is_ascii_alphabetic())
                && text.ends_with(|c: char| c.is_ascii_alphanumeric())
                && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)),
            format!("storage ID '{text}' contains illegal characters\n"),
        ),
        "pve-userid" => fail(
            text.len() <= 64
                && text.rsplit_once('@').is_some_and(|(user, realm)| {
                    !user.is_empty() && !user.contains([':', '/', ' ', '\n', '!']) && realm_fits(realm)
                }),
            format!("value '{text}' does not look like a valid user name\n"),
        ),
        "pve-realm" => fail(realm_fits(text), format!("value '{text}' does not look like a valid realm\n")),
        "pve-poolid" => fail(
            !text.is_empty()
                && text.split('/').count() <= 3
                && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c)),
            format!("value '{text}' does not look like a valid pool name\n"),
        ),
        "pve-groupid" => fail(id_fits(text), format!("group name '{text}' contains invalid characters\n")),
        "pve-roleid" => fail(id_fits(text), format!("role name '{text}' contains invalid characters\n")),
        "pve-tokenid" => fail(
            text.contains('!') && text.contains('@'),
            format!("value '{text}' does not look like a valid token ID\n"),
        ),
        "pve-volume-id" => fail(text.contains(':'), format!("unable to parse volume ID '{text}'\n")),
        "pve-lxc-mp-string" => {
            fail(!text.is_empty() && !text.contains('\n'), "mount point must not be empty\n".to_owned())
        }
        "pve-tag" => fail(tag_fits(text), "invalid characters in tag\n".to_owned()),
        "dns-name" => fail(
            text.split('.').all(host_label) && text.len() < 254,
            "value does not look like a valid DNS name\n".to_owned(),
        ),
        "ipv4" => fail(text.parse::<Ipv4Addr>().is_ok(), "value does not look like a valid IPv4 address\n".to_owned()),
        "ipv6" => fail(text.parse::<Ipv6Addr>().is_ok(), "value does not look like a valid IPv6 address\n".to_owned()),
        "ip" => {
            fail(text.parse::<std::net::IpAddr>().is_ok(), "value does not look like a valid IP address\n".to_owned())
        }
        "address" => fail(
            text.parse::<std::net::IpAddr>().is_ok() || text.split('.').all(host_label),
            "value does not look like a valid address\n".to_owned(),
        ),
        "CIDR" | "CIDRv4" | "CIDRv6" => fail(
            cidr_fits(text, name != "CIDRv6", name != "CIDRv4"),
            format!("value does not look like a valid {name} network\n"),
        ),
        "pve-ipv4-config" => fail(
            matches!(text, "dhcp" | "manual") || cidr_fits(text, true, false),
            "value does not look like a valid ipv4 network configuration\n".to_owned(),
        ),
        "pve-ipv6-config" => fail(
            matches!(text, "auto" | "dhcp" | "manual") || cidr_fits(text, false, true),
            "value does not look like a valid ipv6 network configuration\n".to_owned(),
        ),
        "mac-addr" => fail(mac_fits(text), "value does not look like a valid unicast MAC address\n".to_owned()),
        "disk-size" => fail(size_fits(text), format!("'{text}' is not a valid disk size\n")),
        "pve-startup-order" => fail(
            text.split(',').all(|part| {
                part.chars().all(|c| c.is_ascii_digit())
                    || ["order=", "up=", "down="]
                        .iter()
                        .any(|key| part.strip_prefix(key).is_some_and(|n| n.parse::<u32>().is_ok()))
            }),
            "unable to parse startup options\n".to_owned(),
        ),
        "email-opt" | "email" => {
            fail(text.is_empty() || text.contains('@'), "value does not look like a valid email address\n".to_owned())
        }
        _ => Ok(()),
    }
}

fn host_label(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 63
        && !text.starts_with('-')
        && !text.ends_with('-')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

fn realm_fits(text: &str) -> bool {
    text.len() > 1
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

fn id_fits(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

fn tag_fits(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_')
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "_-+.".contains(c))
}

fn cidr_fits(text: &str, v4: bool, v6: bool) -> bool {
    let Some((address, prefix)) = text.split_once('/') else { return false };
    let Ok(prefix) = prefix.parse::<u8>() else { return false };
    v4 && address.parse::<Ipv4Addr>().is_ok() && (1..=32).contains(&prefix)
        || v6 && address.parse::<Ipv6Addr>().is_ok() && (1..=128).contains(&prefix)
}

fn mac_fits(text: &str) -> bool {
    let bytes: Vec<_> = text.split(':').collect();
    bytes.len() == 6
        && bytes.iter().all(|byte| byte.len() == 2 && u8::from_str_radix(byte, 16).is_ok())
        && u8::from_str_radix(bytes[0], 16).is_ok_and(|first| first & 1 == 0)
}

fn size_fits(text: &str) -> bool {
    let digits = text.strip_suffix(['K', 'M', 'G', 'T']).unwrap_or(text);
    !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit() || c == '.') && digits.parse::<f64>().is_ok()
}
