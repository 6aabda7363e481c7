//! Who calls: tokens, tickets, and the second header that writes need.

use base64::Engine;
use sha2::{Digest, Sha256};
use subtle_equal::equal;

use super::form;
use super::reader::Request;
use crate::model::State;
use crate::model::access::Who;
use crate::model::world::World;
use crate::refusal::Refusal;

/// Comparing secrets without telling by the time how far they are alike.
mod subtle_equal {
    pub(super) fn equal(a: &str, b: &str) -> bool {
        a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
    }
}

fn refused(reason: &str) -> Refusal {
    Refusal::with(401, reason)
}

/// Finds the caller of a request.
pub(super) fn caller(world: &World, request: &Request) -> Result<Who, Refusal> {
    let header = request.header("authorization").unwrap_or_default();
    if let Some(rest) = header.strip_prefix("PVEAPIToken") {
        return token(world, rest.trim_start_matches(['=', ' ']));
    }
    let from_cookie = request
        .header("cookie")
        .into_iter()
        .flat_map(|cookies| cookies.split(';'))
        .find_map(|cookie| cookie.trim().strip_prefix("PVEAuthCookie="));
    let Some(ticket) = from_cookie.or_else(|| header.strip_prefix("PVEAuthCookie=")) else {
        return Err(refused("No ticket"));
    };
    let ticket = form::decode(ticket, false);
    let user = verify(world, "PVE", &ticket, "").ok_or_else(|| refused("invalid PVE ticket"))?;
    if !usable(&world.state(), &user, world.clock.seconds()) {
        return Err(refused("authentication failure"));
    }
    if request.method != "GET" {
        let csrf = request.header("csrfpreventiontoken").unwrap_or_default();
        if !csrf_fits(world, csrf, &user) {
            return Err(refused("Permission denied - invalid csrf token"));
        }
    }
    Ok(Who { user, token: None })
}

fn token(world: &World, value: &str) -> Result<Who, Refusal> {
    let now = world.clock.seconds();
    let Some((id, secret)) = value.split_once('=') else { return Err(refused("no tokenid specified")) };
    let who = Who::of(id);
    let state = world.state();
    if !usable(&state, &who.user, now) {
        return Err(refused(&format!("no such user ('{}')", who.user)));
    }
    let known =
        state.access.users.get(&who.user).and_then(|user| user.tokens.get(who.token.as_deref().unwrap_or_default()));
    match known {
        None => Err(refused(&format!(
            "no such token '{}' for user '{}'",
            who.token.as_deref().unwrap_or_default(),
            who.user
        ))),
        Some(token) if token.expire != 0 && token.expire < now => {
            Err(refused(&format!("token '{}' access expired", who.token.as_deref().unwrap_or_default())))
        }
        Some(token) if !equal(&token.secret, secret) => Err(refused("invalid token value!")),
        Some(_) => Ok(who),
    }
}

pub(super) fn usable(state: &State, user: &str, now: i64) -> bool {
    state.access.users.get(user).is_some_and(|user| user.enable && (user.expire == 0 || user.expire > now))
}

fn sign(secret: &str, text: &str) -> String {
    let digest = Sha256::digest(format!("{secret}\n{text}"));
    base64::engine::general_purpose::STANDARD.encode(digest)
}

/// `PVE:root@pam:6B0094BE::…`; `bound` ties it to a console's path.
pub(super) fn ticket(world: &World, prefix: &str, user: &str, bound: &str) -> String {
    let plain = if user.is_empty() {
        format!("{prefix}:{:08X}", world.clock.seconds())
    } else {
        format!("{prefix}:{user}:{:08X}", world.clock.seconds())
    };
    format!("{plain}::{}", sign(&world.state().secret, &format!("{plain}{bound}")))
}

/// The user of a ticket that is whole and still valid.
pub(super) fn verify(world: &World, prefix: &str, ticket: &str, bound: &str) -> Option<String> {
    let (plain, signature) = ticket.split_once("::")?;
    let rest = plain.strip_prefix(prefix)?.strip_prefix(':')?;
    let (user, stamp) = rest.rsplit_once(':').unwrap_or(("", rest));
    let at = i64::from_str_radix(stamp, 16).ok()?;
    let age = world.clock.seconds() - at;
    let lifetime = i64::try_from(world.options.ticket_lifetime.as_secs()).unwrap_or(i64::MAX);
    (equal(&sign(&world.state().secret, &format!("{plain}{bound}")), signature) && (-300..=lifetime).contains(&age))
        .then(|| user.to_owned())
}

/// `6B0094BE:…`.
pub(super) fn csrf(world: &World, user: &str) -> String {
    let stamp = format!("{:08X}", world.clock.seconds());
    format!("{stamp}:{}", sign(&world.state().secret, &format!("csrf:{stamp}:{user}")))
}

fn csrf_fits(world: &World, given: &str, user: &str) -> bool {
    given.split_once(':').is_some_and(|(stamp, signature)| {
        equal(&sign(&world.state().secret, &format!("csrf:{stamp}:{user}")), signature)
    })
}
