//! What tells this process from all others, also from the one that had its id before a restart.

/// `host-pid-random`, another one each time: ask once and keep it.
#[must_use]
pub fn name() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host = match host.trim() {
        "" => "host",
        host => host,
    };
    format!("{host}-{}-{:08x}", std::process::id(), rand::random::<u32>())
}

#[cfg(test)]
mod tests {
    #[test]
    fn no_two_are_the_same() {
        let (one, other) = (super::name(), super::name());
        assert_ne!(one, other);
        assert!(one.contains(&format!("-{}-", std::process::id())));
    }
}
