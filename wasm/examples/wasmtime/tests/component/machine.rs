//! An instance of the component, bounded in memory and time.

use std::sync::OnceLock;
use std::time::Duration;

use wasmtime::component::{Component, Linker, ResourceAny};
use wasmtime::{Config, Engine, ResourceLimiter, Store};

use crate::bindings::Shingle;
use crate::support;

/// One call may take this long, which is far more than any does.
const CALL: Duration = Duration::from_secs(20);

pub(crate) struct Machine {
    pub(crate) store: Store<Memory>,
    pub(crate) world: Shingle,
}

/// What the memory grew to.
#[derive(Debug)]
pub(crate) struct Memory {
    limit: usize,
    pub(crate) used: usize,
}

impl ResourceLimiter for Memory {
    fn memory_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        if desired > self.limit {
            return Ok(false);
        }
        self.used = self.used.max(desired);
        Ok(true)
    }

    fn table_growing(&mut self, _: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= 10_000)
    }
}

pub(crate) fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| {
        let engine = Engine::new(Config::new().epoch_interruption(true)).unwrap();
        let ticked = engine.clone();
        std::thread::spawn(move || {
            loop {
                std::thread::sleep(Duration::from_secs(1));
                ticked.increment_epoch();
            }
        });
        engine
    })
}

/// Loads a build of the component; `None` where there is none.
pub(crate) fn load(name: &str) -> Option<Component> {
    let path = support::repository("target/wasm").join(name);
    if !path.exists() {
        println!("left out: needs {}; run `cargo xtask wasm --only component`", path.display());
        assert!(std::env::var_os("CI").is_none_or(|ci| ci != "true"), "the component was not built");
        return None;
    }
    Some(Component::from_file(engine(), path).unwrap())
}

impl Machine {
    pub(crate) fn start(component: &Component, limit: usize) -> Self {
        let mut store = Store::new(engine(), Memory { limit, used: 0 });
        store.limiter(|memory| memory);
        store.set_epoch_deadline(CALL.as_secs());
        let world = Shingle::instantiate(&mut store, component, &Linker::new(engine())).unwrap();
        Self { store, world }
    }

    /// Calls something; `Err` is a trap.
    pub(crate) fn call<T>(
        &mut self,
        run: impl FnOnce(&mut Store<Memory>, &Shingle) -> wasmtime::Result<T>,
    ) -> wasmtime::Result<T> {
        self.store.set_epoch_deadline(CALL.as_secs());
        run(&mut self.store, &self.world)
    }

    pub(crate) fn drop(&mut self, resource: ResourceAny) -> wasmtime::Result<()> {
        self.call(|store, _| resource.resource_drop(store))
    }
}
