//! What can be asked over HTTP: one file for each thing, and here the list of them.

#![allow(unused_qualifications, reason = "the macro that writes the document qualifies the types it is given")]

mod accounts;
mod actions;
mod adopt;
mod api_keys;
mod asked;
mod audit;
mod backups;
mod buckets;
mod bulk;
mod changes;
mod containers;
mod copies;
mod credentials;
mod deletions;
mod docs;
mod drift;
mod events;
mod health;
mod hosts;
mod id;
mod invitations;
mod letters;
mod maintenance;
mod me;
mod members;
mod metrics;
mod oidc;
mod operations;
mod orphans;
mod own_templates;
mod problems;
mod rebuild;
mod refresh;
mod schedules;
mod session;
mod setup;
mod snapshots;
mod taker;
mod templates;
mod totp;
mod updates;
mod users;
mod welcome;

pub(crate) use docs::{document, reader};
pub(crate) use own_templates::owner;
use taker::Taker;
pub(crate) use welcome::pages;

/// Every route, with what the document says of it.
pub(crate) fn all(taker: &mut impl Taker) {
    taker
        .service(containers::create)
        .service(containers::list)
        .service(containers::detail)
        .service(deletions::delete)
        .service(deletions::undelete)
        .service(actions::start)
        .service(actions::stop)
        .service(actions::shutdown)
        .service(actions::reboot)
        .service(snapshots::list)
        .service(snapshots::take)
        .service(snapshots::roll_back)
        .service(snapshots::delete)
        .service(backups::list)
        .service(backups::create)
        .service(backups::restore)
        .service(backups::delete)
        .service(schedules::list)
        .service(schedules::set)
        .service(schedules::remove)
        .service(copies::clone)
        .service(copies::restore_to_new)
        .service(bulk::ask)
        .service(bulk::summary)
        .service(bulk::bulk_events)
        .service(actions::suspend)
        .service(actions::resume)
        .service(rebuild::rebuild)
        .service(changes::resize)
        .service(changes::change)
        .service(changes::root_password)
        .service(adopt::adopt)
        .service(adopt::release)
        .service(drift::list)
        .service(drift::look)
        .service(drift::accept)
        .service(drift::put_back)
        .service(orphans::orphans)
        .service(orphans::remove)
        .service(operations::list)
        .service(operations::detail)
        .service(operations::cancel)
        .service(operations::retry)
        .service(events::events)
        .service(hosts::register)
        .service(hosts::list)
        .service(hosts::detail)
        .service(hosts::pin)
        .service(maintenance::set)
        .service(templates::list)
        .service(buckets::buckets)
        // Before what takes any name: access goes by the first path that fits.
        .service(refresh::refresh)
        .service(templates::detail)
        .service(own_templates::keep)
        .service(own_templates::remove)
        .service(own_templates::its_files)
        .service(updates::compare)
        .service(updates::versions)
        .service(updates::template_of)
        .service(updates::update)
        .service(updates::apply)
        .service(accounts::open)
        .service(accounts::list)
        .service(accounts::detail)
        .service(accounts::rename)
        .service(accounts::close)
        .service(accounts::set_quota)
        .service(members::members)
        .service(members::membership)
        .service(members::grant)
        .service(members::revoke)
        .service(members::leave)
        .service(invitations::invite)
        .service(invitations::list)
        // Before what an id may be.
        .service(invitations::accept)
        .service(invitations::withdraw)
        .service(api_keys::issue)
        .service(api_keys::list)
        .service(api_keys::detail)
        .service(api_keys::rotate)
        .service(api_keys::revoke)
        .service(users::create)
        .service(users::list)
        .service(users::detail)
        .service(users::change)
        .service(users::forget)
        .service(setup::set_up)
        .service(letters::register)
        .service(letters::reset_password)
        .service(totp::totp)
        .service(totp::begin_totp)
        .service(totp::confirm_totp)
        .service(totp::disable_totp)
        .service(totp::take_totp)
        .service(oidc::begin_oidc)
        .service(oidc::finish_oidc)
        .service(me::me)
        .service(session::sign_in)
        .service(session::refresh)
        .service(session::sign_out)
        .service(session::change)
        .service(session::set)
        .service(users::offer_link)
        .service(audit::list)
        .service(audit::export)
        .service(credentials::read)
        .service(problems::page)
        .service(problems::all)
        .service(metrics::metrics)
        .service(health::livez)
        .service(health::readyz);
}
