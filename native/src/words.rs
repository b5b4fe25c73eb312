//! Numbers as people read them.

use std::fmt;

/// A number of bytes: `81.2MiB`, as podman writes it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bytes(pub(crate) u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
        let mut tenths = u128::from(self.0) * 10;
        if self.0 < 1024 {
            return f.pad(&format!("{}B", self.0));
        }
        let mut unit = "B";
        for next in UNITS {
            // What would round to 1024.0 is 1.0 of the next.
            if tenths < 10_240 && unit != "B" {
                break;
            }
            tenths = (tenths + 512) / 1024;
            unit = next;
        }
        f.pad(&format!("{}.{}{unit}", tenths / 10, tenths % 10))
    }
}

/// Adds sizes up. Each may be whatever a manifest claims, and together they may be more than can be counted.
pub(crate) fn total(sizes: impl Iterator<Item = u64>) -> u64 {
    sizes.fold(0, u64::saturating_add)
}

/// A share of a whole: `97.87%`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Percent {
    pub(crate) part: u64,
    pub(crate) whole: u64,
}

impl fmt::Display for Percent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = u128::from(self.whole.max(1));
        let hundredths = (u128::from(self.part) * 10_000 + whole / 2) / whole;
        write!(f, "{}.{:02}%", hundredths / 100, hundredths % 100)
    }
}

/// A share of a whole in few characters: `97%`, `<1%`. Rounded down, so that only all is 100%.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Share(pub(crate) Percent);

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Percent { part, whole } = self.0;
        match u128::from(part) * 100 / u128::from(whole.max(1)) {
            0 if part > 0 => f.pad("<1%"),
            percent => f.pad(&format!("{percent}%")),
        }
    }
}

/// A number with its thousands apart: `9,120`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Thousands(pub(crate) u64);

impl fmt::Display for Thousands {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                f.write_str(",")?;
            }
            write!(f, "{digit}")?;
        }
        Ok(())
    }
}

/// How many of what: `1 layer`, `2 layers`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Count(pub(crate) u64, pub(crate) &'static str);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}{}", Thousands(self.0), self.1, if self.0 == 1 { "" } else { "s" })
    }
}

/// A time gone by, in the one unit that suits it: `3 minutes ago`.
pub(crate) fn ago(seconds: u64) -> String {
    let steps =
        [(86_400 * 365, "year"), (86_400 * 30, "month"), (86_400, "day"), (3_600, "hour"), (60, "minute")];
    for (length, name) in steps {
        if seconds >= length {
            return format!("{} ago", Count(seconds / length, name));
        }
    }
    format!("{} ago", Count(seconds, "second"))
}

/// Lines up the columns of a table, two spaces apart, without trailing ones.
pub(crate) fn columns<R: AsRef<[String]>>(rows: &[R]) -> Vec<String> {
    let mut widths: Vec<usize> = Vec::new();
    for row in rows.iter().map(AsRef::as_ref) {
        widths.resize(widths.len().max(row.len()), 0);
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let line = |row: &[String]| {
        let cells: Vec<_> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        cells.join("  ").trim_end().to_owned()
    };
    rows.iter().map(|row| line(row.as_ref())).collect()
}

/// A table whose rows need not all be held at once: they are measured first, then made again to be written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table<const N: usize> {
    widths: [usize; N],
    right: [bool; N],
}

impl<const N: usize> Table<N> {
    /// Starts one; `right` says which columns have their cells at the right.
    pub(crate) const fn new(right: [bool; N]) -> Self {
        Self { widths: [0; N], right }
    }

    pub(crate) fn measure(&mut self, row: &[String; N]) {
        for (width, cell) in self.widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }

    /// Lines up a row, whose cells are two spaces apart, without trailing ones.
    pub(crate) fn line(&self, row: &[String; N]) -> String {
        let cells = row.iter().zip(self.widths).zip(self.right).map(|((cell, width), right)| match right {
            true => format!("{cell:>width$}"),
            false => format!("{cell:width$}"),
        });
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    }
}

/// A path as it can be shown: what a terminal would act on, what is not UTF-8 and backslashes are escaped, so that
/// different paths look different.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Path<'a>(pub(crate) &'a [u8]);

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for c in chunk.valid().chars() {
                match c {
                    '\'' | '"' => write!(f, "{c}")?,
                    c => write!(f, "{}", c.escape_debug())?,
                }
            }
            for byte in chunk.invalid() {
                write!(f, "\\x{byte:02x}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_as_podman_writes_them() {
        for (bytes, text) in [
            (0, "0B"),
            (1023, "1023B"),
            (1024, "1.0KiB"),
            (43_418, "42.4KiB"),
            (85_144_371, "81.2MiB"),
            (1_048_575, "1.0MiB"),
            (1_048_000, "1023.4KiB"),
            (u64::MAX, "16.0EiB"),
        ] {
            assert_eq!(Bytes(bytes).to_string(), text, "{bytes}");
        }
    }

    #[test]
    fn shares_and_counts() {
        assert_eq!(Percent { part: 9_787, whole: 10_000 }.to_string(), "97.87%");
        assert_eq!(Percent { part: 0, whole: 0 }.to_string(), "0.00%");
        for (part, whole, share) in
            [(0, 0, "0%"), (0, 9, "0%"), (1, 1_000, "<1%"), (999, 1_000, "99%"), (9, 9, "100%")]
        {
            assert_eq!(Share(Percent { part, whole }).to_string(), share);
        }
        assert_eq!(Count(1, "file").to_string(), "1 file");
        assert_eq!(Count(1_234_567, "file").to_string(), "1,234,567 files");
        assert_eq!(Count(0, "file").to_string(), "0 files");
        assert_eq!(ago(59), "59 seconds ago");
        assert_eq!(ago(7_200), "2 hours ago");
    }

    #[test]
    fn paths_look_different_and_do_nothing() {
        for (path, shown) in [
            (&b"usr/bin/[ \"it's\" \xc3\xa9"[..], "usr/bin/[ \"it's\" \u{e9}"),
            (b"a\x1b[2Jb\nc\\d", "a\\u{1b}[2Jb\\nc\\\\d"),
            (b"\xff\xe2\x80\xae", "\\xff\\u{202e}"),
        ] {
            assert_eq!(Path(path).to_string(), shown);
        }
    }

    #[test]
    fn columns_line_up() {
        let rows = [["a".to_owned(), "bb".to_owned()], ["ccc".to_owned(), "d".to_owned()]];
        assert_eq!(columns(&rows), ["a    bb", "ccc  d"]);
        assert_eq!(columns(&[vec!["a".to_owned()], vec!["bb".to_owned(), "c".to_owned()]]), ["a", "bb  c"]);
    }
}
