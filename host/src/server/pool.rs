//! The instances that say what requests mean. A request is bound to the instance that it was opened in, but holds it only
//! while that thinks: one instance has many open requests.

use crate::catalog_cell::CatalogCell;
use crate::parts::{Code, OpenExchange, RequestInstance};
use crate::wit::{Answer, Limits, Progress, Request, Response, Settings};
use crate::{clock, limits};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use tokio::sync::{Mutex as Turn, MutexGuard};

/// Some instances of event-api.
pub struct Pool {
    code: Code,
    settings: Settings,
    memory_bytes_max: usize,
    catalog: CatalogCell,
    slots: Vec<Slot>,
    next: AtomicUsize,
}

#[derive(Default)]
struct Slot {
    housed: Turn<Housed>,
    /// Exchanges to close when the instance is next used: their futures were dropped.
    abandoned: Mutex<Vec<(u64, OpenExchange)>>,
}

#[derive(Default)]
struct Housed {
    instance: Option<RequestInstance>,
    /// Counts the instances of this slot: an exchange of an older one is lost.
    generation: u64,
}

/// An open request; closes itself when dropped.
pub struct Open<'a> {
    slot: &'a Slot,
    generation: u64,
    exchange: OpenExchange,
}

impl Pool {
    /// Instances that are made when they are first used.
    #[must_use]
    pub fn new(code: Code, settings: Settings, memory_bytes_max: usize, catalog: CatalogCell) -> Self {
        let slots = (0..limits::REQUEST_INSTANCES).map(|_| Slot::default()).collect();
        Self { code, settings, memory_bytes_max, catalog, slots, next: AtomicUsize::new(0) }
    }

    /// Takes a request in.
    ///
    /// # Errors
    /// A trap, in words.
    pub async fn open(&self, request: &Request) -> Result<(Open<'_>, Progress), String> {
        let slot = self.pick()?;
        let entropy = clock::entropy().map_err(|e| e.to_string())?;
        let heavy = request.body.len() > limits::BODY_BYTES_INLINE_MAX;
        let (generation, (exchange, progress)) =
            self.with(slot, None, heavy, |instance| instance.open(clock::now_ms(), entropy, request)).await?;
        Ok((Open { slot, generation, exchange }, progress))
    }

    /// Goes on with a request.
    ///
    /// # Errors
    /// A trap, in words; also where another request has taken the instance with it.
    pub async fn resume(&self, open: &Open<'_>, answers: &[Answer]) -> Result<Progress, String> {
        let bytes: usize = answers.iter().flatten().map(Vec::len).sum();
        let heavy = bytes > limits::BODY_BYTES_INLINE_MAX;
        let resumed = self
            .with(open.slot, Some(open.generation), heavy, |instance| {
                instance.resume(open.exchange, clock::now_ms(), answers)
            })
            .await?;
        Ok(resumed.1)
    }

    /// What the shell enforces while it reads requests.
    ///
    /// # Errors
    /// A trap, in words.
    pub async fn limits(&self) -> Result<Limits, String> {
        Ok(self.with(self.pick()?, None, false, RequestInstance::limits).await?.1)
    }

    /// The answer to a request that could not be taken in.
    ///
    /// # Errors
    /// A trap, in words.
    pub async fn refuse(&self, code: &str) -> Result<Response, String> {
        Ok(self.with(self.pick()?, None, false, |instance| instance.refuse(code)).await?.1)
    }

    /// An instance that is free, or the next in turn.
    fn pick(&self) -> Result<&Slot, String> {
        if let Some(free) = self.slots.iter().find(|slot| slot.housed.try_lock().is_ok()) {
            return Ok(free);
        }
        let turn = self.next.fetch_add(1, Ordering::Relaxed).checked_rem(self.slots.len()).unwrap_or(0);
        self.slots.get(turn).ok_or_else(|| "no instances".to_owned())
    }

    /// Calls into the instance of `slot`, which must still be of `generation` where that is given. Gives the generation.
    async fn with<T>(
        &self,
        slot: &Slot,
        generation: Option<u64>,
        heavy: bool,
        call: impl FnOnce(&mut RequestInstance) -> wasmtime::Result<T>,
    ) -> Result<(u64, T), String> {
        let mut housed = slot.housed.lock().await;
        if generation.is_some_and(|wanted| wanted != housed.generation || housed.instance.is_none()) {
            return Err("the instance that held this request has failed on another".to_owned());
        }
        let result = if heavy {
            tokio::task::block_in_place(|| self.call(slot, &mut housed, call))
        } else {
            self.call(slot, &mut housed, call)
        };
        match result {
            Ok(value) => Ok((housed.generation, value)),
            Err(trap) => {
                housed.instance = None;
                Err(format!("{trap:#}"))
            }
        }
    }

    fn call<T>(
        &self,
        slot: &Slot,
        housed: &mut MutexGuard<'_, Housed>,
        call: impl FnOnce(&mut RequestInstance) -> wasmtime::Result<T>,
    ) -> wasmtime::Result<T> {
        let abandoned = std::mem::take(&mut *slot.abandoned.lock().unwrap_or_else(PoisonError::into_inner));
        let abandoned: Vec<_> =
            abandoned.into_iter().filter(|(of, _)| *of == housed.generation).map(|(_, exchange)| exchange).collect();
        housed.close(abandoned)?;
        let Some(instance) =
            housed.fresh_enough(|| RequestInstance::new(&self.code, &self.settings, self.memory_bytes_max))?
        else {
            return Err(wasmtime::Error::msg("no instance"));
        };
        if let Some(catalog) = self.catalog.get() {
            instance.install(&catalog)?;
        }
        call(instance)
    }
}

impl Housed {
    fn close(&mut self, exchanges: Vec<OpenExchange>) -> wasmtime::Result<()> {
        let Some(instance) = self.instance.as_mut() else { return Ok(()) };
        for exchange in exchanges {
            instance.close(exchange)?;
        }
        Ok(())
    }

    /// The instance; a new one where there is none, or where it has grown large and holds nothing: wasm memories do not
    /// shrink.
    fn fresh_enough(
        &mut self,
        make: impl FnOnce() -> wasmtime::Result<RequestInstance>,
    ) -> wasmtime::Result<Option<&mut RequestInstance>> {
        let is_spent = |instance: &RequestInstance| {
            instance.is_idle() && instance.memory_bytes() > limits::REQUEST_INSTANCE_BYTES_KEPT
        };
        if self.instance.as_ref().is_none_or(is_spent) {
            self.instance = None;
            self.generation = self.generation.wrapping_add(1);
            self.instance = Some(make()?);
        }
        Ok(self.instance.as_mut())
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        let mut abandoned = self.slot.abandoned.lock().unwrap_or_else(PoisonError::into_inner);
        abandoned.push((self.generation, self.exchange));
    }
}
