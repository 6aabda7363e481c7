//! The server: routes inside of what every request goes through.

use std::any::Any;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::middleware::{Compress, from_fn};
use actix_web::rt::net::TcpStream;
use actix_web::web::Data;
use actix_web::{App as ActixApp, HttpServer};
use platform::db::Db;
use tokio_util::sync::CancellationToken;

use crate::app::App;
use crate::described::{self, Described};
use crate::stream::Hub;
use crate::tls::Tls;
use crate::{access, body, request, routes, sparse, timely, unknown};

/// How the server is run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Threads that answer.
    pub workers: usize,
    /// Open connections, watchers among them; more wait to be let in. The process needs as many file descriptors.
    pub max_connections: usize,
    /// An idle connection is closed after this.
    pub keep_alive: Duration,
    /// The longest body that is read, in bytes.
    pub body_limit: usize,
    /// A body has to be here by then.
    pub body_within: Duration,
    /// An answer has to begin by then.
    pub answer_within: Duration,
    /// Speaks TLS with this; none: without.
    pub tls: Option<Arc<Tls>>,
    /// How long requests may go on after the shutdown began.
    pub drain: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            workers: std::thread::available_parallelism().map_or(2, usize::from).min(8),
            max_connections: 25_000,
            keep_alive: Duration::from_secs(75),
            body_limit: 1024 * 1024,
            body_within: Duration::from_secs(30),
            answer_within: Duration::from_secs(90),
            tls: None,
            drain: Duration::from_secs(30),
        }
    }
}

/// A peer that takes no more bytes for this long is gone, whatever it says.
const STALLED: u32 = 60_000;
/// A request's head has to be here by then.
const HEAD: Duration = Duration::from_secs(10);

/// Answers until `shutdown`; then streams end, requests under way are answered, and it returns. To be called inside of
/// a tokio runtime of several threads.
///
/// # Errors
/// When the listener can't be used.
pub async fn serve(
    app: App,
    listener: TcpListener,
    settings: Settings,
    shutdown: CancellationToken,
) -> std::io::Result<()> {
    let hub = Hub::new(Db::clone(app.log.db()), app.coordination.bus().clone(), shutdown.clone());
    let document = Described::read(described::TEXT).map_err(std::io::Error::other)?;
    let known = Data::new(unknown::Known::of(&document));
    let in_words = Arc::new(unknown::InWords::of(&document));
    let shapes = Data::new(sparse::Shapes::of(&document));
    drop(document);
    let (app, hub, access) = (Data::new(app.clone()), Data::new(hub), Data::new(app.access));
    let per_worker = settings.max_connections.div_ceil(settings.workers.max(1));
    let limits = body::Limits { bytes: settings.body_limit, within: settings.body_within };
    let within = Data::new(timely::Within(settings.answer_within));
    let watching = settings.tls.as_ref().map(|tls| tokio::spawn(tls.clone().watch(shutdown.clone())));
    let server = HttpServer::new(move || {
        ActixApp::new()
            .configure(|config| in_words.guard(config))
            .configure(routes::all)
            .service(routes::document())
            .service(routes::reader())
            .service(routes::pages())
            .default_service(actix_web::web::to(unknown::answer))
            .app_data(app.clone())
            .app_data(hub.clone())
            .app_data(access.clone())
            .app_data(known.clone())
            .app_data(shapes.clone())
            .app_data(limits)
            .app_data(within.clone())
            // The last one wrapped is the first that a request meets.
            .wrap(from_fn(sparse::sparsely))
            .wrap(from_fn(access::required))
            .wrap(Compress::default())
            .wrap(from_fn(timely::answered))
            .wrap(from_fn(request::identified))
    })
    .workers(settings.workers.max(1))
    .max_connections(per_worker)
    .keep_alive(settings.keep_alive)
    .client_request_timeout(HEAD)
    .shutdown_timeout(settings.drain.as_secs())
    .on_connect(|connection, _| mind(connection))
    .disable_signals();
    let server = match &settings.tls {
        Some(tls) => server.listen_rustls_0_23(listener, tls.config().map_err(std::io::Error::other)?)?,
        None => server.listen(listener)?,
    };
    let server = server.run();
    let handle = server.handle();
    let running = tokio::spawn(server);
    tokio::select! {
        () = shutdown.cancelled() => handle.stop(true).await,
        // Nobody else stops it; should it end by itself, `running` says why.
        () = ended(&running) => {}
    }
    if let Some(watching) = watching {
        watching.abort();
    }
    running.await.unwrap_or_else(|error| Err(std::io::Error::other(error)))
}

async fn ended<T>(running: &tokio::task::JoinHandle<T>) {
    let mut look = tokio::time::interval(Duration::from_millis(250));
    while !running.is_finished() {
        look.tick().await;
    }
}

/// A watcher that reads nothing would hold its connection for ever; the kernel can tell and closes it.
fn mind(connection: &dyn Any) {
    let tls = connection.downcast_ref::<TlsStream<TcpStream>>().map(|stream| stream.get_ref().0);
    let Some(stream) = tls.or_else(|| connection.downcast_ref()) else { return };
    let stalled = rustix::net::sockopt::set_tcp_user_timeout(stream, STALLED).map_err(std::io::Error::from);
    if let Err(error) = stalled.and_then(|()| stream.set_nodelay(true)) {
        tracing::debug!(%error, "a connection keeps the system's own limits");
    }
}
