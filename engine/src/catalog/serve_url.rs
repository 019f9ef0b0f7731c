//! Addresses of apps: which are possible, and which are the same (PROTOCOL §1.9).

use crate::limits::APP_URL_BYTES_MAX;
use url::{Host, Url};

/// Schemes that an app may be served on; `ws` and `wss` belong to workers that connect by themselves.
const SCHEMES: [&str; 4] = ["http", "https", "ws", "wss"];
/// What SDKs put into the query for a call; no part of the endpoint.
const SDK_PARAMETERS: [&str; 4] = ["fnId", "stepId", "deployId", "probe"];
/// Hosts that mean this machine.
const LOCAL: &str = "localhost";

/// Why `url` cannot be an app's address, if it cannot.
pub(super) fn url_fault(url: &str) -> Option<String> {
    if url.is_empty() {
        return Some("is missing".to_owned());
    }
    if url.len() > APP_URL_BYTES_MAX {
        return Some(format!("is longer than {APP_URL_BYTES_MAX} bytes"));
    }
    match Url::parse(url) {
        Err(fault) => Some(format!("{url:?} is not a URL: {fault}")),
        Ok(parsed) if !SCHEMES.contains(&parsed.scheme()) => {
            Some(format!("{url:?} has the scheme {:?}; it must be one of {}", parsed.scheme(), SCHEMES.join(", ")))
        }
        Ok(_) => None,
    }
}

/// Whether the server can call it, rather than being connected to from there.
pub(super) fn is_callable(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
}

/// The form in which addresses are compared: names for this machine are one, default ports and the SDK's own query
/// parameters are gone. What is no URL stays as it is.
pub(super) fn comparable(url: &str) -> String {
    let Ok(mut parsed) = Url::parse(url.trim()) else { return url.trim().to_owned() };
    let is_local = match parsed.host() {
        Some(Host::Ipv4(address)) => address.is_loopback() || address.is_unspecified(),
        Some(Host::Ipv6(address)) => address.is_loopback() || address.is_unspecified(),
        _ => false,
    };
    if is_local && parsed.set_host(Some(LOCAL)).is_err() {
        return url.to_owned();
    }
    let kept: Vec<_> = parsed
        .query_pairs()
        .filter(|(name, _)| !SDK_PARAMETERS.contains(&name.as_ref()))
        .map(|(name, value)| (name.into_owned(), value.into_owned()))
        .collect();
    if kept.is_empty() {
        parsed.set_query(None);
    } else {
        parsed.query_pairs_mut().clear().extend_pairs(kept);
    }
    parsed.set_fragment(None);
    parsed.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_this_machine_are_one() {
        let expected = "http://localhost:3000/api/inngest";
        for url in [
            "http://localhost:3000/api/inngest",
            "http://127.0.0.1:3000/api/inngest",
            "http://0.0.0.0:3000/api/inngest?fnId=a&stepId=step",
            "http://[::1]:3000/api/inngest",
            "HTTP://LOCALHOST:3000/api/inngest",
        ] {
            assert_eq!(comparable(url), expected, "{url}");
        }
        assert_eq!(comparable("https://a.test:443/x?keep=1&probe=trust"), "https://a.test/x?keep=1");
        assert_ne!(comparable("http://localhost:3001/api/inngest"), expected);
        assert_eq!(comparable("nonsense"), "nonsense");
    }

    #[test]
    fn an_address_has_a_scheme_that_can_be_served_and_is_not_too_long() {
        for url in ["http://a.test/x", "https://a.test", "ws://a.test", "wss://connect/?fnId=a"] {
            assert_eq!(url_fault(url), None, "{url}");
        }
        for url in ["", "a.test/x", "ftp://a.test", "/api/inngest", "http://"] {
            assert!(url_fault(url).is_some(), "{url}");
        }
        let of_length = |length: usize| format!("http://a/{}", "x".repeat(length - 9));
        assert_eq!(url_fault(&of_length(APP_URL_BYTES_MAX)), None);
        assert!(url_fault(&of_length(APP_URL_BYTES_MAX + 1)).is_some());
        assert!(is_callable("https://a.test") && !is_callable("wss://a.test"));
    }
}
