//! Two partitions of one process, which dies between every two steps of a letter's way.

use super::*;

/// In which life of the process what happens.
struct Pair {
    disks: [Disk; 2],
    /// How often the letter was taken in.
    deliveries: Rc<RefCell<usize>>,
}

/// Both partitions, alive.
struct Alive([Running; 2]);

fn stream_of(index: u32) -> Address {
    Address::from_text(&format!("stream/{index}")).unwrap()
}

impl Pair {
    fn new() -> Self {
        let mut places = Place::all(2).map(Disk::of);
        Self { disks: [places.next().unwrap(), places.next().unwrap()], deliveries: Rc::default() }
    }

    /// The process starts, with what the files hold.
    fn start(&self) -> Alive {
        let side = |disk: &Disk| {
            let deliveries = Rc::clone(&self.deliveries);
            let mut running = disk.run(move |_, rows, input| {
                Ok(done(|done| match &input.message {
                    Message::Ask((_, body)) if body == b"write" => {
                        put(done, "sent");
                        for to in [stream_of(0), stream_of(1)] {
                            done.effects.push(Effect::Send(Send { to, body: b"letter".to_vec() }));
                        }
                        reply(done, input);
                    }
                    Message::Tell(body) => {
                        *deliveries.borrow_mut() += 1;
                        // Recognised by what it wrote (law 2).
                        if rows.iter().all(|held| held.rows.iter().all(|row| row.key.as_bytes() != body)) {
                            put(done, &String::from_utf8(body.clone()).unwrap());
                        }
                    }
                    _ => {}
                }))
            });
            running.turns.start().unwrap();
            running
        };
        Alive([side(&self.disks[0]), side(&self.disks[1])])
    }

    /// A transaction that has nothing to do with letters.
    fn nudge(&self, alive: &mut Alive, index: usize) {
        drop(self.disks[index].ask(&alive.0[index], &stream_of(index as u32), b"nudge"));
        alive.0[index].turns.step();
    }

    fn letters_in_file(&self) -> i64 {
        self.disks.iter().map(|disk| disk.count("SELECT count(*) FROM letters")).sum()
    }
}

impl Alive {
    /// Hands over what is on its way; how many letters and receipts that is.
    fn carry(&self) -> usize {
        let mut carried = 0;
        for side in &self.0 {
            let (letters, receipts) = (side.world.letters.take(), side.world.receipts.take());
            carried += letters.len() + receipts.len();
            for (to, letter) in letters {
                self.0[to as usize].inbox.letter(letter);
            }
            for (to, receipt) in receipts {
                self.0[to as usize].inbox.receipt(receipt);
            }
        }
        carried
    }

    /// Goes on until nothing is on its way.
    fn settle(&mut self) {
        loop {
            for side in &mut self.0 {
                while side.turns.post.next().is_some() {
                    side.turns.step();
                }
            }
            let was_carried = self.carry();
            if was_carried == 0 {
                return;
            }
            for side in &mut self.0 {
                side.inbox.receipt(Receipt::default());
                side.turns.step();
            }
        }
    }
}

#[test]
fn a_letter_arrives_whenever_the_process_dies_on_its_way() {
    // Where it dies, and how often the letter is taken in for that.
    for (dies_after, deliveries) in [("commit", 1), ("taken in", 2), ("receipt", 2), ("deletion", 1), ("never", 1)] {
        let pair = Pair::new();
        let mut alive = pair.start();
        let mut asking = pair.disks[0].ask(&alive.0[0], &stream_of(0), b"write");
        alive.0[0].turns.step();
        assert_eq!(alive.0[0].world.letters.borrow().len(), 1, "what stays in the partition is no letter");
        assert_eq!(rows_of(&alive.0[0], "stream/0"), ["letter", "sent"]);
        assert!(pair.disks[0].answer(&mut asking).is_ready());
        *pair.deliveries.borrow_mut() = 0;
        for step in ["commit", "taken in", "receipt", "deletion", "never"] {
            match step {
                "commit" => assert_eq!(pair.letters_in_file(), 1),
                "taken in" => {
                    assert_eq!(alive.carry(), 1);
                    alive.0[1].turns.step();
                    assert_eq!(rows_of(&alive.0[1], "stream/1"), ["letter"]);
                    assert_eq!(alive.0[1].world.receipts.borrow().len(), 1);
                }
                "receipt" => {
                    assert_eq!(alive.carry(), 1);
                    alive.0[0].turns.step();
                    assert_eq!(pair.letters_in_file(), 1, "a receipt is no transaction");
                }
                _ => {
                    pair.nudge(&mut alive, 0);
                    assert_eq!(pair.letters_in_file(), 0);
                }
            }
            if step == dies_after {
                break;
            }
        }
        drop(alive);
        let mut alive = pair.start();
        alive.settle();
        assert_eq!(rows_of(&alive.0[1], "stream/1"), ["letter"], "dies after {dies_after}");
        assert_eq!(*pair.deliveries.borrow(), deliveries, "dies after {dies_after}");
        pair.nudge(&mut alive, 0);
        assert_eq!(pair.letters_in_file(), 0, "dies after {dies_after}");
    }
}

#[test]
fn a_letter_of_a_transaction_that_failed_was_never_written() {
    let pair = Pair::new();
    let mut alive = pair.start();
    pair.disks[0].sql(&POISON.replace("'poison'", "'sent'"));
    drop(pair.disks[0].ask(&alive.0[0], &stream_of(0), b"write"));
    alive.0[0].turns.step();
    assert!(alive.0[0].world.letters.borrow().is_empty());
    assert_eq!(pair.letters_in_file(), 0);
    // The next one is sent although its number does not follow.
    pair.disks[0].sql("DROP TRIGGER poisoning");
    drop(pair.disks[0].ask(&alive.0[0], &stream_of(0), b"write"));
    alive.0[0].turns.step();
    alive.settle();
    assert_eq!(rows_of(&alive.0[1], "stream/1"), ["letter"]);
}

#[test]
fn a_letter_that_could_not_be_taken_in_comes_again() {
    let pair = Pair::new();
    let mut alive = pair.start();
    pair.disks[1].sql(&POISON.replace("'poison'", "'letter'"));
    drop(pair.disks[0].ask(&alive.0[0], &stream_of(0), b"write"));
    alive.0[0].turns.step();
    alive.carry();
    alive.0[1].turns.step();
    assert!(rows_of(&alive.0[1], "stream/1").is_empty());
    pair.disks[1].sql("DROP TRIGGER poisoning");
    alive.settle();
    assert_eq!(rows_of(&alive.0[1], "stream/1"), ["letter"]);
    pair.nudge(&mut alive, 0);
    assert_eq!(pair.letters_in_file(), 0);
}

#[test]
fn what_is_asked_after_a_new_catalog_is_decided_by_it_in_every_partition() {
    let disk = Disk::of(Place { index: 1, count: 2 });
    let mut running = disk.run(|_, _, input| {
        assert_eq!(input.catalog, 5);
        Ok(done(|done| reply(done, input)))
    });
    running.turns.start().unwrap();
    assert!(running.turns.parts.turns.is_empty(), "the catalog lives elsewhere");
    let newest = CatalogVersion { version: 5, snapshot: Vec::new() };
    *running.world.catalog.borrow_mut() = Some(Arc::new(newest));
    let mut asking = disk.ask(&running, &stream_of(1), b"");
    running.turns.step();
    assert_eq!(disk.answer(&mut asking), Poll::Ready(Ok(Vec::new())));
    assert_eq!(running.turns.parts.catalog, 5);
}
