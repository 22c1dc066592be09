//! Where inventory and store come from, and who may say so.

use super::{INVENTORY, platform};
use crate::harness::Project;

const SECTIONS: &str = "[store]\nuse = \"dir:store\"\n[inventory]\nfile = \"inventory.yaml\"\n";

#[test]
fn a_config_that_is_named_says_which_store_and_inventory() {
    let project = platform(INVENTORY);
    project.file("own/hekate.toml", SECTIONS.replace("\"dir:", "\"dir:../").replace("\"inv", "\"../inv"));
    project.hekate(&["inventory", "check", "--config", "own/hekate.toml"]).ends(0);
    project
        .hekate(&["inventory", "check", "--config", "own/hekate.toml", "--store", "dir:nowhere"])
        .refuses(&["nowhere"]);
}

#[test]
fn the_users_own_config_does_too_and_holds_nothing_else() {
    let project = platform(INVENTORY);
    let root = project.root().display().to_string();
    let text = SECTIONS.replace("dir:store", &format!("dir:{root}/store"));
    let text = text.replace("inventory.yaml", &format!("{root}/inventory.yaml"));
    project.file("xdg/hekate/hekate.toml", &text);
    let xdg = project.path("xdg").display().to_string();
    let run = |env: &[(&str, &str)]| project.hekate_with(b"", env, &["inventory", "check"]);
    run(&[("XDG_CONFIG_HOME", &xdg)]).ends(0);
    run(&[("XDG_CONFIG_HOME", "xdg")]).refuses(&["no inventory", "--inventory"]);
    project.file("home/.config/hekate/hekate.toml", &text);
    run(&[("HOME", &project.path("home").display().to_string())]).ends(0);
    project.file("xdg/hekate/hekate.toml", format!("{text}[scan]\nskip-hidden = true\n"));
    run(&[("XDG_CONFIG_HOME", &xdg)]).refuses(&["hekate.toml:5:2", "scan"]);
}

#[test]
fn what_a_repository_brings_along_says_neither_store_nor_inventory() {
    for section in ["store", "inventory", "index", "verify", "respond"] {
        let project = platform(INVENTORY);
        project.git_init().file("hekate.toml", format!("[{section}]\n"));
        project.hekate(&["scan"]).refuses(&[&format!("[{section}]"), "--config", "your own"]);
        project.hekate(&["inventory", "check"]).refuses(&["no inventory"]);
    }
}

#[test]
fn sections_that_nothing_reads_and_keys_that_are_none_are_refused() {
    let project = platform(INVENTORY);
    for (text, parts) in [
        ("[respond]\nrolle = \"dev\"\n", &["own.toml:2:1", "did you mean `role`"][..]),
        ("[store]\nuses = \"dir:store\"\n", &["own.toml:2:1", "did you mean `use`"]),
        ("[stores]\n", &["own.toml:1:2", "stores"]),
        (
            "[store]\nuse = \"vault\"\n[inventory]\nfile = \"inventory.yaml\"\n",
            &["[store] use", "`vault` is no store"],
        ),
    ] {
        project.file("own.toml", text);
        project.hekate(&["inventory", "check", "--config", "own.toml"]).refuses(parts);
    }
}

#[test]
fn a_scan_takes_a_trusted_config_with_these_sections() {
    let project = Project::new();
    project.file("own.toml", SECTIONS).file("a.txt", "nothing\n");
    project.hekate(&["scan", "--config", "own.toml", "a.txt"]).ends(0);
}

#[test]
fn wrong_use_says_what_is_missing_or_wrong() {
    let project = platform(INVENTORY);
    let check = |args: &[&str]| project.hekate(&[&["inventory", "check"], args].concat());
    check(&[]).refuses(&["no inventory", "--inventory FILE"]);
    check(&["--inventory", "inventory.yaml"]).refuses(&["no secret manager", "--store dir:PATH"]);
    check(&["--inventory", "none.yaml", "--store", "dir:store"]).refuses(&["read none.yaml"]);
    check(&["--inventory", "inventory.yaml", "--store", "vault"])
        .refuses(&["--store", "`vault` is no store"]);
    check(&["--inventory", "inventory.yaml", "--store", "dir:store", "--environment", "prod"])
        .refuses(&["--environment prod", "development, production"]);
    project.file("bad.yaml", "project: p\nenvironments: [a]\nfolders: {x: [A], y: [A]}\n");
    check(&["--inventory", "bad.yaml", "--store", "dir:store"])
        .refuses(&["bad.yaml:3:23", "`A` stands in /x"]);
}
