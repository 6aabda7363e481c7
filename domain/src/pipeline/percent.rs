use super::Pipeline;
use crate::operation::Operation;

/// How far the operation is, 0 to 100, when the current step has done `progress` (0 to 1) of its work.
///
/// Never below what the operation reached before: not when a step is tried again, and not while it is taken down.
#[must_use]
pub fn percent(pipeline: &Pipeline, operation: &Operation, progress: f64) -> f64 {
    let progress = if progress.is_nan() { 0.0 } else { progress.clamp(0.0, 1.0) };
    let here = if operation.is_rolling_back() { 0.0 } else { position(pipeline, operation, progress) };
    here.max(operation.percent()).min(100.0)
}

fn position(pipeline: &Pipeline, operation: &Operation, progress: f64) -> f64 {
    for phase in pipeline.phases {
        let total: f64 = phase.steps.iter().map(|step| f64::from(step.weight)).sum();
        let mut done = 0.0;
        for step in phase.steps {
            let weight = f64::from(step.weight);
            if !operation.has_succeeded(step.name) {
                let (from, to) = (f64::from(phase.band.0), f64::from(phase.band.1));
                return from + (to - from) * (done + weight * progress) / total;
            }
            done += weight;
        }
    }
    100.0
}
