//! When to ask a running task again.
//!
//! Asking at a fixed beat is wrong for a task of 0.3 s and wasteful for one of an hour. Until the shortest run we
//! remember is nearly over we ask rarely (only a failure ends so early); around the time it ought to end, closely; after
//! that ever more rarely. The fewer runs we know, the earlier we look closely: what two runs took says little of how
//! short the third can be, and one that ends while we ask rarely is seen seconds too late.

use std::time::Duration;

use crate::history::Runs;

const CLOSE: Duration = Duration::from_millis(35);
const RARE_FIRST: Duration = Duration::from_millis(500);
const RAREST: Duration = Duration::from_secs(30);
const LONGEST: Duration = Duration::from_secs(5);

/// The pause before the next question, `elapsed` after the start.
pub(crate) fn pause(elapsed: Duration, remembered: Option<Runs>) -> Duration {
    // Around the expected end: half of this is what waiting adds. It grows with the root of the length, so that the
    // share of the time that waiting adds and the number of questions both stay small, whatever the length.
    let close = CLOSE.max(Duration::from_secs_f64(0.05 * elapsed.as_secs_f64().sqrt()));
    let Some(runs) = remembered else {
        return (CLOSE + elapsed.mul_f64(0.12)).min(LONGEST / 2);
    };
    let window = runs.shortest.mul_f64(trust(runs.known));
    if elapsed < window {
        return rare(elapsed).min(window.saturating_sub(elapsed)).max(Duration::from_millis(5));
    }
    let overdue = elapsed.saturating_sub(runs.longest.mul_f64(1.1) + CLOSE);
    (close + overdue.mul_f64(0.2)).min(LONGEST)
}

/// How much of the shortest run the next one will take at least, as far as `known` runs can tell. Of lengths that
/// spread by a tenth to both sides, the shortest of two may be the longest there is; of sixteen, hardly.
fn trust(known: u32) -> f64 {
    (0.97 - 0.24 / f64::from(known.max(1))).max(0.85)
}

/// 0.5, 1, 2, 4, 8 s … after the start; a failure in a long task is not slept through either.
fn rare(elapsed: Duration) -> Duration {
    if elapsed < RARE_FIRST { RARE_FIRST - elapsed } else { elapsed.min(RAREST) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::history::History;

    /// What waiting for a task of `length` costs: the time added, and the questions asked. Time is counted, not waited.
    fn cost(length: Duration, remembered: Option<Runs>) -> (Duration, u32) {
        let (mut now, mut asked) = (Duration::ZERO, 0);
        loop {
            now += pause(now, remembered);
            asked += 1;
            if now >= length {
                return (now - length, asked);
            }
        }
    }

    /// All lengths within a tenth of `seconds`, from 90 to 110 %.
    fn lengths(seconds: f64) -> impl Iterator<Item = Duration> {
        (90..=110).map(move |percent| Duration::from_secs_f64(seconds * f64::from(percent) / 100.0))
    }

    /// The mean of what the next run costs.
    fn mean(costs: &[(Duration, u32)]) -> (Duration, f64) {
        let runs = u32::try_from(costs.len()).unwrap();
        let asked = costs.iter().map(|(_, asked)| f64::from(*asked)).sum::<f64>();
        (costs.iter().map(|(add, _)| *add).sum::<Duration>() / runs, asked / f64::from(runs))
    }

    /// Milliseconds added and questions asked that a run of so many seconds may cost.
    const AIMS: [(f64, u64, f64); 3] = [(0.3, 45, 4.0), (2.0, 46, 10.0), (30.0, 180, 32.0)];

    #[test]
    fn a_task_like_those_before_is_seen_soon_with_few_questions() {
        for (seconds, added, requests) in AIMS {
            let history = History::default();
            lengths(seconds).for_each(|length| history.learn("vzdump", length));
            let costs: Vec<_> = lengths(seconds).map(|length| cost(length, history.of("vzdump"))).collect();
            let (add, asked) = mean(&costs);
            assert!(add <= Duration::from_millis(added) && asked <= requests, "{seconds} s: {add:?}, {asked}");
        }
    }

    #[test]
    fn one_or_two_runs_are_enough_whichever_they_were() {
        for (seconds, added, requests) in AIMS {
            // Every first and second run that there can be, and every one after them.
            let (mut after_one, mut after_two) = (Vec::new(), Vec::new());
            for first in lengths(seconds) {
                let history = History::default();
                history.learn("vzdump", first);
                after_one.extend(lengths(seconds).map(|length| cost(length, history.of("vzdump"))));
                for second in lengths(seconds) {
                    let history = History::default();
                    history.learn("vzdump", first);
                    history.learn("vzdump", second);
                    after_two.extend(lengths(seconds).map(|length| cost(length, history.of("vzdump"))));
                }
            }
            for (known, costs) in [(1, after_one), (2, after_two)] {
                let (add, asked) = mean(&costs);
                let met = add <= Duration::from_millis(added) && asked <= requests;
                assert!(met, "{seconds} s, {known} known: {add:?}, {asked}");
            }
        }
    }

    proptest! {
        /// What is learned in life is when an end was seen, and whatever row of runs came before, one like them is not
        /// missed by much.
        #[test]
        fn no_row_of_runs_makes_the_next_one_seen_late(
            percents in prop::collection::vec(90u32..=110, 2..40),
            (seconds, ..) in prop::sample::select(AIMS.to_vec()),
        ) {
            let history = History::default();
            for (before, percent) in percents.into_iter().enumerate() {
                let length = Duration::from_secs_f64(seconds * f64::from(percent) / 100.0);
                let (add, asked) = cost(length, history.of("vzdump"));
                history.learn("vzdump", length + add);
                if before > 0 {
                    let met = add <= length / 5 + Duration::from_millis(50) && asked <= 48;
                    prop_assert!(met, "{length:?}: {add:?}, {asked}");
                }
            }
        }
    }

    #[test]
    fn a_failure_at_once_is_not_slept_through() {
        let hour = Duration::from_secs(3600);
        let runs = Runs { known: 9, shortest: hour, longest: hour };
        assert!(cost(Duration::from_millis(100), Some(runs)).0 < Duration::from_millis(500));
        assert!(cost(Duration::from_secs(1200), Some(runs)).0 <= RAREST);
    }

    #[test]
    fn what_takes_much_longer_is_asked_rarely() {
        let second = Duration::from_secs(1);
        let runs = Runs { known: 3, shortest: second, longest: second };
        let (added, asked) = cost(Duration::from_secs(3600), Some(runs));
        assert!(added <= LONGEST && asked < 1000, "{added:?} {asked}");
        let (added, asked) = cost(Duration::from_secs(3600), None);
        assert!(added <= LONGEST && asked < 1500, "{added:?} {asked}");
    }
}
