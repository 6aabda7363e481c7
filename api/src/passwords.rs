//! Hashing passwords: slow on purpose, so few at a time and not on the threads that answer.

use std::sync::LazyLock;

use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Argon2, Params};
use platform::vault::SecretText;
use tokio::sync::Semaphore;

use crate::paging::wrong;
use crate::problem::{FieldProblem, Problem};
use crate::secret::Secret;

/// Each takes 19 MiB for its time.
const AT_ONCE: usize = 4;
static ROOM: Semaphore = Semaphore::const_new(AT_ONCE);

/// What a password is compared with when there is nobody: it takes as long, so that logins can't be found out.
static NOBODYS: LazyLock<String> = LazyLock::new(|| hashed("nobody's").unwrap_or_default());

/// What came of comparing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Compared {
    Wrong,
    Right,
    /// It is right, and was hashed as it was done before: this is the better hash.
    Outdated(String),
}

/// Argon2id, with what is recommended today.
fn hasher() -> Argon2<'static> {
    Argon2::from(Params::default())
}

fn hashed(password: &str) -> Result<String, Problem> {
    Ok(hasher().hash_password(password.as_bytes()).map_err(Problem::internal)?.to_string())
}

/// # Errors
/// When the system gives no random numbers.
pub(crate) async fn hash(password: &Secret) -> Result<String, Problem> {
    let password: SecretText = password.expose().to_owned().into();
    apart(move || hashed(password.expose())).await
}

/// With nobody's when there is no hash.
///
/// # Errors
/// When the process is ending.
pub(crate) async fn compare(password: &Secret, known: Option<String>) -> Result<Compared, Problem> {
    let password: SecretText = password.expose().to_owned().into();
    apart(move || {
        let hash = known.as_deref().unwrap_or(&NOBODYS);
        let right = hasher().verify_password(password.expose().as_bytes(), hash).is_ok();
        Ok(match (right && known.is_some(), hash.starts_with(&today())) {
            (false, _) => Compared::Wrong,
            (true, true) => Compared::Right,
            (true, false) => Compared::Outdated(hashed(password.expose())?),
        })
    })
    .await
}

/// How a hash of today begins.
fn today() -> String {
    let params = Params::default();
    format!("$argon2id$v=19$m={},t={},p={}$", params.m_cost(), params.t_cost(), params.p_cost())
}

async fn apart<T: Send + 'static>(work: impl FnOnce() -> Result<T, Problem> + Send + 'static) -> Result<T, Problem> {
    let _place = ROOM.acquire().await.map_err(Problem::internal)?;
    tokio::task::spawn_blocking(work).await.map_err(Problem::internal)?
}

/// What is wrong with it as a new password.
pub(crate) fn faults(field: &str, password: Option<&Secret>) -> Option<FieldProblem> {
    let length = password.map_or(0, |password| password.expose().chars().count());
    let fits = (10..=256).contains(&length);
    (!fits).then(|| wrong(field, "can't be a password", "choose 10 to 256 letters, digits and signs"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_known_again_and_an_old_hash_is_made_better() {
        let password = Secret::from("correct horse".to_owned());
        let made = hash(&password).await.unwrap();
        assert!(made.starts_with(&today()), "{made}");
        assert_eq!(compare(&password, Some(made.clone())).await.unwrap(), Compared::Right);
        assert_eq!(compare(&"other horse".to_owned().into(), Some(made)).await.unwrap(), Compared::Wrong);
        assert_eq!(compare(&"nobody's".to_owned().into(), None).await.unwrap(), Compared::Wrong);
        let weak = Argon2::from(Params::new(64, 1, 1, None).unwrap());
        let old = weak.hash_password(b"correct horse").unwrap().to_string();
        let Compared::Outdated(better) = compare(&password, Some(old)).await.unwrap() else { panic!("not upgraded") };
        assert_eq!(compare(&password, Some(better)).await.unwrap(), Compared::Right);
    }
}
