//! The wasmtime host: what it pulls is right, and whatever it is served, it ends.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test may panic, and says what it saw")]

mod support;

use std::path::Path;
use std::time::{Duration, Instant};

use shingle_wasmtime_host::json::Report;
use shingle_wasmtime_host::{Bounds, Core, Guest, Objects, Stopped, Trust, plan, pull};
use support::{Manner, bomb, chunked, digest, guest, image, repository, scratch, serve, stored};

fn demo(tag: &str) -> String {
    format!("oci:{}:{tag}", repository("tests/fixtures/demo").display())
}

/// Whether every object is what it is called; returns how many there are.
fn objects_are_right(store: &Path) -> usize {
    let objects = std::fs::read_dir(store.join("objects")).unwrap().map(Result::unwrap);
    let check = |object: std::fs::DirEntry| {
        let (name, bytes) = (object.file_name(), std::fs::read(object.path()).unwrap());
        assert_eq!(digest(&bytes)[7..], *name.to_str().unwrap());
    };
    objects.map(check).count()
}

fn sources(report: &Report) -> (u64, u64, u64) {
    let files = report.layers.iter().filter_map(|layer| Some(&layer.partial.as_ref()?.files));
    files.fold((0, 0, 0), |(total, held, fetched), files| {
        (total + files.total, held + files.held, fetched + files.fetched)
    })
}

#[test]
fn a_second_version_takes_what_the_first_left() {
    let Some(guest) = guest(Bounds::default()) else { return };
    let store = scratch("second-version");
    let objects = Objects::open(&store).unwrap();
    let one = pull(&mut guest.start().unwrap(), &demo("v1"), &objects, Trust::DiffId).unwrap();
    let planned =
        plan(&mut guest.start().unwrap(), &demo("v2"), &[demo("v1")], Trust::DiffId, false).unwrap();
    let two = pull(&mut guest.start().unwrap(), &demo("v2"), &objects, Trust::DiffId).unwrap();
    let again = pull(&mut guest.start().unwrap(), &demo("v2"), &objects, Trust::DiffId).unwrap();
    assert!(sources(&one).1 == 0 && sources(&two).1 > 0 && sources(&two).2 > 0, "{one:?} {two:?}");
    assert!(two.total.fetched_bytes < one.total.fetched_bytes, "{one:?} {two:?}");
    // What was foreseen is what was done.
    assert_eq!(serde_json::to_string(&planned).unwrap(), serde_json::to_string(&two).unwrap());
    assert!(again.layers.iter().all(|layer| layer.mode == "present"), "{again:?}");
    assert!(objects_are_right(&store) > 0);
}

#[test]
fn each_form_of_the_zoo_gives_the_same_objects() {
    let Some(guest) = guest(Bounds::default()) else { return };
    let mut counts = Vec::new();
    for (form, trust, mode) in [
        ("podman-5.8", Trust::DiffId, "partial"),
        ("podman-4.3", Trust::DiffId, "whole"),
        ("podman-4.3", Trust::Toc, "partial"),
        ("gzip", Trust::DiffId, "whole"),
    ] {
        let store = scratch("zoo");
        let layout = format!("oci:{}", repository("tests/fixtures/zoo").join(form).display());
        let objects = Objects::open(&store).unwrap();
        let report = pull(&mut guest.start().unwrap(), &layout, &objects, trust).unwrap();
        assert_eq!(report.layers[0].mode, mode, "{report:?}");
        counts.push(objects_are_right(&store));
        let layers: Vec<_> = std::fs::read_dir(store.join("layers")).unwrap().collect();
        let name = layers[0].as_ref().unwrap().file_name().into_string().unwrap();
        assert_eq!(name.starts_with("toc-"), trust == Trust::Toc, "{name}");
    }
    assert!(counts[0] > 0 && counts.iter().all(|count| *count == counts[0]), "{counts:?}");
}

#[test]
fn what_is_corrupt_in_the_store_is_fetched_again() {
    let Some(guest) = guest(Bounds::default()) else { return };
    let store = scratch("corrupt");
    let objects = Objects::open(&store).unwrap();
    pull(&mut guest.start().unwrap(), &demo("v1"), &objects, Trust::DiffId).unwrap();
    let plan = plan(&mut guest.start().unwrap(), &demo("v2"), &[demo("v1")], Trust::DiffId, true).unwrap();
    let plan = serde_json::to_value(&plan).unwrap();
    let sources = plan["layers"].as_array().unwrap().iter().flat_map(|layer| layer["sources"].as_array());
    let held: Vec<_> = sources.flatten().filter(|source| source["from"] == "held").collect();
    let object = |index: usize| objects.object(held[index]["digest"].as_str().unwrap()).unwrap();
    std::fs::write(object(0), "something else").unwrap();
    std::fs::remove_file(object(1)).unwrap();
    pull(&mut guest.start().unwrap(), &demo("v2"), &objects, Trust::DiffId).unwrap();
    assert!(object(0).exists() && object(1).exists());
    objects_are_right(&store);
}

#[test]
fn a_registry_is_taken_at_its_headers() {
    let Some(guest) = guest(Bounds::default()) else { return };
    let layout = repository("tests/fixtures/zoo/podman-5.8");
    let name = format!("oci:{}", layout.display());
    let from_layout = plan(&mut guest.start().unwrap(), &name, &[], Trust::DiffId, true).unwrap();
    let manifest = from_layout.digest.clone();
    for (manner, mode) in [
        (Manner::Good, "partial"),
        // Three bodies bring all of the TOC, and each of the data.
        (Manner::Broken(150_000), "partial"),
        (Manner::Whole, "whole"),
    ] {
        let reference = serve(&layout, &manifest, manner);
        let store = scratch(&format!("registry-{mode}"));
        let objects = Objects::open(&store).unwrap();
        let report = pull(&mut guest.start().unwrap(), &reference, &objects, Trust::DiffId).unwrap();
        assert_eq!(report.layers[0].mode, mode, "{manner:?}: {report:?}");
        assert!(objects_are_right(&store) > 0);
        if manner == Manner::Good {
            let planned = plan(&mut guest.start().unwrap(), &reference, &[], Trust::DiffId, true).unwrap();
            let text = |report: &Report| serde_json::to_string(report).unwrap();
            assert_eq!(text(&planned).replace(&reference, &name), text(&from_layout));
        }
    }
}

#[test]
fn each_bound_stops_the_component() {
    let run = |bounds: Bounds| -> Option<Stopped> {
        let mut core = guest(bounds)?.start().unwrap();
        let error = plan(&mut core, &demo("v2"), &[], Trust::DiffId, true).unwrap_err();
        Some(error.downcast_ref::<Stopped>().unwrap_or_else(|| panic!("{error:#}")).clone())
    };
    let bounds = Bounds::default();
    let Some(stopped) = run(Bounds { fuel: Some(100_000), ..bounds }) else { return };
    assert!(matches!(stopped, Stopped::Fuel { limit: 100_000, .. }), "{stopped}");
    let stopped = run(Bounds { memory: 2 << 20, ..bounds }).unwrap();
    assert!(matches!(stopped, Stopped::Memory { limit: 0x20_0000, .. }), "{stopped}");
}

/// Plans and pulls an image that means harm. It must end soon, with the words of an error.
fn survive(guest: &Guest, reference: &str, trust: Trust) -> Vec<Result<Report, anyhow::Error>> {
    let begun = Instant::now();
    let store = scratch("hostile-store");
    let run: [&dyn Fn(&mut Core) -> anyhow::Result<Report>; 2] =
        [&|core| plan(core, reference, &[], trust, true), &|core| {
            pull(core, reference, &Objects::open(&store)?, trust)
        }];
    let ends: Vec<_> = run.iter().map(|run| run(&mut guest.start().unwrap())).collect();
    assert!(begun.elapsed() < Duration::from_secs(120), "{:?}", begun.elapsed());
    assert_eq!(objects_are_right(&store), 0, "what is not proven is not kept");
    for error in ends.iter().filter_map(|end| end.as_ref().err()) {
        println!("{error:#}");
        assert!(!matches!(error.downcast_ref(), Some(Stopped::Trapped { .. })), "{error:#}");
    }
    ends
}

fn stopped(end: &Result<Report, anyhow::Error>) -> Option<&Stopped> {
    end.as_ref().err()?.downcast_ref()
}

#[test]
fn a_toc_that_is_a_bomb_ends() {
    let Some(roomy) = guest(Bounds::default()) else { return };
    let dir = scratch("bomb");
    let reference = format!("oci:{}", dir.display());
    // 100 bytes and more for each byte: 128 MiB of spaces, as the manifest says, are no JSON.
    chunked(&dir, b"", &bomb(b' ', 1 << 10), 1 << 27);
    assert!(survive(&roomy, &reference, Trust::Toc).iter().all(|end| end.is_ok() || stopped(end).is_none()));
    let small = guest(Bounds { memory: 64 << 20, ..Bounds::default() }).unwrap();
    for end in survive(&small, &reference, Trust::Toc) {
        assert!(matches!(stopped(&end), Some(Stopped::Memory { .. })), "{end:?}");
    }
    // More than the manifest says: terabytes, of which nothing but the beginning is looked at.
    chunked(&dir, b"", &bomb(b' ', 1 << 22), 1000);
    assert!(survive(&roomy, &reference, Trust::Toc).iter().all(|end| stopped(end).is_none()));
}

#[test]
fn a_million_entries_end() {
    let Some(small) = guest(Bounds { memory: 192 << 20, ..Bounds::default() }) else { return };
    let entries: Vec<_> =
        (0..1_000_000).map(|at| format!(r#"{{"type":"dir","name":"{at}","mode":493}}"#)).collect();
    let toc = format!(r#"{{"version":1,"entries":[{}]}}"#, entries.join(","));
    let dir = scratch("million");
    chunked(&dir, b"", &stored(toc.as_bytes()), toc.len());
    let reference = format!("oci:{}", dir.display());
    for end in survive(&small, &reference, Trust::Toc) {
        assert!(matches!(stopped(&end), Some(Stopped::Memory { .. })), "{end:?}");
    }
    let quick =
        guest(Bounds { memory: 1 << 30, call: Duration::from_millis(50), ..Bounds::default() }).unwrap();
    for end in survive(&quick, &reference, Trust::Toc) {
        assert!(matches!(stopped(&end), Some(Stopped::Call { .. })), "{end:?}");
    }
}

/// A chunk that is as long as it says, which is for ever.
#[test]
fn data_that_is_a_bomb_ends() {
    let all = Duration::from_millis(1500);
    let Some(guest) = guest(Bounds { all, ..Bounds::default() }) else { return };
    // 64 GiB in two megabytes.
    let data = bomb(0, 1 << 19);
    let (hash, size) = (digest(b"zeros"), 1_u64 << 36);
    let file = |size: u64| {
        let end = data.len();
        format!(
            r#"{{"version":1,"entries":[{{"type":"reg","name":"f","size":{size},"digest":"{hash}","offset":0,"endOffset":{end}}}]}}"#
        )
    };
    let dir = scratch("data-bomb");
    let reference = format!("oci:{}", dir.display());
    let toc = file(size);
    chunked(&dir, &data, &stored(toc.as_bytes()), toc.len());
    let ends = survive(&guest, &reference, Trust::Toc);
    assert!(ends[0].is_ok() && matches!(stopped(&ends[1]), Some(Stopped::All { .. })), "{ends:?}");
    // The same, where 1,000 bytes were promised: what is more than that is not even decoded.
    let toc = file(1000);
    chunked(&dir, &data, &stored(toc.as_bytes()), toc.len());
    let ends = survive(&guest, &reference, Trust::Toc);
    assert!(ends[0].is_ok() && ends[1].is_err() && stopped(&ends[1]).is_none(), "{ends:?}");
}

#[test]
fn an_endless_body_ends() {
    let Some(guest) = guest(Bounds::default()) else { return };
    let dir = scratch("endless");
    // Long enough that its end is not all of it; nothing in it is a footer.
    let blob = stored(&[7; 1 << 20]);
    image(&dir, &blob, "gzip", &[("containerd.io/snapshot/stargz/toc.digest", &digest(b"toc"))]);
    let local = plan(&mut guest.start().unwrap(), &format!("oci:{}", dir.display()), &[], Trust::Toc, false);
    let reference = serve(&dir, &local.unwrap().digest, Manner::Endless);
    let ends = survive(&guest, &reference, Trust::Toc);
    assert!(ends[0].as_ref().is_ok_and(|report| report.layers[0].mode == "whole"), "{ends:?}");
    assert!(ends[1].is_err() && stopped(&ends[1]).is_none(), "{ends:?}");
}

#[test]
fn machine_code_is_kept_and_broken_code_is_made_anew() {
    let Some(component) = support::component() else { return };
    let cache = scratch("cache");
    for broken in [false, false, true] {
        if broken {
            let kept = std::fs::read_dir(&cache).unwrap().next().unwrap().unwrap().path();
            std::fs::write(kept, "no machine code").unwrap();
        }
        let guest = Guest::load(&component, Some(&cache), Bounds::default()).unwrap();
        plan(&mut guest.start().unwrap(), &demo("v1"), &[], Trust::DiffId, false).unwrap();
        assert_eq!(std::fs::read_dir(&cache).unwrap().count(), 1);
    }
}
