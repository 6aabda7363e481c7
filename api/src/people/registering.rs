//! Asking for a login of one's own. The answer is the same whoever asks: what comes of it is told by letter only.

use chrono::TimeDelta;
use domain::Meta;
use platform::people::profiles;

use super::{Registration, invite};
use crate::access::Origin;
use crate::app::App;
use crate::guesses;
use crate::problem::{Kind, Problem};

/// # Errors
/// `forbidden` where not everybody may, `not-possible` without mail, `rate-limited`.
pub(crate) async fn ask(app: &App, from: &Origin, email: String) -> Result<(), Problem> {
    if app.people.registration != Registration::Open {
        let why = match app.people.registration {
            Registration::Invitation => "here one has to be asked in: ask an account's administrator",
            Registration::Open | Registration::Closed => "here administrators let people in: ask one",
        };
        return Err(Problem::new(Kind::Forbidden).detail(why));
    }
    let post = app.people.needs_post()?;
    if !guesses::may_write(app, from, &email).await? {
        return Ok(());
    }
    let (app, from) = (app.clone(), from.clone());
    // Whether there is such a person is not to be read off the time that the answer takes.
    tokio::spawn(async move {
        let known = profiles::by_login(app.log.db(), &email).await;
        let meta = Meta { address: from.address(), request: from.request, ..Meta::system("registration") };
        match known {
            Ok(Some(_)) => post.known_already(&email).await,
            Ok(None) => match invite::write(&app, meta, email.clone(), None, TimeDelta::days(1)).await {
                Ok((_, link)) => post.registration(&email, link.expose()).await,
                Err(problem) => tracing::error!(%problem, "a registration was not written"),
            },
            Err(error) => tracing::error!(%error, "whether somebody is known can't be read"),
        }
    });
    Ok(())
}
