//! The order of the folders, as ARCHITECTURE.md shows it.

use std::fs;
use std::path::Path;

/// The order of one crate's modules, from the ground up.
pub(crate) struct Order {
    /// Its source folder, relative to the root: `runtime/src`.
    pub(crate) source: String,
    modules: Vec<String>,
}

/// Starts the block in ARCHITECTURE.md; each line of it is `folder: module module ..`.
const FENCE: &str = "```layers";

/// Reads the block of layers.
pub(crate) fn read(root: &Path) -> Result<Vec<Order>, String> {
    let path = root.join("ARCHITECTURE.md");
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let block = text.lines().skip_while(|line| *line != FENCE).skip(1);
    let orders: Vec<Order> = block
        .take_while(|line| !line.starts_with("```"))
        .filter_map(Order::parse)
        .collect();
    if orders.is_empty() {
        return Err(format!("{}: no block `{FENCE}`", path.display()));
    }
    Ok(orders)
}

impl Order {
    fn parse(line: &str) -> Option<Self> {
        let (source, modules) = line.split_once(':')?;
        Some(Order {
            source: source.trim().to_owned(),
            modules: modules.split_whitespace().map(str::to_owned).collect(),
        })
    }

    /// The layer of a module, counted from the ground.
    pub(crate) fn layer(&self, module: &str) -> Option<usize> {
        self.modules.iter().position(|known| known == module)
    }

    /// The modules that have no folder and no file.
    pub(crate) fn unknown<'a>(&'a self, found: &'a [String]) -> impl Iterator<Item = &'a String> {
        self.modules.iter().filter(|module| !found.contains(module))
    }
}
