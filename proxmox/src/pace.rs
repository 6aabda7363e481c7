//! When to ask a running task again.
//!
//! Asking at a fixed beat is wrong for a task of 0.3 s and wasteful for one of an hour. Until the shortest run we
//! remember is nearly over we ask rarely (only a failure ends so early); around the time it ought to end, closely; after
//! that ever more rarely.

use std::time::Duration;

const CLOSE: Duration = Duration::from_millis(35);
const RARE_FIRST: Duration = Duration::from_millis(500);
const LONGEST: Duration = Duration::from_secs(5);

/// The pause before the next question, `elapsed` after the start.
pub(crate) fn pause(elapsed: Duration, remembered: Option<(Duration, Duration)>) -> Duration {
    // Around the expected end: half of this is what waiting adds.
    let close = CLOSE + elapsed.mul_f64(0.008);
    let Some((shortest, longest)) = remembered else {
        return (CLOSE + elapsed.mul_f64(0.12)).min(LONGEST / 2);
    };
    let window = shortest.mul_f64(0.97);
    if elapsed < window {
        return rare(elapsed).min(window.saturating_sub(elapsed)).max(Duration::from_millis(5));
    }
    let overdue = elapsed.saturating_sub(longest.mul_f64(1.1) + CLOSE);
    (close + overdue.mul_f64(0.2)).min(LONGEST)
}

/// 0.5, 1, 2, 4, 8 s … after the start.
fn rare(elapsed: Duration) -> Duration {
    if elapsed < RARE_FIRST { RARE_FIRST - elapsed } else { elapsed }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What waiting for a task of `length` costs: the time added, and the questions asked.
    fn cost(length: Duration, remembered: Option<(Duration, Duration)>) -> (Duration, u32) {
        let (mut now, mut asked) = (Duration::ZERO, 0);
        loop {
            now += pause(now, remembered);
            asked += 1;
            if now >= length {
                return (now - length, asked);
            }
        }
    }

    #[test]
    fn a_task_like_those_before_is_seen_soon_with_few_questions() {
        for (seconds, added, requests) in [(0.3, 45, 4), (2.0, 46, 10), (30.0, 180, 32)] {
            let (shortest, longest) = (Duration::from_secs_f64(seconds * 0.9), Duration::from_secs_f64(seconds * 1.1));
            let length = |percent: u32| Duration::from_secs_f64(seconds * f64::from(percent) / 100.0);
            let costs: Vec<_> = (90..=110).map(|percent| cost(length(percent), Some((shortest, longest)))).collect();
            let runs = u32::try_from(costs.len()).unwrap();
            let add = costs.iter().map(|(add, _)| *add).sum::<Duration>() / runs;
            let asked = costs.iter().map(|(_, asked)| asked).sum::<u32>().div_ceil(runs);
            assert!(add <= Duration::from_millis(added) && asked <= requests, "{seconds} s: {add:?}, {asked}");
        }
    }

    #[test]
    fn a_failure_at_once_is_not_slept_through() {
        let hour = Duration::from_secs(3600);
        assert!(cost(Duration::from_millis(100), Some((hour, hour))).0 < Duration::from_millis(500));
    }

    #[test]
    fn what_takes_much_longer_is_asked_rarely() {
        let second = Duration::from_secs(1);
        let (added, asked) = cost(Duration::from_secs(3600), Some((second, second)));
        assert!(added <= LONGEST && asked < 1000, "{added:?} {asked}");
        let (added, asked) = cost(Duration::from_secs(3600), None);
        assert!(added <= LONGEST && asked < 1500, "{added:?} {asked}");
    }
}
