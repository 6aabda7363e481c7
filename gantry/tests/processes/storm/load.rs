//! Those who use it: each makes containers and does with them whatever can be done, cancels, tries again, and watches.

mod wishes;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use domain::OperationId;
use domain::operation::Status;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use self::wishes::{Ask, Wishes};
use crate::caller::Caller;
use crate::evidence::Made;
use crate::watching::restless;

/// Of each account.
const PEOPLE: u64 = 8;
/// Of them make a container before the storm.
const FIRST: u64 = 3;
const WATCHERS: usize = 50;
/// After the storm, until all has ended.
pub(super) const PATIENCE: Duration = Duration::from_secs(300);
const WELL: &[Status] = &[Status::Succeeded];
const BADLY: &[Status] = &[Status::Failed];
const SOMEHOW: &[Status] = &[Status::Succeeded, Status::Failed, Status::Cancelled];

pub(super) struct Load {
    people: JoinSet<()>,
    noted: Arc<Noted>,
    /// Of those who have not begun.
    wishes: Vec<(Caller, Wishes)>,
}

/// What all of them have written down.
pub(super) struct Noted {
    made: Mutex<Vec<Made>>,
    wrong: Mutex<Vec<String>>,
    eyes: Arc<Semaphore>,
    /// What is still followed, and at what its follower is.
    followed: Mutex<BTreeMap<OperationId, &'static str>>,
}

impl Load {
    /// Containers for the storm to find; made while all is well.
    pub(super) async fn begin(accounts: Vec<Caller>, seed: u64) -> Self {
        let noted = Arc::new(Noted {
            made: Mutex::default(),
            wrong: Mutex::default(),
            eyes: Arc::new(Semaphore::new(WATCHERS)),
            followed: Mutex::default(),
        });
        let mut load = Self { people: JoinSet::new(), noted, wishes: Vec::new() };
        let mut first = JoinSet::new();
        for (account, caller) in (0..).zip(accounts) {
            // What one account's people do, they do to the same containers.
            let containers = Arc::new(Mutex::new(Vec::new()));
            for person in 0..PEOPLE {
                let number = account * PEOPLE + person;
                let random = StdRng::seed_from_u64(seed ^ (number + 1) << 32);
                let mut wishes = Wishes::new(number, random, containers.clone());
                if person < FIRST {
                    let follow = ask(&caller, &mut wishes, &load.noted).await;
                    first.spawn(async { follow.unwrap().await });
                }
                load.wishes.push((caller.clone(), wishes));
            }
        }
        first.join_all().await;
        load
    }

    pub(super) fn go_on(&mut self, until: Instant) {
        for (caller, wishes) in self.wishes.drain(..) {
            self.people.spawn(live(caller, wishes, self.noted.clone(), until));
        }
    }

    /// Once everything that was asked for has ended: what was accepted, and what was amiss.
    pub(super) async fn end(mut self) -> (Vec<Made>, Vec<String>) {
        let all = async {
            while let Some(done) = self.people.join_next().await {
                done.unwrap()
            }
        };
        let mut wrong = Vec::new();
        if tokio::time::timeout(PATIENCE, all).await.is_err() {
            let followed = format!("{:?}", self.noted.followed.lock().unwrap());
            wrong.push(format!("not everything has ended {} s after the storm: {followed}", PATIENCE.as_secs()));
            self.people.shutdown().await;
        }
        wrong.append(&mut self.noted.wrong.lock().unwrap());
        let made = std::mem::take(&mut *self.noted.made.lock().unwrap());
        (made, wrong)
    }
}

async fn live(caller: Caller, mut wishes: Wishes, noted: Arc<Noted>, until: Instant) {
    let mut following = JoinSet::new();
    while Instant::now() < until {
        if let Some(follow) = ask(&caller, &mut wishes, &noted).await {
            if wishes.random.random_bool(0.5) {
                follow.await;
            } else {
                following.spawn(follow);
            }
        }
        tokio::time::sleep(Duration::from_millis(wishes.random.random_range(0..300))).await;
    }
    while let Some(done) = following.join_next().await {
        done.unwrap();
    }
}

/// Asks for the next thing; when it was accepted, what is left to do is to follow it.
async fn ask(caller: &Caller, wishes: &mut Wishes, noted: &Arc<Noted>) -> Option<impl Future<Output = ()> + use<>> {
    let ask = wishes.next();
    let (status, told) = caller.send(ask.method.clone(), &ask.path, ask.body.as_ref()).await;
    match status {
        200 | 202 if told["operations"].is_array() => {}
        200 | 202 if told["id"].is_string() => {
            let operation: OperationId = told["id"].as_str().unwrap().parse().unwrap();
            wishes.learn(&ask, &told);
            return Some(follow(caller.clone(), operation, ask, noted.clone(), wishes.random.random()));
        }
        200 => wishes.look(&told),
        404 | 409 | 422 => wishes.refused(&ask, status),
        _ => {
            let what = format!("{} {} was answered with {status}: {told}", ask.method, ask.path);
            noted.wrong.lock().unwrap().push(what);
        }
    }
    None
}

/// Watches an operation to its end, takes it back in the middle, or tries it again.
async fn follow(caller: Caller, operation: OperationId, ask: Ask, noted: Arc<Noted>, seed: u64) {
    let mut random = StdRng::seed_from_u64(seed);
    let is_at = |what| noted.followed.lock().unwrap().insert(operation, what);
    is_at("its end");
    let mut watching = JoinSet::new();
    while let Ok(eye) = noted.eyes.clone().try_acquire_owned()
        && watching.len() < 3
    {
        let (caller, seed) = (caller.clone(), random.random());
        watching.spawn(async move {
            let seen = restless(caller, operation, seed).await;
            drop(eye);
            seen
        });
    }
    let cancelled = random.random_bool(0.15);
    if cancelled {
        tokio::time::sleep(Duration::from_millis(random.random_range(0..4000))).await;
        caller.post(&format!("/v1/operations/{operation}/cancel"), &json!({})).await;
    }
    let mut told = end_of(&caller, operation).await;
    for _ in 0..2 {
        let retried = told["status"] == "failed" && random.random_bool(0.3);
        if !retried {
            break;
        }
        caller.post(&format!("/v1/operations/{operation}/retry"), &json!({})).await;
        told = end_of(&caller, operation).await;
    }
    let ends = match ask.hopeless {
        _ if cancelled => SOMEHOW,
        true => BADLY,
        false if ask.certain => WELL,
        false => SOMEHOW,
    };
    is_at("its watchers");
    let seen = watching.join_all().await;
    noted.followed.lock().unwrap().remove(&operation);
    noted.made.lock().unwrap().push(Made { operation, ends, seen });
}

/// What waits for an operator has not ended: there is one.
async fn end_of(caller: &Caller, operation: OperationId) -> Value {
    loop {
        let (_, told) = caller.send(Method::GET, &format!("/v1/operations/{operation}"), None).await;
        if !matches!(told["status"].as_str(), Some("queued" | "running" | "stuck")) {
            return told;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
}
