//! The types of `wit/` as JSON: fields in the order of the interface, in camel case, as its JavaScript bindings name them;
//! variants as `{"tag", "val"}`; a missing option leaves its field out; bytes and 64-bit numbers, which JSON has not, as
//! `{"base64": "…"}` and `{"u64": "…"}`. There is one way to write a value, so that equal values are equal bytes.

pub mod http;
pub mod turn;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};
use stepwell_engine::turn as engine;
use stepwell_engine::turn::ActorKind;

/// Bytes.
pub struct Bytes<'a>(&'a [u8]);

impl Serialize for Bytes<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut made = to.serialize_struct("Bytes", 1)?;
        made.serialize_field("base64", &STANDARD.encode(self.0))?;
        made.end()
    }
}

/// A 64-bit number.
pub struct U64(u64);

impl Serialize for U64 {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut made = to.serialize_struct("U64", 1)?;
        made.serialize_field("u64", &self.0.to_string())?;
        made.end()
    }
}

/// A result.
#[derive(Serialize)]
#[serde(tag = "tag", content = "val", rename_all = "kebab-case")]
pub enum Outcome<T, E> {
    Ok(T),
    Err(E),
}

/// A result that holds nothing.
#[derive(Serialize)]
pub struct Empty {
    tag: &'static str,
}

/// What installing a catalog gives.
pub const INSTALLED: Empty = Empty { tag: "ok" };

type Headers<'a> = Vec<(&'a str, &'a str)>;

/// The name of a kind of actors.
pub const fn kind(kind: ActorKind) -> &'static str {
    match kind {
        ActorKind::Catalog => "catalog",
        ActorKind::Stream => "stream",
        ActorKind::History => "history",
        ActorKind::Gate => "gate",
        ActorKind::Waits => "waits",
        ActorKind::Cron => "cron",
        ActorKind::Run => "run",
    }
}

#[derive(Serialize)]
pub struct Address<'a> {
    kind: &'static str,
    key: &'a str,
}

pub fn address(address: &engine::Address) -> Address<'_> {
    Address { kind: kind(address.kind), key: &address.key }
}

#[derive(Serialize)]
pub struct Range<'a> {
    start: &'a str,
    end: &'a str,
    limit: u32,
    descending: bool,
}

pub fn range(range: &engine::Range) -> Range<'_> {
    Range { start: &range.start, end: &range.end, limit: range.limit, descending: range.descending }
}

#[derive(Serialize)]
struct Row<'a> {
    key: &'a str,
    value: Bytes<'a>,
}

#[derive(Serialize)]
pub struct RangeRows<'a> {
    range: Range<'a>,
    rows: Vec<Row<'a>>,
}

pub fn supplied(rows: &[(engine::Range, Vec<engine::Row>)]) -> Vec<RangeRows<'_>> {
    rows.iter().map(|(asked, rows)| RangeRows { range: range(asked), rows: rows.iter().map(row).collect() }).collect()
}

fn row(row: &engine::Row) -> Row<'_> {
    Row { key: &row.key, value: Bytes(&row.value) }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Settings<'a> {
    kind: &'static str,
    signing_keys: &'a [String],
    event_keys: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_interval_ms: Option<U64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    wait_look_back_ms: Option<U64>,
    cron_catch_up: &'static str,
    shards: u32,
    private_addresses: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    backlog_max: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    calls_per_app_max: Option<u32>,
    version: &'a str,
}

pub fn settings(settings: &engine::Settings) -> Settings<'_> {
    Settings {
        kind: if settings.cloud { "cloud" } else { "dev" },
        signing_keys: &settings.signing_keys,
        event_keys: &settings.event_keys,
        retry_interval_ms: settings.retry_interval.map(|interval| U64(interval.0)),
        wait_look_back_ms: settings.wait_look_back.map(|span| U64(span.0)),
        cron_catch_up: match settings.cron_catch_up {
            engine::CatchUp::None => "none",
            engine::CatchUp::Last => "last",
            engine::CatchUp::All => "all",
        },
        shards: settings.shards.count(),
        private_addresses: settings.private_addresses,
        backlog_max: settings.backlog_max,
        calls_per_app_max: settings.calls_per_app_max,
        version: &settings.version,
    }
}

pub const fn install(version: u64, snapshot: &[u8]) -> (U64, Bytes<'_>) {
    (U64(version), Bytes(snapshot))
}

/// The high half comes first.
fn halves(entropy: u128) -> (U64, U64) {
    let half = |bits: u128| U64(u64::try_from(bits & u128::from(u64::MAX)).unwrap_or_default());
    (half(entropy >> 64), half(entropy))
}

fn headers<N: AsRef<str>>(headers: &[(N, String)]) -> Headers<'_> {
    headers.iter().map(|(name, value)| (name.as_ref(), value.as_str())).collect()
}

/// A response to a request, or an app's answer: they look the same.
#[derive(Serialize)]
pub struct Response<'a> {
    status: u16,
    headers: Headers<'a>,
    body: Bytes<'a>,
}

impl<'a> Response<'a> {
    fn new<N: AsRef<str>>(status: u16, held: &'a [(N, String)], body: &'a [u8]) -> Self {
        Self { status, headers: headers(held), body: Bytes(body) }
    }
}
