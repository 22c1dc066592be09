//! Archives that are read from the front to the end: tar, and what packs one file.

use std::io::{self, BufRead, Cursor, Read};

use bzip2::bufread::MultiBzDecoder;
use flate2::bufread::MultiGzDecoder;
use lzma_rust2::XzReader;
use ruzstd::decoding::StreamingDecoder;

use super::{Archive, HEAD, Walk, name, reader::ContentReader};
use crate::{detect::Content, model::GapReason};

/// A decoder may hold so much, in KiB: more than what the tools themselves use at their strongest settings.
const MOST_MEMORY: u32 = 128 << 10;

/// What a packed stream holds; `None` of what packs many files.
pub(super) fn decoder<'r>(
    archive: Archive,
    packed: impl BufRead + 'r,
) -> io::Result<Option<Box<dyn Read + 'r>>> {
    Ok(Some(match archive {
        Archive::Gzip => Box::new(MultiGzDecoder::new(packed)),
        Archive::Bzip2 => Box::new(MultiBzDecoder::new(packed)),
        Archive::Xz => Box::new(XzReader::new_mem_limit(packed, true, MOST_MEMORY)),
        Archive::Zstd => Box::new(Frames { frame: None, rest: Some(packed) }),
        Archive::Zip | Archive::Tar => return Ok(None),
    }))
}

/// One frame of zstd after the other.
struct Frames<R: Read> {
    frame: Option<StreamingDecoder<R, ruzstd::decoding::FrameDecoder>>,
    rest: Option<R>,
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        loop {
            if let Some(mut frame) = self.frame.take() {
                let read = frame.read(buffer)?;
                if read > 0 {
                    self.frame = Some(frame);
                    return Ok(read);
                }
                self.rest = Some(frame.into_inner());
            }
            let Some(mut rest) = self.rest.take() else { return Ok(0) };
            if rest.fill_buf()?.is_empty() {
                return Ok(0);
            }
            self.frame =
                Some(StreamingDecoder::new(rest).map_err(|error| io::Error::other(error.to_string()))?);
        }
    }
}

impl Walk<'_> {
    /// What packs one file, or a tar archive.
    pub(super) fn stream(
        &mut self,
        archive: Archive,
        content: &dyn Content,
        path: &str,
        depth: usize,
    ) -> io::Result<()> {
        let unpacked = match decoder(archive, ContentReader::new(content).buffered()) {
            Ok(Some(unpacked)) => unpacked,
            Ok(None) => return Ok(()),
            Err(error) => {
                self.gap(path, GapReason::Damaged, error.to_string());
                return Ok(());
            }
        };
        let mut unpacked = unpacked;
        let mut head = Vec::new();
        // A damaged head is told of by whoever reads on.
        let read = unpacked.by_ref().take(HEAD as u64).read_to_end(&mut head);
        let is_tar = read.is_ok() && Archive::detect(&head) == Some(Archive::Tar);
        let whole = Cursor::new(head).chain(Failed(read.err())).chain(unpacked);
        if is_tar {
            return self.tar(whole, path, depth);
        }
        let mut whole = whole;
        let name = name::join(path, &name::of_gzip(&content.read_range(0, HEAD as u64)?), 1);
        self.entry(&mut whole, &name, depth)
    }

    /// All entries of a tar archive.
    pub(super) fn tar(&mut self, packed: impl Read, path: &str, depth: usize) -> io::Result<()> {
        let mut archive = tar::Archive::new(packed);
        let entries = match archive.entries() {
            Ok(entries) => entries,
            Err(error) => {
                self.gap(path, GapReason::Damaged, error.to_string());
                return Ok(());
            }
        };
        for (number, entry) in entries.enumerate() {
            let mut entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    self.gap(path, GapReason::Damaged, error.to_string());
                    break;
                }
            };
            if !entry.header().entry_type().is_file() {
                continue;
            }
            let inner = name::join(path, &entry.path_bytes(), number + 1);
            self.entry(&mut entry, &inner, depth)?;
            if self.is_spent() {
                break;
            }
        }
        Ok(())
    }
}

/// An error that came up before it was asked for.
struct Failed(Option<io::Error>);

impl Read for Failed {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}
