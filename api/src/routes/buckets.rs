//! The lists of packages that templates share.

use actix_web::get;
use actix_web::web::{Data, Json};

use crate::app::App;
use crate::paging::List;
use crate::problem::Problem;
use crate::shape::bucket::BucketView;
use crate::unread::unread;

/// Package buckets
///
/// Sets of packages by name, which templates take with `TEMPLATE_BUCKETS`; the broken ones too.
#[utoipa::path(tag = "templates", responses((status = 200, body = List<BucketView>)))]
#[get("/v1/buckets")]
pub(super) async fn buckets(app: Data<App>) -> Result<Json<List<BucketView>>, Problem> {
    let buckets = app.catalogue.buckets().await.map_err(unread)?;
    let listed = app.catalogue.list().await.map_err(unread)?;
    let items = buckets.iter().map(|bucket| BucketView::of(bucket, &listed)).collect();
    Ok(Json(List { items, next: None }))
}
