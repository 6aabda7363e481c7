//! Counting wrong passwords, so that who guesses is slowed and who knows comes in.

use std::time::Duration;

use platform::people::profiles::Person;
use platform::people::{sessions, token};

use crate::access::Origin;
use crate::app::App;
use crate::problem::{Kind, Problem};
use crate::unread::unread;

/// Wrong passwords are counted in windows of this length.
const WINDOW: Duration = Duration::from_secs(15 * 60);
/// From one address, whoever they are for.
const PER_ADDRESS: u64 = 50;
/// For one login from one address.
const PER_PAIR: u64 = 10;
/// For one login from everywhere; beyond it, addresses that the person is not signed in from get few tries each. Who is
/// guessed at from all over the world can still come in.
const PER_LOGIN: u64 = 20;
const PER_PAIR_IN_DOUBT: u64 = 3;
/// Letters that one address may have us write, and that one person may get.
const ASKED_FROM: u64 = 20;
const WRITTEN_TO: u64 = 3;

/// Wrong passwords so far.
pub(crate) struct Guesses {
    login: String,
    pair: String,
    address: String,
}

impl Guesses {
    pub(crate) fn of(login: &str, from: &Origin) -> Self {
        let (login, address) = (&token::hash(login)[..32], from.address().unwrap_or_default());
        Self {
            login: format!("guess:login:{login}"),
            pair: format!("guess:pair:{login}:{address}"),
            address: format!("guess:address:{address}"),
        }
    }

    /// # Errors
    /// `rate-limited`.
    pub(crate) async fn allowed(&self, app: &App, person: Option<&Person>, from: &Origin) -> Result<(), Problem> {
        let counters = app.coordination.counters();
        let known = match (person, from.address()) {
            (Some(person), Some(address)) => sessions::is_known(app.log.db(), person.id, &address).await,
            _ => Ok(false),
        };
        let known = known.map_err(unread)?;
        let doubt = !known && counters.look(&self.login, WINDOW).await.times >= PER_LOGIN;
        let per_pair = if doubt { PER_PAIR_IN_DOUBT } else { PER_PAIR };
        for (key, limit) in [(&self.pair, per_pair), (&self.address, PER_ADDRESS)] {
            let count = counters.look(key, WINDOW).await;
            if count.times >= limit {
                return Err(too_many("too many wrong passwords from where you are", count.ends_in));
            }
        }
        Ok(())
    }

    pub(crate) async fn count(&self, app: &App) -> u64 {
        let counters = app.coordination.counters();
        counters.hit(&self.pair, WINDOW).await;
        counters.hit(&self.address, WINDOW).await;
        counters.hit(&self.login, WINDOW).await.times
    }

    /// Who knows the password is no guesser.
    pub(crate) async fn forget(&self, app: &App) {
        app.coordination.counters().forget(&self.pair).await;
    }
}

/// Whether one more letter may go to them: nobody fills another's mailbox. That it does not is told to nobody.
///
/// # Errors
/// `rate-limited` for who asks for many.
pub(crate) async fn may_write(app: &App, from: &Origin, email: &str) -> Result<bool, Problem> {
    let counters = app.coordination.counters();
    let asked = counters.hit(&format!("letters:from:{}", from.address().unwrap_or_default()), WINDOW).await;
    if asked.times > ASKED_FROM {
        return Err(too_many("too many letters were asked for from where you are", asked.ends_in));
    }
    let written = counters.hit(&format!("letters:to:{}", &token::hash(email)[..32]), WINDOW).await;
    Ok(written.times <= WRITTEN_TO)
}

fn too_many(why: &str, wait: Duration) -> Problem {
    Problem::new(Kind::RateLimited).detail(why).after(wait)
}
