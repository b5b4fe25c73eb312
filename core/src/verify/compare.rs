//! An entry of the TOC held against the tar's member.

use crate::Member;
use crate::agree::{Disagreement, Field, Severity, differences, is_text_of};

use super::stream::Dialect;
use super::{Code, Findings, Place, Weight};

/// Compares every field of an entry and its member.
pub(super) fn compare(index: usize, said: &Member, real: &Member, dialect: Dialect, findings: &mut Findings) {
    if said.name != real.name && is_text_of(&said.name, &real.name) {
        let weight = if dialect == Dialect::Podman { Weight::Wrong } else { Weight::Note };
        let place = Place::entry(index, &said.name);
        findings.add_as(weight, Code::EntryNotUtf8, place, &said.name, &real.name);
    }
    for field in differences(said, real) {
        let (toc, tar) = (field.show(said), field.show(real));
        let place = Place::entry(index, &real.name).field(field.as_str());
        // GNU tar sees another kind than the reference where a name ends in a slash.
        let found = Disagreement::Field { entry: index, name: real.name.clone(), field, toc, tar };
        let honest = field == Field::Kind && found.severity() == Severity::Whole;
        let Disagreement::Field { toc, tar, .. } = found else { continue };
        let weight = if honest { Weight::Note } else { Weight::Wrong };
        match (dialect, field) {
            (Dialect::Stargz, Field::Atime | Field::Ctime) if toc == "none" => {}
            (Dialect::Stargz, Field::Mtime) if whole_seconds(said) == whole_seconds(real) => {
                findings.add(Code::EntryWholeSeconds, place, toc, tar);
            }
            _ => findings.add_as(weight, Code::EntryField, place, toc, tar),
        }
    }
}

/// Returns the seconds of the modification time, where a time that stands for none is none.
fn whole_seconds(member: &Member) -> i64 {
    member.mtime.map_or(0, |time| time.seconds)
}
