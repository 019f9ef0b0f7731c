//! Pages of events.

use super::{NOW, accept, event, stream};
use crate::ids::EventId;
use crate::limits::{LIST_BYTES_READ_MAX, LIST_EVENTS_READ_MAX};
use crate::stream::Stream;
use crate::stream::driver::Driver;
use crate::stream::message::{Ask, NewEvent, Page};
use serde_json::{json, value::to_raw_value};

/// Every page from the newest event to the oldest: the counts of their events.
fn pages(stream: &mut Driver<Stream>, limit: u32, name: Option<&str>) -> Vec<Vec<u128>> {
    let mut pages = Vec::new();
    let mut before = None;
    loop {
        let ask = Ask::List { limit, before, name: name.map(str::to_owned) };
        let page: Page = serde_json::from_value(stream.ask(&ask).0.unwrap()).unwrap();
        pages.push(page.events.iter().map(|event| event.internal_id.0.random()).collect());
        assert!(before.is_none() || page.next < before, "a page goes back");
        before = page.next;
        if before.is_none() {
            return pages;
        }
    }
}

#[test]
fn pages_are_newest_first_and_leave_nothing_out() {
    let mut stream = stream(&[]);
    assert_eq!(pages(&mut stream, 2, None), [vec![]]);
    accept(&mut stream, (1..=5).map(|count| event(count, "a")).collect());
    assert_eq!(pages(&mut stream, 2, None), [vec![5, 4], vec![3, 2], vec![1]]);
    assert_eq!(pages(&mut stream, 100, None), [[5, 4, 3, 2, 1]]);
}

#[test]
fn a_name_is_found_however_rare() {
    let mut stream = stream(&[]);
    let rare = |count| if count % 1_500 == 1 { "rare" } else { "common" };
    for hundred in 0..50 {
        accept(&mut stream, (hundred * 100..hundred * 100 + 100).map(|count| event(count, rare(count))).collect());
    }
    let pages = pages(&mut stream, 10, Some("rare"));
    assert_eq!(pages.concat(), [4_501, 3_001, 1_501, 1]);
    let expected = 5_000_usize.div_ceil(LIST_EVENTS_READ_MAX as usize);
    assert_eq!(pages.len(), expected, "each page looks at no more than its bound");
}

#[test]
fn a_page_of_large_events_ends_early() {
    let mut stream = stream(&[]);
    let large = to_raw_value(&json!({"data": "x".repeat(1 << 20)})).unwrap();
    for count in 0..40 {
        accept(&mut stream, vec![NewEvent { event: large.clone(), ..event(count, "a") }]);
    }
    // The first read does not know how large events are.
    let pages = pages(&mut stream, 100, None);
    assert_eq!(pages.concat(), (0..40).rev().collect::<Vec<_>>());
    assert!(pages.len() > 1, "{LIST_BYTES_READ_MAX} bytes are passed");
}

#[test]
fn the_cursor_need_not_be_an_event() {
    let mut stream = stream(&[]);
    accept(&mut stream, vec![event(1, "a"), event(5, "a")]);
    let ask = Ask::List { limit: 9, before: Some(EventId::new(NOW, 3)), name: None };
    let page: Page = serde_json::from_value(stream.ask(&ask).0.unwrap()).unwrap();
    assert_eq!(page.events.len(), 1);
}
