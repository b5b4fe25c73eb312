//! `shingle inspect --web`: images on a page in the browser.

use std::future::poll_fn;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use anyhow::Context as _;
use serde::Serialize;
use shingle::transport::open_source;
use shingle::web::{Helper, Page, WebOptions};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::super::{cache, client, existing_store, looking_policy};
use crate::cli::{Global, InspectArgs};
use crate::failure::Failure;
use crate::printer::Printer;

/// Where the page is, for programs.
#[derive(Serialize)]
struct Serving<'a> {
    address: &'a str,
}

/// Serves the page until somebody ends it.
pub(super) fn run(global: &Global, args: &InspectArgs, printer: &Printer) -> Result<(), Failure> {
    let page = match &args.web.page {
        Some(directory) => Page::open(directory)?,
        None => Page::embedded()?.ok_or_else(|| {
            Failure::new(anyhow::anyhow!("the page was not there when this command was built"))
                .hint("`cargo xtask web` builds it, and then `cargo build` builds it in; or name its directory by --page")
        })?,
    };
    let client = client(args.look.source.tls_verify, None)?;
    let mut images = Vec::new();
    for image in &args.images {
        let source = open_source(&image.location, &client)
            .map_err(|error| Failure::from(error).while_trying(format!("cannot look at {}", image.typed)))?;
        images.push((image.typed.clone(), source));
    }
    let mut options = WebOptions::default();
    options.port = args.web.port.unwrap_or_default();
    if let Some(platform) = &args.look.source.platform {
        options.platform = platform.clone();
    }
    options.policy = looking_policy(&args.look)?;
    options.cache = cache(&args.look.cache);
    options.store = existing_store(global)?.filter(|_| !args.look.cache.no_cache);

    let ends = Ends::new().context("cannot wait for signals")?;
    let helper = Helper::start(images, page, options)?;
    if printer.json() {
        printer.object(&Serving { address: helper.address() })?;
    } else {
        printer.result(helper.address())?;
    }
    if !args.web.no_open && has_display() && !open(helper.invitation()) {
        printer.say("No browser was found: open the address in one.");
    }
    printer.say("Ctrl-C ends this.");
    ends.wait();
    Ok(())
}

/// What ends the serving: Ctrl-C, or a request to leave.
struct Ends {
    runtime: tokio::runtime::Runtime,
    signals: [Signal; 2],
}

impl Ends {
    fn new() -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let signals = {
            let _inside = runtime.enter();
            [signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?]
        };
        Ok(Self { runtime, signals })
    }

    fn wait(mut self) {
        let signals = &mut self.signals;
        self.runtime.block_on(poll_fn(|context| {
            let ready = signals.iter_mut().find_map(|signal| match signal.poll_recv(context) {
                std::task::Poll::Ready(_) => Some(()),
                std::task::Poll::Pending => None,
            });
            ready.map_or(std::task::Poll::Pending, std::task::Poll::Ready)
        }));
    }
}

fn has_display() -> bool {
    let set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    set("DISPLAY") || set("WAYLAND_DISPLAY")
}

/// Asks the desktop to open an address, and returns whether there is anybody to ask.
fn open(address: &str) -> bool {
    let mut command = Command::new("xdg-open");
    command.arg(address).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    // Ctrl-C here must not end a browser that it started.
    command.process_group(0).spawn().is_ok()
}
