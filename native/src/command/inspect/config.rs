//! What an image's config says beside its layers: anything, for people to read.

use serde::Serialize;
use serde_json::Value;

/// How containers of the image run.
#[derive(Debug, Default, Serialize)]
pub(super) struct Config {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) entrypoint: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) cmd: Option<Vec<String>>,
    /// How many variables are set; their values may be nobody's business.
    pub(super) env: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) user: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) working_dir: Option<String>,
}

/// A step that made the image.
#[derive(Debug, Serialize)]
pub(super) struct Step {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) created: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) created_by: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) comment: Option<String>,
    /// Whether it made no layer.
    pub(super) empty_layer: bool,
}

/// What is read of a config.
#[derive(Debug, Default)]
pub(super) struct Read {
    pub(super) created: Option<String>,
    pub(super) config: Config,
    pub(super) history: Vec<Step>,
}

impl Read {
    /// Reads what there is; what is of another type than it should be is not there.
    pub(super) fn new(bytes: &[u8]) -> Self {
        let json: Value = serde_json::from_slice(bytes).unwrap_or_default();
        let config = &json["config"];
        let history = json["history"].as_array().map(Vec::as_slice).unwrap_or_default();
        Self {
            created: text(&json["created"]),
            config: Config {
                entrypoint: words(&config["Entrypoint"]),
                cmd: words(&config["Cmd"]),
                env: config["Env"].as_array().map_or(0, Vec::len),
                user: text(&config["User"]),
                working_dir: text(&config["WorkingDir"]),
            },
            history: history.iter().map(Step::new).collect(),
        }
    }
}

impl Step {
    fn new(json: &Value) -> Self {
        Self {
            created: text(&json["created"]),
            created_by: text(&json["created_by"]),
            comment: text(&json["comment"]),
            empty_layer: json["empty_layer"].as_bool().unwrap_or_default(),
        }
    }
}

fn text(json: &Value) -> Option<String> {
    json.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

fn words(json: &Value) -> Option<Vec<String>> {
    let words: Vec<_> =
        json.as_array()?.iter().map(|word| word.as_str().unwrap_or_default().to_owned()).collect();
    Some(words).filter(|words| !words.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_of_another_type_is_not_there() {
        for config in
            ["", "[]", "7", r#"{"config":[],"history":{},"created":1}"#, r#"{"config":{"Env":"a","Cmd":7}}"#]
        {
            let read = Read::new(config.as_bytes());
            assert!(
                read.created.is_none() && read.config.cmd.is_none() && read.history.is_empty(),
                "{config}"
            );
            assert_eq!(read.config.env, 0);
        }
        let read = Read::new(br#"{"history":[7,{"created_by":"RUN make","empty_layer":true}]}"#);
        assert_eq!(read.history.len(), 2);
        assert!(read.history[1].empty_layer && !read.history[0].empty_layer);
        assert_eq!(read.history[1].created_by.as_deref(), Some("RUN make"));
    }
}
