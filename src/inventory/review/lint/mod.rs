//! Is what is there good enough? Values, policies and tokens.

mod policies;
mod tokens;
mod values;

use super::{Holdings, Review};
use crate::inventory::Inventory;

/// Looks for values that are weak or used twice, and for policies and tokens that reach too far.
pub fn lint(inventory: &Inventory, holdings: &Holdings) -> Review {
    let mut problems = values::shared(inventory, holdings);
    problems.extend(values::weak(inventory, holdings));
    problems.extend(policies::problems(inventory));
    problems.extend(tokens::problems(inventory));
    Review { unread: holdings.unread_or_absent(), ..Review::new(inventory, holdings, problems) }
}
