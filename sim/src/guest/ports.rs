//! What listens in a guest: the services of its stand-ins, and whatever really listens in its network namespace.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Guests;

/// A TCP port that a connection to the guest would find open.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OpenPort {
    pub address: IpAddr,
    pub port: u16,
}

impl Guests {
    /// The listening TCP ports of a running container; none when it is stopped.
    #[must_use]
    pub fn open_ports(&self, vmid: u32) -> Vec<OpenPort> {
        let Ok(sandbox) = self.known(vmid) else { return Vec::new() };
        let Some(init) = sandbox.init() else { return Vec::new() };
        let mut all = Vec::new();
        if let Ok(entries) = std::fs::read_dir(sandbox.run_dir().join("sim/ports")) {
            // One file per unit, one `ADDRESS PORT` a line.
            for entry in entries.flatten().filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_file())) {
                let text = std::fs::read_to_string(entry.path()).unwrap_or_default();
                all.extend(text.lines().filter_map(stand_in));
            }
        }
        for table in ["tcp", "tcp6"] {
            let text = std::fs::read_to_string(format!("/proc/{init}/net/{table}")).unwrap_or_default();
            all.extend(text.lines().skip(1).filter_map(listening));
        }
        all.sort();
        all.dedup();
        all
    }
}

fn stand_in(line: &str) -> Option<OpenPort> {
    let (address, port) = line.split_once(' ')?;
    Some(OpenPort { address: address.parse().ok()?, port: port.trim().parse().ok()? })
}

/// A line of `/proc/net/tcp`: the address in words of the machine's byte order, the port, and state 0A for listening.
fn listening(line: &str) -> Option<OpenPort> {
    let mut fields = line.split_whitespace().skip(1);
    let (address, port) = fields.next()?.split_once(':')?;
    if fields.nth(1)? != "0A" {
        return None;
    }
    let port = u16::from_str_radix(port, 16).ok()?;
    let words: Option<Vec<u32>> =
        (0..address.len() / 8).map(|i| u32::from_str_radix(address.get(i * 8..i * 8 + 8)?, 16).ok()).collect();
    let bytes: Vec<u8> = words?.into_iter().flat_map(u32::to_ne_bytes).collect();
    let address = match <[u8; 4]>::try_from(bytes.as_slice()) {
        Ok(four) => IpAddr::V4(Ipv4Addr::from(four)),
        Err(_) => IpAddr::V6(Ipv6Addr::from(<[u8; 16]>::try_from(bytes.as_slice()).ok()?)),
    };
    Some(OpenPort { address, port })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listening_line_is_read_and_others_are_not() {
        let line = "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0";
        assert_eq!(listening(line), Some(OpenPort { address: Ipv4Addr::LOCALHOST.into(), port: 8080 }));
        assert_eq!(listening(&line.replace(" 0A ", " 01 ")), None);
        assert_eq!(stand_in("0.0.0.0 80"), Some(OpenPort { address: Ipv4Addr::UNSPECIFIED.into(), port: 80 }));
    }
}
