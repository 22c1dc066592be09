//! What may be written to a terminal: untrusted text made visible, colours, and lines of a width.

use std::{borrow::Cow, fmt::Write};

use anstyle::{AnsiColor, Style};
use unicode_width::UnicodeWidthStr;

use crate::model::Severity;

use super::RenderOptions;

/// Faint, for what frames the content.
pub(crate) const FRAME: Style = Style::new().dimmed();
/// Bold, for what is read first.
pub(crate) const STRONG: Style = Style::new().bold();
/// For what needs a look at once.
pub(crate) const ALARM: Style = AnsiColor::Red.on_default().bold();
/// As the terminal has it.
pub(crate) const PLAIN: Style = Style::new();

/// The least width that lines are laid out for, in columns.
const MIN_WIDTH: usize = 40;

/// Characters beyond controls that are not seen, or that change how others are seen: format and default-ignorable
/// characters, line separators, and fillers (Unicode 16, DerivedCoreProperties.txt and general categories Cf, Zl, Zp).
/// Variation selectors and tags are among them, because whole messages hide in those.
const INVISIBLE: &[(char, char)] = &[
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{2028}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e0fff}'),
];

/// Whether a character steers a terminal or deceives its reader: C0, DEL, C1, bidirectional overrides, zero width.
pub(super) fn is_unsafe(c: char) -> bool {
    c.is_control() || (c >= '\u{ad}' && INVISIBLE.iter().any(|(first, last)| (*first..=*last).contains(&c)))
}

/// The text with every unsafe character as a visible escape: `\n`, `\x1b`, `\u{202e}`.
pub(crate) fn sanitise(text: &str) -> Cow<'_, str> {
    if !text.contains(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\t' | '\n' | '\r' => safe.extend(c.escape_default()),
            // C1 stays apart from `\xNN`, which in paths stands for a byte that is no UTF-8.
            c if is_unsafe(c) && c.is_ascii() => push(&mut safe, format_args!("\\x{:02x}", u32::from(c))),
            c if is_unsafe(c) => safe.extend(c.escape_unicode()),
            c => safe.push(c),
        }
    }
    Cow::Owned(safe)
}

/// A line of a file made safe, with tabs as four blanks.
pub(super) fn sanitise_line(line: &str) -> String {
    sanitise(&line.replace('\t', "    ")).into_owned()
}

/// JSON text with every unsafe character as `\uNNNN`, so that it means the same and can be printed.
///
/// Such characters stand in strings only: outside them JSON is ASCII, and its one control character here is the line feed.
pub(crate) fn escape_json(json: String) -> String {
    let must_escape = |c: char| c != '\n' && is_unsafe(c);
    if !json.contains(must_escape) {
        return json;
    }
    let mut safe = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if must_escape(c) {
            c.encode_utf16(&mut [0; 2])
                .iter()
                .for_each(|unit| push(&mut safe, format_args!("\\u{unit:04x}")));
        } else {
            safe.push(c);
        }
    }
    safe
}

fn push(text: &mut String, arguments: std::fmt::Arguments<'_>) {
    text.write_fmt(arguments).expect("a String takes whatever is written to it");
}

/// The colour of a severity.
pub(super) fn severity_style(severity: Severity) -> Style {
    match severity {
        Severity::Critical => AnsiColor::Red.on_default().bold(),
        Severity::High => AnsiColor::Red.on_default(),
        Severity::Medium => AnsiColor::Yellow.on_default(),
        Severity::Low => AnsiColor::Cyan.on_default(),
    }
}

/// What stands before the first line of a paragraph; further lines are indented to where its text begins.
pub(crate) struct Label<'a> {
    /// Blanks before it.
    pub(crate) indent: usize,
    /// The word itself.
    pub(crate) text: &'a str,
    /// Columns it takes, with the blanks behind it.
    pub(crate) width: usize,
    /// Its colour.
    pub(crate) style: Style,
}

impl Label<'_> {
    /// No label: text from the left edge.
    pub(crate) const NONE: Label<'static> = Label { indent: 0, text: "", width: 0, style: PLAIN };
}

/// Text for a terminal in the making. Whatever is put on it is made safe first.
pub(crate) struct Page {
    text: String,
    color: bool,
    width: usize,
}

impl Page {
    pub(crate) fn new(options: &RenderOptions) -> Self {
        Self { text: String::new(), color: options.color, width: options.width.max(MIN_WIDTH) }
    }

    /// Columns that a line may take.
    pub(crate) fn width(&self) -> usize {
        self.width
    }

    /// Adds text to the current line.
    pub(crate) fn put(&mut self, style: Style, text: &str) {
        let text = sanitise(text);
        if self.color && style != PLAIN && !text.is_empty() {
            push(&mut self.text, format_args!("{style}{text}{style:#}"));
        } else {
            self.text.push_str(&text);
        }
    }

    /// Adds blanks to the current line.
    pub(crate) fn blanks(&mut self, count: usize) {
        self.text.extend(std::iter::repeat_n(' ', count));
    }

    /// Ends the current line, without blanks at its end.
    pub(crate) fn end_line(&mut self) {
        self.text.truncate(self.text.trim_end_matches(' ').len());
        self.text.push('\n');
    }

    /// A line of its own.
    pub(crate) fn line(&mut self, style: Style, text: &str) {
        self.put(style, text);
        self.end_line();
    }

    /// A label and text behind it, broken between words. A word wider than the line (a URL) is left whole.
    pub(crate) fn paragraph(&mut self, label: &Label<'_>, style: Style, text: &str) {
        self.blanks(label.indent);
        self.put(label.style, label.text);
        self.blanks(label.width.saturating_sub(label.text.width()));
        let margin = label.indent + label.width.max(label.text.width());
        let text = sanitise(text);
        for (index, line) in wrap(&text, self.width.saturating_sub(margin)).iter().enumerate() {
            if index > 0 {
                self.end_line();
                self.blanks(margin);
            }
            self.put(style, line);
        }
        self.end_line();
    }

    /// The page, as bytes.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.text.into_bytes()
    }
}

fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.width() + 1 + word.width() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_becomes_visible() {
        let hostile = "a\u{1b}[2J\u{7}\r\n\tb\u{7f}\u{9b}31m\u{202e}\u{2066}\u{200b}\u{feff}\u{e0041}\u{0}c";
        insta::assert_snapshot!(
            sanitise(hostile),
            @r"a\x1b[2J\x07\r\n\tb\x7f\u{9b}31m\u{202e}\u{2066}\u{200b}\u{feff}\u{e0041}\x00c"
        );
    }

    #[test]
    fn what_people_write_stays_as_it_is() {
        for text in ["", "plain", "grüße/日本語/файл.txt", r"bytes\xff", "é e\u{301}", "שלום"] {
            assert!(matches!(sanitise(text), Cow::Borrowed(same) if same == text), "{text}");
        }
    }

    #[test]
    fn escaped_json_means_the_same() {
        let text = "\u{7f}\u{9b}\u{202e}\u{e0041}\u{1b}\n\"\\ü";
        let json = serde_json::to_string(text).unwrap();
        let escaped = escape_json(json);
        assert!(!escaped.contains(is_unsafe), "{escaped}");
        assert_eq!(serde_json::from_str::<String>(&escaped).unwrap(), text);
    }

    #[test]
    fn colour_is_only_there_when_asked_for() {
        let mut plain = Page::new(&RenderOptions::default());
        plain.line(ALARM, "text");
        assert_eq!(plain.into_bytes(), b"text\n");

        let mut coloured = Page::new(&RenderOptions { color: true, ..RenderOptions::default() });
        coloured.line(ALARM, "text\u{1b}");
        assert_eq!(coloured.into_bytes(), b"\x1b[1m\x1b[31mtext\\x1b\x1b[0m\n");
    }

    #[test]
    fn paragraphs_break_between_words_and_hang() {
        let mut page = Page::new(&RenderOptions { width: 0, ..RenderOptions::default() });
        let label = Label { indent: 2, text: "why", width: 6, style: FRAME };
        page.paragraph(
            &label,
            PLAIN,
            "one two three four five six seven https://example.com/a-very-long-address x",
        );
        insta::assert_snapshot!(String::from_utf8(page.into_bytes()).unwrap(), @"
        why   one two three four five six
              seven
              https://example.com/a-very-long-address
              x
        ");
    }
}
