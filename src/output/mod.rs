//! temporary
#![allow(missing_docs)]
use crate::model::Report;
use std::{fmt, path::Path, str::FromStr};
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Human,
    Json,
}
impl Format {
    pub const ALL: &[Self] = &[Self::Human, Self::Json];
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::Json => "json",
        }
    }
    pub fn from_extension(_: &Path) -> Option<Self> {
        None
    }
}
impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
impl FromStr for Format {
    type Err = ();
    fn from_str(s: &str) -> Result<Self, ()> {
        Self::ALL.iter().copied().find(|f| f.as_str() == s).ok_or(())
    }
}
pub struct RenderOptions {
    pub color: bool,
    pub width: usize,
    pub verbose: bool,
}
impl Default for RenderOptions {
    fn default() -> Self {
        Self { color: false, width: 100, verbose: false }
    }
}
pub fn render(report: &Report, format: Format, _: &RenderOptions) -> Result<Vec<u8>, serde_json::Error> {
    if format == Format::Json {
        return serde_json::to_vec_pretty(report);
    }
    let mut out = String::new();
    for f in &report.findings {
        for o in &f.occurrences {
            out.push_str(&format!(
                "{:6} {:8} {} {}:{}:{}  {}\n",
                f.confidence, f.severity, f.rule, o.path, o.start.line, o.start.column, o.excerpt
            ));
        }
    }
    out.push_str(&format!(
        "{} findings, {} places, {} files {} bytes, {} gaps\n",
        report.findings.len(),
        report.occurrences(),
        report.coverage.files,
        report.coverage.bytes,
        report.coverage.gaps.len()
    ));
    Ok(out.into_bytes())
}
pub fn parse_report(text: &str) -> Result<Report, serde_json::Error> {
    serde_json::from_str(text)
}
