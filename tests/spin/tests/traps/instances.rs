//! How long instances live, and what they take with them.

use crate::spin::Spin;

#[test]
fn an_instance_is_given_as_many_requests_as_were_said() {
    let spin = Spin::start_with(&["--max-instance-reuse-count", "3"]);
    let answers: Vec<_> = (0..4).map(|_| spin.ok("/instance")).collect();
    assert_eq!(answers, ["1 1", "2 1", "3 1", "1 1"]);
}

#[test]
fn an_instance_is_given_sixteen_requests_at_once() {
    let spin = Spin::start();
    let answers = spin.all(&vec!["/instance?ms=500".to_owned(); 40]);
    let at_once = |body: &str| body.split_once(' ').unwrap().1.parse::<usize>().unwrap();
    assert!(answers.iter().all(|answer| at_once(&answer.body) <= 16), "{answers:?}");
}

#[test]
fn an_instance_without_anything_to_do_is_dropped() {
    let spin = Spin::start_with(&["--idle-instance-timeout", "10ms"]);
    spin.ok("/instance");
    spin.until("/instance", "1 1");
}

#[test]
fn a_panic_takes_with_it_all_that_its_instance_was_doing() {
    let spin = Spin::start();
    std::thread::scope(|scope| {
        let sibling = scope.spawn(|| spin.get("/spawn?key=of-the-lost&ms=3000&nap=5000"));
        spin.until_there_are(2);
        // There may be several instances: until it is the one of the sibling.
        while !sibling.is_finished() {
            assert_eq!(spin.get("/panic").status, 500);
        }
        assert_eq!(sibling.join().unwrap().status, 500);
    });
    spin.ok("/spawn?key=of-the-next&ms=4000");
    spin.until("/kv/get?key=of-the-next", "done");
    assert_eq!(spin.ok("/kv/get?key=of-the-lost"), "nothing");
}

#[test]
fn spawned_work_goes_on_after_the_answer_and_outlives_idleness() {
    let spin = Spin::start_with(&["--idle-instance-timeout", "50ms"]);
    spin.ok("/spawn?key=k&ms=700");
    assert_eq!(spin.ok("/kv/get?key=k"), "nothing");
    spin.until("/kv/get?key=k", "done");
}

#[test]
fn sigterm_drops_spawned_work() {
    let mut spin = Spin::start();
    spin.ok("/spawn?key=before&ms=300");
    assert_eq!(spin.stop_and_restart(), Some(0));
    spin.ok("/spawn?key=after&ms=600");
    spin.until("/kv/get?key=after", "done");
    assert_eq!(spin.ok("/kv/get?key=before"), "nothing");
}
