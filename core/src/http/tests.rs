//! Tables for [`super`].

use super::*;

fn reply(status: u16, range: Option<&'static str>, length: Option<u64>) -> Reply<'static> {
    Reply { status, content_range: range, content_length: length, ..Reply::default() }
}

fn part(sent: Range<u64>) -> Verdict {
    Verdict::Part { sent }
}

#[test]
fn answers_that_hold_the_bytes() {
    let table = [
        ("exact", reply(206, Some("bytes 10-19/100"), Some(10)), part(10..20)),
        ("no length, as in chunked coding", reply(206, Some("bytes 10-19/100"), None), part(10..20)),
        ("total not told", reply(206, Some("bytes 10-19/*"), Some(10)), part(10..20)),
        ("unit in capitals", reply(206, Some("Bytes 10-19/100"), Some(10)), part(10..20)),
        ("starts before", reply(206, Some("bytes 5-19/100"), Some(15)), part(5..20)),
        ("ends after", reply(206, Some("bytes 10-29/100"), Some(20)), part(10..30)),
        ("ends before", reply(206, Some("bytes 10-14/100"), Some(5)), part(10..15)),
        ("header hidden", reply(206, None, Some(10)), part(10..20)),
        ("header and length hidden", reply(206, None, None), part(10..20)),
        ("all of it as a range", reply(206, Some("bytes 0-99/100"), Some(100)), Verdict::Whole),
        ("all of it, total not told", reply(206, Some("bytes 0-99/*"), Some(100)), Verdict::Whole),
        ("whole", reply(200, None, Some(100)), Verdict::Whole),
        ("whole, no length", reply(200, None, None), Verdict::Whole),
        ("Dragonfly", reply(200, Some("bytes 10-19/100"), Some(10)), part(10..20)),
    ];
    for (name, reply, verdict) in table {
        assert_eq!(accept(&reply, &(10..20), Some(100)), verdict, "{name}");
    }
    let identity = Reply { content_encoding: Some("identity"), ..reply(206, None, Some(10)) };
    assert_eq!(accept(&identity, &(10..20), Some(100)), part(10..20));
}

#[test]
fn answers_that_do_not() {
    let multipart =
        Reply { content_type: Some("Multipart/byteranges; boundary=x"), ..reply(206, None, None) };
    let gzip = Reply { content_encoding: Some("gzip"), ..reply(206, Some("bytes 10-19/100"), Some(10)) };
    let table = [
        (
            reply(206, Some("bytes 20-29/100"), None),
            Refusal::OtherRange { sent: 20..30, asked: 10..20 },
            true,
        ),
        (
            reply(206, Some("bytes 15-24/100"), None),
            Refusal::OtherRange { sent: 15..25, asked: 10..20 },
            true,
        ),
        (reply(206, Some("bytes 10-19/90"), None), Refusal::BlobSize { stated: 100, actual: 90 }, false),
        (reply(206, Some("bytes 10-19/100"), Some(9)), Refusal::LengthDisagrees { body: 9, range: 10 }, true),
        (reply(206, None, Some(11)), Refusal::LengthDisagrees { body: 11, range: 10 }, true),
        (reply(206, Some("items 1-2/3"), None), Refusal::Unreadable { text: "items 1-2/3".into() }, true),
        (reply(200, Some("bytes */100"), None), Refusal::Unreadable { text: "bytes */100".into() }, true),
        (reply(200, None, Some(10)), Refusal::BlobSize { stated: 100, actual: 10 }, false),
        (multipart, Refusal::Multipart, true),
        (gzip, Refusal::Encoded { encoding: "gzip".into() }, true),
        (reply(416, Some("bytes */90"), None), Refusal::BlobSize { stated: 100, actual: 90 }, false),
        (reply(416, Some("bytes */100"), None), Refusal::RangesUnsupported { status: 416 }, true),
        (reply(416, None, None), Refusal::RangesUnsupported { status: 416 }, true),
        (reply(400, None, None), Refusal::RangesUnsupported { status: 400 }, true),
        (reply(501, None, None), Refusal::RangesUnsupported { status: 501 }, true),
        (reply(401, None, None), Refusal::Reauthenticate { status: 401 }, false),
        (reply(403, None, None), Refusal::Refused { status: 403 }, true),
        (reply(404, None, None), Refusal::Gone { status: 404 }, false),
        (reply(410, None, None), Refusal::Gone { status: 410 }, false),
        (reply(408, None, None), Refusal::RetryLater { status: 408 }, false),
        (reply(429, None, None), Refusal::RetryLater { status: 429 }, false),
        (reply(500, None, None), Refusal::RetryLater { status: 500 }, false),
        (reply(503, None, None), Refusal::RetryLater { status: 503 }, false),
        (reply(204, None, None), Refusal::Refused { status: 204 }, false),
        (reply(302, None, None), Refusal::Refused { status: 302 }, false),
        (reply(0, None, None), Refusal::Refused { status: 0 }, false),
    ];
    for (reply, refusal, leaves_whole) in table {
        assert_eq!(refusal.leaves_whole(), leaves_whole, "{refusal}");
        assert_eq!(accept(&reply, &(10..20), Some(100)), Verdict::Refused(refusal), "{reply:?}");
    }
}

#[test]
fn an_unknown_blob_size_is_not_checked() {
    assert_eq!(accept(&reply(206, Some("bytes 10-19/90"), None), &(10..20), None), part(10..20));
    assert_eq!(accept(&reply(206, Some("bytes 0-19/*"), None), &(10..20), None), part(0..20));
    assert_eq!(accept(&reply(200, None, Some(7)), &(10..20), None), Verdict::Whole);
}

#[test]
fn without_a_range_only_all_of_it_will_do() {
    let refused = |status| Verdict::Refused(Refusal::Refused { status });
    let table = [
        (reply(200, None, Some(100)), Verdict::Whole),
        (reply(200, None, None), Verdict::Whole),
        (reply(200, Some("bytes 0-99/100"), None), Verdict::Whole),
        (
            reply(200, Some("bytes 0-9/100"), None),
            Verdict::Refused(Refusal::OtherRange { sent: 0..10, asked: 0..100 }),
        ),
        (reply(200, None, Some(9)), Verdict::Refused(Refusal::BlobSize { stated: 100, actual: 9 })),
        (reply(206, Some("bytes 0-99/100"), None), refused(206)),
        (reply(400, None, None), refused(400)),
        (reply(501, None, None), refused(501)),
        (reply(404, None, None), Verdict::Refused(Refusal::Gone { status: 404 })),
        (reply(503, None, None), Verdict::Refused(Refusal::RetryLater { status: 503 })),
    ];
    for (reply, verdict) in table {
        assert_eq!(accept_whole(&reply, Some(100)), verdict, "{reply:?}");
    }
}

#[test]
fn content_ranges() {
    let bytes = |sent, total| Some(ContentRange::Bytes { sent, total });
    let max = "bytes 0-18446744073709551615/*";
    let table = [
        ("bytes 0-0/1", bytes(0..1, Some(1))),
        (" bytes  5-9/* ", bytes(5..10, None)),
        ("bytes */7", Some(ContentRange::Unsatisfied { total: 7 })),
        ("bytes */*", None),
        ("bytes 9-5/10", None),
        ("bytes 0-10/10", None),
        ("bytes 0-9", None),
        ("bytes=0-9/10", None),
        ("bytes +0-9/10", None),
        ("bytes -9/10", None),
        ("bytes 0-/10", None),
        ("bytes 0-9/", None),
        ("", None),
        (max, None),
    ];
    for (text, expected) in table {
        assert_eq!(ContentRange::parse(text), expected, "{text:?}");
    }
    assert_eq!(std::format!("{}", RangeHeader(10..20)), "bytes=10-19");
}

#[test]
fn retry_after_in_both_forms() {
    let now = Duration::from_secs(784_111_770);
    let table = [
        ("7", Some(7)),
        (" 0 ", Some(0)),
        ("Sun, 06 Nov 1994 08:49:37 GMT", Some(7)),
        ("Sun, 06 Nov 1994 08:49:20 GMT", Some(0)),
        ("Thu, 29 Feb 1996 00:00:00 GMT", Some(825_552_000 - 784_111_770)),
        ("Fri, 01 Mar 1996 00:00:00 GMT", Some(825_638_400 - 784_111_770)),
        ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
        ("Sunday, 06-Nov-94 08:49:37 GMT", None),
        ("Sun, 06 anF 1994 08:49:37 GMT", None),
        ("Sun, 06 Nov 1994 08:49 GMT", None),
        ("-1", None),
        ("soon", None),
        ("", None),
    ];
    for (text, seconds) in table {
        assert_eq!(retry_after(text, now), seconds.map(Duration::from_secs), "{text:?}");
    }
}

#[test]
fn backoff_doubles_up_to_its_cap() {
    let second = Duration::from_secs;
    let backoff = Backoff { attempts: 5, first: second(2), cap: second(60) };
    for (failed, doubled) in [(1, 2), (2, 4), (3, 8), (4, 16)] {
        assert_eq!(backoff.delay(failed, 0, None), Some(second(doubled / 2)), "{failed}");
        let longest = backoff.delay(failed, u32::MAX, None).unwrap();
        assert!(longest <= second(doubled) && longest > second(doubled) * 9 / 10, "{failed}");
    }
    assert_eq!(backoff.delay(5, 0, None), None);
    assert_eq!(backoff.delay(1, 0, Some(second(30))), Some(second(30)));
    assert_eq!(backoff.delay(1, 0, Some(second(3600))), Some(second(60)));
    let patient = Backoff { attempts: u32::MAX, ..backoff };
    for failed in [0, 30, 31, 32, 33, 1000, u32::MAX - 1] {
        assert!(patient.delay(failed, u32::MAX, None) <= Some(second(60)), "{failed}");
    }
}
