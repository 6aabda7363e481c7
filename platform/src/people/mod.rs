//! People and keys, as far as they are no events: what names a person, what opens doors, when a key was used.

pub mod identities;
pub mod invitations;
pub mod key_uses;
pub mod owned;
pub mod profiles;
pub mod quota;
pub mod second_factor;
pub mod sessions;
pub mod setup;
pub mod token;
