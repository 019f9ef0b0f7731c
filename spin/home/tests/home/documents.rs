//! Documents by themselves: who writes at once, and what is read of many rows.

use crate::world::{Handle, Seat, World};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use stepwell_spin_home::document::{Changes, Documents, OpenError};
use stepwell_spin_home::types::{Range, Row};

type Held = Rc<Documents<Handle, Seat>>;

fn documents(world: &Rc<World>) -> Held {
    Rc::new(Documents::new(world.handle(), world.seat()))
}

fn range(start: &str, end: &str, limit: u32, descending: bool) -> Range {
    Range { start: start.to_owned(), end: end.to_owned(), limit, descending }
}

/// Does it, to its end.
fn done<T: 'static>(world: &Rc<World>, work: impl Future<Output = T> + 'static) -> T {
    let slot = Rc::new(RefCell::new(None));
    let made = slot.clone();
    world.spawn(0, async move { *made.borrow_mut() = Some(work.await) });
    assert!(world.run(60_000, || slot.borrow().is_some()));
    slot.take().unwrap()
}

async fn write(documents: &Held, name: &str, rows: Vec<(String, Option<Vec<u8>>)>) -> bool {
    let opened = documents.open(name).await.unwrap();
    let changes = rows.into_iter().map(|(key, value)| (key, value.map(stepwell_spin_home::document::Bytes)));
    match documents.commit(opened, changes.collect::<Changes>()).await {
        // What it was to be merged with has been replaced meanwhile.
        Err(OpenError::Gone) => false,
        made => made.unwrap().is_some(),
    }
}

async fn read(documents: &Held, name: &str, range: Range) -> Vec<Row> {
    loop {
        let head = documents.peek(name).await.unwrap();
        match documents.rows(name, &head, &range).await {
            Err(OpenError::Gone) => {}
            rows => return rows.unwrap(),
        }
    }
}

/// Sixteen writers on one document that does not exist yet, each of whom adds a row again and again.
#[test]
fn sixteen_writers_at_once_lose_nothing() {
    for seed in 1..20 {
        let world = World::empty(seed);
        let left = Rc::new(RefCell::new(16));
        for writer in 0..16 {
            // Each has an instance of its own, which shares nothing but the store.
            let (documents, left) = (documents(&world), left.clone());
            world.spawn(0, async move {
                for number in 0..5 {
                    let row = (format!("{writer}/{number}"), Some(vec![1; 900]));
                    while !write(&documents, "run/1", vec![row.clone()]).await {}
                }
                *left.borrow_mut() -= 1;
            });
        }
        assert!(world.run(60_000, || *left.borrow() == 0));
        let held = documents(&world);
        let rows = done(&world, async move { read(&held, "run/1", range("", "~", 1_000, false)).await });
        assert_eq!(rows.len(), 80, "seed {seed}");
    }
}

/// What a plain read and write would do to the same store: the test above tells the difference.
#[test]
fn plain_reads_and_writes_lose_updates_in_this_store() {
    use stepwell_spin_home::store::{Put, Store};
    let world = World::empty(3);
    let left = Rc::new(RefCell::new(16));
    for _ in 0..16 {
        let (store, left) = (world.handle(), left.clone());
        world.spawn(0, async move {
            let held = store.get("count").await.unwrap().map_or(0, |bytes| bytes[0]);
            store.put(Put { key: "count".to_owned(), value: vec![held + 1] }).await.unwrap();
            *left.borrow_mut() -= 1;
        });
    }
    assert!(world.run(60_000, || *left.borrow() == 0));
    assert!(world.memory.values.borrow()["count"][0] < 16);
}

/// The same rows in a map and in a document, whatever is written, deleted and asked for.
#[test]
fn a_document_is_a_sorted_map() {
    for seed in 1..6 {
        let world = World::empty(seed);
        let held = documents(&world);
        let mut model: BTreeMap<String, Vec<u8>> = BTreeMap::new();
        for _ in 0..60 {
            let mut rows = BTreeMap::new();
            for _ in 0..=world.draw() % 40 {
                let key = format!("{:05}", world.draw() % 1_500);
                let bytes = usize::try_from(world.draw() % 2_000).unwrap();
                let value = (!world.draw().is_multiple_of(4)).then(|| vec![7_u8; bytes]);
                rows.insert(key, value);
            }
            for (key, value) in &rows {
                match value {
                    Some(value) => drop(model.insert(key.clone(), value.clone())),
                    None => drop(model.remove(key)),
                }
            }
            let documents = held.clone();
            assert!(done(&world, async move { write(&documents, "stream/0", rows.into_iter().collect()).await }));
            let (start, end) = (format!("{:05}", world.draw() % 1_500), format!("{:05}", world.draw() % 1_500));
            let (limit, descending) = (u32::try_from(world.draw() % 50).unwrap(), world.draw().is_multiple_of(2));
            let asked = range(&start, &end, limit, descending);
            let documents = held.clone();
            let found = done(&world, async move { read(&documents, "stream/0", asked).await });
            let mut wanted: Vec<Row> = if start < end {
                let rows = model.range(start..end);
                rows.map(|(key, value)| Row { key: key.clone(), value: value.clone() }).collect()
            } else {
                Vec::new()
            };
            if descending {
                wanted.reverse();
            }
            wanted.truncate(limit as usize);
            assert_eq!(found, wanted, "seed {seed}");
        }
        let documents = held.clone();
        let all = done(&world, async move { read(&documents, "stream/0", range("", "~", u32::MAX, false)).await });
        assert_eq!(all.len(), model.len());
    }
}

/// A row larger than a value of the store, and what it leaves when it is gone.
#[test]
fn what_is_too_large_for_one_value_has_several_and_goes_whole() {
    let world = World::empty(1);
    let held = documents(&world);
    for value in [Some(vec![9; 2_500_000]), None, Some(vec![1; 10]), Some(vec![2; 10])] {
        let documents = held.clone();
        assert!(done(&world, async move { write(&documents, "run/2", vec![("k".to_owned(), value)]).await }));
        let documents = held.clone();
        // The next change removes what this one has orphaned.
        assert!(done(&world, async move { write(&documents, "run/2", vec![("l".to_owned(), Some(vec![3]))]).await }));
    }
    // As many rows as make it write pages anew, twice: what is orphaned goes with the commit after.
    for number in 0..6 {
        let documents = held.clone();
        let row = (format!("m{number}"), Some(vec![4; 9_000]));
        assert!(done(&world, async move { write(&documents, "run/2", vec![row]).await }));
    }
    let largest = world.memory.values.borrow().values().map(Vec::len).max().unwrap();
    assert!(largest < 100_000, "{largest} bytes are left of what is gone");
}
