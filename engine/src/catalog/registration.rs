//! Reads an app's account of itself: the body of a register call (PROTOCOL §1.4) or of an in-band answer (PROTOCOL §1.10).

use super::fields::{Faults, Fields};
use super::serve_url::url_fault;
use super::{Catalog, Function, definition};
use crate::error::{Code, Refusal};
use crate::ids::{AppId, FunctionId};
use crate::limits::{FUNCTIONS_PER_APP_MAX, NAME_BYTES_MAX};
use crate::signing;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;

/// JavaScript SDKs from ... with a published vulnerability (SERVER §3.8).
const DENIED_JS_FIRST: [u64; 3] = [3, 22, 0];
/// ... to.
const DENIED_JS_LAST: [u64; 3] = [3, 53, 1];
/// What varies although nothing was changed, and so takes no part in the checksum.
const UNSTEADY_FIELDS: [&str; 2] = ["featureObservations", "inspection"];

/// An app and its functions, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Registration {
    pub(super) app: AppId,
    pub(super) url: String,
    pub(super) sdk: String,
    pub(super) framework: String,
    pub(super) deploy_id: Option<String>,
    pub(super) checksum: String,
    /// Their versions are still 0.
    pub(super) functions: Vec<Function>,
}

/// A refusal, and whom it concerns as far as that could be read.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) refusal: Refusal,
    pub(super) app: Option<AppId>,
    pub(super) url: Option<String>,
}

/// Reads `body`; `catalog` says which functions belong to other apps.
///
/// # Errors
/// `body_invalid`, `app_name_missing`, `sdk_version_denied`, or `config_invalid` with every fault of every function.
pub(super) fn read(body: &[u8], deploy_id: Option<String>, catalog: &Catalog) -> Result<Registration, Box<Refused>> {
    let body = match serde_json::from_slice(body) {
        Ok(Value::Object(body)) => body,
        Ok(_) => return Err(unreadable("the body must be a JSON object")),
        Err(fault) => return Err(unreadable(&format!("the body is not JSON: {fault}"))),
    };
    let fields = Fields::top(&body);
    let mut faults = Faults::default();
    let name = fields.text("appName", &mut faults).or_else(|| fields.text("app_id", &mut faults)).map(str::trim);
    let url = fields.text("url", &mut faults).unwrap_or_default();
    let Some(name) = name.filter(|name| !name.is_empty()) else {
        let message = "the sync names no app: give the client an id";
        return Err(refused(Refusal::new(Code::AppNameMissing, message), None, url));
    };
    let app = AppId::from(name);
    let sdk = sdk(&fields, &mut faults);
    if is_denied(&sdk) {
        let message = format!("{sdk} has a known vulnerability (CVE-2026-42047); use inngest 3.54.0 or later");
        return Err(refused(Refusal::new(Code::SdkVersionDenied, message), Some(app), url));
    }

    faults.subject = name.to_owned();
    if name.len() > NAME_BYTES_MAX {
        faults.add("app_name_invalid", "appName", format!("is longer than {NAME_BYTES_MAX} bytes"));
    }
    if let Some(fault) = url_fault(url) {
        faults.add("url_invalid", "url", fault);
    }
    let framework = for_people(fields.text("framework", &mut faults));
    let deploy_id = deploy_id.or_else(|| fields.text("deployId", &mut faults).map(str::to_owned));
    let functions = read_functions(&app, &fields, catalog, &mut faults);
    if !faults.details.is_empty() {
        return Err(refused(config_invalid(&app, faults), Some(app), url));
    }
    Ok(Registration {
        app,
        url: url.to_owned(),
        sdk,
        framework,
        deploy_id: deploy_id.map(|id| for_people(Some(&id))),
        checksum: checksum(&body),
        functions,
    })
}

fn unreadable(message: &str) -> Box<Refused> {
    refused(Refusal::new(Code::BodyInvalid, message), None, "")
}

fn refused(refusal: Refusal, app: Option<AppId>, url: &str) -> Box<Refused> {
    let url = Some(url.to_owned()).filter(|url| !url.is_empty());
    Box::new(Refused { refusal, app, url })
}

fn config_invalid(app: &AppId, faults: Faults) -> Refusal {
    let details = faults.details;
    let first = details.first().map(|fault| format!("{}: {} {}", fault.subject, fault.field, fault.message));
    let first = first.unwrap_or_default();
    let message = match details.len() {
        1 => format!("the configuration of app {app} has a fault: {first}"),
        count => format!("the configuration of app {app} has {count} faults, the first of them: {first}"),
    };
    Refusal { code: Code::ConfigInvalid, message, details }
}

fn read_functions(app: &AppId, body: &Fields<'_>, catalog: &Catalog, faults: &mut Faults) -> Vec<Function> {
    let items = body.list("functions", faults);
    if items.len() > FUNCTIONS_PER_APP_MAX {
        let message = format!("has {} items; an app may have {FUNCTIONS_PER_APP_MAX} functions", items.len());
        faults.add("function_limit", "functions", message);
        return Vec::new();
    }
    let mut seen: BTreeSet<FunctionId> = BTreeSet::new();
    let mut functions = Vec::new();
    for (position, (_, item)) in items.into_iter().enumerate() {
        let Some(function) = definition::read(app, position, item, faults) else { continue };
        if !seen.insert(function.id.clone()) {
            faults.add("function_id_duplicate", "id", "is the id of an earlier function of this app");
        }
        if let Some(owner) = catalog.function(&function.id).filter(|known| !known.archived && known.app != *app) {
            faults.add("function_id_taken", "id", format!("is the id of a function of app {}", owner.app));
        }
        functions.push(function);
    }
    functions
}

/// `js:v4.24.0`: spelt so by register calls, and by in-band answers of some SDKs in two parts.
fn sdk(fields: &Fields<'_>, faults: &mut Faults) -> String {
    if let Some(sdk) = fields.text("sdk", faults) {
        return for_people(Some(sdk));
    }
    match (fields.text("sdk_language", faults), fields.text("sdk_version", faults)) {
        (Some(language), Some(version)) => for_people(Some(&format!("{language}:v{version}"))),
        _ => String::new(),
    }
}

fn is_denied(sdk: &str) -> bool {
    let Some(version) = sdk.strip_prefix("js:v").or_else(|| sdk.strip_prefix("inngest-js:v")) else { return false };
    let release = version.split(['-', '+']).next().unwrap_or_default();
    let parts: Option<Vec<u64>> = release.split('.').map(|part| part.parse().ok()).collect();
    let denied = DENIED_JS_FIRST.as_slice()..=DENIED_JS_LAST.as_slice();
    parts.is_some_and(|parts| parts.len() == 3 && denied.contains(&parts.as_slice()))
}

/// Text that is only shown, cut where it is unreasonably long.
fn for_people(text: Option<&str>) -> String {
    text.unwrap_or_default().chars().take(NAME_BYTES_MAX).collect()
}

/// SHA-256 of the body without what varies by itself (PROTOCOL §1.6), whatever the order of its keys.
fn checksum(body: &Map<String, Value>) -> String {
    let steady: Map<_, _> = body
        .iter()
        .filter(|(key, _)| !UNSTEADY_FIELDS.iter().any(|field| field.eq_ignore_ascii_case(key)))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let plain = Value::Object(steady).to_string();
    // Canonical JSON fails on nothing that was read as JSON; should it, the plain text is as good but for the order.
    let bytes = signing::canonical(plain.as_bytes()).unwrap_or_else(|_| plain.into_bytes());
    hex::encode(Sha256::digest(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vulnerable_versions_of_the_javascript_sdk_are_denied() {
        for sdk in ["js:v3.22.0", "js:v3.22.1", "js:v3.40.0-beta.1", "js:v3.53.1"] {
            assert!(is_denied(sdk), "{sdk}");
        }
        for sdk in ["js:v3.21.9", "js:v3.53.2", "js:v3.54.0", "js:v4.24.0", "js:v2.99.0", "py:v3.30.0", "js:vnext", ""]
        {
            assert!(!is_denied(sdk), "{sdk}");
        }
    }

    #[test]
    fn a_checksum_takes_no_notice_of_observations_and_of_order() {
        let of = |text: &str| checksum(serde_json::from_str::<Value>(text).unwrap().as_object().unwrap());
        let plain = of(r#"{"appName":"a","functions":[{"id":"x","name":"n"}]}"#);
        assert_eq!(plain, of(r#"{"functions":[{"name":"n","id":"x"}],"appName":"a","featureobservations":{"x":1}}"#));
        assert_ne!(plain, of(r#"{"appName":"a","functions":[{"id":"x","name":"m"}]}"#));
        assert_eq!(plain.len(), 64);
    }
}
