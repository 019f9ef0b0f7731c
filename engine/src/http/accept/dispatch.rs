//! To which stream each event of a request goes.
//!
//! Events with an id of the user's own go where all events with this id go, so that duplicates meet. The others go where their
//! server's ids say, which is one shard for a whole request. A stream takes all that it is asked to take, or none; where a
//! request concerns several streams, those of users' ids are asked first, and the rest goes out only when they have all taken theirs: who
//! is told of a failure and tries again is recognised by the ids, and what has none was not taken before.

use super::super::answer::{Progress, Question};
use super::super::endpoint::{Endpoint, Opened, Opening, question, read};
use super::super::{Response, out_of_step};
use super::Accepted;
use crate::error::Refusal;
use crate::ids::Millis;
use crate::shard::Shard;
use crate::stream::message::{Ask, NewEvent};
use crate::turn::{Address, Answer};
use std::collections::{BTreeMap, VecDeque};

/// How the events' ids become the response.
type Shape = fn(&[String]) -> Response;

/// What one stream is to take.
#[derive(Default)]
struct Share {
    /// Where in the request the events stood.
    places: Vec<usize>,
    events: Vec<NewEvent>,
}

type Shares = BTreeMap<Shard, Share>;

/// The events of a request on their way to the streams.
struct Dispatch {
    /// What is asked at once, in the order in which it is asked.
    stages: VecDeque<Vec<(Vec<usize>, Question)>>,
    /// The places of the events that are being asked for now.
    asked: Vec<Vec<usize>>,
    /// The ids, where they are known.
    ids: Vec<String>,
    shape: Shape,
}

/// Has the streams take the events, and responds with their ids.
pub(super) fn open(opening: &Opening<'_>, events: Vec<NewEvent>, shape: Shape) -> Opened {
    let shards = opening.settings.shards;
    let ids = vec![String::new(); events.len()];
    let (mut named, mut others) = (Shares::new(), Shares::new());
    for (place, mut event) in events.into_iter().enumerate() {
        let shares = match &event.user_id {
            Some(user_id) => {
                event.id = shards.place(event.id, shards.of_name(user_id));
                &mut named
            }
            None => &mut others,
        };
        let share = shares.entry(shards.of_event(event.id)).or_default();
        share.places.push(place);
        share.events.push(event);
    }
    if named.len() == 1 && named.keys().eq(others.keys()) {
        // One stream for all of them, which are to be taken in their order.
        others = merged(named, others);
        named = Shares::new();
    }
    let stages = [named, others].into_iter().filter(|shares| !shares.is_empty()).map(|shares| {
        let ask = |(shard, Share { places, events }): (Shard, Share)| -> Result<_, Refusal> {
            Ok((places, question(Address::stream(shard), &Ask::Accept(events))?))
        };
        shares.into_iter().map(ask).collect::<Result<Vec<_>, _>>()
    });
    Ok(Box::new(Dispatch { stages: stages.collect::<Result<_, Refusal>>()?, asked: Vec::new(), ids, shape }))
}

fn merged(named: Shares, others: Shares) -> Shares {
    let mut all: BTreeMap<Shard, BTreeMap<usize, NewEvent>> = BTreeMap::new();
    for (shard, share) in named.into_iter().chain(others) {
        all.entry(shard).or_default().extend(share.places.into_iter().zip(share.events));
    }
    all.into_iter()
        .map(|(shard, events)| {
            let (places, events) = events.into_iter().unzip();
            (shard, Share { places, events })
        })
        .collect()
}

impl Endpoint for Dispatch {
    fn start(&mut self) -> Result<Progress, Refusal> {
        let Some(stage) = self.stages.pop_front() else { return Ok(Progress::Respond((self.shape)(&self.ids))) };
        let (asked, questions) = stage.into_iter().unzip();
        self.asked = asked;
        Ok(Progress::Ask { channels: Vec::new(), questions })
    }

    fn resume(&mut self, _now: Millis, answers: Vec<Answer>) -> Result<Progress, Refusal> {
        let asked = std::mem::take(&mut self.asked);
        if asked.is_empty() || asked.len() != answers.len() {
            return Err(out_of_step());
        }
        for (places, answer) in asked.into_iter().zip(answers) {
            let accepted: Accepted = read(&answer?)?;
            for (place, id) in places.into_iter().zip(accepted.ids) {
                if let Some(known) = self.ids.get_mut(place) {
                    *known = id;
                }
            }
        }
        self.start()
    }
}
