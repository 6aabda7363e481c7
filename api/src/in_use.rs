//! What only one container can have: its name and its fixed addresses.

use domain::container::{ContainerSpec, Lifecycle};
use domain::{AccountId, ContainerId};
use platform::views::addresses::{self, AddressRow};
use platform::views::{self, ContainerFilter, ContainerRow, Page};

use crate::app::App;
use crate::asking::Asking;
use crate::paging::wrong;
use crate::problem::{FieldProblem, Kind, Problem};
use crate::unread::unread;

/// Who has it already.
pub(crate) struct Holder {
    field: &'static str,
    what: String,
    container: ContainerId,
    hostname: String,
    account: Option<AccountId>,
}

impl Holder {
    /// Whose it is, is for those to know who may see it.
    fn told(&self, asking: &Asking) -> FieldProblem {
        let who = match asking.caller.sees(self.account) {
            Ok(()) => format!("container {} ({})", self.hostname, self.container),
            Err(_) => "another container".to_owned(),
        };
        let fix = "choose another one, or delete the other container";
        wrong(self.field, &format!("{} is in use: {who} has it", self.what), fix)
    }
}

/// # Errors
/// When the database can't be read.
pub(crate) async fn name(app: &App, hostname: &str) -> Result<Option<Holder>, Problem> {
    let filter = ContainerFilter {
        hostname: Some(hostname.to_owned()),
        lifecycle: vec![Lifecycle::Creating, Lifecycle::Ready, Lifecycle::Failed],
        ..ContainerFilter::default()
    };
    let page = Page { limit: 1, ..Page::default() };
    let found = views::page::<ContainerRow>(app.log.db(), &filter, &page).await.map_err(unread)?;
    Ok(found.items.into_iter().next().map(|row| Holder {
        field: "hostname",
        what: hostname.to_owned(),
        container: row.id,
        hostname: row.hostname,
        account: row.account,
    }))
}

/// Who has its name, and who its address.
///
/// # Errors
/// When the database can't be read.
pub(crate) async fn holders(app: &App, spec: &ContainerSpec) -> Result<Vec<Holder>, Problem> {
    let name = name(app, &spec.hostname).await?;
    let address = addresses::holder(app.log.db(), spec).await.map_err(unread)?;
    Ok(name.into_iter().chain(address.into_iter().filter_map(|row| of_address(spec, row))).collect())
}

fn of_address(spec: &ContainerSpec, row: AddressRow) -> Option<Holder> {
    let theirs = [row.ipv4, row.ipv6];
    let wanted = spec.fixed_ipv4().into_iter().chain(spec.fixed_ipv6());
    let shared = wanted.into_iter().find(|fixed| theirs.contains(&Some(fixed.key())))?;
    Some(Holder {
        field: shared.field,
        what: shared.address.to_string(),
        container: row.container,
        hostname: row.hostname,
        account: row.account,
    })
}

pub(crate) fn told(asking: &Asking, holders: &[Holder]) -> Vec<FieldProblem> {
    holders.iter().map(|holder| holder.told(asking)).collect()
}

/// That they have what was asked for.
pub(crate) fn by(asking: &Asking, holders: &[Holder]) -> Problem {
    let fields = told(asking, holders);
    let words: Vec<&str> = fields.iter().map(|field| field.problem.as_str()).collect();
    let problem = Problem::new(Kind::Conflict).detail(words.join("; "));
    let seen = holders.iter().find(|holder| asking.caller.sees(holder.account).is_ok());
    let problem = problem.fields(fields);
    match seen {
        Some(holder) => problem.fact("holder", format!("/v1/containers/{}", holder.container)),
        None => problem,
    }
}

/// Why the log refused it: somebody has it, or had it just now.
pub(crate) async fn refused(app: &App, asking: &Asking, spec: &ContainerSpec) -> Problem {
    match holders(app, spec).await {
        Ok(holders) if !holders.is_empty() => by(asking, &holders),
        Ok(_) => {
            Problem::new(Kind::Conflict).detail("another container had the name or the address just now; ask again")
        }
        Err(problem) => problem,
    }
}
