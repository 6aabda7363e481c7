//! The shapes of names that Proxmox, DNS and package managers take.

use std::net::{IpAddr, Ipv6Addr};

/// One label of RFC 1123.
pub(crate) fn is_label(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
}

pub(crate) fn is_domain(text: &str) -> bool {
    text.len() <= 253 && text.split('.').all(is_label)
}

/// `name:port`, `address:port` or `[IPv6]:port`.
pub(crate) fn is_authority(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else { return false };
    let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let host_is_right = match bracketed {
        Some(address) => address.parse::<Ipv6Addr>().is_ok(),
        None => host.parse::<IpAddr>().is_ok_and(|address| address.is_ipv4()) || is_domain(host),
    };
    host_is_right && port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0)
}

/// Starts with `first`, goes on with letters, digits and `more`; at most `longest` bytes.
pub(crate) fn is_word(text: &str, first: fn(char) -> bool, more: &str, longest: usize) -> bool {
    text.len() <= longest
        && text.starts_with(first)
        && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
}

pub(crate) fn is_storage(text: &str) -> bool {
    text.len() >= 2 && is_word(text, |c| c.is_ascii_alphabetic(), "-_.", 100) && !text.ends_with(['-', '_', '.'])
}

/// What the kernel takes as an interface's name.
pub(crate) fn is_bridge(text: &str) -> bool {
    is_word(text, |c| c.is_ascii_alphabetic(), "-_.", 15)
}

pub(crate) fn is_tag(text: &str) -> bool {
    is_word(text, |c| c.is_ascii_alphanumeric() || c == '_', "_-+.", 64)
}

pub(crate) fn is_template(text: &str) -> bool {
    is_word(text, |c| c.is_ascii_alphanumeric(), "-_.", 64)
}

/// No option and no shell: the name can stand in an argument list of any package manager.
pub(crate) fn is_package(text: &str) -> bool {
    is_word(text, |c| c.is_ascii_alphanumeric() || c == '@', "@/+._:~=-", 128) && !text.contains("..")
}

/// A file's name without a path.
pub(crate) fn is_script(text: &str) -> bool {
    is_word(text, |c| c.is_ascii_alphanumeric(), "-_.", 128)
}

/// A file on a storage (`local:vztmpl/debian-12-standard_12.7-1_amd64.tar.zst`), or an image's name.
pub(crate) fn is_image(text: &str) -> bool {
    is_word(text, |c| c.is_ascii_alphanumeric(), "-_.:/+~", 255) && !text.contains("..")
}

/// As Proxmox takes it, without the names that it uses itself.
pub(crate) fn is_snapshot(text: &str) -> bool {
    text.len() >= 2
        && is_word(text, |c| c.is_ascii_alphabetic(), "-_", 40)
        && !["current", "pending", "vzdump"].iter().any(|taken| text.eq_ignore_ascii_case(taken))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_those_of_rfc_1123() {
        for good in ["a", "web-1", "3com", "X", &"a".repeat(63)] {
            assert!(is_label(good), "{good}");
        }
        for bad in ["", "-a", "a-", "a_b", "a.b", "ä", "a b", &"a".repeat(64)] {
            assert!(!is_label(bad), "{bad}");
        }
    }

    #[test]
    fn an_authority_has_a_host_and_a_port() {
        for good in ["pve:8006", "10.0.0.1:8006", "[::1]:8006"] {
            assert!(is_authority(good), "{good}");
        }
        for bad in ["pve", "pve:0", "pve:99999", "::1:8006", "https://pve:8006", "pve:+80", ":80", "[pve]:80"] {
            assert!(!is_authority(bad), "{bad}");
        }
    }

    #[test]
    fn a_package_is_neither_an_option_nor_shell() {
        for good in ["curl", "g++", "@types/node", "python3.11", "requests==2.31", "libc6:amd64"] {
            assert!(is_package(good), "{good}");
        }
        for bad in ["", "-y", "a;b", "a b", "$(id)", "../x", "a\nb", "`x`"] {
            assert!(!is_package(bad), "{bad}");
        }
    }
}
