//! The output room: a [`Report`] becomes bytes, in a format that somebody reads.
//!
//! In comes the report and how to lay it out, out go bytes. A renderer prints what it is given: it neither filters nor sorts
//! nor grades, and the same report gives the same bytes. It knows of no file, terminal device or command line; what it takes
//! from scanned content goes through `terminal`, so that no file name writes to somebody's screen.

mod brief;
mod csv;
mod excerpt;
mod gitlab;
mod gitleaks;
mod human;
mod json;
mod jsonl;
mod sarif;
mod summary;
mod terminal;
mod uri;
mod whereabouts;
mod wording;

#[cfg(test)]
mod sample;

use std::{fmt, path::Path, str::FromStr};

use crate::model::Report;

pub use brief::brief;
pub use json::{ParseReportError, parse_report};
pub(crate) use terminal::{ALARM, FRAME, Label, PLAIN, Page, STRONG, escape_json};
pub(crate) use wording::counted;
#[cfg(feature = "network")]
pub(crate) use {csv::harmless, terminal::sanitise};

type Renderer = fn(&Report, &RenderOptions) -> Result<Vec<u8>, RenderError>;

macro_rules! formats {
    ($($(#[$doc:meta])* $format:ident = $word:literal, $extensions:expr, $render:path;)+) => {
        /// What a report can be written as.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Format { $($(#[$doc])* $format,)+ }

        impl Format {
            /// Every format, in the order in which help texts list them.
            pub const ALL: &[Self] = &[$(Self::$format),+];

            /// Its word on the command line.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$format => $word,)+ }
            }

            fn extensions(self) -> &'static [&'static str] {
                match self { $(Self::$format => $extensions,)+ }
            }

            fn renderer(self) -> Renderer {
                match self { $(Self::$format => $render,)+ }
            }
        }
    };
}

// The one list of formats: variant = word, file extensions, renderer.
formats! {
    /// For a person at a terminal.
    Human = "human", &["txt"], human::render;
    /// The whole report; `hekate report` reads it back. Its JSON Schema is docs/report.schema.json.
    Json = "json", &["json"], json::render;
    /// One JSON object a line, one line a place.
    Jsonl = "jsonl", &["jsonl", "ndjson"], jsonl::render;
    /// SARIF 2.1.0, for code scanning.
    Sarif = "sarif", &["sarif", "sarif.json"], sarif::render;
    /// gitleaks' JSON report, which is also its baseline.
    Gitleaks = "gitleaks", &["gitleaks.json"], gitleaks::render;
    /// GitLab's secret detection report, for its pipelines and merge requests.
    Gitlab = "gitlab", &["gitlab.json"], gitlab::render;
    /// One row a place, for spreadsheets.
    Csv = "csv", &["csv"], csv::render;
}

impl Format {
    /// The format that a file's name asks for: that of the longest extension it ends with, in any case. `None` where no
    /// format has it.
    pub fn from_extension(path: &Path) -> Option<Self> {
        let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
        let endings =
            Self::ALL.iter().flat_map(|format| format.extensions().iter().map(move |end| (*format, *end)));
        endings
            .filter(|(_, end)| name.strip_suffix(end).is_some_and(|stem| stem.ends_with('.')))
            .max_by_key(|(_, end)| end.len())
            .map(|(format, _)| format)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A word that names no format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is no format; known are {known}")]
pub struct ParseFormatError {
    word: String,
    known: String,
}

impl FromStr for Format {
    type Err = ParseFormatError;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        let named = Self::ALL.iter().copied().find(|format| format.as_str() == word);
        named.ok_or_else(|| ParseFormatError {
            word: terminal::sanitise(word).into_owned(),
            known: Self::ALL.iter().map(|format| format.as_str()).collect::<Vec<_>>().join(", "),
        })
    }
}

/// How to lay a report out. Only [`Format::Human`] looks at it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderOptions {
    /// Whether to colour with ANSI escapes.
    pub color: bool,
    /// Columns of the terminal; less than 40 counts as 40.
    pub width: usize,
    /// Whether to list every place and gap, and whole fingerprints.
    pub verbose: bool,
}

impl Default for RenderOptions {
    fn default() -> Self {
        Self { color: false, width: 100, verbose: false }
    }
}

/// A report that could not be written in a format.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// As JSON, or a format made of it.
    #[error("render the report as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// As CSV.
    #[error("render the report as CSV: {0}")]
    Csv(#[from] ::csv::Error),
}

/// The report as the bytes of a format, every line ended by a line feed.
///
/// A secret's clear text is in them only where the report holds it (`--show-secrets`), and never in SARIF and GitLab's format, which
/// are made to be uploaded.
///
/// # Errors
/// When the serialiser of the format refuses the report.
pub fn render(report: &Report, format: Format, options: &RenderOptions) -> Result<Vec<u8>, RenderError> {
    format.renderer()(report, options)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_is_known_by_its_word_and_by_its_extensions() {
        for format in Format::ALL {
            assert_eq!(format.as_str().parse(), Ok(*format));
            for end in format.extensions() {
                assert_eq!(Format::from_extension(Path::new(&format!("out/report.{end}"))), Some(*format));
            }
        }
    }

    #[test]
    fn extensions_are_read_in_any_case_and_only_after_a_dot() {
        assert_eq!(Format::from_extension(Path::new("a.SARIF")), Some(Format::Sarif));
        assert_eq!(Format::from_extension(Path::new("a.sarif.json")), Some(Format::Sarif));
        for name in ["json", "notjson", "report.xml", "report.json.gz", "", "/"] {
            assert_eq!(Format::from_extension(Path::new(name)), None, "{name}");
        }
    }

    #[test]
    fn unknown_format_says_which_are_known() {
        let error = "xml".parse::<Format>().unwrap_err();
        assert_eq!(
            error.to_string(),
            "`xml` is no format; known are human, json, jsonl, sarif, gitleaks, gitlab, csv"
        );
    }

    #[test]
    fn rendering_twice_gives_the_same_bytes() {
        for format in Format::ALL {
            let once = render(&sample::report(), *format, &RenderOptions::default()).unwrap();
            assert_eq!(
                once,
                render(&sample::report(), *format, &RenderOptions::default()).unwrap(),
                "{format}"
            );
            assert_eq!(once.last(), Some(&b'\n'), "{format}");
        }
    }

    #[test]
    fn no_format_shows_a_secret_that_was_not_asked_for() {
        for format in Format::ALL {
            let text = sample::text(&sample::report(), *format);
            for value in sample::values() {
                let tail = &value[value.len() - 6..];
                assert!(!text.contains(tail), "{format} shows {tail}");
            }
        }
    }

    #[test]
    fn secrets_that_were_asked_for_are_in_every_format_but_those_for_upload() {
        for format in Format::ALL {
            let text = sample::text(&sample::with_secrets(), *format);
            let shown = sample::values().iter().filter(|value| text.contains(value.as_str())).count();
            let is_for_upload = matches!(format, Format::Sarif | Format::Gitlab);
            assert_eq!(shown > 0, !is_for_upload, "{format}");
        }
    }

    #[test]
    fn no_format_lets_content_write_to_the_terminal() {
        let options = RenderOptions { verbose: true, ..RenderOptions::default() };
        for format in Format::ALL {
            let text = String::from_utf8(render(&sample::hostile(), *format, &options).unwrap()).unwrap();
            let unsafe_characters = text.chars().filter(|c| *c != '\n' && terminal::is_unsafe(*c)).count();
            assert_eq!(unsafe_characters, 0, "{format}");
        }
    }
}
