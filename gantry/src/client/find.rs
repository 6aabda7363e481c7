//! People name a container by its host name; the API wants ids.

use uuid::Uuid;

use super::{Client, read, shape};
use crate::exit::{Exit, Failure, Outcome};

impl Client {
    /// By id or host name.
    pub(crate) async fn container(&self, named: &str) -> Outcome<Uuid> {
        if let Ok(id) = named.parse() {
            return Ok(id);
        }
        let (found, _) = self.list("/v1/containers", &[("hostname", named)], 1).await?;
        let found = found.first().ok_or_else(|| {
            Failure::new(Exit::Refused, format!("there is no container {named}"))
                .next("`gantry ls` shows those there are")
        })?;
        Ok(read::<shape::Container>(found)?.id)
    }

    /// By its id, or the newest one of a container.
    pub(crate) async fn operation(&self, named: &str) -> Outcome<Uuid> {
        if let Ok(id) = named.parse::<Uuid>() {
            match self.get(&format!("/v1/operations/{id}"), &[]).await {
                Ok(_) => return Ok(id),
                Err(failure) if failure.exit != Exit::Refused => return Err(failure),
                Err(_) => {}
            }
        }
        let container = self.container(named).await?.to_string();
        let (found, _) = self.list("/v1/operations", &[("container", &container)], 1).await?;
        let found = found.first().ok_or_else(|| {
            Failure::new(Exit::Refused, format!("there is no operation {named}"))
                .next("`gantry operations` shows those there are")
        })?;
        Ok(read::<shape::Operation>(found)?.id)
    }
}
