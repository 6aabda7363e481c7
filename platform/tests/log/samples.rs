use chrono::TimeDelta;
use platform::series::samples::{self, Point, Resolution, Retention, Sample};

use crate::support::{Base, at, on_both};

on_both![samples_are_rolled_up_and_forgotten, a_sample_that_comes_twice_counts_once];

/// One sample in ten seconds, over two hours.
fn two_hours(series: &str) -> Vec<Sample> {
    (0..720).map(|n| Sample { series: series.into(), at: at(n * 10), value: (n % 6) as f64 }).collect()
}

async fn samples_are_rolled_up_and_forgotten(base: Base) {
    let log = base.log().await;
    let db = log.db();
    for part in two_hours("cpu").chunks(100) {
        samples::write(db, part).await.unwrap();
    }
    samples::write(db, &two_hours("memory")).await.unwrap();
    let (from, to) = (at(-100_000), at(100_000));
    let raw = samples::read(db, "cpu", from, to, Resolution::Raw).await.unwrap();
    assert_eq!(raw.len(), 720);
    for resolution in [Resolution::Minute, Resolution::Hour, Resolution::Day] {
        let points = samples::read(db, "cpu", from, to, resolution).await.unwrap();
        assert_eq!(points.iter().map(|p| p.count).sum::<i64>(), 720, "{resolution:?}");
        assert_eq!(points.iter().map(|p| p.sum).sum::<f64>(), raw.iter().map(|p| p.sum).sum::<f64>(), "{resolution:?}");
        assert!(points.iter().all(|p| p.at.timestamp() % resolution.seconds() == 0));
        assert!(points.iter().any(|p| p.min == 0.0 && p.max == 5.0));
    }
    let keep = Retention { raw: TimeDelta::hours(1), ..Retention::default() };
    samples::sweep(db, &keep, at(7200)).await.unwrap();
    assert_eq!(samples::read(db, "cpu", from, to, Resolution::Raw).await.unwrap().len(), 360);
    assert!(samples::read(db, "cpu", from, to, Resolution::Minute).await.unwrap().len() >= 120);
}

async fn a_sample_that_comes_twice_counts_once(base: Base) {
    let log = base.log().await;
    let sample = Sample { series: "a".into(), at: at(0), value: 0.1 };
    for _ in 0..3 {
        samples::write(log.db(), std::slice::from_ref(&sample)).await.unwrap();
    }
    samples::write(log.db(), &[Sample { value: f64::NAN, at: at(1), ..sample.clone() }]).await.unwrap();
    let points = samples::read(log.db(), "a", at(-100_000), at(100_000), Resolution::Hour).await.unwrap();
    assert!(matches!(points[..], [Point { count: 1, sum: 0.1, min: 0.1, max: 0.1, .. }]), "{points:?}");
}

#[test]
fn the_finest_resolution_that_is_kept_and_fits() {
    let keep = Retention::default();
    let ask = |back: i64, points| keep.resolution(at(-back), at(0), at(0), TimeDelta::seconds(10), points);
    assert_eq!(ask(3600, 500), Resolution::Raw);
    assert_eq!(ask(3600, 100), Resolution::Minute);
    assert_eq!(ask(86_400, 2000), Resolution::Minute, "raw is not kept so long");
    assert_eq!(ask(86_400, 100), Resolution::Hour);
    assert_eq!(ask(86_400 * 400, 10_000), Resolution::Day);
}
