//! One call, under its lease. Redirects of an app are sent what the call was, and its query with it (PROTOCOL §6.2); those of other
//! servers, which steps have called, are followed as the Fetch standard has it.

use crate::concurrent::{First, first};
use crate::engine::Engine;
use crate::home::Home;
use crate::limits::CONFLICT_MS_MAX;
use crate::outside::{Came, Outside, SendError};
use crate::store::Store;
use crate::types::{AppAnswer, AppCall, CallFailure, CallKind, CallOutcome};
use std::cell::Cell;
use std::io::Read;
use std::net::Ipv4Addr;
use std::rc::Rc;
use url::{Host, Url};

/// The buffer that brotli unpacks through.
const BROTLI_BUFFER_BYTES: usize = 16 << 10;

impl<S: Store, E: Engine, O: Outside> Home<S, E, O> {
    /// Makes a call, and says now and then that it is under way. `None`: it counts as lost.
    ///
    /// Whoever was held up until its lease is about to end asks for more time before it sends anything, and sends nothing once the lease is over by
    /// the clock: where the call counts as lost by then, another one may be under way, and what that one has recorded must not run again.
    pub(crate) async fn make(self: &Rc<Self>, of: &str, call: &AppCall, until: u64) -> Option<CallOutcome> {
        let mut until = until;
        while self.left(until) < self.setup.policy.renew_ms {
            until = self.prolong(of, call, until).await?;
        }
        let held = Cell::new(until);
        let late = self.outside.sleep(call.time_ms_max);
        let answered = first(follow(self.outside.as_ref(), call, &held), late);
        let answer = match first(answered, self.lose(of, call, &held)).await {
            First::Other(()) => return None,
            First::One(First::One(answer)) => answer?,
            First::One(First::Other(())) => {
                Err(CallFailure::TimedOut(format!("no answer within {} ms", call.time_ms_max)))
            }
        };
        Some(CallOutcome { id: call.id.clone(), answer })
    }

    /// Renews a call's lease again and again; comes back once it is gone.
    async fn lose(self: &Rc<Self>, of: &str, call: &AppCall, held: &Cell<u64>) {
        loop {
            self.outside.sleep(self.setup.policy.renew_ms.min(self.left(held.get()))).await;
            match self.prolong(of, call, held.get()).await {
                Some(later) => held.set(later),
                None => return,
            }
        }
    }

    /// Until when a lease is good once it was renewed; none where it is gone, or over by the clock.
    async fn prolong(self: &Rc<Self>, of: &str, call: &AppCall, until: u64) -> Option<u64> {
        let from = self.outside.now();
        match self.renew(of, &call.id).await {
            Ok(is_held) => is_held.then(|| from.saturating_add(self.setup.policy.lease_ms)),
            Err(failure) => {
                // The next one comes within the lease.
                self.log("a lease was not renewed", of, failure);
                self.outside.sleep(CONFLICT_MS_MAX).await;
                (self.left(until) > 0).then_some(until)
            }
        }
    }

    fn left(&self, until: u64) -> u64 {
        until.saturating_sub(self.outside.now())
    }
}

/// What comes of a call and of where it is redirected; none where its lease, which `held` says the end of, was over before all was sent.
async fn follow(outside: &impl Outside, call: &AppCall, held: &Cell<u64>) -> Option<Result<AppAnswer, CallFailure>> {
    match followed(outside, call, held).await {
        Err(Unanswered::Lost) => None,
        Err(Unanswered::Failed(failure)) => Some(Err(failure)),
        Ok(answer) => Some(Ok(answer)),
    }
}

/// Why there is no answer.
enum Unanswered {
    Failed(CallFailure),
    Lost,
}

impl From<CallFailure> for Unanswered {
    fn from(failure: CallFailure) -> Self {
        Self::Failed(failure)
    }
}

async fn followed(outside: &impl Outside, call: &AppCall, held: &Cell<u64>) -> Result<AppAnswer, Unanswered> {
    let mut url = parsed(&call.url, None)?;
    let first = url.clone();
    let mut call = call.clone();
    for _ in 0..=call.redirects_max {
        if call.kind == CallKind::FetchPublic && !is_public(&url) {
            let host = url.host_str().unwrap_or_default();
            return Err(CallFailure::Refused(format!("{host} is not a public address")).into());
        }
        let came = outside.send(&call, url.as_str(), held.get()).await;
        let came = came.map_err(|error| failed(error, call.answer_bytes_max))?;
        let location = came.headers.iter().find(|(name, _)| name == "location").map(|(_, location)| location.clone());
        match (came.status, location) {
            (301 | 302 | 303 | 307 | 308, Some(location)) => {
                let mut next = parsed(&location, Some(&url))?;
                if call.kind == CallKind::App {
                    take_along(&first, &mut next);
                } else {
                    change(&mut call, came.status, &url, &next);
                }
                url = next;
            }
            _ => return Ok(read(came, call.answer_bytes_max)?),
        }
    }
    Err(CallFailure::Unreadable(format!("the app redirected more than {} times", call.redirects_max)).into())
}

/// The query of an app's URL goes along, but for what the new one says itself.
fn take_along(first: &Url, next: &mut Url) {
    let held: Vec<String> = next.query_pairs().map(|(name, _)| name.into_owned()).collect();
    let missing: Vec<_> = first.query_pairs().filter(|(name, _)| !held.iter().any(|held| held == name)).collect();
    if !missing.is_empty() {
        next.query_pairs_mut().extend_pairs(missing);
    }
}

/// What of a request goes to where it is redirected: the Fetch standard, "HTTP-redirect fetch".
fn change(call: &mut AppCall, status: u16, from: &Url, to: &Url) {
    let becomes_get = match status {
        301 | 302 => call.method == "POST",
        303 => !matches!(call.method.as_str(), "GET" | "HEAD"),
        _ => false,
    };
    if becomes_get {
        "GET".clone_into(&mut call.method);
        call.body.clear();
        call.headers.retain(|(name, _)| !name.starts_with("content-"));
    }
    if from.origin() != to.origin() {
        call.headers.retain(|(name, _)| !matches!(name.as_str(), "authorization" | "cookie" | "proxy-authorization"));
    }
}

/// Whether an address is public, as far as its URL tells: names cannot be looked up here, and are for the platform to refuse.
fn is_public(url: &Url) -> bool {
    match url.host() {
        None => false,
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            !(name == "localhost"
                || name.ends_with(".localhost")
                || name.ends_with(".internal")
                || name.ends_with(".local"))
        }
        Some(Host::Ipv4(address)) => is_public_v4(address),
        Some(Host::Ipv6(address)) => match address.to_ipv4() {
            Some(address) => is_public_v4(address),
            // Global unicast.
            None => matches!(address.segments(), [0x2000..=0x3fff, ..]),
        },
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [first, second, ..] = address.octets();
    let is_shared = first == 100 && (64..128).contains(&second);
    let is_special = matches!((first, second), (0 | 240..=255, _) | (192, 0) | (198, 18 | 19));
    !(address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        || is_shared
        || is_special)
}

fn parsed(text: &str, base: Option<&Url>) -> Result<Url, CallFailure> {
    let url = base.map_or_else(|| Url::parse(text), |base| base.join(text)).ok();
    url.filter(|url| matches!(url.scheme(), "http" | "https"))
        .ok_or_else(|| CallFailure::Unreachable(format!("{text} is not an http or https URL")))
}

fn failed(error: SendError, bytes_max: u64) -> Unanswered {
    Unanswered::Failed(match error {
        SendError::Unreachable(why) => CallFailure::Unreachable(why),
        SendError::TooLarge => CallFailure::TooLarge(format!("the app's answer is larger than {bytes_max} bytes")),
        SendError::Late => return Unanswered::Lost,
    })
}

/// An answer as the engine wants it: decoded.
fn read(came: Came, bytes_max: u64) -> Result<AppAnswer, CallFailure> {
    let encodings: Vec<String> = came
        .headers
        .iter()
        .filter(|(name, _)| name == "content-encoding")
        .map(|(_, value)| value.trim().to_ascii_lowercase())
        .collect();
    let body = match encodings.join(",").as_str() {
        "" | "identity" => came.body,
        "gzip" | "x-gzip" => unpack(flate2::read::MultiGzDecoder::new(came.body.as_slice()), bytes_max)?,
        "br" => unpack(brotli_decompressor::Decompressor::new(came.body.as_slice(), BROTLI_BUFFER_BYTES), bytes_max)?,
        other => {
            let message = format!("the app's answer is encoded as {other:?}; gzip and br are understood");
            return Err(CallFailure::Unreadable(message));
        }
    };
    let headers =
        came.headers.into_iter().filter(|(name, _)| name != "content-encoding" && name != "content-length").collect();
    Ok(AppAnswer { status: came.status, headers, body })
}

fn unpack(packed: impl Read, bytes_max: u64) -> Result<Vec<u8>, CallFailure> {
    let mut body = Vec::new();
    packed
        .take(bytes_max.saturating_add(1))
        .read_to_end(&mut body)
        .map_err(|e| CallFailure::Unreadable(format!("the app's answer cannot be unpacked: {e}")))?;
    if u64::try_from(body.len()).is_ok_and(|bytes| bytes <= bytes_max) {
        return Ok(body);
    }
    Err(CallFailure::TooLarge(format!("the app's answer unpacks to more than {bytes_max} bytes")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(method: &str) -> AppCall {
        let headers = ["authorization", "content-type", "x-own"].map(|name| (name.to_owned(), "v".to_owned()));
        AppCall {
            id: "c".to_owned(),
            kind: CallKind::Fetch,
            method: method.to_owned(),
            url: "https://a.example/x".to_owned(),
            headers: headers.to_vec(),
            body: b"b".to_vec(),
            time_ms_max: 1,
            answer_bytes_max: 1,
            redirects_max: 1,
        }
    }

    fn redirected(method: &str, status: u16, to: &str) -> (String, Vec<String>) {
        let mut call = call(method);
        change(&mut call, status, &parsed("https://a.example/x", None).unwrap(), &parsed(to, None).unwrap());
        (call.method, call.headers.into_iter().map(|(name, _)| name).collect())
    }

    #[test]
    fn redirects_of_others_are_those_of_browsers() {
        assert_eq!(redirected("POST", 302, "https://a.example/y").0, "GET");
        assert_eq!(redirected("PUT", 302, "https://a.example/y").0, "PUT");
        assert_eq!(redirected("PUT", 303, "https://a.example/y").0, "GET");
        assert_eq!(redirected("POST", 307, "https://a.example/y").0, "POST");
        assert_eq!(redirected("POST", 307, "https://b.example/y").1, ["content-type", "x-own"]);
        assert_eq!(redirected("POST", 303, "https://a.example/y").1, ["authorization", "x-own"]);
    }

    #[test]
    fn what_is_not_public_is_told_by_its_address() {
        for host in ["example.com", "8.8.8.8", "[2606:4700::1111]"] {
            assert!(is_public(&parsed(&format!("http://{host}/"), None).unwrap()), "{host}");
        }
        for host in [
            "localhost",
            "a.localhost",
            "executor.spin.internal",
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "0.0.0.0",
            "2130706433",
            "[::1]",
            "[::ffff:10.0.0.1]",
            "[fd00::1]",
            "[fe80::1]",
        ] {
            assert!(!is_public(&parsed(&format!("http://{host}/"), None).unwrap()), "{host}");
        }
    }

    #[test]
    fn a_redirect_of_an_app_takes_its_query_along() {
        let first = parsed("http://app/api?fnId=f&stepId=step", None).unwrap();
        let mut next = parsed("/other?fnId=g", Some(&first)).unwrap();
        take_along(&first, &mut next);
        assert_eq!(next.as_str(), "http://app/other?fnId=g&stepId=step");
    }
}
