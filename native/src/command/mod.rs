//! The commands: each turns its arguments into calls of the library, and what comes back into words.

mod cat;
mod chunks;
mod completions;
mod convert;
mod copy;
mod demo;
mod diff;
mod gc;
mod images;
mod inspect;
mod looking;
mod ls;
mod man;
mod overlap;
mod plan;
mod pull;
mod push;
mod rmi;
mod unpack;
mod verify;

use std::path::PathBuf;
use std::process::ExitCode;

use shingle::config::PullConfig;
use shingle::contents::{Cache, ReadOptions};
use shingle::registry::{Client, ClientOptions, Platform, Reference};
use shingle::store::Store;
use shingle_core::{Policy, Trust};

use crate::cli::{CacheArgs, Cli, Command, CostArgs, Global, LookArgs, SourceArgs};
use crate::failure::Failure;
use crate::printer::Printer;
use crate::words::Count;

/// Runs the command that was typed, and returns the status to leave with.
pub(crate) fn run(cli: &Cli, printer: &Printer) -> Result<ExitCode, Failure> {
    let global = &cli.global;
    let done = match &cli.command {
        Command::Pull(args) => pull::run(global, args, printer),
        Command::Plan(args) => plan::run(global, args, printer),
        Command::Overlap(args) => overlap::run(global, args, printer),
        Command::Diff(args) => return diff::run(global, args, printer),
        Command::Images(_) => images::run(global, printer),
        Command::Inspect(args) => inspect::run(global, args, printer),
        Command::Ls(args) => ls::run(global, args, printer),
        Command::Cat(args) => cat::run(global, args, printer),
        Command::Chunks(args) => chunks::run(global, args, printer),
        Command::Unpack(args) => unpack::run(global, args, printer),
        Command::Verify(args) => verify::run(args, printer),
        Command::Copy(args) => copy::run(args, printer),
        Command::Convert(args) => convert::run(args, printer),
        Command::Push(args) => push::run(global, args, printer),
        Command::Rmi(args) => rmi::run(global, args, printer),
        Command::Gc(_) => gc::run(global, printer),
        Command::Demo(args) => demo::run(args, printer),
        Command::Completions(args) => completions::run(args, printer),
        Command::Man(args) => man::run(args, printer),
    };
    done.map(|()| ExitCode::SUCCESS)
}

fn root(global: &Global) -> PathBuf {
    global.root.clone().unwrap_or_else(Store::default_path)
}

/// Opens the store if there is one: who only looks makes none.
fn existing_store(global: &Global) -> Result<Option<Store>, Failure> {
    let root = root(global);
    if Store::exists(&root)? { Ok(Some(Store::open(root)?)) } else { Ok(None) }
}

/// Opens what is kept of layers that were read before, unless that is not wanted or there is no place for it.
fn cache(args: &CacheArgs) -> Option<Cache> {
    if args.no_cache { None } else { Cache::open(Cache::default_path()?) }
}

/// What looking into an image takes: what is here already, and which image is meant.
struct Looking {
    store: Option<Store>,
    cache: Option<Cache>,
    platform: Option<Platform>,
}

impl Looking {
    fn new(global: &Global, source: &SourceArgs, kept: &CacheArgs) -> Result<Self, Failure> {
        let (store, cache) = (existing_store(global)?, cache(kept));
        Ok(Self { store, cache, platform: source.platform.clone() })
    }

    fn options(&self) -> ReadOptions<'_> {
        let mut options = ReadOptions::default();
        options.cache = self.cache.as_ref();
        options.store = self.store.as_ref();
        if let Some(platform) = &self.platform {
            options.platform = platform.clone();
        }
        options
    }
}

fn client(tls_verify: bool, jobs: Option<u32>) -> Result<Client, Failure> {
    let mut options = ClientOptions::default();
    options.tls_verify = tls_verify;
    if let Some(jobs) = jobs.and_then(|jobs| usize::try_from(jobs).ok()) {
        options.max_in_flight = jobs;
    }
    Ok(Client::new(options)?)
}

/// Decides how far layers must be proven: as the command line says, else storage.conf, else nobody.
fn rung(trust: Option<Trust>, config: &PullConfig) -> Trust {
    match (trust, config.trust_toc) {
        (Some(trust), _) => trust,
        (None, Some(true)) => Trust::Toc,
        (None, _) => Trust::default(),
    }
}

/// Returns the policy of the pulls that looking speaks of.
fn looking_policy(args: &LookArgs) -> Result<Policy, Failure> {
    let mut policy = Policy::default();
    policy.trust = rung(args.trust, &PullConfig::load()?);
    Ok(policy)
}

/// Puts together a policy of what the command line says, else storage.conf, else nobody.
fn policy(trust: Option<Trust>, args: &CostArgs, config: &PullConfig) -> Policy {
    let mut policy = Policy::default();
    policy.trust = rung(trust, config);
    let cost = &mut policy.cost;
    if let Some(milliseconds) = args.round_trip_ms {
        cost.round_trip_us = u64::from(milliseconds) * 1_000;
    }
    cost.bytes_per_second = args.bandwidth.unwrap_or(cost.bytes_per_second);
    cost.in_flight = args.jobs.unwrap_or(cost.in_flight);
    policy
}

fn not_in_store(global: &Global, reference: &Reference) -> Failure {
    Failure::new(anyhow::anyhow!("{reference} is not in the store {}", root(global).display()))
}

/// Says in one sentence how many owners, devices and xattrs are not in the files; nothing when all are.
fn noted_sentence(privileged: bool, [owners, devices, xattrs]: [u64; 3]) -> Option<String> {
    let kinds = [
        (owners, "the owner or mode of", "path"),
        (devices, "", "device"),
        (xattrs, "", "extended attribute"),
    ];
    let words = kinds.into_iter().filter(|(count, ..)| *count > 0);
    let words: Vec<String> = words
        .map(|(count, of, what)| format!("{of} {}", Count(count, what)).trim_start().to_owned())
        .collect();
    let list = match &words[..] {
        [] => return None,
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    };
    let why = if privileged { "this file system does not take them" } else { "setting them takes root" };
    Some(format!("Noted in the store, not set on the files: {list}; {why}."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_only_noted_is_one_sentence() {
        assert_eq!(noted_sentence(false, [0, 0, 0]), None);
        let said = noted_sentence(false, [1_204, 1, 2]).unwrap();
        let expected = "Noted in the store, not set on the files: the owner or mode of 1,204 paths, 1 device and \
                        2 extended attributes; setting them takes root.";
        assert_eq!(said, expected);
        assert!(noted_sentence(true, [0, 0, 1]).unwrap().ends_with("this file system does not take them."));
    }
}
