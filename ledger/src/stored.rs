//! How a ledger is stored: a head, and parcels that are too large for it.

use crate::letter::Outgoing;
use crate::{Ledger, LedgerError};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The first byte of what is stored; another one is another form.
const FORM: u8 = 1;

/// Rows to write, together with those of the actor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Writes {
    /// Replaces the head that was written before.
    pub head: Vec<u8>,
    /// A new parcel.
    pub put: Option<Parcel>,
    /// Parcels that are not needed any more.
    pub remove: Vec<u64>,
}

/// The letters of one turn, where they are too large for the head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcel {
    /// Names it within the ledger.
    pub number: u64,
    /// To be given back to [`Ledger::load`].
    pub bytes: Vec<u8>,
}

/// What is in the head.
#[derive(Serialize, Deserialize)]
struct Head {
    edition: u64,
    next_letter: u64,
    letters: Vec<(u64, Outgoing)>,
    /// The bodies of those letters that have no parcel.
    bodies: BTreeMap<u64, Arc<[u8]>>,
    parcels: BTreeMap<u64, u32>,
    leases: BTreeMap<String, u64>,
    wake_at: Option<u64>,
    owing: bool,
    resume_at: Option<u64>,
}

impl Ledger {
    /// Reads a ledger back. `parcels` are all that are stored; those that the head does not mention any more are passed over.
    /// `alarm` is the one that is set now, as the home's store knows it: none while it is going off.
    ///
    /// # Errors
    /// What was stored is damaged, or not from here.
    pub fn load<'a>(
        head: Option<&[u8]>,
        parcels: impl IntoIterator<Item = (u64, &'a [u8])>,
        alarm: Option<u64>,
    ) -> Result<Self, LedgerError> {
        let Some(head) = head else { return Ok(Self { armed: alarm, ..Self::default() }) };
        let head: Head = decode("head", head)?;
        let mut letters: BTreeMap<u64, Outgoing> = head.letters.into_iter().collect();
        let mut bodies = head.bodies;
        for (number, bytes) in parcels {
            if head.parcels.contains_key(&number) {
                bodies.extend(decode::<Vec<(u64, Arc<[u8]>)>>("parcel", bytes)?);
            }
        }
        let mut outbox_bytes = 0_usize;
        for (number, letter) in &mut letters {
            let missing = || LedgerError::Unreadable { what: "parcel", cause: format!("letter {number} is missing") };
            letter.body = bodies.get(number).cloned().ok_or_else(missing)?;
            outbox_bytes = outbox_bytes.saturating_add(letter.bytes());
        }
        Ok(Self {
            edition: head.edition,
            next_letter: head.next_letter,
            letters,
            parcels: head.parcels,
            outbox_bytes,
            leases: head.leases,
            wake_at: head.wake_at,
            owing: head.owing,
            resume_at: head.resume_at,
            armed: alarm,
        })
    }

    /// The edition of a head, without reading the rest.
    ///
    /// # Errors
    /// It is damaged.
    pub fn edition_of(head: &[u8]) -> Result<u64, LedgerError> {
        decode::<Head>("head", head).map(|head| head.edition)
    }

    /// The rows that make this state durable; `new` is the parcel of this turn, if it sent anything.
    pub(crate) fn write(&mut self, new: Option<u64>) -> Writes {
        self.edition = self.edition.saturating_add(1);
        let put = new.filter(|number| self.parcels.contains_key(number)).map(|number| {
            let letters: Vec<(u64, Arc<[u8]>)> = self
                .letters
                .iter()
                .filter(|(_, letter)| letter.parcel == number)
                .map(|(number, letter)| (*number, letter.body.clone()))
                .collect();
            Parcel { number, bytes: encode(&letters) }
        });
        let remove: Vec<u64> = self.parcels.iter().filter(|(_, left)| **left == 0).map(|(number, _)| *number).collect();
        self.parcels.retain(|_, left| *left > 0);
        let inline = self.letters.iter().filter(|(_, letter)| !self.parcels.contains_key(&letter.parcel));
        let head = Head {
            edition: self.edition,
            next_letter: self.next_letter,
            letters: self.letters.iter().map(|(number, letter)| (*number, letter.clone())).collect(),
            bodies: inline.map(|(number, letter)| (*number, letter.body.clone())).collect(),
            parcels: self.parcels.clone(),
            leases: self.leases.clone(),
            wake_at: self.wake_at,
            owing: self.owing,
            resume_at: self.resume_at,
        };
        Writes { head: encode(&head), put, remove }
    }
}

fn encode(value: &impl Serialize) -> Vec<u8> {
    // Nothing here can fail to be written: the form has no maps without a length and no foreign types.
    postcard::to_extend(value, vec![FORM]).unwrap_or_default()
}

fn decode<T: serde::de::DeserializeOwned>(what: &'static str, bytes: &[u8]) -> Result<T, LedgerError> {
    let unreadable = |cause: String| LedgerError::Unreadable { what, cause };
    match bytes.split_first() {
        Some((&FORM, rest)) => postcard::from_bytes(rest).map_err(|cause| unreadable(cause.to_string())),
        Some((form, _)) => Err(unreadable(format!("form {form} is not known"))),
        None => Err(unreadable("it is empty".to_owned())),
    }
}
