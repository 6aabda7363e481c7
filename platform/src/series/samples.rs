//! Numbers over time: raw for a while, rolled up by minute, hour and day for longer.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use crate::db::{Db, DbError, Tx, from_micros, micros, statements, with_db, with_tx};

statements! {
    one {
        RAW = "SELECT at, 1, value, value, value FROM samples WHERE series = $1 AND at >= $2 AND at < $3 ORDER BY at";
        ROLLED = "SELECT at, count, sum, min, max FROM sample_rollups
                  WHERE series = $1 AND resolution = $4 AND at >= $2 AND at < $3 ORDER BY at";
        FORGET_RAW = "DELETE FROM samples WHERE at < $1";
        FORGET_ROLLED = "DELETE FROM sample_rollups WHERE resolution = $1 AND at < $2";
    }
    two {
        // A sample that came twice counts once: only what was new is rolled up.
        WRITE =
            "INSERT INTO samples (series, at, value)
             SELECT s->>0, CAST(s->>1 AS BIGINT), CAST(s->>2 AS DOUBLE PRECISION) FROM json_array_elements(CAST($1 AS JSON)) AS asked(s)
             ON CONFLICT (series, at) DO NOTHING RETURNING series, at, value",
            "INSERT INTO samples (series, at, value)
             SELECT value->>0, CAST(value->>1 AS INTEGER), CAST(value->>2 AS REAL) FROM json_each($1) WHERE true
             ON CONFLICT (series, at) DO NOTHING RETURNING series, at, value";
        ROLL_UP =
            "INSERT INTO sample_rollups (series, resolution, at, count, sum, min, max)
             SELECT s->>0, CAST(s->>1 AS BIGINT), CAST(s->>2 AS BIGINT), CAST(s->>3 AS BIGINT), CAST(s->>4 AS DOUBLE PRECISION),
                    CAST(s->>5 AS DOUBLE PRECISION), CAST(s->>6 AS DOUBLE PRECISION) FROM json_array_elements(CAST($1 AS JSON)) AS asked(s)
             ON CONFLICT (series, resolution, at) DO UPDATE SET count = sample_rollups.count + excluded.count,
                sum = sample_rollups.sum + excluded.sum,
                min = LEAST(sample_rollups.min, excluded.min), max = GREATEST(sample_rollups.max, excluded.max)",
            "INSERT INTO sample_rollups (series, resolution, at, count, sum, min, max)
             SELECT value->>0, CAST(value->>1 AS INTEGER), CAST(value->>2 AS INTEGER), CAST(value->>3 AS INTEGER), CAST(value->>4 AS REAL),
                    CAST(value->>5 AS REAL), CAST(value->>6 AS REAL) FROM json_each($1) WHERE true
             ON CONFLICT (series, resolution, at) DO UPDATE SET count = sample_rollups.count + excluded.count,
                sum = sample_rollups.sum + excluded.sum,
                min = min(sample_rollups.min, excluded.min), max = max(sample_rollups.max, excluded.max)";
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    pub series: String,
    pub at: DateTime<Utc>,
    pub value: f64,
}

/// One sample, or all of a bucket that begins at `at`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    pub at: DateTime<Utc>,
    pub count: i64,
    pub sum: f64,
    pub min: f64,
    pub max: f64,
}

impl Point {
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "no bucket holds 2^52 samples")]
    pub fn mean(&self) -> f64 {
        self.sum / self.count as f64
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Resolution {
    Raw,
    Minute,
    Hour,
    Day,
}

impl Resolution {
    const ROLLED: [Self; 3] = [Self::Minute, Self::Hour, Self::Day];

    /// A bucket's length; raw samples have none.
    #[must_use]
    pub const fn seconds(self) -> i64 {
        match self {
            Self::Raw => 0,
            Self::Minute => 60,
            Self::Hour => 3_600,
            Self::Day => 86_400,
        }
    }
}

/// How long each resolution is kept.
#[derive(Debug, Clone, Copy)]
pub struct Retention {
    pub raw: TimeDelta,
    pub minute: TimeDelta,
    pub hour: TimeDelta,
    pub day: TimeDelta,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            raw: TimeDelta::hours(6),
            minute: TimeDelta::days(7),
            hour: TimeDelta::days(90),
            day: TimeDelta::days(3650),
        }
    }
}

impl Retention {
    #[must_use]
    pub const fn of(&self, resolution: Resolution) -> TimeDelta {
        match resolution {
            Resolution::Raw => self.raw,
            Resolution::Minute => self.minute,
            Resolution::Hour => self.hour,
            Resolution::Day => self.day,
        }
    }

    /// The finest resolution that still has the beginning and does not give more than so many points.
    #[must_use]
    pub fn resolution(
        &self,
        from: DateTime<Utc>,
        to: DateTime<Utc>,
        now: DateTime<Utc>,
        every: TimeDelta,
        points: i64,
    ) -> Resolution {
        let fits = |resolution: &Resolution| {
            let step = resolution.seconds().max(every.num_seconds()).max(1);
            now - from <= self.of(*resolution) && (to - from).num_seconds() / step <= points
        };
        [Resolution::Raw, Resolution::Minute, Resolution::Hour].into_iter().find(fits).unwrap_or(Resolution::Day)
    }
}

/// Writes a batch; a sample of a series and time that is there already changes nothing.
///
/// # Errors
/// When the database can't be written; nothing was written then.
pub async fn write(db: &Db, samples: &[Sample]) -> Result<(), DbError> {
    // Sorted, so that two writers take their rows in the same order and never wait for each other in a circle.
    let mut rows: Vec<_> =
        samples.iter().filter(|s| s.value.is_finite()).map(|s| (&*s.series, micros(s.at), s.value)).collect();
    rows.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)));
    if rows.is_empty() {
        return Ok(());
    }
    let mut tx = db.begin().await?;
    let (sql, asked) = (WRITE.in_tx(&tx), serde_json::json!(rows).to_string());
    let new: Vec<(String, i64, f64)> =
        with_tx!(&mut tx, conn => sqlx::query_as(sql).bind(asked).fetch_all(conn).await)?;
    roll_up(&mut tx, &new).await?;
    tx.commit().await
}

async fn roll_up(tx: &mut Tx, new: &[(String, i64, f64)]) -> Result<(), DbError> {
    let mut buckets: BTreeMap<(&str, i64, i64), Point> = BTreeMap::new();
    for (series, at, value) in new {
        for resolution in Resolution::ROLLED {
            let length = resolution.seconds() * 1_000_000;
            let begin = at.div_euclid(length) * length;
            let empty =
                Point { at: from_micros(begin), count: 0, sum: 0.0, min: f64::INFINITY, max: f64::NEG_INFINITY };
            let bucket = buckets.entry((series, resolution.seconds(), begin)).or_insert(empty);
            bucket.count += 1;
            bucket.sum += value;
            (bucket.min, bucket.max) = (bucket.min.min(*value), bucket.max.max(*value));
        }
    }
    let row = |((series, length, begin), b): ((_, _, _), Point)| (series, length, begin, b.count, b.sum, b.min, b.max);
    let rows: Vec<(&str, i64, i64, i64, f64, f64, f64)> = buckets.into_iter().map(row).collect();
    let (sql, asked) = (ROLL_UP.in_tx(tx), serde_json::json!(rows).to_string());
    with_tx!(tx, conn => sqlx::query(sql).bind(asked).execute(conn).await.map(drop))?;
    Ok(())
}

/// The points of a series from `from` up to, not including, `to`.
///
/// # Errors
/// When the database can't be read.
pub async fn read(
    db: &Db,
    series: &str,
    from: DateTime<Utc>,
    to: DateTime<Utc>,
    resolution: Resolution,
) -> Result<Vec<Point>, DbError> {
    let (from, to) = (micros(from), micros(to));
    let rows: Vec<(i64, i64, f64, f64, f64)> = match resolution {
        Resolution::Raw => {
            let rows: Vec<(i64, i32, f64, f64, f64)> =
                with_db!(db, pool => sqlx::query_as(RAW).bind(series).bind(from).bind(to).fetch_all(pool).await)?;
            rows.into_iter().map(|(at, count, sum, min, max)| (at, i64::from(count), sum, min, max)).collect()
        }
        rolled => {
            with_db!(db, pool => sqlx::query_as(ROLLED).bind(series).bind(from).bind(to).bind(rolled.seconds()).fetch_all(pool).await)?
        }
    };
    Ok(rows.into_iter().map(|(at, count, sum, min, max)| Point { at: from_micros(at), count, sum, min, max }).collect())
}

/// Forgets what is older than its resolution is kept; says how many rows.
///
/// # Errors
/// When the database can't be written.
pub async fn sweep(db: &Db, retention: &Retention, now: DateTime<Utc>) -> Result<u64, DbError> {
    let mut tx = db.begin_long().await?;
    let mut gone = with_tx!(&mut tx, conn => sqlx::query(FORGET_RAW).bind(micros(now - retention.raw)).execute(conn).await
        .map(|done| done.rows_affected()))?;
    for resolution in Resolution::ROLLED {
        let before = micros(now - retention.of(resolution));
        gone += with_tx!(&mut tx, conn => sqlx::query(FORGET_ROLLED).bind(resolution.seconds()).bind(before).execute(conn).await
            .map(|done| done.rows_affected()))?;
    }
    tx.commit().await?;
    Ok(gone)
}
