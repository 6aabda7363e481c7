//! What Proxmox remembers of the past, for nodes and guests.

use serde::Deserialize;

use crate::error::{Error, Result, Thing};
use crate::lenient;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timeframe {
    Hour,
    Day,
    Week,
    Month,
    Year,
}

impl Timeframe {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
        }
    }
}

/// A point; before the first measurement it is only a time.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Sample {
    #[serde(deserialize_with = "lenient::whole")]
    pub time: u64,
    #[serde(default, deserialize_with = "lenient::maybe_real")]
    pub cpu: Option<f64>,
    #[serde(default, deserialize_with = "lenient::maybe_real")]
    pub maxcpu: Option<f64>,
    /// A node says `memused`.
    #[serde(default, alias = "memused", deserialize_with = "lenient::maybe_real")]
    pub mem: Option<f64>,
    #[serde(default, alias = "memtotal", deserialize_with = "lenient::maybe_real")]
    pub maxmem: Option<f64>,
    #[serde(default, alias = "rootused", deserialize_with = "lenient::maybe_real")]
    pub disk: Option<f64>,
    #[serde(default, alias = "roottotal", deserialize_with = "lenient::maybe_real")]
    pub maxdisk: Option<f64>,
    /// Bytes per second.
    #[serde(default, deserialize_with = "lenient::maybe_real")]
    pub netin: Option<f64>,
    #[serde(default, deserialize_with = "lenient::maybe_real")]
    pub netout: Option<f64>,
    #[serde(default, deserialize_with = "lenient::maybe_real")]
    pub diskread: Option<f64>,
    #[serde(default, deserialize_with = "lenient::maybe_real")]
    pub diskwrite: Option<f64>,
    #[serde(default, deserialize_with = "lenient::maybe_real")]
    pub loadavg: Option<f64>,
}

/// A guest that is seconds old has no metrics yet, which Proxmox calls an error.
pub(crate) fn none_yet(result: Result<Vec<Sample>>) -> Result<Vec<Sample>> {
    match result {
        Err(Error::NotFound(Thing::Metrics, _)) => Ok(Vec::new()),
        other => other,
    }
}
