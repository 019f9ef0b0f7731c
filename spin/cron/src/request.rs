//! One request, waited for: there is nothing else to do here.

use wasip2::http::outgoing_handler;
use wasip2::http::types::{Fields, IncomingBody, Method, OutgoingBody, OutgoingRequest, Scheme};

/// Sends an empty `POST` to `url`, with `bearer` unless it is empty; the status of the answer.
pub(crate) fn post(url: &str, bearer: &str) -> Result<u16, String> {
    let (scheme, rest) = url.split_once("://").ok_or_else(|| format!("{url} is no URL"))?;
    let scheme = match scheme {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        other => return Err(format!("{url} is neither http nor https but {other}")),
    };
    let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
    let headers = Fields::new();
    headers.append("content-length", b"0").map_err(|error| format!("a header is refused: {error}"))?;
    if !bearer.is_empty() {
        let value = format!("Bearer {bearer}");
        headers.append("authorization", value.as_bytes()).map_err(|error| format!("the key is no header: {error}"))?;
    }
    let request = OutgoingRequest::new(headers);
    let unfit = |()| format!("{url} is no URL");
    request.set_method(&Method::Post).map_err(unfit)?;
    request.set_scheme(Some(&scheme)).map_err(unfit)?;
    request.set_authority(Some(authority)).map_err(unfit)?;
    request.set_path_with_query(Some(&format!("/{path}"))).map_err(unfit)?;
    let body = request.body().map_err(unfit)?;
    let pending = outgoing_handler::handle(request, None).map_err(|error| format!("{url} is not called: {error}"))?;
    OutgoingBody::finish(body, None).map_err(|error| format!("the request is not sent: {error}"))?;
    pending.subscribe().block();
    let answer = pending.get().ok_or("no answer where there was one")?.map_err(|()| "an answer that was taken")?;
    let answer = answer.map_err(|error| format!("{url} does not answer: {error}"))?;
    let status = answer.status();
    // Read to its end, so that the connection is left as it should be.
    if let Ok(body) = answer.consume() {
        drop(IncomingBody::finish(body));
    }
    Ok(status)
}
