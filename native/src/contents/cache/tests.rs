use cap_std::ambient_authority;

use super::*;

fn layer(number: u64) -> Layer {
    Layer {
        digest: Digest::of(&number.to_le_bytes()),
        size: number,
        media_type: "application/vnd.oci.image.layer.v1.tar+gzip".to_owned(),
        annotations: BTreeMap::from([("a".to_owned(), "b".to_owned())]),
        diff_id: Digest::of(b"tar"),
    }
}

fn toc(names: usize) -> Toc {
    let content = Digest::of(b"content");
    let entry = |number| {
        format!(r#"{{"type":"reg","name":"file {number}","mode":420,"size":7,"digest":"{content}"}}"#)
    };
    let entries: Vec<_> = (0..names).map(entry).collect();
    let json = format!(r#"{{"version":1,"entries":[{}]}}"#, entries.join(","));
    Toc::from_stored(json.as_bytes(), &Limits::default()).unwrap()
}

fn kept(names: usize) -> Kept {
    Kept { toc: toc(names), toc_bytes: 5, toc_requests: 2 }
}

fn scene() -> (tempfile::TempDir, Cache, Dir) {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("caches/tocs");
    let cache = Cache::open(&path).unwrap();
    let dir = Dir::open_ambient_dir(&path, ambient_authority()).unwrap();
    (home, cache, dir)
}

fn get(cache: &Cache, layer: &Layer) -> Option<Toc> {
    cache.get(layer, Known::Whole, &Limits::default()).map(|kept| kept.toc)
}

fn put(cache: &Cache, layer: &Layer, names: usize) {
    cache.put(layer, Known::Whole, &kept(names), &Limits::default());
}

#[test]
fn what_was_put_is_there_for_the_same_layer_only() {
    let (_home, cache, _dir) = scene();
    put(&cache, &layer(1), 3);
    let found = cache.get(&layer(1), Known::Whole, &Limits::default()).unwrap();
    assert_eq!((found.toc, found.toc_bytes, found.toc_requests), (toc(3), 5, 2));
    for other in [
        layer(2),
        Layer { size: 9, ..layer(1) },
        Layer { digest: Digest::of(b"other"), ..layer(1) },
        Layer { diff_id: Digest::of(b"other"), ..layer(1) },
    ] {
        assert_eq!(get(&cache, &other), None);
    }
    assert!(cache.get(&layer(1), Known::DiffId, &Limits::default()).is_none());
    // What a layer that was read whole holds does not depend on what its manifest notes.
    assert_eq!(get(&cache, &Layer { annotations: BTreeMap::new(), ..layer(1) }), Some(toc(3)));
}

#[test]
fn a_file_that_was_cut_or_altered_anywhere_is_as_good_as_none() {
    let (_home, cache, dir) = scene();
    put(&cache, &layer(1), 2);
    let name = About::new(&layer(1), Known::Whole).name();
    let good = dir.read(&name).unwrap();
    for at in 0..good.len() {
        dir.write(&name, &good[..at]).unwrap();
        assert_eq!(get(&cache, &layer(1)), None, "cut at {at}");
        let mut bad = good.clone();
        bad[at] ^= 1;
        dir.write(&name, &bad).unwrap();
        assert_eq!(get(&cache, &layer(1)), None, "altered at {at}");
    }
    dir.write(&name, [&*good, b"x"].concat()).unwrap();
    assert_eq!(get(&cache, &layer(1)), None);
    put(&cache, &layer(1), 2);
    assert_eq!(get(&cache, &layer(1)), Some(toc(2)));
}

#[test]
fn a_file_about_another_layer_is_not_believed_whatever_its_name() {
    let (_home, cache, dir) = scene();
    put(&cache, &layer(1), 2);
    let [one, two] = [1, 2].map(|number| About::new(&layer(number), Known::Whole).name());
    dir.rename(&one, &dir, &two).unwrap();
    assert_eq!(get(&cache, &layer(2)), None);
}

#[test]
fn what_is_no_file_is_replaced() {
    let (home, cache, dir) = scene();
    let name = About::new(&layer(1), Known::Whole).name();
    let elsewhere = home.path().join("elsewhere");
    put(&cache, &layer(1), 2);
    dir.rename(&name, &dir, "elsewhere").unwrap();
    let outside = Dir::open_ambient_dir(home.path(), ambient_authority()).unwrap();
    outside.write("elsewhere", dir.read("elsewhere").unwrap()).unwrap();
    dir.remove_file("elsewhere").unwrap();
    // A link that leads to what would be good enough.
    fs::symlinkat(&elsewhere, &dir, &name).unwrap();
    assert_eq!(get(&cache, &layer(1)), None);
    put(&cache, &layer(1), 3);
    assert_eq!(get(&cache, &layer(1)), Some(toc(3)));
    assert!(outside.exists("elsewhere"), "only the link went");

    dir.remove_file(&name).unwrap();
    dir.create_dir_all(format!("{name}/below")).unwrap();
    assert_eq!(get(&cache, &layer(1)), None);
    put(&cache, &layer(1), 3);
    assert_eq!(get(&cache, &layer(1)), Some(toc(3)));

    dir.remove_file(&name).unwrap();
    // One that would wait for a writer.
    fs::mknodat(&dir, &name, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    assert_eq!(get(&cache, &layer(1)), None);
    put(&cache, &layer(1), 3);
    assert_eq!(get(&cache, &layer(1)), Some(toc(3)));
    assert_eq!(dir.entries().unwrap().count(), 1, "nothing else is left");
}

#[test]
fn no_more_is_read_than_the_limits_allow() {
    let (_home, cache, dir) = scene();
    put(&cache, &layer(1), 100);
    let mut limits = Limits::default();
    limits.toc = 1_000;
    assert!(cache.get(&layer(1), Known::Whole, &limits).is_none());
    limits = Limits::default();
    limits.entries = 99;
    assert!(cache.get(&layer(1), Known::Whole, &limits).is_none());
    let name = About::new(&layer(1), Known::Whole).name();
    dir.open_with(&name, cap_std::fs::OpenOptions::new().write(true)).unwrap().set_len(1 << 40).unwrap();
    assert_eq!(get(&cache, &layer(1)), None);
}

#[test]
fn those_go_that_were_not_read_for_longest() {
    let (_home, cache, dir) = scene();
    put(&cache, &layer(1), 50);
    let name = |number| About::new(&layer(number), Known::Whole).name();
    let len = dir.metadata(name(1)).unwrap().len();
    let cache = cache.with_room(len * 3 + len / 2);
    put(&cache, &layer(2), 50);
    put(&cache, &layer(3), 50);
    for (number, age) in [(1, 300), (2, 200), (3, 100)] {
        let file = dir.open_with(name(number), cap_std::fs::OpenOptions::new().write(true)).unwrap();
        let then = SystemTime::now() - Duration::from_secs(age);
        file.into_std().set_modified(then).unwrap();
    }
    // Reading makes it young.
    assert!(get(&cache, &layer(1)).is_some());
    put(&cache, &layer(4), 50);
    let there = [1, 2, 3, 4].map(|number| dir.exists(name(number)));
    assert_eq!(there, [true, false, true, true]);
    // An unfinished file of another process stays for a while.
    dir.write(".0.tmp", [0; 10_000]).unwrap();
    put(&cache, &layer(5), 50);
    assert!(dir.exists(".0.tmp"));
    let file = dir.open_with(".0.tmp", cap_std::fs::OpenOptions::new().write(true)).unwrap().into_std();
    file.set_modified(SystemTime::now() - ABANDONED * 2).unwrap();
    put(&cache, &layer(6), 50);
    assert!(!dir.exists(".0.tmp"));
}

#[test]
fn a_directory_that_others_can_write_to_is_none() {
    let (home, cache, dir) = scene();
    put(&cache, &layer(1), 1);
    let all = Mode::from_bits_retain(0o770);
    fs::chmodat(&dir, ".", all, fs::AtFlags::empty()).unwrap();
    assert!(Cache::open(home.path().join("caches/tocs")).is_none());
    assert!(Cache::open("/proc/none/tocs").is_none());
}

#[test]
fn writers_and_readers_do_not_disturb_each_other() {
    let (home, _cache, _dir) = scene();
    let path = home.path().join("caches/tocs");
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let cache = Cache::open(&path).unwrap().with_room(1 << 20);
                for round in 0..50 {
                    put(&cache, &layer(round % 3), 20);
                    // Whatever is there is whole.
                    let found = get(&cache, &layer((round + 1) % 3));
                    assert!(found.is_none_or(|found| found == toc(20)));
                }
            });
        }
    });
    let cache = Cache::open(&path).unwrap();
    assert_eq!(get(&cache, &layer(0)), Some(toc(20)));
}
