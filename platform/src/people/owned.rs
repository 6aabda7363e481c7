//! Whose something is. The account is part of the question, so that what is another's is as good as not there.

use domain::{AccountId, ContainerId, InvitationId, KeyId, OperationId};

use crate::db::{Db, DbError, statements, with_db};

statements! {
    one {
        CONTAINER = "SELECT COUNT(*) FROM containers WHERE id = $1 AND account = $2";
        OPERATION = "SELECT COUNT(*) FROM operations WHERE id = $1 AND account = $2";
        INVITATION = "SELECT COUNT(*) FROM invitations WHERE id = $1 AND account = $2";
        KEY = "SELECT COUNT(*) FROM api_keys WHERE id = $1 AND account = $2";
    }
}

/// What can belong to an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thing {
    Container(ContainerId),
    Operation(OperationId),
    Invitation(InvitationId),
    Key(KeyId),
}

/// # Errors
/// When the database can't be read.
pub async fn owns(db: &Db, account: AccountId, thing: Thing) -> Result<bool, DbError> {
    let (sql, id) = match thing {
        Thing::Container(id) => (CONTAINER, id.to_string()),
        Thing::Operation(id) => (OPERATION, id.to_string()),
        Thing::Invitation(id) => (INVITATION, id.to_string()),
        Thing::Key(id) => (KEY, id.to_string()),
    };
    let found: i64 =
        with_db!(db, pool => sqlx::query_scalar(sql).bind(id).bind(account.to_string()).fetch_one(pool).await)?;
    Ok(found > 0)
}
