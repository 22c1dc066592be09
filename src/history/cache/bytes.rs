//! Numbers and bytes in a row, as a cache file holds them: little-endian, each list with its length before it.

/// Writes.
#[derive(Default)]
pub(super) struct Writer(pub(super) Vec<u8>);

impl Writer {
    pub(super) fn number(&mut self, number: u64) {
        self.0.extend_from_slice(&number.to_le_bytes());
    }

    pub(super) fn bytes(&mut self, bytes: &[u8]) {
        self.number(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    pub(super) fn u32s(&mut self, numbers: impl ExactSizeIterator<Item = u32>) {
        self.number(numbers.len() as u64);
        numbers.for_each(|number| self.0.extend_from_slice(&number.to_le_bytes()));
    }

    pub(super) fn u64s(&mut self, numbers: impl ExactSizeIterator<Item = u64>) {
        self.number(numbers.len() as u64);
        numbers.for_each(|number| self.0.extend_from_slice(&number.to_le_bytes()));
    }

    pub(super) fn texts<'t>(&mut self, texts: impl ExactSizeIterator<Item = &'t [u8]> + Clone) {
        self.u32s(texts.clone().map(|text| text.len() as u32));
        texts.for_each(|text| self.0.extend_from_slice(text));
    }
}

/// Reads what was written; `None` where there is not so much.
pub(super) struct Reader<'b>(pub(super) &'b [u8]);

impl<'b> Reader<'b> {
    fn take(&mut self, len: usize) -> Option<&'b [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn number(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }

    pub(super) fn bytes(&mut self) -> Option<&'b [u8]> {
        let len = usize::try_from(self.number()?).ok()?;
        self.take(len)
    }

    pub(super) fn u32s(&mut self) -> Option<Vec<u32>> {
        let len = usize::try_from(self.number()?).ok()?;
        let (numbers, _) = self.take(len.checked_mul(4)?)?.as_chunks::<4>();
        Some(numbers.iter().map(|number| u32::from_le_bytes(*number)).collect())
    }

    pub(super) fn u64s(&mut self) -> Option<Vec<u64>> {
        let len = usize::try_from(self.number()?).ok()?;
        let (numbers, _) = self.take(len.checked_mul(8)?)?.as_chunks::<8>();
        Some(numbers.iter().map(|number| u64::from_le_bytes(*number)).collect())
    }

    pub(super) fn texts(&mut self) -> Option<Vec<Vec<u8>>> {
        let lens = self.u32s()?;
        lens.into_iter().map(|len| self.take(len as usize).map(<[u8]>::to_vec)).collect()
    }
}
