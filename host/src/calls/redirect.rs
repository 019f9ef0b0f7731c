//! Redirects: method, headers and body are sent again, and the query is copied onto the new URL (PROTOCOL §6.2).

use super::answer;
use super::client::Client;
use crate::wit::{AppAnswer, AppCall, CallFailure};
use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{HeaderMap, HeaderName, HeaderValue, LOCATION};
use hyper::{Method, Request, StatusCode};
use url::Url;

/// Makes a call and goes where the app sends it, as often as the call allows.
///
/// # Errors
/// Everything that `wit/types.wit` calls a call-failure, but not time: that is the caller's.
pub async fn follow(client: &Client, call: AppCall) -> Result<AppAnswer, CallFailure> {
    let unusable =
        |what: &str, cause: &dyn std::fmt::Display| CallFailure::Unreachable(format!("{what} cannot be used: {cause}"));
    let method = Method::from_bytes(call.method.as_bytes()).map_err(|e| unusable("the method", &e))?;
    let headers = header_map(&call.headers)?;
    let body = Bytes::from(call.body);
    let answer_bytes_max = usize::try_from(call.answer_bytes_max).unwrap_or(usize::MAX);
    let first = Url::parse(&call.url).map_err(|e| unusable(&format!("the URL {}", call.url), &e))?;
    let mut url = first.clone();
    for _ in 0..=call.redirects_max {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(CallFailure::Unreachable(format!("{url} is not an http or https URL")));
        }
        let mut request = Request::new(Full::new(body.clone()));
        *request.method_mut() = method.clone();
        *request.uri_mut() = url.as_str().parse().map_err(|e| unusable(&format!("the URL {url}"), &e))?;
        *request.headers_mut() = headers.clone();
        let response = client.send(request).await.map_err(|unsent| {
            CallFailure::Unreachable(format!("{} cannot be reached: {}", without_query(&url), unsent.why))
        })?;
        match next(&url, &first, response.status(), response.headers()) {
            Some(there) => url = there,
            None => return answer::read(response, answer_bytes_max).await,
        }
    }
    Err(CallFailure::Unreadable(format!("the app redirected more than {} times", call.redirects_max)))
}

/// Where an answer sends the call; `None` where it is the answer itself.
fn next(from: &Url, first: &Url, status: StatusCode, headers: &HeaderMap) -> Option<Url> {
    let is_redirect = matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308);
    let location = headers.get(LOCATION).filter(|_| is_redirect)?;
    let mut there = from.join(location.to_str().ok()?).ok()?;
    let has: Vec<String> = there.query_pairs().map(|(name, _)| name.into_owned()).collect();
    let missing: Vec<_> = first.query_pairs().filter(|(name, _)| !has.iter().any(|had| had == name)).collect();
    if !missing.is_empty() {
        there.query_pairs_mut().extend_pairs(missing);
    }
    Some(there)
}

pub(super) fn header_map(headers: &[(String, String)]) -> Result<HeaderMap, CallFailure> {
    let mut map = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        let parsed = HeaderName::from_bytes(name.as_bytes()).ok().zip(HeaderValue::from_str(value).ok());
        let Some((name, value)) = parsed else {
            return Err(CallFailure::Unreachable(format!("the header {name} cannot be sent")));
        };
        map.append(name, value);
    }
    Ok(map)
}

/// For people: queries carry ids that say nothing to them.
pub(super) fn without_query(url: &Url) -> String {
    let mut shown = url.clone();
    shown.set_query(None);
    shown.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redirected(location: &str) -> Option<String> {
        let first = Url::parse("http://app/api/inngest?fnId=f&stepId=step").unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(LOCATION, HeaderValue::from_str(location).unwrap());
        next(&first, &first, StatusCode::TEMPORARY_REDIRECT, &headers).map(|url| url.to_string())
    }

    #[test]
    fn a_redirect_keeps_the_query_and_may_be_relative() {
        let there = "http://app/other?fnId=f&stepId=step";
        assert_eq!(redirected("/other").as_deref(), Some(there));
        assert_eq!(redirected("http://app/other?fnId=f").as_deref(), Some(there));
        assert_eq!(redirected("https://b:1/x?y=1").as_deref(), Some("https://b:1/x?y=1&fnId=f&stepId=step"));
    }

    #[test]
    fn an_answer_that_is_no_redirect_stays_where_it_is() {
        let url = Url::parse("http://app/").unwrap();
        assert_eq!(next(&url, &url, StatusCode::OK, &HeaderMap::new()), None);
        assert_eq!(next(&url, &url, StatusCode::FOUND, &HeaderMap::new()), None);
    }
}
