//! The first administrator of all, by the link that the first start printed.

use domain::access::Why;
use domain::{Actor, Meta, UserId};
use platform::people::setup;
use uuid::Uuid;

use super::newcomer::{self, Newcomer};
use crate::access::Origin;
use crate::app::App;
use crate::passwords;
use crate::problem::{Kind, Problem};
use crate::secret::Secret;
use crate::sign_in::{self, Tokens};
use crate::unread::unread;

/// # Errors
/// `not-found` for a link that is not ours, was used or has expired.
pub(crate) async fn first(
    app: &App,
    from: &Origin,
    link: &Secret,
    who: Newcomer,
    password: &Secret,
) -> Result<Tokens, Problem> {
    let gone = || {
        let why = "the link was used already or has expired: a start prints another as long as there is nobody";
        Problem::new(Kind::NotFound).detail(why)
    };
    let now = app.log.clock().now();
    let good = setup::look(app.log.db(), link.expose(), now).await.map_err(unread)?;
    let Some(good) = good else {
        app.access.refused_login(app, from, Why::Unknown).await;
        return Err(gone());
    };
    let id = UserId::new(Uuid::now_v7());
    let meta = Meta { address: from.address(), request: from.request, ..Meta::by(Actor::User { id: id.uuid() }) };
    let who = Newcomer { hash: Some(passwords::hash(password).await?), admin: true, ..who };
    match app.log.append(who.append(id, meta, now)?.with(good.take())).await {
        Ok(_) => sign_in::begin(app, id, from, None).await,
        Err(error) if error.is_refused() => Err(gone()),
        Err(error) => Err(newcomer::refused(&error)),
    }
}
