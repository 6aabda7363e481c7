//! One safeguard switched off, to see that the judge of a storm notices: `cargo xtask chaos --without fencing`. In the
//! program as it is shipped none can be: without the feature `sabotage` this is nothing.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Safeguard {
    /// Who lost an operation to another brings no result of it.
    Fencing,
    /// A step that was interrupted is looked at before it is done again, and a script that ran is not run again.
    IdempotentStep,
    /// Operations whose jobs were lost are found.
    Sweep,
    /// Who comes back to a stream goes on where he left.
    GapFreeResume,
    /// What an account may have is counted in the same append.
    Reservation,
}

#[cfg(not(feature = "sabotage"))]
#[must_use]
pub const fn is_off(_: Safeguard) -> bool {
    false
}

#[cfg(feature = "sabotage")]
#[must_use]
#[expect(clippy::disallowed_methods, reason = "it is none of the program's settings")]
pub fn is_off(safeguard: Safeguard) -> bool {
    use std::sync::OnceLock;
    static OFF: OnceLock<Option<Safeguard>> = OnceLock::new();
    let told = || match std::env::var("SABOTAGE").ok()?.as_str() {
        "fencing" => Some(Safeguard::Fencing),
        "idempotent-step" => Some(Safeguard::IdempotentStep),
        "sweep" => Some(Safeguard::Sweep),
        "gap-free-resume" => Some(Safeguard::GapFreeResume),
        "reservation" => Some(Safeguard::Reservation),
        _ => None,
    };
    *OFF.get_or_init(told) == Some(safeguard)
}
