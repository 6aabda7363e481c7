//! What kinds of problems there are.

/// The kinds of problems. Their names are part of the API: programs decide by them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    Malformed,
    Invalid,
    Unauthenticated,
    CodeRequired,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    Busy,
    Conflict,
    Stale,
    NotPossible,
    IdempotencyMismatch,
    TooSlow,
    TooLarge,
    UnsupportedMediaType,
    QuotaExceeded,
    RateLimited,
    QueueFull,
    HostAway,
    TookTooLong,
    Unavailable,
    Internal,
}

impl Kind {
    pub const ALL: [Self; 22] = [
        Self::Malformed,
        Self::Invalid,
        Self::Unauthenticated,
        Self::CodeRequired,
        Self::Forbidden,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::Busy,
        Self::Conflict,
        Self::Stale,
        Self::NotPossible,
        Self::IdempotencyMismatch,
        Self::TooSlow,
        Self::TooLarge,
        Self::UnsupportedMediaType,
        Self::QuotaExceeded,
        Self::RateLimited,
        Self::QueueFull,
        Self::HostAway,
        Self::TookTooLong,
        Self::Unavailable,
        Self::Internal,
    ];

    /// Name, status, title, and what to do about it.
    #[must_use]
    pub const fn row(self) -> (&'static str, u16, &'static str, &'static str) {
        match self {
            Self::Malformed => {
                ("malformed", 400, "The request can't be read", "Send valid JSON of the documented shape.")
            }
            Self::Invalid => ("invalid", 422, "Some values are not allowed", "Change the fields listed in `errors`."),
            Self::Unauthenticated => {
                ("unauthenticated", 401, "Who are you?", "Send `Authorization: Bearer <token>` with a valid token.")
            }
            Self::CodeRequired => (
                "code-required",
                401,
                "A code is needed",
                "Send it as `code`: the one that your app shows, each good once, or a recovery code.",
            ),
            Self::Forbidden => ("forbidden", 403, "You may not do this", "Ask an administrator for the permission."),
            Self::NotFound => {
                ("not-found", 404, "There is no such thing", "Check the id; lists show what you may see.")
            }
            Self::MethodNotAllowed => {
                ("method-not-allowed", 405, "This can't be done here", "See /docs for what this path knows.")
            }
            Self::Busy => (
                "busy",
                409,
                "Another operation is at work",
                "Wait for the operation named in `holder`, or cancel it; then ask again.",
            ),
            Self::Conflict => ("conflict", 409, "It has changed meanwhile", "Read it again and decide anew."),
            Self::Stale => (
                "stale",
                412,
                "It is not as you last saw it",
                "Read it again, decide anew, and send the new `ETag` in `If-Match`.",
            ),
            Self::NotPossible => ("not-possible", 409, "Not in this state", "See `detail` for what has to be first."),
            Self::IdempotencyMismatch => (
                "idempotency-mismatch",
                422,
                "This Idempotency-Key was used for something else",
                "Use a new key for a new request.",
            ),
            Self::TooSlow => (
                "too-slow",
                408,
                "The request did not arrive in time",
                "Send it again without pauses; the limit is in `detail`.",
            ),
            Self::TooLarge => ("too-large", 413, "The request is too large", "Send less; the limit is in `detail`."),
            Self::UnsupportedMediaType => {
                ("unsupported-media-type", 415, "This kind of content is not read", "Send application/json.")
            }
            Self::QuotaExceeded => (
                "quota-exceeded",
                409,
                "The account may not have more",
                "Delete what you no longer need, ask for less, or ask an administrator for a larger quota; `over` says of what.",
            ),
            Self::RateLimited => {
                ("rate-limited", 429, "Too much too fast", "Ask again after `Retry-After` seconds, and less often.")
            }
            Self::QueueFull => {
                ("queue-full", 503, "Too much is waiting already", "Ask again after `Retry-After` seconds.")
            }
            Self::HostAway => (
                "host-away",
                503,
                "The Proxmox host does not answer",
                "Try again later; `gantry doctor` tells an operator more.",
            ),
            Self::TookTooLong => (
                "took-too-long",
                503,
                "The answer took too long",
                "It may have been done or not: look, or send it again with the same Idempotency-Key.",
            ),
            Self::Unavailable => {
                ("unavailable", 503, "Not available right now", "Ask again after `Retry-After` seconds.")
            }
            Self::Internal => (
                "internal",
                500,
                "Something went wrong on our side",
                "Tell the operator the `request_id`; the log has the cause.",
            ),
        }
    }

    #[must_use]
    pub const fn slug(self) -> &'static str {
        self.row().0
    }
}

/// None is missing: one more shifts the last one's number.
const _: () = {
    let mut at = 0;
    while at < Kind::ALL.len() {
        assert!(Kind::ALL[at] as usize == at, "Kind::ALL has the kinds in their order");
        at += 1;
    }
    assert!(Kind::ALL.len() == Kind::Internal as usize + 1, "Kind::ALL has every kind, Internal the last");
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_a_name_of_its_own_and_says_what_to_do() {
        let names: std::collections::HashSet<_> = Kind::ALL.iter().map(|k| k.slug()).collect();
        assert_eq!(names.len(), Kind::ALL.len());
        assert!(Kind::ALL.iter().all(|k| !k.row().3.is_empty()));
    }
}
