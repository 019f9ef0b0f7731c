//! What Spin tells a component in headers.

use crate::route::Route;
use anyhow::Result;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Uri, header};
use std::net::SocketAddr;

/// How a request came to a component.
pub(crate) struct Way<'a> {
    /// As written in the manifest; none for a call of another component.
    pub(crate) route: Option<&'a Route>,
    /// What of the path follows it.
    pub(crate) rest: &'a str,
    pub(crate) client: SocketAddr,
}

/// Sets what Spin sets, after taking away what it keeps to itself.
pub(crate) fn prepare<B>(request: &mut Request<B>, way: &Way<'_>) -> Result<()> {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let full_url = format!("{}://{host}{path}", request.uri().scheme_str().unwrap_or("http"));
    let route = way.route.map_or("/...", Route::written);
    let told = [
        ("spin-full-url", full_url),
        ("spin-path-info", way.rest.to_owned()),
        ("spin-matched-route", route.to_owned()),
        ("spin-base-path", "/".to_owned()),
        ("spin-raw-component-route", route.to_owned()),
        ("spin-component-route", route.trim_end_matches("/...").to_owned()),
        ("spin-client-addr", way.client.to_string()),
    ];
    let headers: &mut HeaderMap = request.headers_mut();
    headers.remove(header::CONNECTION);
    for (name, value) in told {
        headers.append(HeaderName::from_static(name), HeaderValue::try_from(value)?);
    }
    Ok(())
}

/// Makes the URI of a request whole: scheme and host.
pub(crate) fn complete<B>(request: &mut Request<B>) -> Result<()> {
    let host = request.headers().get(header::HOST).map(|host| host.to_str().map(ToOwned::to_owned)).transpose()?;
    let mut parts = std::mem::take(request.uri_mut()).into_parts();
    if parts.authority.is_none() {
        parts.authority = Some(host.unwrap_or_else(|| "localhost".to_owned()).parse()?);
    }
    parts.scheme = Some(http::uri::Scheme::HTTP);
    if parts.path_and_query.is_none() {
        parts.path_and_query = Some(http::uri::PathAndQuery::from_static("/"));
    }
    *request.uri_mut() = Uri::from_parts(parts)?;
    Ok(())
}
