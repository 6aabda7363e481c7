//! `Prefer: wait=N` (RFC 7240): the caller would rather have the end than a promise.

use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};

/// Longer is answered early, with the operation as it is then. Proxies give up after a minute.
const LONGEST: u64 = 55;

/// How long the caller is ready to wait; none when it did not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wait(pub(crate) Option<Duration>);

impl FromRequest for Wait {
    type Error = std::convert::Infallible;
    type Future = std::future::Ready<Result<Self, Self::Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let headers = request.headers().get_all("prefer").filter_map(|value| value.to_str().ok());
        // A preference that is not understood is no mistake: the header says so itself.
        let seconds = headers.flat_map(|text| text.split([',', ';'])).find_map(|part| {
            let (name, value) = part.split_once('=')?;
            name.trim().eq_ignore_ascii_case("wait").then(|| value.trim().trim_matches('"').parse::<u64>().ok())?
        });
        std::future::ready(Ok(Self(seconds.map(|seconds| Duration::from_secs(seconds.min(LONGEST))))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    #[test]
    fn the_wait_is_found_among_other_preferences_and_bounded() {
        let of = |text: &str| {
            let request = TestRequest::default().insert_header(("prefer", text)).to_http_request();
            Wait::extract(&request).into_inner().unwrap().0
        };
        assert_eq!(of("respond-async, wait=7"), Some(Duration::from_secs(7)));
        assert_eq!(of("Wait=\"2\""), Some(Duration::from_secs(2)));
        assert_eq!(of("wait=99999"), Some(Duration::from_secs(LONGEST)));
        assert_eq!((of("wait=soon"), of("return=minimal")), (None, None));
    }
}
