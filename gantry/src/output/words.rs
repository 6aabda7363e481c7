//! Times and sizes as people read them.

use chrono::{DateTime, Utc};

/// `3 min`, `2 h`, `5 d`: how long ago.
pub(crate) fn ago(at: DateTime<Utc>) -> String {
    seconds((platform::clock::now() - at).num_seconds().max(0).unsigned_abs())
}

/// The same of what is to come.
pub(crate) fn until(at: DateTime<Utc>) -> String {
    seconds((at - platform::clock::now()).num_seconds().max(0).unsigned_abs())
}

pub(crate) fn seconds(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min", seconds / 60),
        3600..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} d", seconds / 86_400),
    }
}

pub(crate) fn bytes(bytes: u64) -> String {
    let megabytes = bytes / (1024 * 1024);
    if megabytes < 10_240 { format!("{megabytes} MB") } else { format!("{} GB", megabytes / 1024) }
}
