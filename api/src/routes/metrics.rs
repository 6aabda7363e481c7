//! Measurements of this process, for Prometheus.

use actix_web::web::Data;
use actix_web::{HttpResponse, get};

use crate::app::App;
use crate::stream::Hub;

/// Measurements
#[utoipa::path(
    tag = "about",
    responses((status = 200, description = "In Prometheus' text format", content_type = "text/plain", body = String))
)]
#[get("/metrics")]
pub(super) async fn metrics(app: Data<App>, hub: Data<Hub>) -> HttpResponse {
    #[expect(clippy::cast_precision_loss, reason = "a count of watched operations")]
    ::metrics::gauge!("gantry_operations_watched").set(hub.watched() as f64);
    HttpResponse::Ok().content_type("text/plain; version=0.0.4").body((app.metrics)())
}
