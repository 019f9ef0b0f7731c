//! Requests that the server makes for steps: redirects as the Fetch standard has them, and, where it is asked for, public addresses only.

use super::answer;
use super::client::Clients;
use super::public::{NotPublic, is_public};
use super::redirect::{header_map, without_query};
use crate::wit::{AppAnswer, AppCall, CallFailure, CallKind};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONTENT_ENCODING, CONTENT_LANGUAGE, CONTENT_TYPE, HeaderMap, LOCATION};
use hyper::{Method, Request, StatusCode};
use std::net::IpAddr;
use url::{Host, Url};

/// What another server is not told where a redirect leads to it: what the Fetch standard says, and the keys of model providers.
const SECRETS: [&str; 6] = ["authorization", "cookie", "proxy-authorization", "x-api-key", "api-key", "x-goog-api-key"];

/// Makes a request and goes where it is sent, as often as the call allows.
///
/// # Errors
/// Everything that `wit/types.wit` calls a call-failure, but not time: that is the caller's.
pub async fn fetch(clients: &Clients, call: AppCall) -> Result<AppAnswer, CallFailure> {
    let unusable =
        |what: &str, cause: &dyn std::fmt::Display| CallFailure::Unreachable(format!("{what} cannot be used: {cause}"));
    let is_public_only = call.kind == CallKind::FetchPublic;
    let client = if is_public_only { clients.public() } else { &clients.any };
    let answer_bytes_max = usize::try_from(call.answer_bytes_max).unwrap_or(usize::MAX);
    let mut next = Next {
        url: Url::parse(&call.url).map_err(|e| unusable("the URL", &e))?,
        method: Method::from_bytes(call.method.as_bytes()).map_err(|e| unusable("the method", &e))?,
        headers: header_map(&call.headers)?,
        body: Bytes::from(call.body),
    };
    for _ in 0..=call.redirects_max {
        if !matches!(next.url.scheme(), "http" | "https") {
            return Err(CallFailure::Unreachable(format!("{} is not an http or https URL", without_query(&next.url))));
        }
        // An address that is written out is not looked up.
        if let Some(address) = address_of(&next.url).filter(|address| is_public_only && !is_public(*address)) {
            return Err(CallFailure::Refused(NotPublic(address.to_string()).to_string()));
        }
        let mut request = Request::new(Full::new(next.body.clone()));
        *request.method_mut() = next.method.clone();
        *request.uri_mut() = next.url.as_str().parse().map_err(|e| unusable("the URL", &e))?;
        *request.headers_mut() = next.headers.clone();
        let response = client.send(request).await.map_err(|unsent| {
            if unsent.is_refused {
                CallFailure::Refused(unsent.why)
            } else {
                CallFailure::Unreachable(format!("{} cannot be reached: {}", without_query(&next.url), unsent.why))
            }
        })?;
        if !next.follow(response.status(), response.headers()) {
            return answer::read(response, answer_bytes_max).await;
        }
    }
    Err(CallFailure::Unreadable(format!("there were more than {} redirects", call.redirects_max)))
}

/// The request that is made next.
struct Next {
    url: Url,
    method: Method,
    headers: HeaderMap,
    body: Bytes,
}

impl Next {
    /// Goes where an answer points; false where it is the answer itself.
    fn follow(&mut self, status: StatusCode, headers: &HeaderMap) -> bool {
        let status = status.as_u16();
        let location = headers.get(LOCATION).filter(|_| matches!(status, 301 | 302 | 303 | 307 | 308));
        let Some(there) =
            location.and_then(|location| location.to_str().ok()).and_then(|text| self.url.join(text).ok())
        else {
            return false;
        };
        let is_read = matches!(self.method, Method::GET | Method::HEAD);
        if (status == 303 && !is_read) || (matches!(status, 301 | 302) && self.method == Method::POST) {
            self.method = Method::GET;
            self.body = Bytes::new();
            for name in [CONTENT_TYPE, CONTENT_ENCODING, CONTENT_LANGUAGE] {
                self.headers.remove(name);
            }
        }
        if there.origin() != self.url.origin() {
            for name in SECRETS {
                self.headers.remove(name);
            }
        }
        self.url = there;
        true
    }
}

fn address_of(url: &Url) -> Option<IpAddr> {
    match url.host()? {
        Host::Ipv4(address) => Some(IpAddr::V4(address)),
        Host::Ipv6(address) => Some(IpAddr::V6(address)),
        Host::Domain(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    fn sent(method: &str, status: u16, location: &str) -> (bool, Next) {
        let mut headers = HeaderMap::new();
        for name in SECRETS {
            headers.insert(name, HeaderValue::from_static("secret"));
        }
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
        let url = Url::parse("http://a.test/here?q=1").unwrap();
        let mut next = Next { url, method: method.parse().unwrap(), headers, body: Bytes::from_static(b"body") };
        let mut answer = HeaderMap::new();
        answer.insert(LOCATION, HeaderValue::from_str(location).unwrap());
        (next.follow(StatusCode::from_u16(status).unwrap(), &answer), next)
    }

    #[test]
    fn a_redirect_keeps_or_drops_what_the_standard_says() {
        for (method, status, then, body) in [
            ("POST", 301, "GET", ""),
            ("POST", 302, "GET", ""),
            ("PUT", 302, "PUT", "body"),
            ("PUT", 303, "GET", ""),
            ("HEAD", 303, "HEAD", "body"),
            ("POST", 307, "POST", "body"),
            ("POST", 308, "POST", "body"),
        ] {
            let (follows, next) = sent(method, status, "/there");
            assert!(follows, "{method} {status}");
            assert_eq!(
                (next.url.as_str(), next.method.as_str(), &next.body[..]),
                ("http://a.test/there", then, body.as_bytes()),
                "{method} {status}"
            );
            assert_eq!(next.headers.contains_key(CONTENT_TYPE), !body.is_empty(), "{method} {status}");
            assert!(SECRETS.iter().all(|name| next.headers.contains_key(*name)));
        }
    }

    #[test]
    fn credentials_stay_with_their_origin() {
        for other in ["http://b.test/", "https://a.test/", "http://a.test:81/"] {
            let headers = sent("GET", 302, other).1.headers;
            assert!(!SECRETS.iter().any(|name| headers.contains_key(*name)), "{other}");
        }
    }

    #[test]
    fn an_answer_that_is_no_redirect_stays_where_it_is() {
        for status in [200, 300, 304, 404] {
            assert!(!sent("GET", status, "/there").0, "{status}");
        }
    }
}
