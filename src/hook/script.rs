//! The script of a hook: POSIX sh that calls what was there before, and then hekate.

use std::path::Path;

use super::{Hook, HookError};

/// By this line a script is known to be ours.
const MARK: &str = "# hekate hook 1:";
/// A hook of somebody else's may be anything: ours has its mark near its start.
const HEAD: usize = 256;

/// A hook's file, as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script(String);

impl Script {
    /// The script of a hook that runs this program, with these arguments behind `hook run HOOK`.
    ///
    /// # Errors
    /// A path that is no UTF-8.
    pub fn new(hook: Hook, program: &Path, args: &[String]) -> Result<Self, HookError> {
        let path = program.to_str().ok_or_else(|| HookError::Path { path: program.to_owned() })?;
        let args: String = args.iter().map(|arg| format!(" {}", quoted(arg))).collect();
        let call = format!("\"$hekate\" hook run {hook}{args} \"$@\"");
        let body = match hook {
            Hook::PreCommit => format!(
                "if [ -x \"$0.before-hekate\" ]; then\n    \"$0.before-hekate\" \"$@\" || exit\nfi\n{FIND}\nexec {call}\n"
            ),
            // Both hooks want what git says on standard input.
            Hook::PrePush | Hook::PreReceive => format!(
                "refs=$(cat)\n\
                 refs() {{ [ -z \"$refs\" ] || printf '%s\\n' \"$refs\"; }}\n\
                 if [ -x \"$0.before-hekate\" ]; then\n    refs | \"$0.before-hekate\" \"$@\" || exit\nfi\n{FIND}\nrefs | {call}\n"
            ),
        };
        let bypass = match hook {
            Hook::PreCommit => "To go on without it this once: `git commit --no-verify`.",
            Hook::PrePush => "To go on without it this once: `git push --no-verify`.",
            Hook::PreReceive => "Whoever looks after this server has to install it again.",
        };
        let body = body.replace("@bypass@", bypass);
        Ok(Self(format!(
            "#!/bin/sh\n{MARK} written by `hekate hook install`; `hekate hook uninstall {hook}` takes it away.\nhekate={}\n{body}",
            quoted(path)
        )))
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a hook's file is a script of ours.
    pub(super) fn is_ours(bytes: &[u8]) -> bool {
        let head = &bytes[..bytes.len().min(HEAD)];
        let mut lines = head.split(|byte| *byte == b'\n');
        lines.nth(1).is_some_and(|line| line.starts_with(MARK.as_bytes()))
    }
}

/// A hook that can't do its work refuses: silence would be taken for a clean bill.
const FIND: &str = "\
if [ ! -x \"$hekate\" ]; then
    hekate=$(command -v hekate) || {
        echo 'hekate: the program that this hook runs is gone, so nothing was checked and this is refused.' >&2
        echo 'hekate: Install it again, then run `hekate hook install`. @bypass@' >&2
        exit 1
    }
fi";

/// As one word of sh.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_is_known_as_ours_and_nothing_else_is() {
        for hook in Hook::ALL {
            let script = Script::new(*hook, Path::new("/opt/it's/hekate"), &[]).unwrap();
            assert!(Script::is_ours(script.as_str().as_bytes()));
            assert!(script.as_str().contains(r"hekate='/opt/it'\''s/hekate'"));
        }
        for other in ["", "#!/bin/sh", "#!/bin/sh\necho hekate\n", "# hekate hook 1:\n"] {
            assert!(!Script::is_ours(other.as_bytes()), "{other:?}");
        }
    }
}
