//! apt's configuration (apt.conf(5)): a tree of names with values, read from files and options.
//!
//! Names are paths, `APT::Get::Assume-Yes`, whose case does not matter. An item without a name of
//! its own belongs to a list (`DPkg::Options::`).

mod defaults;
mod load;
mod syntax;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;

use oci::ImagePath;

use super::problem::Problem;
use syntax::Statement;

pub use load::Given;
pub(super) use syntax::quoted_word;

/// Names are not deeper; the tree is walked by functions that call themselves.
const MOST_DEPTH: usize = 32;

/// All that is configured.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Configuration {
    items: Vec<Item>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Item {
    name: String,
    value: String,
    items: Vec<Item>,
}

impl Configuration {
    /// What apt has built in, for an image of this architecture in Debian's words.
    pub fn built_in(architecture: &str) -> Self {
        let mut configuration = Configuration::default();
        for (name, value) in defaults::ITEMS {
            configuration.set(name, value);
        }
        configuration.set("APT::Architecture", architecture);
        configuration
    }

    /// Takes over what a text says, without the files that it includes; `file` is how messages call
    /// it.
    ///
    /// # Errors
    /// [`Problem::Configuration`]
    pub fn add_text(&mut self, file: &str, text: &[u8]) -> Result<(), Problem> {
        for statement in syntax::parse(file, text)? {
            match statement {
                Statement::Set { name, value } => self.set(&name, &value),
                Statement::Clear { name } => self.clear(&name),
                Statement::Include { .. } => {}
            }
        }
        Ok(())
    }

    /// Sets a value; a name that ends with `::` is a further item of a list.
    pub fn set(&mut self, name: &str, value: &str) {
        let mut items = &mut self.items;
        let mut parts = name.split("::").take(MOST_DEPTH).peekable();
        while let Some(part) = parts.next() {
            let known = items
                .iter()
                .position(|item| !part.is_empty() && item.name.eq_ignore_ascii_case(part));
            let at = known.unwrap_or_else(|| {
                items.push(Item { name: part.to_owned(), ..Item::default() });
                items.len() - 1
            });
            if parts.peek().is_none() {
                value.clone_into(&mut items[at].value);
                return;
            }
            items = &mut items[at].items;
        }
    }

    /// Takes an item's value, and all that is below it.
    pub fn clear(&mut self, name: &str) {
        if let Some(item) = self.item_mut(name) {
            item.value.clear();
            item.items.clear();
        }
    }

    /// The value of an item; `None` if there is none, or an empty one.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.item(name).map(|item| item.value.as_str()).filter(|value| !value.is_empty())
    }

    /// The value as yes or no, in any of apt's words; `None` if it is none of them.
    pub fn switch(&self, name: &str) -> Option<bool> {
        switch(self.value(name)?)
    }

    /// The value as a number.
    pub fn number(&self, name: &str) -> Option<i64> {
        self.value(name)?.trim().parse().ok()
    }

    /// The values of a list: of the items below a name, or of its own value, at commas.
    pub fn list(&self, name: &str) -> Vec<&str> {
        let Some(item) = self.item(name) else { return Vec::new() };
        match item.value.as_str() {
            "" => item.items.iter().map(|item| item.value.as_str()).collect(),
            value => value.split(',').collect(),
        }
    }

    /// Names and values of what is below a name.
    pub fn below(&self, name: &str) -> impl Iterator<Item = (&str, &str)> {
        let items = self.item(name).map(|item| &item.items[..]).unwrap_or_default();
        items.iter().map(|item| (item.name.as_str(), item.value.as_str()))
    }

    /// The file or directory of one of the names in `Dir`: relative to that of the name above
    /// (apt.conf(5), "Directories"). `None` for `/dev/null`, which turns a file off, and for none.
    pub fn path(&self, name: &str) -> Option<ImagePath> {
        let mut path = self.value(name)?.to_owned();
        let mut name = name;
        while let Some((above, _)) = name.rsplit_once("::") {
            if path.starts_with('/') || path.starts_with("./") {
                break;
            }
            path = format!("{}/{path}", self.value(above).unwrap_or_default());
            name = above;
        }
        if path.trim_matches('/') == "dev/null" {
            return None;
        }
        let root = self.value("RootDir").unwrap_or_default();
        Some(ImagePath::lexical(format!("{root}/{path}")))
    }

    /// All architectures of the image, its own first.
    pub fn architectures(&self) -> Vec<&str> {
        let native = self.value("APT::Architecture").unwrap_or_default();
        let mut all = self.list("APT::Architectures");
        all.retain(|architecture| !architecture.is_empty());
        if !all.contains(&native) {
            all.insert(0, native);
        }
        all
    }

    /// The tree as `apt-config dump` shows it.
    pub fn dump(&self) -> String {
        let mut text = String::new();
        dump("", &self.items, &mut text);
        text
    }

    /// Puts what is configured for one program alone where it counts: `Binary::apt::…`.
    pub fn choose_program(&mut self, program: &str) {
        self.set("Binary", program);
        let Some(item) = self.item_mut(&format!("Binary::{program}")) else { return };
        let items = std::mem::take(&mut item.items);
        self.move_up("", items);
    }

    fn move_up(&mut self, above: &str, items: Vec<Item>) {
        for item in items {
            let name = format!("{above}{}", item.name);
            self.move_up(&format!("{name}::"), item.items);
            self.set(&name, &item.value);
        }
    }

    fn item(&self, name: &str) -> Option<&Item> {
        let (mut items, mut found) = (&self.items, None);
        for part in name.split("::") {
            let item = items.iter().find(|item| item.name.eq_ignore_ascii_case(part))?;
            (items, found) = (&item.items, Some(item));
        }
        found
    }

    fn item_mut(&mut self, name: &str) -> Option<&mut Item> {
        let (first, rest) = match name.split_once("::") {
            Some((first, rest)) => (first, Some(rest)),
            None => (name, None),
        };
        let named = |items: &mut Vec<Item>, part: &str| {
            items.iter().position(|item| item.name.eq_ignore_ascii_case(part))
        };
        let at = named(&mut self.items, first)?;
        let mut item = &mut self.items[at];
        for part in rest.into_iter().flat_map(|rest| rest.split("::")) {
            let at = named(&mut item.items, part)?;
            item = &mut item.items[at];
        }
        Some(item)
    }
}

/// Yes or no in apt's words.
pub(in crate::apt) fn switch(value: &str) -> Option<bool> {
    const YES: [&str; 6] = ["yes", "true", "with", "on", "enable", "1"];
    const NO: [&str; 6] = ["no", "false", "without", "off", "disable", "0"];
    let is = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(value.trim()));
    if is(&YES) { Some(true) } else { is(&NO).then_some(false) }
}

fn dump(above: &str, items: &[Item], text: &mut String) {
    for item in items {
        let name = format!("{above}{}", item.name);
        writeln!(text, "{name} \"{}\";", item.value).expect("a string takes all");
        dump(&format!("{name}::"), &item.items, text);
    }
}
