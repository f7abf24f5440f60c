//! Tests that the top-level modules of a crate have no import cycle: if `a` uses `b`, then `b` must not use
//! `a`.
//!
//! A path `crate::…` or `super::…` in a file, in a `use` or anywhere else, is an edge from the top-level
//! module of the file to the top-level module in the path. A name that `lib.rs` re-exports counts as the
//! module that it comes from. Unit tests are left out.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// The modules that each module uses.
type Graph = BTreeMap<String, BTreeSet<String>>;

#[test]
fn no_module_is_part_of_an_import_cycle() {
    let files = super::sources::read_sources();
    let roots = files
        .keys()
        .filter(|file| file.ends_with("/src/lib.rs") || file.ends_with("/src/main.rs"));
    let packages: BTreeSet<&str> = roots.filter_map(|file| file.split("/src/").next()).collect();
    let mut broken = Vec::new();
    for package in packages {
        let graph = graph_of(&Path::new(super::ROOT).join(package).join("src"));
        let cycles: Vec<Vec<String>> = graph
            .keys()
            .filter_map(|module| shortest_cycle(&graph, module))
            .collect();
        broken.extend(
            cycles
                .iter()
                .map(|cycle| format!("{package}: {}", cycle.join(" → "))),
        );
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// Returns the graph of the top-level modules in a source folder.
fn graph_of(src: &Path) -> Graph {
    let mut files = Vec::new();
    collect_files(src, &[], &mut files);
    let is_root = |path: &[String]| path.is_empty();
    let mut names: BTreeMap<String, String> = files
        .iter()
        .filter_map(|(path, _)| path.first())
        .map(|module| (module.clone(), module.clone()))
        .collect();
    for (_, tokens) in files.iter().filter(|(path, _)| is_root(path)) {
        for reference in paths_in(tokens, &[]) {
            if let (Some(module), Some(name)) = (reference.first(), reference.last()) {
                names.entry(name.clone()).or_insert_with(|| module.clone());
            }
        }
    }
    let mut graph = Graph::new();
    for (path, tokens) in files.iter().filter(|(path, _)| !is_root(path)) {
        let uses = graph.entry(path[0].clone()).or_default();
        let references = paths_in(tokens, path);
        uses.extend(
            references
                .iter()
                .filter_map(|path| names.get(path.first()?))
                .cloned(),
        );
        uses.remove(&path[0]);
    }
    graph
}

/// Adds the files below a folder to `files`. Each file is the path of its module and its code.
fn collect_files(folder: &Path, path: &[String], files: &mut Vec<(Vec<String>, TokenStream)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let file = entry.unwrap().path();
        let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
        if name == "tests" {
            continue;
        }
        let mut module = path.to_vec();
        if !["lib", "main", "mod"].contains(&name.as_str()) {
            module.push(name);
        }
        if file.is_dir() {
            collect_files(&file, &module, files);
        } else if file.extension().is_some_and(|extension| extension == "rs") {
            files.push((module, fs::read_to_string(&file).unwrap().parse().unwrap()));
        }
    }
}

/// Returns the paths within the crate that the code of `module` uses, each from the root of the crate. In the
/// root, every `use` counts, because a path to a module needs no `crate::` there.
fn paths_in(tokens: &TokenStream, module: &[String]) -> Vec<Vec<String>> {
    let tokens: Vec<TokenTree> = tokens.clone().into_iter().collect();
    let mut found = Vec::new();
    let mut position = 0;
    while let Some(token) = tokens.get(position) {
        let rest = &tokens[position + 1..];
        position += 1;
        match (token.to_string().as_str(), rest) {
            ("mod", [TokenTree::Ident(name), TokenTree::Group(body), ..]) => {
                let is_test =
                    position >= 2 && tokens[position - 2].to_string().replace(' ', "") == "[cfg(test)]";
                if !is_test {
                    let inner = [module, &[name.to_string()]].concat();
                    found.extend(paths_in(&body.stream(), &inner));
                }
                position += 2;
            }
            ("crate", [separator, ..]) if separator.to_string() == ":" => expand(rest, &[], &mut found),
            ("super", [separator, ..]) if separator.to_string() == ":" => {
                let after_super =
                    |tokens: &[TokenTree]| tokens.get(..1).is_some_and(|it| it[0].to_string() == "super");
                let (mut parent, mut rest) = (module.split_last().map_or(module, |(_, parent)| parent), rest);
                while rest.get(2..).is_some_and(after_super) {
                    parent = parent.split_last().map_or(parent, |(_, parent)| parent);
                    rest = &rest[3..];
                    position += 3;
                }
                expand(rest, parent, &mut found);
            }
            ("use", [TokenTree::Ident(_), ..]) if module.is_empty() => {
                let separator: TokenStream = "::".parse().unwrap();
                let path: Vec<TokenTree> = separator.into_iter().chain(rest.iter().cloned()).collect();
                expand(&path, &[], &mut found);
            }
            (_, _) => {
                if let TokenTree::Group(group) = token {
                    found.extend(paths_in(&group.stream(), module));
                }
            }
        }
    }
    found
}

/// Adds the paths of the tokens after `crate` or `super` to `found`, such as `::a::b` or `::{a, b::c}`. A
/// name after `as` is the last name of its path.
fn expand(tokens: &[TokenTree], before: &[String], found: &mut Vec<Vec<String>>) {
    let mut path = before.to_vec();
    let mut rest = tokens;
    loop {
        rest = match rest {
            [
                TokenTree::Punct(one),
                TokenTree::Punct(two),
                TokenTree::Ident(name),
                rest @ ..,
            ] if one.as_char() == ':' && two.as_char() == ':' => {
                // `self` at the root of the crate is the crate, so it adds nothing to the path.
                path.extend(Some(name.to_string()).filter(|name| name != "self"));
                rest
            }
            [
                TokenTree::Punct(one),
                TokenTree::Punct(two),
                TokenTree::Group(group),
                ..,
            ] if one.as_char() == ':' && two.as_char() == ':' && group.delimiter() == Delimiter::Brace => {
                let inner: Vec<TokenTree> = group.stream().into_iter().collect();
                for part in inner.split(|token| token.to_string() == ",") {
                    let separator: TokenStream = "::".parse().unwrap();
                    let part: Vec<TokenTree> = separator.into_iter().chain(part.iter().cloned()).collect();
                    expand(&part, &path, found);
                }
                return;
            }
            [TokenTree::Ident(word), TokenTree::Ident(name), ..] if word == "as" => {
                path.push(name.to_string());
                break;
            }
            _ => break,
        };
    }
    found.push(path);
}

/// Returns the shortest cycle through a module; `None` if the module is not part of a cycle.
fn shortest_cycle(graph: &Graph, start: &String) -> Option<Vec<String>> {
    let mut paths = vec![vec![start.clone()]];
    let mut seen = BTreeSet::new();
    let mut next = 0;
    while let Some(path) = paths.get(next).cloned() {
        next += 1;
        for module in graph.get(path.last()?)? {
            let mut longer = path.clone();
            longer.push(module.clone());
            if module == start {
                return Some(longer);
            }
            if seen.insert(module) {
                paths.push(longer);
            }
        }
    }
    None
}

#[test]
fn cycles_are_found_through_every_kind_of_path() {
    let folder = tempfile::tempdir().unwrap();
    let files = [
        (
            "lib.rs",
            "mod a; mod b; mod c; mod d; mod free; pub use self::d::Thing as Other; use a::X;",
        ),
        (
            "a.rs",
            "use crate::{b::{B, BB}, free::F}; #[cfg(test)] mod tests { use crate::c::C; }",
        ),
        ("b/mod.rs", "mod inner;"),
        ("b/inner.rs", "fn f() { format!(\"{}\", super::super::c::C) }"),
        ("c.rs", "mod x { use super::super::Other; }"),
        ("d.rs", "use super::a; use std::fmt;"),
        ("free.rs", "fn f() {}"),
    ];
    fs::create_dir(folder.path().join("b")).unwrap();
    for (name, text) in files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let graph = graph_of(folder.path());
    let cycle = shortest_cycle(&graph, &"a".to_owned()).unwrap();
    assert_eq!(cycle, ["a", "b", "c", "d", "a"]);
    assert_eq!(shortest_cycle(&graph, &"free".to_owned()), None);
}
