//! stub
use super::Trouble;
/// A program of the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// n
    pub name: String,
    /// a
    pub argv: Vec<String>,
    /// t
    pub timeout: std::time::Duration,
}
impl Program {
    pub fn target<'a>(&'a self, path: String, _: String) -> super::Manual<'a> { super::Manual::new(path, None) }
    /// r
    pub fn run_for_consumer(&self, _: &str, _: &str) -> Result<(), Trouble> { Ok(()) }
}
