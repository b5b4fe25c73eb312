//! Wrong names of places: what was tried, and what to type instead.

use super::Scene;

#[test]
fn who_names_a_wrong_place_is_told_what_to_type() {
    let scene = Scene::new();
    std::fs::create_dir(scene.home.path().join("empty")).unwrap();
    for (words, said) in [
        (
            &["verify", "oci:nowhere:x"][..],
            "error: cannot verify oci:nowhere:x\n  because: cannot open nowhere\n",
        ),
        (&["verify", "oci:empty"], "hint: is it of another form? oci:DIR, oci-archive:FILE"),
        (&["verify", "./empty"], "hint: write oci:DIR, dir:DIR, oci-archive:FILE or docker-archive:FILE"),
        (&["copy", "containers-storage:a", "oci:b"], "`podman save --format oci-archive -o FILE IMAGE`"),
        (&["copy", "docker-daemon:a:b", "oci:b"], "`docker save -o FILE IMAGE`, then docker-archive:FILE"),
        (&["pull", "oci:empty:x"], "hint: `shingle copy oci:… docker://HOST/REPOSITORY:TAG`"),
        (&["push", "containers-storage:x", "oci:b"], "the name of an image in a registry is needed"),
        (
            &["convert", "oci:empty", "docker-archive:b"],
            "error: cannot convert oci:empty to docker-archive:b\n",
        ),
        (&["convert", "--format", "v2s2", "oci:empty", "oci:b"], "manifests are written in OCI's form"),
        (
            &["convert", "--compression-format=gzip", "--compression-level=19", "oci:a", "oci:b"],
            "error: --compression-level: gzip has the levels 1 to 9\n",
        ),
        (&["push", "--format", "zstd", "a", "oci:b"], "hint: that of the layers is --compression-format"),
    ] {
        let stderr = scene.run(words).failed(2);
        assert!(stderr.contains(said), "{words:?}: {stderr}");
    }
}

#[test]
fn names_that_skopeo_and_podman_give_options_are_taken() {
    let scene = Scene::new();
    let layout = concat!("oci:", env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/demo:v1");
    scene.run(&["copy", "-a", "--src-tls-verify=false", "--dest-tls-verify=true", layout, "oci:a"]).ok();
    let convert = ["convert", "--all", "--format", "oci", "--dest-compress-format", "gzip"];
    let convert =
        convert.into_iter().chain(["--dest-compress-level", "1", "--force-compression", "oci:a", "oci:b"]);
    let said = scene.run(&convert.collect::<Vec<_>>());
    assert_eq!(said.status, 0, "{}", said.stderr);
    assert!(said.stderr.contains("2 layers written anew ("), "{}", said.stderr);
}
