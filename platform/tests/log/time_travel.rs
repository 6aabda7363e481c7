use domain::{Position, Version};
use platform::log::As;
use uuid::Uuid;

use crate::support::{Base, Counter, at, meta, on_both};

on_both![a_stream_as_it_was];

async fn a_stream_as_it_was(base: Base) {
    let log = base.log().await;
    let (id, other) = (Uuid::now_v7(), Uuid::now_v7());
    let mut steps = Vec::new();
    for n in 1..=4 {
        log.execute::<Counter>(other, 1, &(), meta()).await.unwrap();
        let done = log.execute::<Counter>(id, n, &(), meta()).await.unwrap();
        steps.push((done.state, done.version, done.appended.unwrap().last));
    }
    for (state, version, position) in &steps {
        let then = log.state_at::<Counter>(id, As::Position(*position)).await.unwrap();
        assert_eq!((&then.state, then.version), (state, *version));
        let recorded_at = log.read(Position(position.0 - 1), 1).await.unwrap()[0].recorded_at;
        assert_eq!(log.state_at::<Counter>(id, As::Time(recorded_at)).await.unwrap().state, *state);
    }
    assert_eq!(log.state_at::<Counter>(id, As::Time(at(-1))).await.unwrap().version, Version(0));
}
