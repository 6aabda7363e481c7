//! A new password for who forgot theirs, by a link that is sent to them. The answer is the same whoever asks.

use chrono::TimeDelta;
use domain::user::{User, UserCommand};
use domain::{Aggregate as _, Event as _, Meta};
use platform::log::Append;
use platform::people::profiles::{self, Change};
use platform::people::token;
use platform::views::{self, UserRow};

use super::{Post, newcomer};
use crate::accept::not_appended;
use crate::access::Origin;
use crate::app::App;
use crate::guesses;
use crate::problem::Problem;
use crate::unread::unread;

/// A link is good for so long.
const HOURS: i64 = 1;

/// # Errors
/// `not-possible` without mail, `rate-limited`.
pub(crate) async fn ask(app: &App, from: &Origin, email: String) -> Result<(), Problem> {
    let post = app.people.needs_post()?;
    if !guesses::may_write(app, from, &email).await? {
        return Ok(());
    }
    let (app, from) = (app.clone(), from.clone());
    // Whether there is such a person is not to be read off the time that the answer takes.
    tokio::spawn(async move {
        if let Err(problem) = offer(&app, &from, &post, &email).await {
            tracing::error!(%problem, "a link for a new password was not made");
        }
    });
    Ok(())
}

async fn offer(app: &App, from: &Origin, post: &Post, email: &str) -> Result<(), Problem> {
    let db = app.log.db();
    let Some(person) = profiles::by_login(db, email).await.map_err(unread)? else {
        return Ok(());
    };
    let user: Option<UserRow> = views::get(db, person.id).await.map_err(unread)?;
    if user.is_none_or(|user| user.disabled) || newcomer::email_fault("email", &person.login).is_some() {
        return Ok(());
    }
    let (now, link) = (app.log.clock().now(), token::make(""));
    let loaded = app.log.load::<User>(person.id).await.map_err(unread)?;
    let said = loaded.state.decide(UserCommand::OfferLink, &()).map_err(Problem::internal)?;
    let said = said.iter().map(|event| event.encode()).collect::<Result<_, _>>().map_err(Problem::internal)?;
    let meta = Meta { address: from.address(), request: from.request, ..Meta::system("reset") };
    let until = now + TimeDelta::hours(HOURS);
    let append = Append::new(meta)
        .stream(User::stream(person.id), loaded.expected(), said)
        .with(Change::DropLinks { id: person.id, now }.rows())
        .with(Change::AddLink { hash: token::hash(link.expose()), id: person.id, until }.rows());
    app.log.append(append).await.map_err(|error| not_appended(&error))?;
    post.reset(&person.login, link.expose()).await;
    Ok(())
}
