//! Is everything there, where it should be, and nothing else?

use super::{Code, Holdings, Placed, Problem, Review, holdings::Held};
use crate::inventory::{Entry, Inventory};

/// Compares the manager with the inventory: what is missing, unexpected, empty or in the wrong folder.
pub fn check(inventory: &Inventory, holdings: &Holdings) -> Review {
    let mut problems = Vec::new();
    for held in &holdings.environments {
        match &held.absent {
            Some(why) => problems.push(Problem::with(Code::MissingEnvironment, &held.name, why)),
            None => check_environment(inventory, held, &mut problems),
        }
    }
    Review::new(inventory, holdings, problems)
}

fn check_environment(inventory: &Inventory, held: &Held, problems: &mut Vec<Problem>) {
    for entry in inventory.entries.iter().filter(|entry| entry.is_in(&held.name)) {
        if held.find(&entry.folder, &entry.name).is_some() || held.is_hidden(&entry.path()) {
            continue;
        }
        let place = format!("{}:{}", held.name, entry.path());
        let elsewhere: Vec<String> =
            strays(held, entry).map(|placed| placed.stored.path.in_environment()).collect();
        problems.push(if elsewhere.is_empty() {
            Problem::of(Code::Missing, place)
        } else {
            Problem::with(Code::WrongFolder, place, format!("it lies at {}", elsewhere.join(", ")))
        });
    }
    problems.extend(held.in_force().filter_map(|placed| judge(inventory, held, placed)));
    problems.extend(held.pending().map(|placed| Problem::of(Code::Unfinished, placed.place())));
}

/// Secrets of an entry's name that lie in other folders.
fn strays<'a>(held: &'a Held, entry: &'a Entry) -> impl Iterator<Item = Placed<'a>> {
    held.in_force()
        .filter(|placed| placed.stored.path.name == entry.name && placed.stored.path.folder != entry.folder)
}

/// What is wrong with a secret that is there. One that lies in the wrong folder was told of already.
fn judge(inventory: &Inventory, held: &Held, placed: Placed<'_>) -> Option<Problem> {
    let path = &placed.stored.path;
    let of_name = inventory.entry(&path.name).filter(|entry| entry.is_in(&held.name));
    match of_name {
        Some(entry) if entry.folder == path.folder => {}
        Some(entry) if held.find(&entry.folder, &entry.name).is_some() => {
            let detail = format!("a second one; the inventory has it in {}", entry.folder);
            return Some(Problem::with(Code::Unexpected, placed.place(), detail));
        }
        Some(entry) if held.is_hidden(&entry.path()) => {
            let detail = format!("the inventory has it in {}, which can't be read", entry.folder);
            return Some(Problem::with(Code::Unexpected, placed.place(), detail));
        }
        Some(_) => return None,
        None if inventory.followed_by(&path.folder, &path.name).is_some() => {}
        None => return Some(Problem::of(Code::Unexpected, placed.place())),
    }
    let is_empty = placed.stored.value.expose().trim_ascii().is_empty();
    is_empty.then(|| Problem::of(Code::Empty, placed.place()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inventory::review::fake::{FakeStore, inventory};

    const INVENTORY: &str = "\
project: kosmos
environments: [development, production]
folders:
  infrastructure: [POSTGRES_PASSWORD, DRAGONFLY_PASSWORD]
  authentication: [JWT_SIGNING_KEY]
secrets:
  DRAGONFLY_PASSWORD: { environments: [production] }
  JWT_SIGNING_KEY:
    signing: { algorithm: RS256, next_name: JWT_V2, next_public_name: JWT_PUBLIC_V2, grace: 15m }
";

    fn problems(store: &FakeStore) -> Vec<String> {
        let inventory = inventory(INVENTORY);
        let review = check(&inventory, &Holdings::read(store, &inventory, &[]).unwrap());
        let shown = |problem: &Problem| {
            let detail = problem.detail.as_ref().map(|detail| format!(" ({detail})")).unwrap_or_default();
            format!("{} {}{detail}", problem.code, problem.subjects.join(" "))
        };
        review.problems.iter().map(shown).collect()
    }

    fn complete() -> FakeStore {
        let mut store = FakeStore::default();
        for environment in ["development", "production"] {
            store.put(environment, "/infrastructure", "POSTGRES_PASSWORD", environment);
            store.put(environment, "/authentication", "JWT_SIGNING_KEY", environment);
        }
        store.put("production", "/infrastructure", "DRAGONFLY_PASSWORD", "x");
        store
    }

    #[test]
    fn a_manager_that_has_just_what_the_inventory_names_has_no_problem() {
        assert_eq!(problems(&complete()), Vec::<String>::new());
    }

    #[test]
    fn what_is_missing_unexpected_empty_or_elsewhere_is_told() {
        let mut store = complete();
        store.remove("development", "/authentication", "JWT_SIGNING_KEY");
        store.put("development", "/infrastructure", "DRAGONFLY_PASSWORD", "not here");
        store.put("development", "/", "OLD", "x");
        store.put("production", "/infrastructure", "DRAGONFLY_PASSWORD", " \n");
        store.put("production", "/", "POSTGRES_PASSWORD", "x");
        store.remove("production", "/authentication", "JWT_SIGNING_KEY");
        store.put("production", "/", "JWT_SIGNING_KEY", "x");
        insta::assert_snapshot!(problems(&store).join("\n"), @"
        missing development:/authentication/JWT_SIGNING_KEY
        wrong-folder production:/authentication/JWT_SIGNING_KEY (it lies at /JWT_SIGNING_KEY)
        unexpected development:/OLD
        unexpected development:/infrastructure/DRAGONFLY_PASSWORD
        unexpected production:/POSTGRES_PASSWORD (a second one; the inventory has it in /infrastructure)
        empty production:/infrastructure/DRAGONFLY_PASSWORD
        ");
    }

    #[test]
    fn what_a_blue_green_rotation_brings_is_expected_and_what_a_rotation_left_is_told() {
        let mut store = complete();
        store.put("production", "/authentication", "JWT_V2", "x");
        store.put("production", "/authentication", "JWT_PUBLIC_V2", "x");
        assert_eq!(problems(&store), Vec::<String>::new());
        store.put("production", "/hekate-pending/INC-1", "POSTGRES_PASSWORD", "x");
        assert_eq!(problems(&store), ["unfinished production:/hekate-pending/INC-1/POSTGRES_PASSWORD"]);
    }

    #[test]
    fn nothing_is_said_to_be_missing_where_the_manager_shows_nothing() {
        let mut store = complete();
        store.remove("production", "/infrastructure", "POSTGRES_PASSWORD");
        store.remove("production", "/infrastructure", "DRAGONFLY_PASSWORD");
        store.deny("production", "prod:/infrastructure");
        assert_eq!(problems(&store), Vec::<String>::new());
        let inventory = inventory(INVENTORY);
        let review = check(&inventory, &Holdings::read(&store, &inventory, &[]).unwrap());
        assert_eq!(review.unread[0].path, "production:/infrastructure");
    }

    #[test]
    fn an_environment_that_is_not_there_is_told_once() {
        let mut store = complete();
        store.remove_environment("development");
        assert_eq!(problems(&store), ["missing-environment development (no environment `development`)"]);
    }
}
