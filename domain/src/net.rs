//! Addresses and networks.

use std::net::IpAddr;
use std::str::FromStr;

/// An address, or all that share so many of their first bits with it: `192.0.2.7`, `192.0.2.0/24`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Net {
    address: u128,
    bits: u32,
    v4: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("write an address like 192.0.2.1, or a network like 192.0.2.0/24 or 2001:db8::/32")]
pub struct NoNet;

impl FromStr for Net {
    type Err = NoNet;

    fn from_str(text: &str) -> Result<Self, NoNet> {
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse::<u32>().map_err(|_| NoNet)?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| NoNet)?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(most);
        if bits > most {
            return Err(NoNet);
        }
        Ok(Self { address: number(address), bits: bits + 128 - most, v4: address.is_ipv4() })
    }
}

impl Net {
    #[must_use]
    pub fn has(&self, other: IpAddr) -> bool {
        let shift = 128 - self.bits;
        let differ = self.address ^ number(other);
        self.v4 == other.is_ipv4() && (shift == 128 || differ >> shift == 0)
    }
}

fn number(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u32::from(v4).into(),
        IpAddr::V6(v6) => u128::from(v6),
    }
}
