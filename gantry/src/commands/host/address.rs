//! Where hosts and nodes answer, as people write it.

use crate::exit::{Exit, Failure, Outcome};

/// Proxmox' port when none is said.
pub(super) fn with_port(address: &str, port: u16) -> String {
    let has_port = address
        .rsplit_once(':')
        .is_some_and(|(name, port)| port.parse::<u16>().is_ok() && (!name.contains(':') || name.ends_with(']')));
    match (has_port, address.contains(':') && !address.starts_with('[')) {
        (true, _) => address.to_owned(),
        (false, true) => format!("[{address}]:{port}"),
        (false, false) => format!("{address}:{port}"),
    }
}

pub(super) fn split(address: &str) -> Outcome<(String, u16)> {
    let parts = address.rsplit_once(':').and_then(|(name, port)| Some((name, port.parse().ok()?)));
    let (name, port) = parts.ok_or_else(|| Failure::new(Exit::Usage, format!("{address:?} is no address")))?;
    Ok((name.trim_matches(['[', ']']).to_owned(), port))
}

/// `NODE=ADDRESS[:PORT]`, of the command line.
pub(super) fn of_node(text: &str) -> Result<(String, String), String> {
    let (node, address) = text.split_once('=').ok_or("write it as NODE=ADDRESS:PORT, like pve2=192.0.2.2:22")?;
    Ok((node.to_owned(), address.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_gets_the_port_of_proxmox_when_it_has_none() {
        for (given, wanted) in [
            ("pve1", "pve1:8006"),
            ("pve1:443", "pve1:443"),
            ("192.0.2.1", "192.0.2.1:8006"),
            ("2001:db8::1", "[2001:db8::1]:8006"),
            ("[2001:db8::1]", "[2001:db8::1]:8006"),
            ("[2001:db8::1]:443", "[2001:db8::1]:443"),
        ] {
            assert_eq!(with_port(given, 8006), wanted);
        }
    }
}
