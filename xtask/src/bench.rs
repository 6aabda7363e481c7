//! One way to print a figure: a table for people, one JSON line each for programs. Only benches and xtask print.
#![allow(clippy::print_stdout, reason = "printing figures is what this is for")]

use serde::{Deserialize, Serialize};

/// What a figure is held against.
#[derive(Debug, Clone, Copy)]
pub enum Aim {
    AtLeast(f64),
    AtMost(f64),
    /// The value divided by the limit.
    RatioAtLeast(f64),
    RatioAtMost(f64),
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Figure {
    pub bench: String,
    pub figure: String,
    /// What was there while it was measured: how the figure grows with that is plotted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<f64>,
    pub value: f64,
    pub unit: String,
    /// What the machine can do at best, measured in the same run.
    pub limit: Option<f64>,
    pub ratio: Option<f64>,
    /// The number; which way it is meant stands in the table.
    pub aim: Option<f64>,
    aim_in_words: Option<String>,
    pub met: Option<bool>,
}

impl Figure {
    #[must_use]
    pub fn new(bench: &str, figure: impl Into<String>, value: f64, unit: &str) -> Self {
        Self {
            bench: bench.to_owned(),
            figure: figure.into(),
            at: None,
            value,
            unit: unit.to_owned(),
            limit: None,
            ratio: None,
            aim: None,
            aim_in_words: None,
            met: None,
        }
    }

    #[must_use]
    pub fn at(mut self, at: f64) -> Self {
        self.at = Some(at);
        self
    }

    #[must_use]
    pub fn limit(mut self, limit: f64) -> Self {
        self.limit = Some(limit);
        self.ratio = Some(self.value / limit);
        self
    }

    /// Give the limit first when the aim is a ratio; without one it counts as missed.
    #[must_use]
    pub fn aim(mut self, aim: Aim) -> Self {
        let ratio = self.ratio.unwrap_or(f64::NAN);
        let (number, words, met) = match aim {
            Aim::AtLeast(least) => (least, format!("≥ {least} {}", self.unit), self.value >= least),
            Aim::AtMost(most) => (most, format!("≤ {most} {}", self.unit), self.value <= most),
            Aim::RatioAtLeast(least) => (least, format!("≥ {least}× limit"), ratio >= least),
            Aim::RatioAtMost(most) => (most, format!("≤ {most}× limit"), ratio <= most),
        };
        self.aim = Some(number);
        self.aim_in_words = Some(words);
        self.met = Some(met);
        self
    }

    /// Prints it: as JSON when the bench was called with `--json`, else as a line of a table.
    pub fn print(&self) {
        if std::env::args().any(|arg| arg == "--json") {
            println!("{}", serde_json::json!(self));
            return;
        }
        println!("{}", self.line());
    }

    /// As a line of a table.
    #[must_use]
    pub fn line(&self) -> String {
        let number = |value: f64| format!("{value:.*}", if value.abs() >= 100.0 { 0 } else { 3 });
        let limit = self.limit.map_or_else(String::new, |limit| format!("limit {}", number(limit)));
        let ratio = self.ratio.map_or_else(String::new, |ratio| format!("{ratio:.2}×"));
        let aim = self.aim_in_words.as_deref().map_or_else(String::new, |aim| format!("aim {aim}"));
        let met = self.met.map_or("", |met| if met { "met" } else { "MISSED" });
        let value = format!("{} {}", number(self.value), self.unit);
        let name = self.at.map_or_else(|| self.figure.clone(), |at| format!("{} at {at}", self.figure));
        format!("{:<10} {:<44} {value:>20}  {limit:<18} {ratio:>8}  {aim:<22} {met}", self.bench, name)
    }
}

/// The middle of the values; NaN of none.
#[must_use]
pub fn median(values: &[f64]) -> f64 {
    percentile(values, 50.0)
}

/// The value that `percent` of all don't exceed (nearest rank); NaN of none.
#[must_use]
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a rank fits, and a share is never negative"
)]
pub fn percentile(values: &[f64], percent: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let rank = (percent.clamp(0.0, 100.0) / 100.0 * sorted.len() as f64).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let values = [5.0, 1.0, 4.0, 2.0, 3.0];
        assert_eq!([median(&values), percentile(&values, 99.0), percentile(&values, 0.0)], [3.0, 5.0, 1.0]);
        assert!(median(&[]).is_nan());
    }

    #[test]
    fn a_ratio_without_its_limit_is_missed() {
        let figure = Figure::new("log", "appends", 10.0, "/s");
        assert_eq!(figure.clone().aim(Aim::RatioAtLeast(1.0)).met, Some(false));
        assert_eq!(figure.limit(5.0).aim(Aim::RatioAtLeast(2.0)).met, Some(true));
    }
}
