//! Annotations and footers, real and false.

mod stargz;

use alloc::string::ToString;

use super::*;

const SUM: &str = "sha256:7475740a7ef13c460a9dda30ad604887692bbe1ad513668fc197fed3dca694a8";

fn locate(pairs: &[(&str, &str)]) -> Result<Option<Locator>, LocateError> {
    let annotations = pairs.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
    Locator::from_annotations(&annotations, 228_888, &Limits::default())
}

#[test]
fn todays_annotations() {
    let located = locate(&[
        (CHECKSUM, SUM),
        (POSITION, "224656:1735:6018:1"),
        (TAR_SPLIT_POSITION, "226399:2417:46393"),
    ]);
    let locator = located.unwrap().unwrap();
    assert_eq!(locator.form(), Form::Today);
    assert_eq!(locator.vouched(), Some(&SUM.parse().unwrap()));
    assert_eq!(locator.range(), 224_656..228_816);
    assert_eq!(locator.data_end(), 224_648);
}

#[test]
fn old_annotations_have_no_tar_split() {
    let located = locate(&[
        (OLD_CHECKSUM, SUM),
        (OLD_POSITION, "224514:1732:8287:1"),
        (TAR_SPLIT_POSITION, "226399:2417:46393"),
    ]);
    let locator = located.unwrap().unwrap();
    assert_eq!((locator.form(), locator.tar_split()), (Form::Old, None));
}

#[test]
fn no_annotations_is_not_an_error() {
    assert_eq!(locate(&[]), Ok(None));
    assert_eq!(locate(&[(ESTARGZ_DIGEST, SUM)]), Ok(None));
}

#[test]
fn stargz_zstd_carries_both_digests_under_old_keys() {
    let both = locate(&[(OLD_CHECKSUM, SUM), (OLD_POSITION, "100:10:20:1"), (ESTARGZ_DIGEST, SUM)]);
    assert_eq!(both.unwrap().unwrap().form(), Form::StargzZstd);
    let both = locate(&[(CHECKSUM, SUM), (POSITION, "100:10:20:1"), (ESTARGZ_DIGEST, SUM)]);
    assert_eq!(both, Err(LocateError::TwoTocs));
}

#[test]
fn annotations_that_lead_nowhere() {
    let position = |text: &str| locate(&[(CHECKSUM, SUM), (POSITION, text)]).unwrap_err();
    for text in
        ["", "1:2:3", "1:2:3:1:1", "a:b:c:1", "-1:2:3:1", "+9:2:3:1", "100:10:20:2", "100:0:0:1", "7:1:1:1"]
    {
        assert!(matches!(position(text), LocateError::Malformed { .. }), "{text}");
    }
    assert!(matches!(position("18446744073709551615:9:9:1"), LocateError::Malformed { .. }));
    assert!(matches!(position("228880:9:9:1"), LocateError::PastEnd { end: 228_889, .. }));
    assert!(matches!(position("100:9:99999999999:1"), LocateError::TooLarge { what: "TOC", .. }));
    assert_eq!(locate(&[(CHECKSUM, SUM)]), Err(LocateError::Missing { key: POSITION }));
    assert!(matches!(locate(&[(CHECKSUM, "sha256:xyz")]), Err(LocateError::Malformed { .. })));
    let overlap = locate(&[(CHECKSUM, SUM), (POSITION, "100:50:9:1"), (TAR_SPLIT_POSITION, "120:9:9")]);
    assert!(matches!(overlap, Err(LocateError::Overlap { .. })));
}

#[test]
fn footers() {
    let blob: &[u8] = include_bytes!(
        "../../../tests/fixtures/zoo/podman-5.8/blobs/sha256/0306b1830c52cf89dc10748a1d15ecdc00138069de068da02b97c5e7e9abe9b7"
    );
    let len = u64::try_from(blob.len()).unwrap();
    let locator = Locator::from_footer(blob, len, &Limits::default()).unwrap().unwrap();
    assert_eq!((locator.range(), locator.vouched()), (224_656..228_816, None));

    let blob: &[u8] = include_bytes!(
        "../../../tests/fixtures/zoo/podman-4.3/blobs/sha256/b8474a99c8061bb57c1195fb1e0fdf79bf37278f593d24c08c1277fb1e3b1387"
    );
    let len = u64::try_from(blob.len()).unwrap();
    let locator = Locator::from_footer(blob, len, &Limits::default()).unwrap().unwrap();
    assert_eq!((locator.form(), locator.range()), (Form::Old, 224_514..226_246));

    let blob: &[u8] = include_bytes!("../../../tests/fixtures/zoo/zoo.stargz-zstd");
    let len = u64::try_from(blob.len()).unwrap();
    let locator = Locator::from_footer(blob, len, &Limits::default()).unwrap().unwrap();
    assert_eq!((locator.form(), locator.range()), (Form::Old, 282_435..284_734));
}

#[test]
fn footers_that_are_none_or_lie() {
    let limits = Limits::default();
    assert_eq!(Locator::from_footer(b"", 0, &limits), Ok(None));
    assert_eq!(Locator::from_footer(&[0; 100], 100, &limits), Ok(None));
    let mut footer = [0; FOOTER_LEN];
    footer[56..].copy_from_slice(b"GNUlInUx");
    assert_eq!(Locator::from_footer(&footer, 64, &limits), Err(LocateError::FooterType { actual: 0 }));
    footer[24] = 1;
    assert!(matches!(Locator::from_footer(&footer, 64, &limits), Err(LocateError::FooterPosition { .. })));
    footer[0] = 60;
    footer[8] = 5;
    assert!(matches!(Locator::from_footer(&footer, 64, &limits), Err(LocateError::PastEnd { end: 65, .. })));
}
