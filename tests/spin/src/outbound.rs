//! Whom a component may call: `allowed_outbound_hosts`.

use anyhow::{Result, bail};
use http::Uri;

/// Where components of the same application are reached.
const CHAINED: &str = ".spin.internal";

/// Whom a component may call.
#[derive(Clone, Debug, Default)]
pub struct AllowedHosts(Vec<AllowedHost>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct AllowedHost {
    scheme: Option<String>,
    host: Host,
    port: Port,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Host {
    Any,
    /// With the dot that it begins with.
    Under(String),
    Own,
    Named(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Port {
    Any,
    OfScheme,
    Between(u16, u16),
}

impl AllowedHosts {
    /// Reads the entries of a manifest, their variables filled in.
    ///
    /// # Errors
    /// An entry that Spin would refuse, or that is not read here: lists and networks.
    pub fn parse(entries: &[String]) -> Result<Self> {
        entries.iter().map(|entry| AllowedHost::parse(entry)).collect::<Result<_>>().map(Self)
    }

    /// Whether `uri` may be called.
    #[must_use]
    pub fn allow(&self, uri: &Uri) -> bool {
        let scheme = uri.scheme_str().unwrap_or("https");
        let (host, port) = (uri.host().unwrap_or_default(), uri.port_u16());
        self.0.iter().any(|allowed| allowed.allows(scheme, host, port))
    }

    /// Whether the application itself may be called, by where it listens.
    #[must_use]
    pub fn allow_own(&self) -> bool {
        self.0.iter().any(|allowed| allowed.host == Host::Own)
    }
}

/// The component that is called by `http://NAME.spin.internal`.
pub(crate) fn chained(uri: &Uri) -> Option<&str> {
    uri.host()?.strip_suffix(CHAINED)
}

impl AllowedHost {
    fn parse(entry: &str) -> Result<Self> {
        let Some((scheme, rest)) = entry.trim().split_once("://") else {
            bail!("{entry:?} of allowed_outbound_hosts has no scheme");
        };
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        if rest.contains(['/', '{', '[']) {
            bail!("{entry:?} of allowed_outbound_hosts is not read here: a path, a list or a network");
        }
        let (host, port) = rest.split_once(':').unwrap_or((rest, ""));
        let host = match (host, host.strip_prefix("*.")) {
            ("*", _) => Host::Any,
            ("self" | "self.alt", _) => Host::Own,
            (_, Some(domain)) if !domain.contains('*') => Host::Under(format!(".{domain}")),
            _ if host.is_empty() || host.contains('*') => bail!("{entry:?} of allowed_outbound_hosts has no host"),
            _ => Host::Named(host.to_ascii_lowercase()),
        };
        let scheme = Some(scheme).filter(|scheme| *scheme != "*").map(ToOwned::to_owned);
        Ok(Self { scheme, host, port: Port::parse(port)? })
    }

    fn allows(&self, scheme: &str, host: &str, port: Option<u16>) -> bool {
        let host_fits = match &self.host {
            Host::Any => true,
            Host::Under(domain) => host.to_ascii_lowercase().ends_with(domain),
            Host::Named(name) => host.eq_ignore_ascii_case(name),
            Host::Own => false,
        };
        self.scheme.as_deref().is_none_or(|allowed| allowed == scheme) && host_fits && self.port.allows(scheme, port)
    }
}

impl Port {
    fn parse(port: &str) -> Result<Self> {
        Ok(match port.split_once("..") {
            _ if port.is_empty() => Self::OfScheme,
            _ if port == "*" => Self::Any,
            Some((first, end)) => Self::Between(first.parse()?, end.parse::<u16>()?.saturating_sub(1)),
            None => Self::Between(port.parse()?, port.parse()?),
        })
    }

    fn allows(&self, scheme: &str, port: Option<u16>) -> bool {
        let of_scheme = if scheme == "http" { 80 } else { 443 };
        match self {
            Self::Any => true,
            Self::OfScheme => port.is_none_or(|port| port == of_scheme),
            Self::Between(first, last) => (*first..=*last).contains(&port.unwrap_or(of_scheme)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(entry: &str, uri: &str) -> bool {
        AllowedHosts::parse(&[entry.to_owned()]).unwrap().allow(&uri.parse().unwrap())
    }

    #[test]
    fn scheme_host_and_port_must_all_fit() {
        assert!(allows("http://127.0.0.1:*", "http://127.0.0.1:8288/x"));
        assert!(!allows("http://127.0.0.1:*", "https://127.0.0.1:8288/x"));
        assert!(!allows("http://127.0.0.1:*", "http://127.0.0.2:8288/x"));
        assert!(allows("*://*:*", "https://example.com/"));
        assert!(allows("https://*.example.com", "https://a.example.com/"));
        assert!(!allows("https://*.example.com", "https://example.com/"));
        assert!(!allows("https://*.example.com", "https://a.example.com:8443/"));
        assert!(allows("http://a:8000..8002", "http://a:8001/"));
        assert!(!allows("http://a:8000..8002", "http://a:8002/"));
    }

    #[test]
    fn other_components_are_called_only_where_they_are_named() {
        assert!(allows("http://executor.spin.internal", "http://executor.spin.internal/turn"));
        assert!(!allows("http://executor.spin.internal", "http://scheduler.spin.internal/turn"));
        assert_eq!(chained(&"http://executor.spin.internal/turn".parse().unwrap()), Some("executor"));
        assert_eq!(chained(&"http://spin.example/turn".parse().unwrap()), None);
    }

    #[test]
    fn what_is_no_entry_is_refused() {
        for entry in ["*", "example.com", "http://", "http://a/path", "http://a*b", "http://{a,b}"] {
            assert!(AllowedHosts::parse(&[entry.to_owned()]).is_err(), "{entry}");
        }
    }
}
