//! `shingle man`

use anyhow::Context as _;
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use clap::CommandFactory as _;
use clap_mangen::Man;

use crate::cli::{Cli, ManArgs};
use crate::failure::Failure;
use crate::printer::Printer;

pub(super) fn run(args: &ManArgs, printer: &Printer) -> Result<(), Failure> {
    let mut top = Cli::command();
    // Gives each subcommand the global options and its full name.
    top.build();
    let Some(path) = &args.directory else {
        return Ok(printer.raw(&page(&top)?)?);
    };
    let authority = ambient_authority();
    Dir::create_ambient_dir_all(path, authority)
        .with_context(|| format!("cannot create {}", path.display()))?;
    let dir =
        Dir::open_ambient_dir(path, authority).with_context(|| format!("cannot open {}", path.display()))?;
    for command in
        std::iter::once(&top).chain(top.get_subcommands()).filter(|command| command.get_name() != "help")
    {
        let name = format!("{}.1", title(command));
        let path = path.join(&name);
        dir.write(&name, page(command)?).with_context(|| format!("cannot write {}", path.display()))?;
        printer.result(path.display())?;
    }
    Ok(())
}

fn page(command: &clap::Command) -> Result<Vec<u8>, Failure> {
    let mut page = Vec::new();
    let man = Man::new(command.clone()).title(title(command)).manual("Shingle");
    let man = man.source(concat!("shingle ", env!("CARGO_PKG_VERSION")));
    man.render(&mut page).context("cannot write the manual page")?;
    Ok(page)
}

fn title(command: &clap::Command) -> String {
    match command.get_name() {
        "shingle" => "shingle".to_owned(),
        name => format!("shingle-{name}"),
    }
}
