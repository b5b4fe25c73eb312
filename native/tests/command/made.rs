//! Images made for a test: layers as plain tars, in an OCI layout.

use std::path::Path;

use serde_json::json;
use shingle_core::Digest;

/// One member of a layer in a few words: `d NAME`, `f NAME CONTENT`, `l NAME TARGET`, `h NAME TARGET`. Names are bytes, each
/// `%` and two digits one of them.
pub(crate) fn tar(lines: &[&str]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for line in lines {
        let mut words = line.splitn(3, ' ');
        let (kind, name, rest) =
            (words.next(), bytes(words.next().unwrap()), words.next().unwrap_or_default());
        let mut header = tar::Header::new_gnu();
        let (kind, content) = match kind {
            Some("d") => (tar::EntryType::Directory, ""),
            Some("f") => (tar::EntryType::Regular, rest),
            Some("l") => (tar::EntryType::Symlink, ""),
            Some("h") => (tar::EntryType::Link, ""),
            other => panic!("{other:?}"),
        };
        header.set_entry_type(kind);
        header.set_mode(if kind == tar::EntryType::Directory { 0o755 } else { 0o644 });
        header.set_mtime(1_700_000_000);
        header.set_uid(0);
        header.set_gid(0);
        header.set_size(content.len().try_into().unwrap());
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(&name);
        if matches!(kind, tar::EntryType::Symlink | tar::EntryType::Link) {
            let target = bytes(rest);
            header.as_gnu_mut().unwrap().linkname[..target.len()].copy_from_slice(&target);
        }
        header.set_cksum();
        builder.append(&header, content.as_bytes()).unwrap();
    }
    builder.into_inner().unwrap()
}

fn bytes(text: &str) -> Vec<u8> {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        bytes.push(u8::from_str_radix(&part[..2], 16).unwrap());
        bytes.extend_from_slice(&part.as_bytes()[2..]);
    }
    bytes
}

/// Writes an image of these tars, the lowest layer first, with more for its config, into `DIR`.
pub(crate) fn layout(dir: &Path, tars: &[Vec<u8>], config: &serde_json::Value) {
    let blobs = dir.join("blobs/sha256");
    std::fs::create_dir_all(&blobs).unwrap();
    let write = |bytes: &[u8], media_type: &str| {
        let digest = Digest::of(bytes);
        std::fs::write(blobs.join(digest.to_hex()), bytes).unwrap();
        json!({ "mediaType": media_type, "digest": digest.to_string(), "size": bytes.len() })
    };
    let layers: Vec<_> =
        tars.iter().map(|tar| write(tar, "application/vnd.oci.image.layer.v1.tar")).collect();
    let diff_ids: Vec<_> = layers.iter().map(|layer| layer["digest"].clone()).collect();
    let mut made = json!({
        "os": "linux", "architecture": "amd64", "rootfs": { "type": "layers", "diff_ids": diff_ids },
    });
    made.as_object_mut().unwrap().extend(config.as_object().cloned().unwrap_or_default());
    let config = write(made.to_string().as_bytes(), "application/vnd.oci.image.config.v1+json");
    let media_type = "application/vnd.oci.image.manifest.v1+json";
    let manifest = json!({ "schemaVersion": 2, "mediaType": media_type, "config": config, "layers": layers });
    let manifest = write(manifest.to_string().as_bytes(), media_type);
    std::fs::write(
        dir.join("index.json"),
        json!({ "schemaVersion": 2, "manifests": [manifest] }).to_string(),
    )
    .unwrap();
    std::fs::write(dir.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
}
