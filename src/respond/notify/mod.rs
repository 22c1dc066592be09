//! stub
use super::{Incident, Standing, Mandate, audit::Receipt};
pub struct Notifier<'a>(pub std::marker::PhantomData<&'a ()>);
pub struct Told { pub channel: String, pub outcome: Result<(), String> }
pub struct Message;
impl Message { pub fn new(_: &Incident, _: &Standing, _: &Mandate, _: &Receipt, _: i64) -> Self { Self } pub fn key(&self) -> String { String::new() } }
impl Notifier<'_> { pub fn tell(&self, _: &Message) -> Vec<Told> { Vec::new() } }
