//! `shingle ls`

mod item;
mod listing;

use std::os::unix::ffi::OsStrExt as _;

use serde::Serialize;
use serde::ser::Serializer;
use shingle::contents::read;
use shingle::root::Root;
use shingle::transport::open_source;
use shingle_core::{Digest, LastLink, PathError};

use super::{Looking, client};
use crate::cli::{Global, LsArgs};
use crate::failure::Failure;
use crate::printer::{Printer, Unwritten};
use crate::progress::ReadProgress;
use crate::words::{Bytes, Count, Table};
use item::Item;
use listing::Listing;

/// What was listed, for programs.
#[derive(Serialize)]
struct Report<'a> {
    image: &'a str,
    digest: Digest,
    /// The directory or file that was asked for, without links in it.
    path: String,
    entries: Entries<'a>,
    read_bytes: u64,
    requests: u64,
}

/// Serialised while they are walked: paths of many entries are long together.
struct Entries<'a>(&'a Listing<'a>);

impl Serialize for Entries<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeSeq as _;
        let mut list = serializer.serialize_seq(None)?;
        self.0.each(&mut |item| list.serialize_element(&item))?;
        self.0.each_deleted(&mut |item| list.serialize_element(&item))?;
        list.end()
    }
}

pub(super) fn run(global: &Global, args: &LsArgs, printer: &Printer) -> Result<(), Failure> {
    let name = &args.image.typed;
    let trying = |failure: Failure| failure.while_trying(format!("cannot list {name}"));
    let looking = Looking::new(global, &args.source, &args.cache)?;
    let (options, client) = (looking.options(), client(args.source.tls_verify, None)?);
    let source = open_source(&args.image.location, &client).map_err(|error| trying(error.into()))?;
    let progress = ReadProgress::new(printer);
    let contents = read(name, &*source, &options, &progress).map_err(|error| trying(error.into()))?;
    drop(progress);
    let limits = &options.policy.limits;
    let root = Root::new(&contents.layers, limits).map_err(|error| trying(error.into()))?;
    let path = args.path.as_ref().map_or(&b"/"[..], |path| path.as_bytes());
    let (found, is_directory) = find(&root, path).map_err(|error| {
        let hint = shingle::cat::CatError::from(error.clone()).hint();
        let failure = trying(Failure::new(error));
        match hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    })?;
    let mut listing = Listing::new(&root, &contents, &found, is_directory, args.recursive);
    if args.deleted {
        listing = listing.with_deleted(limits).map_err(|error| trying(error.into()))?;
    }
    let spent = contents.spent();
    if printer.json() {
        let path = String::from_utf8_lossy(found.path.as_bytes()).into_owned();
        let (digest, entries) = (contents.digest, Entries(&listing));
        let (read_bytes, requests) = (spent.bytes, spent.requests);
        let report = Report { image: name, digest, path, entries, read_bytes, requests };
        return Ok(printer.stream(&report)?);
    }
    print(&listing, args, printer)?;
    if printer.verbose() {
        let layers = Count(contents.layers.len().try_into().unwrap_or(u64::MAX), "layer");
        let kept = match spent.cached_layers {
            0 => String::new(),
            kept => format!("; {} had been read before", Count(kept, "layer")),
        };
        let (bytes, requests) = (Bytes(spent.bytes), Count(spent.requests, "request"));
        printer.say(format_args!("Read {bytes} in {requests} for the tables of contents of {layers}{kept}."));
    }
    Ok(())
}

/// Finds what is to be listed, and whether that is a directory. A link to one stands for it; any other link is itself.
fn find(root: &Root, path: &[u8]) -> Result<(shingle_core::Resolved, bool), PathError> {
    let is_directory = |found: &shingle_core::Resolved| {
        let inode = root.tree().inode(found.id);
        inode.is_some_and(|inode| matches!(inode.node, shingle_core::Node::Directory(_)))
    };
    match root.resolve(path, LastLink::Follow) {
        Ok(found) if is_directory(&found) => Ok((found, true)),
        Ok(_) => Ok((root.resolve(path, LastLink::Keep)?, false)),
        // It may be a link that leads nowhere; whatever is wrong on the way there is still wrong then.
        Err(error) => match root.resolve(path, LastLink::Keep) {
            Ok(found) => Ok((found, false)),
            Err(_the_same) => Err(error),
        },
    }
}

fn print(listing: &Listing<'_>, args: &LsArgs, printer: &Printer) -> Result<(), Unwritten> {
    let head = ["MODE", "LINKS", "OWNER", "SIZE", "COMPRESSED", "MODIFIED"].map(str::to_owned);
    let head = |layers: bool| row(head.clone(), layers.then(|| "LAYER".to_owned()), "NAME".to_owned());
    let exact = printer.verbose();
    let line = |item: &Item<'_>, layers: bool| {
        let layer = layers.then(|| item.layer.map_or_else(|| "-".to_owned(), |layer| layer.to_string()));
        row(item.cells(exact), layer, item.shown(listing.prefix()))
    };
    let right = [false, true, false, true, true, false, false, false];
    let mut table = Table::new(right);
    table.measure(&head(args.layers));
    listing.each(&mut |item| {
        table.measure(&line(&item, args.layers));
        Ok::<_, Unwritten>(())
    })?;
    printer.lines(|put| {
        put(&table.line(&head(args.layers)))?;
        listing.each(&mut |item| put(&table.line(&line(&item, args.layers))))
    })?;
    if !args.deleted {
        return Ok(());
    }
    let mut table = Table::new(right);
    let mut any = false;
    listing.each_deleted(&mut |item| {
        any = true;
        table.measure(&line(&item, true));
        Ok::<_, Unwritten>(())
    })?;
    if !any {
        printer.say("Nothing there was removed, replaced or hidden by an upper layer.");
        return Ok(());
    }
    table.measure(&head(true));
    printer.result("\nRemoved, replaced or hidden by upper layers:")?;
    printer.lines(|put| {
        put(&table.line(&head(true)))?;
        listing.each_deleted(&mut |item| put(&table.line(&line(&item, true))))
    })
}

/// Puts a row together; without the layer, the name moves up.
fn row(cells: [String; 6], layer: Option<String>, name: String) -> [String; 8] {
    let [mode, links, owner, size, compressed, modified] = cells;
    let (seventh, last) = match layer {
        Some(layer) => (layer, name),
        None => (name, String::new()),
    };
    [mode, links, owner, size, compressed, modified, seventh, last]
}
