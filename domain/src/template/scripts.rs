//! `NN-name.sh`: the number says when it runs.

use serde::{Deserialize, Serialize};

use super::Finding;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Script {
    pub order: u16,
    /// The whole file name, `40-docker.sh`.
    pub name: String,
    pub content: String,
}

/// The number before the first dash.
///
/// # Errors
/// When the name is not `NN-name.sh`.
pub fn script_order(name: &str) -> Result<u16, Finding> {
    let number = name.strip_suffix(".sh").and_then(|stem| stem.split_once('-')).and_then(|(number, rest)| {
        let plain = !number.is_empty() && number.len() <= 4 && number.bytes().all(|b| b.is_ascii_digit());
        if plain && !rest.is_empty() { number.parse().ok() } else { None }
    });
    number.ok_or_else(|| {
        Finding::error(0, format!("{name} is not a script's name"), "call it NN-name.sh, as in 40-docker.sh")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_is_before_the_first_dash() {
        assert_eq!(script_order("00-pre-checks.sh").unwrap(), 0);
        assert_eq!(script_order("40-docker.sh").unwrap(), 40);
        for bad in ["docker.sh", "4x-a.sh", "-a.sh", "40-.sh", "40-a", "99999-a.sh"] {
            assert!(script_order(bad).is_err(), "{bad}");
        }
    }
}
