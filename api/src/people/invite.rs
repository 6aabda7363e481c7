//! Asking somebody in, and their answer.

use chrono::TimeDelta;
use domain::access::Why;
use domain::invitation::{Given, Invitation, InvitationCommand, InvitationRejection, Seat};
use domain::membership::{MemberOf, Membership, MembershipCommand};
use domain::{Actor, Aggregate as _, Event, InvitationId, Meta, NewEvent, UserId};
use platform::log::{Append, Expected};
use platform::people::invitations::{self, Change, Invited};
use platform::people::{profiles, token};
use platform::vault::SecretText;
use platform::views::{self, AccountRow};
use uuid::Uuid;

use super::Registration;
use super::newcomer::{self, Newcomer};
use crate::accept::not_appended;
use crate::access::{Caller, May, Origin};
use crate::app::App;
use crate::asking::Asking;
use crate::passwords;
use crate::problem::{Kind, Problem};
use crate::secret::Secret;
use crate::sign_in::{self, Attempt, Tokens};
use crate::unread::unread;

/// An invitation is good for so long.
const DAYS: i64 = 7;

/// # Errors
/// `forbidden` where only administrators of the installation let people in.
pub(crate) fn allowed(app: &App, caller: &Caller) -> Result<(), Problem> {
    if app.people.registration == Registration::Closed && !matches!(caller.may, May::Everything) {
        let why = "here only administrators of the installation let people in";
        return Err(Problem::new(Kind::Forbidden).detail(why));
    }
    Ok(())
}

/// With the link, which is told once; it goes out by mail too, where that is set up.
///
/// # Errors
/// When it can't be written, or the account is none.
pub(crate) async fn offer(
    app: &App,
    asking: &Asking,
    email: String,
    seat: Option<Seat>,
) -> Result<(Invited, SecretText), Problem> {
    let account: Option<AccountRow> = match seat {
        Some(seat) => views::get(app.log.db(), seat.account).await.map_err(unread)?,
        None => None,
    };
    if seat.is_some() && account.is_none() {
        return Err(Problem::new(Kind::NotFound));
    }
    let (invited, link) = write(app, asking.meta(), email, seat, TimeDelta::days(DAYS)).await?;
    if let Some(post) = app.people.post() {
        let (to, link, name) = (invited.email.clone(), link.clone(), account.map(|row| row.name));
        tokio::spawn(async move { post.invitation(&to, name.as_deref(), link.expose()).await });
    }
    Ok((invited, link))
}

pub(super) async fn write(
    app: &App,
    meta: Meta,
    email: String,
    seat: Option<Seat>,
    lasts: TimeDelta,
) -> Result<(Invited, SecretText), Problem> {
    let (id, now) = (InvitationId::new(Uuid::now_v7()), app.log.clock().now());
    let (link, until) = (token::make(""), now + lasts);
    let said = said(&Invitation::default(), InvitationCommand::Offer { seat, until }, &Given { now })?;
    let invited = Invited { id, email, seat, until, created_at: now };
    let row = Change::Add { invited: invited.clone(), hash: token::hash(link.expose()) };
    let append = Append::new(meta).stream(Invitation::stream(id), Expected::New, said).with(row.rows());
    app.log.append(append).await.map_err(|error| not_appended(&error))?;
    Ok((invited, link))
}

/// # Errors
/// `not-found`.
pub(crate) async fn withdraw(app: &App, asking: &Asking, id: InvitationId) -> Result<(), Problem> {
    let (append, _) = answer(app, asking.meta(), id, InvitationCommand::Withdraw).await?;
    match app.log.append(append).await {
        Ok(_) => Ok(()),
        Err(error) if error.is_refused() => Err(Problem::new(Kind::NotFound)),
        Err(error) => Err(not_appended(&error)),
    }
}

/// Who has a login here says so with its password; who has none gets one.
///
/// # Errors
/// `not-found` for an invitation that is not ours, was answered or has expired; `unauthenticated`.
pub(crate) async fn accept(
    app: &App,
    from: &Origin,
    link: &Secret,
    name: Option<String>,
    mut attempt: Attempt,
) -> Result<Tokens, Problem> {
    let gone = || Problem::new(Kind::NotFound).detail("the invitation was answered already or has expired");
    let (db, now) = (app.log.db(), app.log.clock().now());
    let found = invitations::by_hash(db, &token::hash(link.expose())).await.map_err(unread)?;
    let Some(invited) = found.filter(|found| found.until > now) else {
        app.access.refused_login(app, from, Why::Unknown).await;
        return Err(gone());
    };
    let known = profiles::by_login(db, &invited.email).await.map_err(unread)?;
    let (id, tokens) = match &known {
        Some(person) => {
            attempt.login.clone_from(&invited.email);
            (person.id, Some(sign_in::with_password(app, from, &attempt).await?))
        }
        None => {
            let faults = passwords::faults("password", Some(&attempt.password));
            if let Some(fault) = faults {
                return Err(Problem::new(Kind::Invalid).fields(vec![fault]));
            }
            (UserId::new(Uuid::now_v7()), None)
        }
    };
    let account = invited.seat.map(|seat| seat.account);
    let meta =
        Meta { account, address: from.address(), request: from.request, ..Meta::by(Actor::User { id: id.uuid() }) };
    let (mut append, seat) = answer(app, meta.clone(), invited.id, InvitationCommand::Accept { user: id }).await?;
    if known.is_none() {
        let hash = Some(passwords::hash(&attempt.password).await?);
        let made = Newcomer { login: invited.email, name, hash, ..Newcomer::default() }.append(id, meta, now)?;
        append.streams.extend(made.streams);
        append.rows.extend(made.rows);
    }
    if let Some(seat) = seat {
        let member = MemberOf { account: seat.account, user: id };
        let loaded = app.log.load::<Membership>(member).await.map_err(unread)?;
        let granted = loaded.state.decide(MembershipCommand::Grant(seat.role), &()).map_err(Problem::internal)?;
        append = append.stream(Membership::stream(member), loaded.expected(), encoded(&granted)?);
    }
    match app.log.append(append).await {
        Ok(_) => {}
        Err(error) if error.is_refused() || error.is_conflict() => return Err(gone()),
        Err(error) => return Err(newcomer::refused(&error)),
    }
    match tokens {
        Some(tokens) => Ok(tokens),
        None => sign_in::begin(app, id, from, None).await,
    }
}

/// What is appended to its stream, with its row gone; and where it leads.
async fn answer(
    app: &App,
    meta: Meta,
    id: InvitationId,
    command: InvitationCommand,
) -> Result<(Append, Option<Seat>), Problem> {
    let loaded = app.log.load::<Invitation>(id).await.map_err(unread)?;
    let said = said(&loaded.state, command, &Given { now: app.log.clock().now() })?;
    let append = Append::new(meta).stream(Invitation::stream(id), loaded.expected(), said);
    Ok((append.with(Change::Take { id }.rows()), loaded.state.seat()))
}

fn said(state: &Invitation, command: InvitationCommand, given: &Given) -> Result<Vec<NewEvent>, Problem> {
    let events = state.decide(command, given).map_err(|no| match no {
        InvitationRejection::AlreadyOffered => Problem::internal(no),
        no => Problem::new(Kind::NotFound).detail(no.to_string()),
    })?;
    encoded(&events)
}

fn encoded<E: Event>(events: &[E]) -> Result<Vec<NewEvent>, Problem> {
    events.iter().map(Event::encode).collect::<Result<_, _>>().map_err(Problem::internal)
}
