//! The component, and its bounds: how long it may run and how much memory it may use.

use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow};
use wasmtime::component::{Component, Linker, ResourceAny};
use wasmtime::{Config, Engine, ResourceLimiter, Store, Trap};

use crate::bindings::Reader;
use crate::image::sha256;

/// How often the clock looks at a call that runs.
const TICK: Duration = Duration::from_millis(10);

/// What the component may use.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// How long one call may run.
    pub call: Duration,
    /// How long all calls together may run.
    pub all: Duration,
    /// How much memory it may have, in bytes.
    pub memory: usize,
    /// How many instructions it may run in all; counting them makes it slower. `None` counts none.
    pub fuel: Option<u64>,
}

impl Default for Bounds {
    fn default() -> Self {
        let (call, all) = (Duration::from_secs(20), Duration::from_secs(600));
        Self { call, all, memory: 512 << 20, fuel: None }
    }
}

/// The component was stopped, or broke off. It cannot be called again: whoever wants to go on starts a new one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Stopped {
    /// All calls together took too long.
    #[error("the component was stopped in {call}: all its calls together took more than {limit:?}")]
    All {
        /// The function that was running.
        call: &'static str,
        /// What is allowed.
        limit: Duration,
    },
    /// One call took too long.
    #[error("the component was stopped: {call} took more than {limit:?}")]
    Call {
        /// The function.
        call: &'static str,
        /// What is allowed.
        limit: Duration,
    },
    /// It ran too many instructions.
    #[error("the component was stopped in {call}: it used up its {limit} units of fuel")]
    Fuel {
        /// The function that was running.
        call: &'static str,
        /// What is allowed.
        limit: u64,
    },
    /// It asked for too much memory.
    #[error("the component was stopped in {call}: it asked for {asked} bytes of memory, {limit} are allowed")]
    Memory {
        /// The function that was running.
        call: &'static str,
        /// What its memory would have grown to, in bytes.
        asked: usize,
        /// What is allowed.
        limit: usize,
    },
    /// It broke off by itself, which is a bug of the component.
    #[error("the component broke off in {call}: {trap}")]
    Trapped {
        /// The function that was running.
        call: &'static str,
        /// What wasmtime says.
        trap: String,
    },
}

/// The component, compiled. Many instances can be made of it.
pub struct Guest {
    engine: Engine,
    component: Component,
    bounds: Bounds,
}

impl fmt::Debug for Guest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guest").field("bounds", &self.bounds).finish_non_exhaustive()
    }
}

impl Guest {
    /// Compiles a component, which takes a second or two. With `cache`, machine code is kept in that directory and
    /// taken from there the next time.
    ///
    /// Machine code is believed as it is: nobody but this user may be able to write to `cache`.
    ///
    /// # Errors
    /// A file cannot be read or written, or is no component.
    pub fn load(path: &Path, cache: Option<&Path>, bounds: Bounds) -> Result<Self> {
        let wasm = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut config = Config::new();
        config.epoch_interruption(true).consume_fuel(bounds.fuel.is_some());
        let engine = Engine::new(&config).map_err(plain)?;
        let component = match cache {
            None => Component::new(&engine, &wasm).map_err(plain),
            Some(cache) => cached(&engine, &wasm, cache, bounds.fuel.is_some()),
        };
        let component = component.with_context(|| format!("cannot load {}", path.display()))?;
        // The clock ends with the engine.
        let weak = engine.weak();
        std::thread::spawn(move || {
            while let Some(engine) = weak.upgrade() {
                engine.increment_epoch();
                drop(engine);
                std::thread::sleep(TICK);
            }
        });
        Ok(Self { engine, component, bounds })
    }

    /// Starts an instance with a memory of its own. The component imports nothing, so nothing is given to it.
    ///
    /// # Errors
    /// It exports something else than the world `reader`, or does not fit into its memory.
    pub fn start(&self) -> Result<Core> {
        let cage = Cage { limit: self.bounds.memory, used: 0, refused: None };
        let mut store = Store::new(&self.engine, cage);
        store.limiter(|cage| cage);
        if let Some(fuel) = self.bounds.fuel {
            store.set_fuel(fuel).map_err(plain)?;
        }
        store.set_epoch_deadline(ticks(self.bounds.call));
        let linker = Linker::new(&self.engine);
        let reader = Reader::instantiate(&mut store, &self.component, &linker).map_err(plain)?;
        Ok(Core { store, reader, bounds: self.bounds, spent: Duration::ZERO, calls: 0 })
    }
}

/// Takes machine code from `cache`, or compiles and puts it there.
fn cached(engine: &Engine, wasm: &[u8], cache: &Path, fuel: bool) -> Result<Component> {
    let name = format!("{}{}.cwasm", sha256(wasm), if fuel { "-fuel" } else { "" });
    let path = cache.join(name);
    if path.exists() {
        // wasmtime refuses what another version or other settings made; then it is made anew.
        #[expect(
            unsafe_code,
            reason = "only this program writes there, and only what its own engine compiled"
        )]
        let component = unsafe { Component::deserialize_file(engine, &path) };
        if let Ok(component) = component {
            return Ok(component);
        }
    }
    let code = engine.precompile_component(wasm).map_err(plain)?;
    let mut dir = std::fs::DirBuilder::new();
    std::os::unix::fs::DirBuilderExt::mode(dir.recursive(true), 0o700);
    dir.create(cache).with_context(|| format!("cannot make {}", cache.display()))?;
    // Threads of one process may make the same file at the same time.
    static MADE: AtomicU64 = AtomicU64::new(0);
    let number = MADE.fetch_add(1, Ordering::Relaxed);
    let unfinished = path.with_extension(format!("{}-{number}", std::process::id()));
    std::fs::write(&unfinished, code).and_then(|()| std::fs::rename(&unfinished, &path))?;
    #[expect(unsafe_code, reason = "it was written just now")]
    unsafe { Component::deserialize_file(engine, &path) }.map_err(plain)
}

/// What an instance has used so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Spent {
    /// How many calls were made.
    pub calls: u64,
    /// How long they ran together.
    pub time: Duration,
    /// The memory that it has, in bytes; it never gives any back.
    pub memory: usize,
}

/// One instance of the component.
pub struct Core {
    store: Store<Cage>,
    reader: Reader,
    bounds: Bounds,
    spent: Duration,
    calls: u64,
}

impl fmt::Debug for Core {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Core").field("spent", &self.spent()).finish_non_exhaustive()
    }
}

impl Core {
    /// Calls one of the component's functions, within its bounds; `name` is for messages.
    ///
    /// # Errors
    /// It was stopped or broke off.
    pub fn call<T>(
        &mut self,
        name: &'static str,
        run: impl FnOnce(&mut Store<Cage>, &Reader) -> wasmtime::Result<T>,
    ) -> Result<T, Stopped> {
        let left = self.bounds.all.saturating_sub(self.spent);
        self.store.set_epoch_deadline(ticks(self.bounds.call.min(left)));
        let begun = Instant::now();
        let result = run(&mut self.store, &self.reader);
        self.spent += begun.elapsed();
        self.calls += 1;
        result.map_err(|error| self.stopped(name, &error))
    }

    /// Drops one of the component's resources.
    ///
    /// # Errors
    /// It was stopped or broke off.
    pub fn drop(&mut self, resource: ResourceAny) -> Result<(), Stopped> {
        self.call("drop", |store, _| resource.resource_drop(store))
    }

    /// Returns what was used so far.
    pub fn spent(&self) -> Spent {
        Spent { calls: self.calls, time: self.spent, memory: self.store.data().used }
    }

    fn stopped(&self, call: &'static str, error: &wasmtime::Error) -> Stopped {
        let cage = self.store.data();
        match (error.downcast_ref::<Trap>(), cage.refused) {
            (_, Some(asked)) => Stopped::Memory { call, asked, limit: cage.limit },
            (Some(Trap::Interrupt), _) if self.spent >= self.bounds.all => {
                Stopped::All { call, limit: self.bounds.all }
            }
            (Some(Trap::Interrupt), _) => Stopped::Call { call, limit: self.bounds.call },
            (Some(Trap::OutOfFuel), _) => Stopped::Fuel { call, limit: self.bounds.fuel.unwrap_or(0) },
            _ => Stopped::Trapped { call, trap: format!("{error:#}") },
        }
    }
}

/// One more tick than the time holds: the first may be over at once.
fn ticks(time: Duration) -> u64 {
    u64::try_from(time.as_millis().div_ceil(TICK.as_millis())).unwrap_or(u64::MAX).saturating_add(1)
}

/// Grants memory up to the limit. `wasmtime::StoreLimits` does the same; this one also remembers what it refused.
#[derive(Debug)]
pub struct Cage {
    limit: usize,
    used: usize,
    refused: Option<usize>,
}

impl ResourceLimiter for Cage {
    fn memory_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if desired > self.limit {
            self.refused = Some(desired);
            // An error ends the call here; `false` would let the component find out, and break off somewhere.
            return Err(wasmtime::Error::msg("too much memory"));
        }
        self.used = desired;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        _current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        Ok(desired <= 10_000)
    }
}

/// An error of wasmtime as one of `anyhow`'s.
#[expect(clippy::needless_pass_by_value, reason = "it is handed to `map_err`")]
fn plain(error: wasmtime::Error) -> anyhow::Error {
    anyhow!("{error:#}")
}
