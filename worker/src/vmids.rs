//! VMIDs that this process is about to lease. The lease itself is in the log; this only keeps a hundred creates that
//! begin together from all reaching for the same number.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use domain::HostId;

/// Long enough for the lease to be in the log and in what the next one reads.
const REMEMBERED: Duration = Duration::from_secs(30);

#[derive(Default)]
pub(crate) struct Vmids {
    taken: Mutex<HashMap<(HostId, u32), Instant>>,
}

impl Vmids {
    /// The lowest number from `from` on that is neither `in_use` nor just given to somebody else here.
    pub(crate) fn choose(&self, host: HostId, from: u32, in_use: impl Fn(u32) -> bool) -> Option<u32> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        taken.retain(|_, since| now.duration_since(*since) < REMEMBERED);
        let vmid = (from..=999_999_999).find(|vmid| !in_use(*vmid) && !taken.contains_key(&(host, *vmid)))?;
        taken.insert((host, vmid), now);
        Some(vmid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_given_what_another_was_just_given() {
        let (vmids, host) = (Vmids::default(), HostId::new(uuid::Uuid::nil()));
        let given: Vec<_> = (0..3).filter_map(|_| vmids.choose(host, 100, |vmid| vmid == 101)).collect();
        assert_eq!(given, [100, 102, 103]);
        assert_eq!(vmids.choose(HostId::new(uuid::Uuid::max()), 100, |_| false), Some(100));
    }
}
