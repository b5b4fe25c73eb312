//! What pulls would do to machines that are only thought of.

mod figures;
mod known;
mod strip;

use shingle_core::LinkMode;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use super::error::{misuse, thrown};
use super::policy::{PolicyChanges, policy};
use super::record::FromJs;
use figures::{ForecastFigures, figures};
pub(super) use known::{Known, KnownHandle, all};
use strip::{ForecastStrip, strip};

#[wasm_bindgen(typescript_custom_section)]
const TYPES: &str = r#"/** How files get from what is here into a tree: a hard link where all metadata agree, else a reflink, else a copy; or as it
 * says. */
export type LinkModeWord = "auto" | "hardlink" | "reflink" | "copy";
"#;

#[wasm_bindgen]
extern "C" {
    /// How files get from what is here into a tree.
    #[wasm_bindgen(typescript_type = "LinkModeWord")]
    #[derive(Clone, Debug)]
    pub type LinkModeWord;
}

/// A machine that is thought of, and what it has.
#[wasm_bindgen]
#[derive(Clone, Debug, Default)]
pub struct Machine(shingle_core::forecast::Machine);

#[wasm_bindgen]
impl Machine {
    /// It has nothing.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a layer as a pull leaves it. What is taken whole has no chunks afterwards.
    pub fn add(&mut self, layer: &Known) {
        self.0.add(layer.inner());
    }

    /// Whether it has a layer.
    #[must_use]
    pub fn has(&self, layer: &Known) -> bool {
        self.0.has(layer.inner())
    }

    /// What a pull of an image with these layers, lowest first, would do; as `shingle plan`, with the same figures. Layers
    /// stay the caller's.
    pub fn forecast(
        &self,
        layers: Vec<KnownHandle>,
        link: LinkModeWord,
        #[wasm_bindgen(js_name = policy)] said: Option<PolicyChanges>,
    ) -> Result<ImageForecast, JsValue> {
        let link =
            LinkMode::from_js(&link).ok_or_else(|| misuse(&format!("link must be {}", LinkMode::KIND)))?;
        let (layers, policy) = (all(&layers)?, policy(said)?);
        let layers: Vec<_> = layers.iter().map(Known::inner).collect();
        self.0.forecast(&layers, link, &policy).map(ImageForecast).map_err(thrown)
    }
}

/// What a pull of an image would do.
#[wasm_bindgen]
#[derive(Clone, Debug)]
pub struct ImageForecast(shingle_core::forecast::ImageForecast);

#[wasm_bindgen]
impl ImageForecast {
    /// All figures.
    #[must_use]
    pub fn figures(&self) -> ForecastFigures {
        figures(&self.0).object()
    }

    /// The blob of a layer front to back; none for no such layer.
    #[must_use]
    pub fn strip(&self, layer: usize) -> Option<ForecastStrip> {
        self.0.strip(layer).map(|found| strip(&found).object())
    }
}

impl FromJs for LinkMode {
    const KIND: &'static str = "\"auto\", \"hardlink\", \"reflink\" or \"copy\"";

    fn from_js(value: &JsValue) -> Option<Self> {
        value.as_string()?.parse().ok()
    }
}
